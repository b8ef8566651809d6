"""Whether a role could see past the policies: what the gate says, and of whom."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from api import gate
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
    "becomes": None,
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
    "no-privilege": ({"may_read": False}, "may not read", "task-api migrate"),
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


@contextmanager
def owner_of(database: TaskDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.owner, autocommit=True) as connection:
        yield connection


def verdict_on(url: str) -> str | None:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        row = connection.execute(gate.SQL).fetchone()
    assert row is not None
    return gate.verdict(row)


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
        assert "may not read" in (verdict_on(own_database.task_app) or "")
        owner.execute("drop table task")
        assert "no table task" in (verdict_on(own_database.task_app) or "")
