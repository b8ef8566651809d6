"""Clients that generators make of openapi.json type-check, and their calls work.

A generator that fails, or makes of the document what no caller could use, is a fault of the
document.
"""

import json
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest

from tests import npm, openapi
from tests.people import Person
from tests.program import environment

FOLDER: Final = Path(__file__).parent / "clients"
BIN: Final = "node_modules/.bin"
PATIENCE: Final = 120  # seconds
PYTHON: Final = """
import json
import os

from made.python.api.tasks import create_task, get_task, list_tasks
from made.python.client import AuthenticatedClient
from made.python.models import Problem, Sort, TaskCreate

client = AuthenticatedClient(base_url=os.environ["API"], token=os.environ["TOKEN"])
created = create_task.sync(
    client=client, body=TaskCreate(title="Buy milk"), idempotency_key="an-action-of-python"
)
assert created is not None and not isinstance(created, Problem)
listed = list_tasks.sync_detailed(
    client=client, completed=False, limit=1, sort=Sort("-created_at"), prefer="count=exact"
)
assert isinstance(listed.parsed, list)
missing = get_task.sync(created.id + 1_000_000, client=client)
assert isinstance(missing, Problem)
said = {
    "created": created.title,
    "listed": [task.title for task in listed.parsed],
    "next": listed.headers["Link"].partition(", <")[2].partition(">")[0],
    "missing": str(missing.type_),
}
print(json.dumps(said))


def wrong() -> None:
    TaskCreate(title="Buy milk", colour="red")  # type: ignore[call-arg]
    TaskCreate()  # type: ignore[call-arg]
    list_tasks.sync(client=client, sort="colour")  # type: ignore[arg-type]
"""
GENERATORS: Final = {
    "hey-api": [f"{BIN}/openapi-ts", "-i", "openapi.json", "-o", "made/hey-api"],
    "orval": [f"{BIN}/orval", "--config", "orval.config.cjs"],
    "openapi-typescript": [
        *(f"{BIN}/openapi-typescript", "openapi.json", "-o", "made/openapi-typescript.ts"),
        *("--default-non-nullable", "false"),  # what has a default may be left out of a body
    ],
    "python": [
        str(Path(sysconfig.get_path("scripts")) / "openapi-python-client"),
        *("generate", "--path", "openapi.json", "--output-path", "made/python"),
        *("--meta", "none", "--config", "python.json"),
    ],
}

pytestmark = pytest.mark.slow


def run(folder: Path, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    # nothing of this program runs here: coverage would only slow it down
    given = environment(**settings)
    return subprocess.run(
        command,
        cwd=folder,
        env={name: given[name] for name in given if not name.startswith("COVERAGE_")},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def succeeds(folder: Path, *command: str, **settings: str) -> str:
    done = run(folder, *command, **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A front end's project with the document, the programs that call, and the clients."""
    npm.install(FOLDER)
    folder = tmp_path_factory.mktemp("generated")
    for file in FOLDER.glob("*.*"):
        shutil.copy(file, folder)
    (folder / "node_modules").symlink_to(FOLDER / "node_modules")
    (folder / "openapi.json").write_text(openapi.text())
    (folder / "python.json").write_text('{"post_hooks": []}')  # it would format what it makes
    (folder / "python.py").write_text(PYTHON)
    (folder / "made").mkdir()
    (folder / "made/__init__.py").touch()
    with ThreadPoolExecutor() as workers:
        list(workers.map(lambda command: succeeds(folder, *command), GENERATORS.values()))
    return folder


@pytest.fixture(scope="module")
def types(project: Path) -> tuple[str, str]:
    """What the type checkers of TypeScript and Python say."""
    mypy = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=.mypy"]
    commands = ([f"{BIN}/tsc"], [*mypy, "python.py", "made/python"])
    with ThreadPoolExecutor() as workers:
        typescript, python = workers.map(lambda command: run(project, *command), commands)
    return typescript.stdout, python.stdout


def said(project: Path, person: Person, name: str) -> dict[str, Any]:
    """What the program says that calls with this client, run as this person."""
    token = person.http.headers["Authorization"].removeprefix("Bearer ")
    told = {"API": str(person.http.base_url).rstrip("/"), "TOKEN": token}
    if name == "python":
        return dict(json.loads(succeeds(project, sys.executable, "python.py", **told)))
    bundled = f"--outfile={name}.mjs", "--bundle", "--platform=node", "--format=esm"
    succeeds(project, f"{BIN}/esbuild", f"{name}.ts", *bundled, "--log-level=warning")
    return dict(json.loads(succeeds(project, "node", f"{name}.mjs", **told)))


@pytest.mark.parametrize("name", GENERATORS)
def test_a_client_calls_and_reads_what_it_is_told(project: Path, alice: Person, name: str) -> None:
    alice.creates("An older task")
    found = said(project, alice, name)
    assert [task["title"] for task in alice.lists()] == ["Buy milk", "An older task"]
    assert (found["created"], found["listed"]) == ("Buy milk", ["Buy milk"])
    assert found["missing"] == "urn:task-api:problem:no-such-task"
    older = alice.http.get(found["next"]).json()
    assert [task["title"] for task in older] == ["An older task"]


def test_the_types_in_typescript_allow_right_calls_and_no_wrong_ones(
    types: tuple[str, str],
) -> None:
    assert types[0] == ""


def test_the_types_in_python_allow_right_calls_and_no_wrong_ones(types: tuple[str, str]) -> None:
    assert types[1].startswith("Success: no issues found in "), types[1]
