"""Each policy by its name: who edits one in its file finds the test of that name red.

Grants are out of the way, and every statement is blind (no where, no returning), so that the policy
alone decides.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, LiteralString, NamedTuple

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from api.commands.migrate import POLICIES as FOLDER
from tests.cluster import OWNER, TaskDatabase
from tests.isolation.guarded import (
    IDEMPOTENCY_KEY,
    SYNC_HEAD,
    TABLES,
    TASK_TOMBSTONE,
    Table,
)


class Policy(NamedTuple):
    """As its file has it."""

    name: str
    table: Table
    sql: str


Check = Callable[[psycopg.Connection, Table], None]

_TABLES: Final = {table.name: table for table in TABLES}
_CREATE: Final = re.compile(r"^create policy (\w+) on (\w+) [^;]*;", re.MULTILINE)
FILES: Final = "\n".join(file.read_text() for file in sorted(FOLDER.glob("*.sql")))
POLICIES: Final = {
    found[1]: Policy(found[1], _TABLES[found[2]], found[0]) for found in _CREATE.finditer(FILES)
}


@contextmanager
def somebody(database: TaskDatabase, policy: Policy, sql: str = "") -> Iterator[psycopg.Connection]:
    """Task_app with every privilege on the table, who has not said yet who it is; before that, the
    owner has run `sql`. Alice and bob have a row each. All is undone."""
    with psycopg.connect(database.superuser) as connection:
        connection.execute(f"set local role {OWNER}")
        connection.execute(sql.encode())
        connection.execute(policy.table.sql("grant all on {table} to task_app"))
        connection.execute("reset role")
        connection.execute(policy.table.sql("delete from {table}"))
        for owner in ("alice", "bob"):
            policy.table.given(connection, owner)
        connection.execute("set local role task_app")
        yield connection
        connection.rollback()


def says_to_be(connection: psycopg.Connection, user_id: str) -> None:
    connection.execute("select set_config('app.user_id', %s, true)", [user_id])


def reached(connection: psycopg.Connection, statement: LiteralString) -> int:
    """How many rows; undone."""
    with connection.transaction(force_rollback=True):
        return connection.execute(statement).rowcount


def is_refused(connection: psycopg.Connection, statement: LiteralString, owner: str = "") -> bool:
    """By a policy; undone."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement, {"owner": owner})
    except InsufficientPrivilege as error:
        return "row-level security policy" in str(error)
    return False


def only_own_are_reached(connection: psycopg.Connection, statement: LiteralString) -> None:
    assert reached(connection, statement) == 0, "nobody has a row, and reaches one"
    for nobody in ("", "carol"):
        says_to_be(connection, nobody)
        assert reached(connection, statement) == 0, f"{nobody!r} has no row, and reaches one"
    says_to_be(connection, "alice")
    assert reached(connection, statement) == 1, "alice reaches her own row and no other"


def select(connection: psycopg.Connection, table: Table) -> None:
    only_own_are_reached(connection, table.sql("select 1 from {table}"))


def delete(connection: psycopg.Connection, table: Table) -> None:
    only_own_are_reached(connection, table.sql("delete from {table}"))


def update(connection: psycopg.Connection, table: Table) -> None:
    only_own_are_reached(connection, table.sql("update {table} set {change}"))
    says_to_be(connection, "alice")
    give_away = table.sql("update {table} set user_id = 'dave'")
    assert is_refused(connection, give_away), "alice gives her row away"


def insert(connection: psycopg.Connection, table: Table) -> None:
    statement = table.sql("insert into {table} ({columns}) values ({values})")
    assert is_refused(connection, statement, "dave"), "nobody makes a row of dave's"
    says_to_be(connection, "")
    assert is_refused(connection, statement, "dave"), "'' makes a row of dave's"
    says_to_be(connection, "carol")
    assert is_refused(connection, statement, "dave"), "carol makes a row of dave's"
    assert not is_refused(connection, statement, "carol"), "carol makes a row of her own"


# How old alice's rows are, who still has a minute, and bob's.
AGES: Final[dict[Table, LiteralString]] = {
    IDEMPOTENCY_KEY: "update idempotency_key set created_at = now() - case user_id"
    " when 'alice' then interval '23 hours 59 minutes' else interval '24 hours 1 second' end",
    TASK_TOMBSTONE: "update task_tombstone set deleted_at = now() - case user_id"
    " when 'alice' then interval '30 days -1 minute' else interval '30 days 1 second' end",
}
# By what a head is reached.
AGES[SYNC_HEAD] = """
    insert into task_tombstone (user_id, task_id, seq, deleted_at) values
    ('alice', 7, 1, now() - interval '30 days -1 minute'),
    ('bob', 7, 1, now() - interval '30 days 1 second')"""


def only_expired_are_reached(
    connection: psycopg.Connection, table: Table, statement: LiteralString
) -> None:
    """By the owner."""
    connection.execute("reset role")
    connection.execute(AGES[table])
    connection.execute(f"set local role {OWNER}")
    assert reached(connection, table.sql(statement)) == 1, "the owner reaches bob's that expired"


def sweep_select(connection: psycopg.Connection, table: Table) -> None:
    only_expired_are_reached(connection, table, "select 1 from {table}")


def sweep_update(connection: psycopg.Connection, table: Table) -> None:
    only_expired_are_reached(connection, table, "update {table} set {change}")
    give_away = table.sql("update {table} set user_id = 'dave'")
    assert is_refused(connection, give_away), "the owner gives bob's away"


def sweep_delete(connection: psycopg.Connection, table: Table) -> None:
    only_expired_are_reached(connection, table, "delete from {table}")


COMMANDS: Final[dict[str, Check]] = {
    "select": select,
    "insert": insert,
    "update": update,
    "delete": delete,
}
# A policy is called after its table and what it is for.
CHECKS: Final[dict[str, Check]] = {
    f"{table.name}_{command}": check for table in TABLES for command, check in COMMANDS.items()
} | {
    f"{IDEMPOTENCY_KEY.name}_sweep_select": sweep_select,
    f"{IDEMPOTENCY_KEY.name}_sweep_delete": sweep_delete,
    f"{TASK_TOMBSTONE.name}_sweep_select": sweep_select,
    f"{TASK_TOMBSTONE.name}_sweep_delete": sweep_delete,
    f"{SYNC_HEAD.name}_sweep_select": sweep_select,
    f"{SYNC_HEAD.name}_sweep_update": sweep_update,
}


def check(connection: psycopg.Connection, policy: Policy) -> None:
    """That the policy is the one its name says, and does what it is for."""
    command = policy.name.rpartition("_")[2].upper()
    role = OWNER if "_sweep_" in policy.name else "task_app"
    made = connection.execute(
        "select permissive, roles::text[], cmd from pg_policies where policyname = %s",
        [policy.name],
    ).fetchall()
    assert made == [("PERMISSIVE", [role], command)]
    CHECKS[policy.name](connection, policy.table)


def test_each_policy_of_the_files_has_its_check_and_each_check_its_policy() -> None:
    assert {*POLICIES} == {*CHECKS}
    assert len(POLICIES) == len(re.findall(r"(?i)^\s*create\s+policy", FILES, re.MULTILINE))


@pytest.mark.evidence("broken-policy", "forgotten-filter", "no-identity")
@pytest.mark.parametrize("name", CHECKS)
def test_the_policy(database: TaskDatabase, name: str) -> None:
    assert name in POLICIES, f"db/policies/ has no policy {name}"
    with somebody(database, POLICIES[name]) as connection:
        check(connection, POLICIES[name])


ME: Final = "(user_id = (select current_setting('app.user_id', true)))"
EXPIRED: Final = "(created_at < now() - interval '24 hours')"
FORGOTTEN: Final = "(deleted_at < now() - interval '30 days')"
THEIRS: Final = "(user_id in (select user_id from task_tombstone))"
# What may stand where the file has ME or another of these.
CONDITIONS: Final = {
    ME: {
        "is true": "(true)",
        "is false": "(false)",
        "is for anybody with a name": "(current_setting('app.user_id', true) <> '')",
        "is for nobody, too": "(user_id = current_setting('app.user_id', true)"
        " or current_setting('app.user_id', true) is null)",
        "fails open": "(user_id = coalesce(nullif(current_setting('app.user_id', true), ''),"
        " user_id))",
        "reads another setting": "(user_id = (select current_setting('app.user', true)))",
        "is for all but me": "(user_id <> (select current_setting('app.user_id', true)))",
    },
    EXPIRED: {
        "is true": "(true)",
        "is false": "(false)",
        "is of 23 hours": EXPIRED.replace("24", "23"),
        "is of 25 hours": EXPIRED.replace("24", "25"),
    },
    FORGOTTEN: {
        "is true": "(true)",
        "is false": "(false)",
        "is of 29 days": FORGOTTEN.replace("30", "29"),
        "is of 31 days": FORGOTTEN.replace("30", "31"),
    },
    THEIRS: {"is true": "(true)", "is false": "(false)"},
}

OPEN_FOR_NOBODY: Final = {"is for nobody, too", "fails open"}


def edits(policy: Policy) -> Iterator[tuple[str, str]]:
    """What the policy may be instead, in a word and as SQL."""
    yield "is gone", ""
    yield "is for everybody", re.sub(r" to \w+", " to public", policy.sql)
    yield "restricts", policy.sql.replace(" for ", " as restrictive for ", 1)
    if " for insert" not in policy.sql:
        yield "is for everything", re.sub(r" for \w+", " for all", policy.sql)
    for condition, others in CONDITIONS.items():
        for name, other in others.items():
            for found in re.finditer(re.escape(condition), policy.sql):
                before = policy.sql[: found.start()]
                if name in OPEN_FOR_NOBODY and "using" in before:
                    continue  # a `with check`: its `using` shows nobody a row to change
                sql = before + other + policy.sql[found.end() :]
                yield f"{name}, at {found.start()}", sql


EDITS: Final = [
    pytest.param(policy, sql, id=f"{policy.name} {what}")
    for policy in POLICIES.values()
    for what, sql in edits(policy)
]


@pytest.mark.parametrize(("policy", "sql"), EDITS)
def test_an_edited_policy_is_noticed_under_its_name(
    database: TaskDatabase, policy: Policy, sql: str
) -> None:
    assert sql != policy.sql
    edited = f"drop policy {policy.name} on {policy.table.name}; {sql}"
    with (
        somebody(database, policy, edited) as connection,
        pytest.raises((AssertionError, InsufficientPrivilege)),
    ):
        check(connection, policy)
