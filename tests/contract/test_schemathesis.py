"""Requests that nobody thought of, which Schemathesis makes of the document and judges by it."""

import json
import os
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from api.settings import Settings
from tests.cluster import TaskDatabase
from tests.contract.test_answers import OPERATIONS
from tests.people import SECRET, signed
from tests.server import serving

PROGRAM: Final = Path(sysconfig.get_path("scripts")) / "schemathesis"
CONFIG: Final = Path(__file__).with_name("schemathesis.toml")
HOOKS: Final = Path(__file__).with_name("hooks.py")
VALID: Final = ("--phases=coverage", "--mode=positive", "--generation-deterministic")

pytestmark = pytest.mark.slow


@pytest.fixture
def address(own_database: TaskDatabase) -> Iterator[str]:
    with serving(
        Settings(
            database_url=own_database.task_app,
            better_auth_secret=SECRET,
            rate_limit_address="off",  # there are many refused tokens, and one address
        )
    ) as address:
        yield address


def token(user_id: str) -> dict[str, str]:
    return {"name": "Authorization", "value": f"Bearer {signed({'sub': user_id})}"}


def finds_nothing(folder: Path, *options: str) -> str:
    """What Schemathesis says, run in this folder and having found no fault."""
    done = subprocess.run(
        [PROGRAM, *options],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "SCHEMATHESIS_HOOKS": str(HOOKS)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Tested: {len(OPERATIONS)}\n" in done.stdout
    return done.stdout


def test_alice_and_bob_find_nothing_wrong_and_nothing_of_each_other(
    address: str, tmp_path: Path
) -> None:
    people = [{"name": name, "fixedHeaders": [token(name)]} for name in ("alice", "bob")]
    (tmp_path / "people.json").write_text(json.dumps({"auth": people}))
    out = finds_nothing(tmp_path, f"--config-file={CONFIG}", "run", f"{address}/openapi.json")
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}\n" in out


def test_without_a_token_no_task_route_is_open(address: str, tmp_path: Path) -> None:
    out = finds_nothing(tmp_path, "run", f"{address}/openapi.json", *VALID)
    secured = [name for name, (*_, operation) in OPERATIONS.items() if "security" in operation]
    assert f"{len(secured)} operations returned only 401/403 responses" in out
