"""The version is in one place, and everybody is told the same."""

import tomllib
from typing import Final

import httpx2
import pytest

from api.version import VERSION
from tests.checkout import ROOT
from tests.cluster import TaskDatabase
from tests.forked import Outcome
from tests.observability.test_logs import address_of, settings_for
from tests.people import Person
from tests.program import run, running

PYPROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_version_is_that_of_pyproject() -> None:
    assert PYPROJECT["project"]["version"] == VERSION


def test_the_command_says_its_version() -> None:
    assert run("--version") == Outcome(0, f"task-api {VERSION}\n", "")


def test_the_document_says_the_version(alice: Person) -> None:
    assert alice.http.get("/openapi.json").json()["info"]["version"] == VERSION


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_first_line_of_the_log_says_the_version(database: TaskDatabase, workers: str) -> None:
    settings = settings_for(database) | {"LOG_FORMAT": "text"}
    with running("serve", "--port", "0", "--workers", workers, **settings) as serve:
        assert httpx2.get(f"{address_of(serve)}/livez").status_code == 200
        assert serve.err.splitlines()[0] == f"INFO:     task-api {VERSION}"
        assert serve.err.count(f"task-api {VERSION}\n") == int(workers)


def test_no_other_file_of_the_program_holds_the_version() -> None:
    held = [file for file in (ROOT / "api").rglob("*.py") if f'"{VERSION}"' in file.read_text()]
    assert held == []
