"""Whether a role could see past the policies: what the gate says, and of whom."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from api.database import gate
from api.database.migrations import newest
from tests.cluster import TaskDatabase

BOUND: dict[str, Any] = {
    "role": "task_app",
    "rolsuper": False,
    "rolbypassrls": False,
    "table": "task",
    "is_there": True,
    "relrowsecurity": True,
    "relforcerowsecurity": True,
    "owns": False,
    "active": True,
    "may_read": True,
    "is_found": True,
    "found": "public",
    "missing": None,
    "applied": newest(),
    "encoding": "UTF8",
    "spoken": "UTF8",
    "becomes": None,
    "session": "task_app",
    "powers": "",
    "member_of": None,
    "first_schema": "pg_catalog",
    "presets": "",
    "unlimited": None,
}

WAYS_PAST: dict[str, tuple[dict[str, Any], str, str]] = {
    "superuser": ({"rolsuper": True, "active": False}, "superuser", "neondb_owner"),
    "bypassrls": ({"rolbypassrls": True, "active": False}, "BYPASSRLS, so", "neondb_owner"),
    "superuser-before-migrating": (
        {"rolsuper": True, "is_there": False, "relrowsecurity": None, "active": None},
        "superuser",
        "task_app",
    ),
    "no-table": (
        {"is_there": False, "relrowsecurity": None, "active": None, "may_read": None},
        "no table task",
        "task-api migrate",
    ),
    "row-security-off": (
        {"relrowsecurity": False, "active": False},
        "row security is off",
        "task-api migrate",
    ),
    "owner-without-force": (
        {"owns": True, "relforcerowsecurity": False, "active": False},
        "FORCE",
        "task_app",
    ),
    "inactive-for-some-other-reason": ({"active": False}, "not active", "task_app"),
    "unknown-whether-active": ({"active": None}, "not active", "task_app"),
    "member-of-one-who-bypasses": ({"becomes": "neondb_owner"}, "can become", "task_app"),
    "another-table-first": (
        {"is_found": False, "found": "elsewhere"},
        "one in schema elsewhere where it looks for table public.task",
        "search_path in DATABASE_URL. Run task-api migrate",
    ),
    "table-not-on-the-path": (
        {"is_found": False, "found": None},
        "nothing where it looks for table public.task",
        "task-api migrate",
    ),
    "mask-of-another": (
        {"session": "postgres"},
        "task_app is a mask of postgres, who connected",
        "Set no role in DATABASE_URL",
    ),
    "more-power": ({"powers": "CREATEROLE"}, "has CREATEROLE, by which", "task_app"),
    "member-of-one-with-power": (
        {"member_of": "pg_read_all_data"},
        "is a member of pg_read_all_data",
        "Revoke the membership",
    ),
    "another-schema-first": (
        {"first_schema": "public"},
        "looks in schema public before pg_catalog",
        "Set no search_path in DATABASE_URL. Run task-api migrate",
    ),
    "presets": (
        {"presets": "row_security = off"},
        "begins its session with row_security = off",
        "neither in DATABASE_URL nor by alter role",
    ),
}

ALL: str = "delete, insert (title), select (id), select (title), update (title)"
LACKING: dict[str, tuple[dict[str, Any], str, str]] = {
    "one-column": (
        {"missing": "insert (title)"},
        "task_app lacks insert (title) on table task",
        ". Run task-api migrate as the owner.",
    ),
    "most": (
        {"missing": ALL},
        "lacks delete, insert (title), select (id) and 2 more on",
        "task-api migrate",
    ),
    "all": (
        {"missing": ALL, "may_read": False},
        "task_app may not read table task",
        "task-api migrate",
    ),
    "some-other-role": (
        {"missing": "insert (title)", "role": "passer_by"},
        "passer_by lacks insert (title)",
        "Connect DATABASE_URL as task_app",
    ),
    "a-newer-version-has-taken-it": (
        {"missing": "insert (title)", "applied": "9999.later"},
        "lacks insert (title)",
        "Run that version, or a newer one",
    ),
}


def test_a_role_that_the_policies_bind_may_serve() -> None:
    assert gate.verdict(BOUND) is None


def test_an_owner_under_force_is_bound_like_anybody() -> None:
    assert gate.verdict(BOUND | {"owns": True}) is None


@pytest.mark.parametrize(("what", "reason", "remedy"), WAYS_PAST.values(), ids=WAYS_PAST)
def test_any_other_is_refused_in_one_line_with_the_remedy(
    what: dict[str, Any], reason: str, remedy: str
) -> None:
    verdict = gate.verdict(BOUND | what)
    assert verdict is not None
    assert reason in verdict
    assert remedy in verdict
    assert "\n" not in verdict


def test_who_has_every_privilege_that_is_needed_lacks_none() -> None:
    assert gate.lacking(BOUND) is None


@pytest.mark.parametrize(("what", "reason", "remedy"), LACKING.values(), ids=LACKING)
def test_what_the_role_lacks_is_named_with_the_remedy(
    what: dict[str, Any], reason: str, remedy: str
) -> None:
    lacking = gate.lacking(BOUND | what)
    assert lacking is not None
    assert reason in lacking
    assert remedy in lacking
    assert "\n" not in lacking
    if "applied" in what:
        assert "task-api migrate" not in lacking


def test_a_session_without_limits_is_told_so_with_the_remedy() -> None:
    assert gate.unlimited(BOUND) is None
    without = {"unlimited": "statement_timeout, lock_timeout"}
    line = gate.unlimited(BOUND | without)
    assert line == (
        "role task_app has no statement_timeout, lock_timeout. Set none in DATABASE_URL. "
        "Run task-api migrate as the owner."
    )
    assert "Connect DATABASE_URL as task_app" in str(
        gate.unlimited(BOUND | without | {"role": "x"})
    )


def test_only_utf8_holds_every_text() -> None:
    assert gate.wrong_encoding("UTF8") is None
    for encoding in ("LATIN1", "SQL_ASCII", "EUC_JP", None):
        line = gate.wrong_encoding(encoding)
        assert line is not None
        assert str(encoding) in line
        assert "encoding 'UTF8' template template0" in line
        assert "\n" not in line
        assert gate.garbling(BOUND | {"encoding": encoding}) == line


def test_a_session_that_speaks_something_else_garbles_text() -> None:
    assert gate.garbling(BOUND) is None
    line = gate.garbling(BOUND | {"spoken": "LATIN1"})
    assert line == (
        "the session's client_encoding is LATIN1, and the server speaks UTF8. "
        "Set no client_encoding in DATABASE_URL."
    )


@contextmanager
def owner_of(database: TaskDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.owner, autocommit=True) as connection:
        yield connection


def asked_by(url: str) -> dict[str, Any]:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        row = connection.execute(gate.SQL).fetchone()
    assert row is not None
    return row


def verdict_on(url: str) -> str | None:
    return gate.verdict(asked_by(url))


def test_postgresql_says_so_of_each_role(database: TaskDatabase) -> None:
    assert verdict_on(database.task_app) is None
    assert "superuser" in (verdict_on(database.superuser) or "")


def test_postgresql_says_so_when_the_owner_opens_the_table(own_database: TaskDatabase) -> None:
    with owner_of(own_database) as owner:
        owner.execute("alter table task no force row level security")
        assert "without FORCE" in (verdict_on(own_database.owner) or "")
        assert verdict_on(own_database.task_app) is None
        owner.execute("alter table task disable row level security")
        assert "row security is off" in (verdict_on(own_database.task_app) or "")
        owner.execute("alter table task enable row level security")
        owner.execute("revoke all on task from task_app")
        assert "may not read" in (gate.lacking(asked_by(own_database.task_app)) or "")
        owner.execute("drop table task")
        assert "no table task" in (verdict_on(own_database.task_app) or "")
