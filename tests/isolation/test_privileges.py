"""What task_app may do, asked of PostgreSQL one privilege at a time: this and nothing else."""

import re

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from api.database.gate import NEEDED
from tests.cluster import TaskDatabase
from tests.isolation.guarded import TABLES, Table, each_table

PRIVILEGES = ("select", "insert", "update", "references")


def needed(table: Table, privilege: str) -> set[str]:
    """The columns on which a statement of the server needs it."""
    line = re.compile(rf"{privilege} \((\w+)\) on {table.name}")
    return {found[1] for found in map(line.fullmatch, NEEDED.read_text().splitlines()) if found}


def may(connection: psycopg.Connection, function: str, *arguments: str) -> bool:
    row = connection.execute(
        f"select {function}({', '.join(['%s'] * len(arguments))})", arguments
    ).fetchone()
    assert row is not None
    return bool(row[0])


@pytest.mark.evidence("generated-columns")
@pytest.mark.parametrize("privilege", PRIVILEGES)
@each_table
def test_the_columns_that_may_be_reached(
    task_app: psycopg.Connection, table: Table, privilege: str
) -> None:
    columns = task_app.execute(
        "select attname, has_column_privilege(attrelid, attnum, %s) from pg_attribute"
        " where attrelid = %s::regclass and attnum > 0 and not attisdropped",
        [privilege, table.name],
    ).fetchall()
    reached = {name for name, is_reached in columns if is_reached}
    if privilege == "select":
        assert reached == {name for name, _ in columns}
    else:
        assert reached == needed(table, privilege)
    option = f"{privilege} with grant option"
    assert not may(task_app, "has_any_column_privilege", table.name, option)


@pytest.mark.evidence("ungoverned-commands")
@pytest.mark.parametrize("privilege", ["truncate", "references", "trigger", "maintain"])
@each_table
def test_what_no_policy_governs_is_withheld(
    task_app: psycopg.Connection, table: Table, privilege: str
) -> None:
    if privilege == "maintain" and task_app.info.server_version < 170000:
        pytest.skip("PostgreSQL knows it since 17")
    assert not may(task_app, "has_table_privilege", table.name, privilege)


@pytest.mark.evidence("grant-options")
@pytest.mark.parametrize("privilege", ["select", "delete"])
@each_table
def test_nothing_may_be_passed_on(
    task_app: psycopg.Connection, table: Table, privilege: str
) -> None:
    assert may(task_app, "has_table_privilege", table.name, privilege)
    option = f"{privilege} with grant option"
    assert not may(task_app, "has_table_privilege", table.name, option)


@pytest.mark.evidence("generated-columns")
@each_table
def test_no_statement_needs_to_change_whose_a_row_is_or_what_the_database_gives_it(
    table: Table,
) -> None:
    assert needed(table, "insert") >= {"user_id"}
    assert needed(table, "insert").isdisjoint({table.made})
    assert needed(table, "update")
    assert needed(table, "update").isdisjoint({"user_id", table.key, table.made})


@pytest.mark.evidence("generated-columns")
def test_the_sequence_is_out_of_reach(task_app: psycopg.Connection) -> None:
    for statement in (
        "select nextval('task_id_seq')",
        "select setval('task_id_seq', 1)",
        "select last_value from task_id_seq",  # how many tasks there are
    ):
        with pytest.raises(InsufficientPrivilege):
            task_app.execute(statement)
        task_app.rollback()


@pytest.mark.evidence("definer-rights")
def test_the_function_is_out_of_reach(task_app: psycopg.Connection) -> None:
    assert not may(task_app, "has_function_privilege", "task_touch()", "execute")


@pytest.mark.evidence("shadow-objects")
def test_nothing_can_be_made(task_app: psycopg.Connection, database: TaskDatabase) -> None:
    name = task_app.info.dbname
    assert may(task_app, "has_schema_privilege", "public", "usage")
    assert not may(task_app, "has_schema_privilege", "public", "create")
    assert not may(task_app, "has_database_privilege", name, "create")
    assert not may(task_app, "has_database_privilege", name, "temporary")


def test_somebody_else_reaches_no_row_and_no_column(database: TaskDatabase) -> None:
    with psycopg.connect(database.superuser) as superuser:
        superuser.execute("create role passer_by_of_privileges")
        superuser.execute("set local role passer_by_of_privileges")
        for table in TABLES:
            for privilege in PRIVILEGES:
                assert not may(superuser, "has_any_column_privilege", table.name, privilege)
            assert not may(superuser, "has_table_privilege", table.name, "delete, truncate")
        assert not may(superuser, "has_function_privilege", "task_touch()", "execute")
        superuser.rollback()


@pytest.mark.evidence("shadow-objects")
def test_a_temporary_table_would_not_stand_in_front(task_app: psycopg.Connection) -> None:
    assert task_app.execute("show search_path").fetchone() == ("public, pg_temp",)
