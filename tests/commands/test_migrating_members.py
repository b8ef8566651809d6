"""The members of a task arrive in a table of any size while the version before goes on serving."""

from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pytest
from psycopg.errors import CheckViolation

from api.commands.migrate import MigrationError, migrate
from tests.cluster import TaskDatabase
from tests.commands.test_migrate import executes, rolls_back, state_of

MEMBERS: Final = "0003.task-members"
INDEXED: Final = "0004.task-members-indexed"
INDEX: Final = "task_user_id_completed_due_at_id"
# What the version before runs, in its words.
CREATE: Final = (
    "insert into task (user_id, title, description, completed) values ('alice', %s, null, %s)"
    " returning id, version, created_at"
)


@pytest.fixture
def before(own_database: TaskDatabase) -> TaskDatabase:
    """A database of the version before, with a thousand of alice's tasks."""
    rolls_back(own_database, INDEXED, MEMBERS)
    executes(
        own_database.superuser,
        "insert into task (user_id, title, completed)"
        " select 'alice', 'x', n % 2 = 0 from generate_series(1, 1000) n",
    )
    return own_database


@pytest.fixture
def superuser(before: TaskDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(before.superuser, autocommit=True) as connection:
        yield connection


def one(connection: psycopg.Connection, query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_no_row_is_written_again(before: TaskDatabase, superuser: psycopg.Connection) -> None:
    files = "select pg_relation_filenode('task')"
    rows = "select array_agg(array[ctid::text, xmin::text] order by id)::text from task"
    was = one(superuser, files), one(superuser, rows)
    assert migrate(before.owner)[:2] == [MEMBERS, INDEXED]
    assert (one(superuser, files), one(superuser, rows)) == was
    assert one(superuser, "select count(*) from task where tags = '{}' and repeat_from = 'due'") > 0


def test_every_check_holds_and_the_index_is_whole(
    before: TaskDatabase, superuser: psycopg.Connection
) -> None:
    migrate(before.owner)
    unproven = "select count(*) from pg_constraint where not convalidated"
    broken = "select count(*) from pg_index where not indisvalid"
    assert (one(superuser, unproven), one(superuser, broken)) == (0, 0)
    assert one(superuser, f"select to_regclass('{INDEX}') is not null") is True


def test_the_version_before_goes_on_creating_changing_and_completing(
    before: TaskDatabase, superuser: psycopg.Connection
) -> None:
    with psycopg.connect(before.task_app) as old:
        old.execute("select set_config('app.user_id', 'alice', false)")
        for _ in range(10):  # until psycopg prepares it, so that the plan is from before
            old.execute(CREATE, ["x", False])
        old.commit()
        migrate(before.owner)
        for completed in (False, True):
            row = old.execute(CREATE, ["x", completed]).fetchone()
            assert row is not None
            made, version, _ = row
            assert version == 1
            old.execute("update task set completed = not completed where id = %s", [made])
        old.commit()
    stored = "select completed, completed_at is not null from task order by id desc limit 2"
    assert superuser.execute(stored).fetchall() == [(False, False), (True, True)]


@pytest.mark.parametrize("left", ["the index is half made", "the checks are proven", "both"])
def test_what_was_interrupted_is_done_again(
    before: TaskDatabase,
    own_database: TaskDatabase,
    superuser: psycopg.Connection,
    left: str,
) -> None:
    migrate(before.owner)
    whole = state_of(before)
    superuser.execute("delete from _yoyo_migration where migration_id = %s", [INDEXED])
    if left != "the checks are proven":
        superuser.execute(
            "update pg_index set indisvalid = false where indexrelid = %s::regclass", [INDEX]
        )
    else:
        superuser.execute(f"drop index {INDEX}".encode())
    if left == "the index is half made":
        executes(before.owner, "alter table task drop constraint task_priority_check")
        executes(
            before.owner,
            "alter table task add constraint task_priority_check"
            " check (priority between 1 and 3) not valid",
        )
    assert migrate(before.owner)[0] == INDEXED
    assert one(superuser, "select bool_and(indisvalid) from pg_index") is True
    assert one(superuser, "select bool_and(convalidated) from pg_constraint") is True
    assert state_of(before) == whole


def test_a_row_that_breaks_a_check_is_refused_before_it_is_proven(
    before: TaskDatabase, superuser: psycopg.Connection
) -> None:
    migrate(before.owner)
    rolls_back(before, INDEXED)
    with pytest.raises(CheckViolation):
        superuser.execute("update task set priority = 4")


def test_while_somebody_writes_the_lock_is_not_waited_for_for_long(
    before: TaskDatabase, superuser: psycopg.Connection
) -> None:
    with psycopg.connect(before.superuser) as writer:
        writer.execute("update task set title = 'y' where user_id = 'alice'")
        with pytest.raises(MigrationError, match="try again"):
            migrate(before.owner)
    assert MEMBERS in migrate(before.owner)
