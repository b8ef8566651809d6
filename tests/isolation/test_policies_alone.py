"""The policies alone: plain SQL as task_app, without any filter.

Blind statements (no where, no returning) matter most: with either of them the SELECT policy
would hide what a broken UPDATE or DELETE policy let through.
"""

from collections.abc import Iterator
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from tests.cluster import TaskDatabase

Rows = list[tuple[Any, ...]]


@pytest.fixture
def tasks(database: TaskDatabase, task_app: psycopg.Connection) -> Iterator[dict[str, int]]:
    """One task of alice's and one of bob's, by owner, put there by somebody whom nothing binds."""
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        yield {
            owner: number
            for owner in ("alice", "bob")
            for (number,) in connection.execute(
                "insert into task (user_id, title) values (%s, 'Buy milk') returning id", [owner]
            )
        }
        task_app.rollback()  # lets go of rows that a failed test still holds
        connection.execute("delete from task where user_id in ('alice', 'bob', 'carol')")


@pytest.fixture
def everything(database: TaskDatabase, tasks: dict[str, int]) -> Iterator[Any]:
    """What is really there, as somebody sees it whom nothing binds."""
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        yield lambda: connection.execute(
            "select user_id, id, title, completed from task"
            " where user_id in ('alice', 'bob', 'carol') order by user_id, id"
        ).fetchall()


def says_to_be(connection: psycopg.Connection, user_id: str | None) -> None:
    if user_id is not None:
        connection.execute("select set_config('app.user_id', %s, true)", [user_id])


def test_the_suite_runs_as_task_app_with_row_security_active(
    task_app: psycopg.Connection, database: TaskDatabase
) -> None:
    assert task_app.execute(
        "select current_user::text, session_user::text, row_security_active('task'),"
        " rolsuper, rolbypassrls, rolinherit, rolcreaterole, rolcreatedb, rolreplication"
        " from pg_roles where rolname = current_user"
    ).fetchone() == ("task_app", "task_app", True, False, False, False, False, False, False)
    with psycopg.connect(database.owner) as owner:
        # FORCE: the owner is bound too
        assert owner.execute("select row_security_active('task')").fetchone() == (True,)
        assert owner.execute("select count(*) from task").fetchone() == (0,)


def test_alice_selects_her_own(task_app: psycopg.Connection, tasks: dict[str, int]) -> None:
    says_to_be(task_app, "alice")
    assert task_app.execute("select user_id, id from task").fetchall() == [
        ("alice", tasks["alice"])
    ]
    assert task_app.execute("select count(*) from task").fetchone() == (1,)


@pytest.mark.parametrize("nobody", [None, ""], ids=["no identity", "an empty identity"])
@pytest.mark.parametrize(
    "statement",
    ["select user_id from task", "update task set completed = true", "delete from task"],
)
def test_nobody_reaches_nothing(
    task_app: psycopg.Connection, everything: Any, nobody: str | None, statement: LiteralString
) -> None:
    before = everything()
    says_to_be(task_app, nobody)
    assert task_app.execute(statement).rowcount == 0
    task_app.commit()
    assert everything() == before


@pytest.mark.parametrize("nobody", [None, ""], ids=["no identity", "an empty identity"])
@pytest.mark.parametrize("owner", ["alice", ""])
def test_nobody_inserts_nothing(
    task_app: psycopg.Connection, nobody: str | None, owner: str
) -> None:
    says_to_be(task_app, nobody)
    with pytest.raises((InsufficientPrivilege, psycopg.errors.CheckViolation)):
        task_app.execute("insert into task (user_id, title) values (%s, 'x')", [owner])


def test_a_session_that_served_alice_starts_afresh_as_nobody(
    task_app: psycopg.Connection, tasks: dict[str, int]
) -> None:
    says_to_be(task_app, "alice")
    assert task_app.execute("select count(*) from task").fetchone() == (1,)
    task_app.commit()
    assert task_app.execute("select current_setting('app.user_id', true)").fetchone() == ("",)
    assert task_app.execute("select count(*) from task").fetchone() == (0,)


def test_bobs_blind_update_changes_only_his_own(
    task_app: psycopg.Connection, everything: Any, tasks: dict[str, int]
) -> None:
    says_to_be(task_app, "bob")
    assert task_app.execute("update task set title = 'Taken'").rowcount == 1
    task_app.commit()
    assert everything() == [
        ("alice", tasks["alice"], "Buy milk", False),
        ("bob", tasks["bob"], "Taken", False),
    ]


def test_bobs_blind_delete_removes_only_his_own(
    task_app: psycopg.Connection, everything: Any, tasks: dict[str, int]
) -> None:
    says_to_be(task_app, "bob")
    assert task_app.execute("delete from task").rowcount == 1
    task_app.commit()
    assert everything() == [("alice", tasks["alice"], "Buy milk", False)]


@pytest.mark.parametrize(
    "statement",
    [
        "update task set title = 'Taken' where id = %(id)s",
        "update task set title = 'Taken' where user_id = 'alice' and id = %(id)s returning *",
        "delete from task where id = %(id)s",
        "delete from task where user_id = 'alice' returning *",
        "select * from task where user_id = 'alice'",
        "select * from task where id = %(id)s for update",
        "with gone as (delete from task where user_id = 'alice' returning *) select * from gone",
    ],
)
def test_bob_reaches_nothing_of_alices_by_name(
    task_app: psycopg.Connection, everything: Any, tasks: dict[str, int], statement: LiteralString
) -> None:
    before = everything()
    says_to_be(task_app, "bob")
    cursor = task_app.execute(statement, {"id": tasks["alice"]})
    assert cursor.rowcount == 0
    task_app.commit()
    assert everything() == before


WITHHELD: dict[str, LiteralString] = {
    "insert as alice": "insert into task (user_id, title) values ('alice', 'For you')",
    "insert an id": "insert into task (user_id, id, title) overriding system value"
    " values ('bob', 1, 'x')",
    "insert a date": "insert into task (user_id, title, created_at) values ('bob', 'x', now())",
    "insert a version": "insert into task (user_id, title, version) values ('bob', 'x', 9)",
    "give away": "update task set user_id = 'alice'",
    "take an id": "update task set id = default",
    "change its beginning": "update task set created_at = now()",
    "change its date": "update task set updated_at = now()",
    "change its version": "update task set version = 1",
    "insert or update": "insert into task (user_id, title) values ('bob', 'x')"
    " on conflict (user_id, id) do update set user_id = 'alice'",
    "insert or update hers": "insert into task (user_id, title) values ('alice', 'x')"
    " on conflict (user_id, id) do update set title = 'Taken'",
    "copy in": "copy task (user_id, title) from program 'true'",
    "truncate": "truncate task",
    "switch it off": "alter table task disable row level security",
    "drop a policy": "drop policy task_select on task",
    "add a policy": "create policy mine on task to task_app using (true)",
    "drop it": "drop table task",
    "put a trigger": "create trigger t before insert on task for each row"
    " execute function task_touch()",
    "create a table": "create table elsewhere (id int)",
    "hide it": "create temporary table task (user_id text)",
    "look around it": "set local row_security = off; select * from task",
    "become the owner": "set role task_owner",
    "read the passwords": "select * from pg_authid",
    "read the migrations": "select * from _yoyo_migration",
    "read a file": "select pg_read_file('PG_VERSION')",
}


@pytest.mark.parametrize("name", WITHHELD)
def test_withheld_from_bob(
    task_app: psycopg.Connection, everything: Any, tasks: dict[str, int], name: str
) -> None:
    before = everything()
    says_to_be(task_app, "bob")
    with pytest.raises(InsufficientPrivilege):
        task_app.execute(WITHHELD[name])
    task_app.rollback()
    assert everything() == before


def test_the_limits_of_the_role_are_on_every_connection(task_app: psycopg.Connection) -> None:
    limits = [
        task_app.execute("select current_setting(%s)", [name]).fetchone()
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    ]
    assert limits == [("5s",), ("2s",), ("10s",)]
