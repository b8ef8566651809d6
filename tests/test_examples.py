"""Each command that README.md and docs/api.md print is run, and prints what they print; what
docs/architecture.md adds to the application works."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient

from tests.checkout import ROOT
from tests.cluster import TaskDatabase
from tests.people import SECRET, signed
from tests.problems import problem
from tests.program import PATIENCE, TASK_API, environment, running
from tests.scratch import scratch

READY: Final = "Ctrl-C stops it"
_BLOCK: Final = re.compile(r"(?ms)^```console\n(.*?)^```")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z")
_OMITTED: Final = re.compile(r"\s*\.\.\.\s*")
_CONTINUED: Final = re.compile(r"\n +")
_BETWEEN: Final = "\x1e"


def examples(text: str) -> Iterator[tuple[str, str]]:
    """The commands of the console blocks, each with what is printed below it."""
    for block in _BLOCK.findall(text):
        for example in re.split(r"(?m)^\$ ", block)[1:]:
            command, _, printed = example.partition("\n")
            yield command, printed


def matches(printed: str, output: str) -> bool:
    """Whether the output is as printed, to the byte: `...` and the space around it is anything, a
    date any date; a line that is too long for the document goes on in the next, indented."""
    parts = [
        _DATE.pattern.join(
            "[ ]".join(map(re.escape, _CONTINUED.split(part))) for part in _DATE.split(piece)
        )
        for piece in _OMITTED.split(printed.strip("\n"))
    ]
    whole = output.replace("\r", "").strip("\n")
    return re.fullmatch(".*".join(parts), whole, re.DOTALL) is not None


def outputs(commands: list[str], folder: Path) -> list[str]:
    """What each of them prints, run in one shell."""
    script = "\n".join(f"printf '{_BETWEEN}'; {command}" for command in commands)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return done.stdout.split(_BETWEEN)[1:]


def section(text: str, heading: str) -> str:
    """What stands below this heading, to the next one."""
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


@pytest.mark.slow
@pytest.mark.parametrize("document", ["README.md", "docs/api.md"])
def test_what_a_document_prints_is_what_its_commands_print(document: str) -> None:
    text = (ROOT / document).read_text()
    is_readme = document == "README.md"
    if is_readme:  # the others need make, or print what takes minutes
        text = section(text, "First calls") + section(text, "Audit it")
    shown = list(examples(text))
    assert len(shown) > 5
    with scratch() as folder, running("dev", folder=folder, PORT="0") as dev:
        said = dev.says(READY)
        address = re.search(r"http://127\.0\.0\.1:\d+", said)
        newcomer = re.search(r"(?m)^curl .*$", said)
        assert address
        assert newcomer
        commands = [command for command, _ in shown]
        if is_readme:  # its reader has run the line that make run prints
            commands = [newcomer[0], *commands]
        here = [
            command.replace(".venv/bin/task-api", TASK_API).replace(
                "http://127.0.0.1:8000", address[0]
            )
            for command in commands
        ]
        found = outputs(here, folder)[-len(shown) :]
    for (command, printed), output in zip(shown, found, strict=True):
        assert matches(printed, output), f"$ {command}\n{output}\nis not\n{printed}"


@pytest.mark.slow
def test_the_readme_shows_what_make_run_prints() -> None:
    (shown,) = re.findall(r"(?ms)^\$ make run\n\.\.\.\n(.*?)^```", (ROOT / "README.md").read_text())
    with scratch() as folder, running("dev", folder=folder, PORT="0") as dev:
        printed = dev.says(READY)
    for now, then in (
        (r"127\.0\.0\.1:\d+", "127.0.0.1:8000"),
        (r"eyJhbGciOi[\w.-]+", "eyJhbGciOi..."),
        (re.escape(TASK_API), ".venv/bin/task-api"),
    ):
        printed = re.sub(now, then, printed)
    assert printed.strip("\n") == shown.strip("\n")


def test_the_application_is_extended_as_the_document_shows(
    database: TaskDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = section((ROOT / "docs/architecture.md").read_text(), "Extend it")
    (example,) = re.findall(r"(?ms)^```python\n(.*?)^```", text)
    names: dict[str, Any] = {}
    monkeypatch.setenv("DATABASE_URL", database.task_app)
    monkeypatch.setenv("BETTER_AUTH_SECRET", SECRET)
    exec(compile(example, "extended.py", "exec"), names)  # noqa: S102
    alice, bob = (
        {"Authorization": f"Bearer {signed({'sub': f'{name}-of-the-example'})}"}
        for name in ("alice", "bob")
    )
    with TestClient(names["extended"]()) as client:
        made = client.post("/api/tasks", headers=alice, json={"title": "Buy milk"})
        assert (made.status_code, made.headers["X-Release"]) == (201, "7")
        assert client.get("/api/summary", headers=alice).json() == {"total": 1}
        assert client.get("/api/summary", headers=bob).json() == {"total": 0}
        problem(client.get("/api/summary"), 401)


def test_another_output_is_noticed() -> None:
    text = "```console\n$ one\n{...}\n$ two -x\nHTTP\n...\n```\n"
    assert list(examples(text)) == [("one", "{...}\n"), ("two -x", "HTTP\n...\n")]
    assert matches('{"id":1, ...}\n', '{"id":1,"title":"x"}')
    assert matches('"at":"2026-11-21T09:45:14.927711Z"', '"at":"2026-12-01T10:00:00.000001Z"')
    assert not matches('{"id":1, ...}', '{"id":2,"title":"x"}')
    assert not matches("HTTP/1.1 412 ...", "HTTP/1.1 404 Not Found")
    assert not matches("", "something")
    assert not matches("ok  two", "ok two")
