"""What nobody has foreseen is answered as a problem too, and told to the operator alone."""

import json

import pytest

from api import problems
from tests.openapi import FILE
from tests.problems import MARK


def test_what_was_not_foreseen_is_a_fault_of_the_program(
    caplog: pytest.LogCaptureFixture,
) -> None:
    try:
        raise RuntimeError(MARK)
    except RuntimeError as error:
        answer = problems.answer(error, "its-id")
    body = json.loads(bytes(answer.body))
    assert (answer.status_code, body["type"]) == (500, "urn:task-api:problem:internal-error")
    assert body["request_id"] == "its-id"
    assert MARK not in str(body)
    assert "RuntimeError" in caplog.text  # with its traceback


@pytest.mark.parametrize("kind", problems.Kind, ids=lambda kind: kind.slug)
def test_each_kind_is_in_the_readme_with_its_status(kind: problems.Kind) -> None:
    readme = (FILE.parent / "README.md").read_text()
    assert f"| `{kind.slug}` | {kind.status} |" in readme
