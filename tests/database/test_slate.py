"""The clean slate of db/policies/00_roles.sql: whatever was given to whom, and on what."""

import psycopg
import pytest

from api.commands.migrate import migrate
from tests.cluster import OWNER, TaskDatabase
from tests.isolation.guarded import NAMES

# Given by the owner to task_app or to everybody; none of it is said in db/policies/.
GIVEN = {
    "a table": "create table extra (a int); grant all on extra to task_app, public",
    "a column": "create table extra (a int); grant select (a) on extra to task_app, public",
    "a view": "create view extra as select 1 as a; grant all on extra to task_app, public",
    "a materialized view": "create materialized view extra as select 1 as a;"
    " grant all on extra to task_app, public",
    "a partitioned table": "create table extra (a int) partition by list (a);"
    " grant all on extra to task_app, public",
}


def reaches(database: TaskDatabase) -> bool:
    with psycopg.connect(database.superuser) as superuser:
        row = superuser.execute(
            "select has_any_column_privilege('task_app', 'extra', 'select')"
        ).fetchone()
        return row == (True,)


@pytest.mark.evidence("leftover-access")
@pytest.mark.parametrize("name", GIVEN)
def test_what_was_given_by_hand_is_taken_away(own_database: TaskDatabase, name: str) -> None:
    with psycopg.connect(own_database.owner) as owner:
        for statement in GIVEN[name].split(";"):
            owner.execute(statement.encode())
    assert reaches(own_database)
    migrate(own_database.owner)
    assert not reaches(own_database)


def test_what_task_app_may_make_is_taken_away(own_database: TaskDatabase) -> None:
    with psycopg.connect(own_database.owner, autocommit=True) as owner:
        name = owner.info.dbname
        for whom in ("task_app", "public"):
            owner.execute(f"grant create, temporary on database {name} to {whom}".encode())
            migrate(own_database.owner)
            row = owner.execute(
                "select has_database_privilege('task_app', current_database(), 'create'),"
                " has_database_privilege('task_app', current_database(), 'temporary')"
            ).fetchone()
            assert row == (False, False), whom


@pytest.mark.evidence("leftover-access")
@pytest.mark.parametrize("table", NAMES)
def test_what_somebody_passed_on_is_taken_away_with_it(
    own_database: TaskDatabase, table: str
) -> None:
    with psycopg.connect(own_database.superuser, autocommit=True) as superuser:
        superuser.execute("create role receiver")
        try:
            superuser.execute(f"grant select on {table} to task_app with grant option".encode())
            with psycopg.connect(own_database.task_app) as task_app:
                task_app.execute(f"grant select on {table} to receiver".encode())
            migrate(own_database.owner)
            row = superuser.execute(
                "select has_table_privilege('receiver', %(table)s, 'select'),"
                " has_table_privilege('task_app', %(table)s, 'select with grant option')",
                {"table": table},
            ).fetchone()
            assert row == (False, False)
        finally:
            superuser.execute("drop owned by receiver")
            superuser.execute("drop role receiver")


def test_what_somebody_else_owns_and_gave_is_left_alone(own_database: TaskDatabase) -> None:
    with psycopg.connect(own_database.superuser, autocommit=True) as superuser:
        superuser.execute("create table extra (a int)")
        superuser.execute("grant select on extra to task_app")
    migrate(own_database.owner)
    assert reaches(own_database)


def test_the_sweeps_are_for_whoever_migrated_last(own_database: TaskDatabase) -> None:
    with psycopg.connect(own_database.superuser, autocommit=True) as superuser:
        for url, name in ((own_database.superuser, "postgres"), (own_database.owner, OWNER)):
            migrate(url)
            sweeps = superuser.execute(
                "select distinct roles::text from pg_policies where policyname like '%_sweep_%'"
            ).fetchall()
            assert sweeps == [(f"{{{name}}}",)]
