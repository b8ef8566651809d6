"""Run pytest in a copy of the checkout, and write down what failed first.

`python -m tests.mutants.witness FILE ARGUMENTS...` in the folder of the copy.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

import api
from tests.commands import environment


class Witness:
    """A plugin of pytest: the first failure, and at which stage of a test it came."""

    def __init__(self, file: Path) -> None:
        self._file: Final = file

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report, "collect")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report, report.when or "")

    def _note(self, report: pytest.CollectReport | pytest.TestReport, stage: str) -> None:
        if report.failed and not self._file.exists():
            self._file.write_text(json.dumps({"test": report.nodeid, "stage": stage}))


def _demand_the_copy() -> None:
    """What is imported here, and in a command started by a test, is the copy."""
    ours = str(Path.cwd() / "api" / "__init__.py")
    said = subprocess.run(
        [sys.executable, "-c", "import api; print(api.__file__)"],
        cwd="/",
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    for theirs in (api.__file__, said.stdout.strip()):
        if theirs != ours:
            raise SystemExit(f"not the copy: {theirs}")


if __name__ == "__main__":
    _demand_the_copy()
    sys.exit(pytest.main(sys.argv[2:], plugins=[Witness(Path(sys.argv[1]))]))
