"""The policies hold though every column may be written: they do not lean on the grants."""

from collections.abc import Iterator
from typing import LiteralString

import psycopg
import pytest
from psycopg.errors import CheckViolation, InsufficientPrivilege

from tests.cluster import TaskDatabase

POLICY = "row-level security policy"


@pytest.fixture
def bob(database: TaskDatabase) -> Iterator[psycopg.Connection]:
    """Bob as task_app with every privilege on the table, beside a task of Alice's; all undone."""
    with psycopg.connect(database.superuser) as connection:
        connection.execute("grant all on task to task_app")
        connection.execute(
            "insert into task (user_id, title) values ('alice', 'Buy milk'), ('bob', 'Buy milk')"
        )
        connection.execute("set local role task_app")
        connection.execute("select set_config('app.user_id', 'bob', true)")
        yield connection
        connection.rollback()


def test_bob_may_write_every_column_of_his_own(bob: psycopg.Connection) -> None:
    assert bob.execute("update task set id = default, version = 9").rowcount == 1
    assert bob.execute("insert into task (user_id, title, version) values ('bob', 'x', 9)").rowcount


@pytest.mark.parametrize(
    "statement",
    [
        "update task set user_id = 'alice'",  # blind: the SELECT policy has no say
        "update task set user_id = 'alice' where user_id = 'bob' returning *",
        "update task set user_id = ''",
        "insert into task (user_id, title) values ('alice', 'For you')",
        "insert into task (user_id, title) values ('alice', 'For you') returning *",
        "insert into task (user_id, title) values ('', 'For nobody')",
    ],
)
def test_bob_gives_nothing_away(bob: psycopg.Connection, statement: LiteralString) -> None:
    with pytest.raises(InsufficientPrivilege, match=POLICY):
        bob.execute(statement)


def test_not_even_somebody_named_nothing_owns_a_task(bob: psycopg.Connection) -> None:
    bob.execute("select set_config('app.user_id', '', true)")
    with pytest.raises(CheckViolation, match="task_user_id_check"):
        bob.execute("insert into task (user_id, title) values ('', 'For nobody')")


def test_not_even_a_superuser_makes_a_task_of_nobodys(database: TaskDatabase) -> None:
    with psycopg.connect(database.superuser) as superuser:
        for nobody in ("", None):
            with pytest.raises(psycopg.IntegrityError):
                superuser.execute("insert into task (user_id, title) values (%s, 'x')", [nobody])
            superuser.rollback()
