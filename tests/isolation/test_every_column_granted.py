"""The policies hold though every column may be written: they do not lean on the grants."""

from collections.abc import Iterator
from typing import LiteralString

import psycopg
import pytest
from psycopg.errors import CheckViolation, InsufficientPrivilege

from tests.cluster import TaskDatabase
from tests.isolation.guarded import Table, each_table

POLICY = "row-level security policy"


@pytest.fixture
def bob(database: TaskDatabase, table: Table) -> Iterator[psycopg.Connection]:
    """Bob as task_app with every privilege on the table, beside a row of Alice's; all undone."""
    with psycopg.connect(database.superuser) as connection:
        connection.execute(table.sql("grant all on {table} to task_app"))
        for owner in ("alice", "bob"):
            table.given(connection, owner)
        connection.execute("set local role task_app")
        connection.execute("select set_config('app.user_id', 'bob', true)")
        yield connection
        connection.rollback()


@each_table
def test_bob_may_write_every_column_of_his_own(bob: psycopg.Connection, table: Table) -> None:
    everything = "update {table} set {made} = default, {change}"
    assert bob.execute(table.sql(everything)).rowcount == 1
    assert bob.execute(table.sql("delete from {table}")).rowcount == 1
    insert = "insert into {table} ({columns}, {made}) values ({his}, default)"
    assert bob.execute(table.sql(insert)).rowcount == 1


@pytest.mark.evidence("another-name")
@pytest.mark.parametrize(
    "statement",
    [
        "update {table} set user_id = 'alice'",  # blind: the SELECT policy has no say
        "update {table} set user_id = 'alice' where user_id = 'bob' returning *",
        "update {table} set user_id = ''",
        "insert into {table} ({columns}) values ({hers})",
        "insert into {table} ({columns}) values ({hers}) returning *",
        "insert into {table} ({columns}) values ({hers}) on conflict do nothing",
        "insert into {table} ({columns}) values ({nobodys})",
    ],
)
@each_table
def test_bob_gives_nothing_away(
    bob: psycopg.Connection, statement: LiteralString, table: Table
) -> None:
    with pytest.raises(InsufficientPrivilege, match=POLICY):
        bob.execute(table.sql(statement))


@each_table
def test_not_even_somebody_named_nothing_owns_a_row(bob: psycopg.Connection, table: Table) -> None:
    bob.execute("select set_config('app.user_id', '', true)")
    with pytest.raises(CheckViolation, match=f"{table.name}_user_id_check"):
        bob.execute(table.sql("insert into {table} ({columns}) values ({nobodys})"))


@pytest.mark.evidence("nobody")
@each_table
def test_not_even_a_superuser_makes_a_row_of_nobodys(database: TaskDatabase, table: Table) -> None:
    insert = table.sql("insert into {table} ({columns}) values ({nobodys})")
    with psycopg.connect(database.superuser) as superuser:
        for statement, refusal in (
            (insert, f"{table.name}_user_id_check"),
            (insert.replace("''", "null", 1), 'column "user_id"'),
        ):
            with pytest.raises(psycopg.IntegrityError, match=refusal):
                superuser.execute(statement)
            superuser.rollback()
