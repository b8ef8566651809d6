"""What task_app may do, asked of PostgreSQL one privilege at a time: this and nothing else."""

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from tests.cluster import Cluster, TaskDatabase

COLUMNS = (
    "user_id",
    "id",
    "title",
    "description",
    "completed",
    "created_at",
    "updated_at",
    "version",
)
MAY_BE_WRITTEN = {
    "select": set(COLUMNS),
    "insert": {"user_id", "title", "description", "completed"},
    "update": {"title", "description", "completed"},
    "references": set(),
}


def may(connection: psycopg.Connection, function: str, *arguments: str) -> bool:
    row = connection.execute(
        f"select {function}({', '.join(['%s'] * len(arguments))})", arguments
    ).fetchone()
    assert row is not None
    return bool(row[0])


@pytest.mark.parametrize("privilege", MAY_BE_WRITTEN)
def test_the_columns_that_may_be_reached(task_app: psycopg.Connection, privilege: str) -> None:
    reached = {c for c in COLUMNS if may(task_app, "has_column_privilege", "task", c, privilege)}
    assert reached == MAY_BE_WRITTEN[privilege]
    assert not may(task_app, "has_any_column_privilege", "task", f"{privilege} with grant option")


@pytest.mark.parametrize("privilege", ["truncate", "references", "trigger", "maintain"])
def test_what_no_policy_governs_is_withheld(task_app: psycopg.Connection, privilege: str) -> None:
    if privilege == "maintain" and task_app.info.server_version < 170000:
        pytest.skip("PostgreSQL knows it since 17")
    assert not may(task_app, "has_table_privilege", "task", privilege)


def test_nothing_may_be_passed_on(task_app: psycopg.Connection) -> None:
    assert may(task_app, "has_table_privilege", "task", "select")
    assert may(task_app, "has_table_privilege", "task", "delete")
    for privilege in ("select", "delete"):
        assert not may(task_app, "has_table_privilege", "task", f"{privilege} with grant option")


def test_the_sequence_is_out_of_reach(task_app: psycopg.Connection) -> None:
    for statement in (
        "select nextval('task_id_seq')",
        "select setval('task_id_seq', 1)",
        "select last_value from task_id_seq",  # how many tasks there are
    ):
        with pytest.raises(InsufficientPrivilege):
            task_app.execute(statement)
        task_app.rollback()


def test_the_function_is_out_of_reach(task_app: psycopg.Connection) -> None:
    assert not may(task_app, "has_function_privilege", "task_touch()", "execute")


def test_nothing_can_be_made(task_app: psycopg.Connection, database: TaskDatabase) -> None:
    name = task_app.info.dbname
    assert may(task_app, "has_schema_privilege", "public", "usage")
    assert not may(task_app, "has_schema_privilege", "public", "create")
    assert not may(task_app, "has_database_privilege", name, "create")
    assert not may(task_app, "has_database_privilege", name, "temporary")


def test_somebody_else_reaches_no_column(cluster: Cluster, database: TaskDatabase) -> None:
    with psycopg.connect(database.superuser) as superuser:
        superuser.execute("create role passer_by_of_privileges")
        superuser.execute("set local role passer_by_of_privileges")
        for privilege in MAY_BE_WRITTEN:
            assert not may(superuser, "has_any_column_privilege", "task", privilege)
        assert not may(superuser, "has_function_privilege", "task_touch()", "execute")
        superuser.rollback()


def test_a_temporary_table_would_not_stand_in_front(task_app: psycopg.Connection) -> None:
    assert task_app.execute("show search_path").fetchone() == ("public, pg_temp",)
