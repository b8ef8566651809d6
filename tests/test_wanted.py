"""Whoever lacks a program is told what was skipped and what to install, unless it is CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TEST = """
from tests import wanted

def test_one(): wanted.program("no-such-program")
def test_two(): wanted.program("no-such-program")
def test_three(): wanted.program("nor-this", "its package")
def test_four(): pass
"""


@pytest.mark.parametrize("ci", [False, True])
def test_what_was_skipped_is_said_with_what_to_install(tmp_path: Path, ci: bool) -> None:
    root = Path(__file__).parent.parent
    (tmp_path / "test_lacking.py").write_text(TEST)
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_terminal_summary")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(root)} | (
        {"CI": "1"} if ci else {}
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:schemathesis", "-n", "2", "."]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    if ci:
        assert "3 failed, 1 passed" in done.stdout
    else:
        assert "1 passed, 3 skipped" in done.stdout
        *_, first, second, _ = done.stdout.splitlines()
        assert first == "its package: 1 skipped without it"
        assert second == "no-such-program: 2 skipped without it"
