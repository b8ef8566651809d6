"""What nobody has foreseen is answered as a problem too, and told to the operator alone."""

import json
from typing import Any

import pytest
from typing_extensions import TypedDict

from api.http import problems
from api.http.body import Body
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


class Place(TypedDict):
    name: str


class Journey(TypedDict):
    stops: list[Place | list[int]]


@pytest.mark.parametrize(
    ("stop", "place"),
    [
        ('{"name": 7}', "/name"),
        ("{}", "/name"),
        ('{"name": ["x"]}', "/name"),
        ('[1, 2, "x"]', "/2"),
        ('"x"', ""),
    ],
)
def test_an_error_is_where_it_is_in_the_body_however_deep(stop: str, place: str) -> None:
    stops = f'{{"stops": [[], {{"name": "x"}}, {stop}]}}'
    for kind, content, start in ((Journey, stops, "#"), (list[Journey], f"[{stops}]", "#/0")):
        with pytest.raises(problems.InvalidInput) as refused:
            Body(kind).parsed(content.encode())
        found = {error["pointer"] for error in refused.value.errors}
        assert f"{start}/stops/2{place}" in found
        assert all(pointer.startswith(f"{start}/stops/2") for pointer in found)


def answered(failure: problems.Failure) -> tuple[int, dict[str, Any]]:
    """How long the answer is, and what is in it."""
    body = bytes(problems.answer(failure, "its-id").body)
    return len(body), json.loads(body)


def test_a_hundred_faults_are_listed_and_that_there_are_more_is_told() -> None:
    errors: list[problems.InputError] = [
        {"detail": "It is wrong.", "pointer": f"#/{n}"} for n in range(101)
    ]
    _, body = answered(problems.InvalidInput(errors[:100]))
    assert body["errors"] == errors[:100]
    assert "100" not in body["detail"]
    _, body = answered(problems.InvalidInput(errors))
    assert body["errors"] == errors[:100]
    assert "the first 100 are listed" in body["detail"]


@pytest.mark.evidence("many-faults")
@pytest.mark.parametrize("kind", [problems.Kind.UNAVAILABLE, problems.Kind.INVALID_INPUT])
@pytest.mark.parametrize("detail", ["x" * 100_000, "x" * 10_000, "\U0001f95b" * 2_000])
def test_no_problem_is_longer_than_64_kib(kind: problems.Kind, detail: str) -> None:
    errors: list[problems.InputError] = [{"detail": detail}] * 100
    size, body = answered(problems.Failure(kind, "It failed.", errors=errors))
    assert size <= problems.MAX_PROBLEM == 64 * 1024
    assert body["detail"] == "It failed. Not all of it has room here."
    assert body.get("errors", []) == errors[: len(body.get("errors", []))]
    assert ("errors" in body) is (len(detail) < 100_000)


def test_a_task_that_has_no_room_in_a_problem_is_left_out() -> None:
    kind = problems.Kind.PRECONDITION_FAILED
    for length, room in ((60_000, True), (70_000, False)):
        current = json.dumps({"title": "x" * length})
        size, body = answered(problems.Failure(kind, "It changed.", current=current))
        assert size <= problems.MAX_PROBLEM
        assert ("current" in body) is room
        assert ("Not all of it" in body["detail"]) is not room
