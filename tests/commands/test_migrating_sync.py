"""The numbers of changes arrive in a table of any size while the version before goes on serving."""

from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pytest

from api.commands import migrate as migrate_module
from api.commands.migrate import MigrationError, migrate
from tests.cluster import TaskDatabase
from tests.commands.test_migrate import executes, rolls_back, state_of
from tests.server import people_of
from tests.sync.device import Device

SYNC: Final = "0005.sync"
INDEXED: Final = "0006.sync-indexed"
CREATE: Final = "insert into task (user_id, title) values ('alice', %s) returning id"


@pytest.fixture
def before(own_database: TaskDatabase) -> TaskDatabase:
    """A database of the version before, with a thousand of alice's tasks."""
    rolls_back(own_database, INDEXED, SYNC)
    executes(
        own_database.superuser,
        "insert into task (user_id, title) select 'alice', 'x' from generate_series(1, 1000) n",
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


def writes(old: psycopg.Connection) -> int:
    """What the version before does. The task that is left."""
    made = [old.execute(CREATE, ["x"]).fetchone() for _ in range(2)]
    (first,), (second,) = made[0] or (0,), made[1] or (0,)
    old.execute("update task set completed = not completed where id = %s", [first])
    assert old.execute("delete from task where id = %s", [second]).rowcount == 1
    old.commit()
    return int(first)


def test_no_row_is_written_again(before: TaskDatabase, superuser: psycopg.Connection) -> None:
    rows = "select array_agg(array[ctid::text, xmin::text] order by id)::text from task"
    files = "select pg_relation_filenode('task')"
    was = one(superuser, files), one(superuser, rows)
    assert migrate(before.owner)[:2] == [SYNC, INDEXED]
    assert (one(superuser, files), one(superuser, rows)) == was
    assert one(superuser, "select count(*) from task where seq = 0 and uid is null") == 1000
    assert one(superuser, "select bool_and(indisvalid) from pg_index") is True


@pytest.mark.parametrize("migrated", ["nothing", "the schema", "everything"])
def test_the_version_before_goes_on_writing(
    before: TaskDatabase, superuser: psycopg.Connection, migrated: str
) -> None:
    with psycopg.connect(before.task_app) as old:
        old.execute("select set_config('app.user_id', 'alice', false)")
        for _ in range(6):  # until psycopg prepares it, so that the plan is from before
            writes(old)
        if migrated == "the schema":  # no policies yet: it writes as ever
            migrate_module._apply_migrations(before.owner)  # noqa: SLF001
            writes(old)
            assert one(superuser, "select max(seq) from task") == 0
        if migrated != "nothing":
            migrate(before.owner)
            numbered = writes(old)
            number = superuser.execute("select seq from task where id = %s", [numbered]).fetchone()
            assert number is not None
            assert number[0] > 0
            assert one(superuser, "select count(*) from task_tombstone") == 1
        writes(old)


def test_what_was_there_is_listed_and_what_changes_then_is_told(
    before: TaskDatabase, superuser: psycopg.Connection
) -> None:
    migrate(before.owner)
    with people_of(before) as people:
        alice = people.person("alice")
        superuser.execute("alter table task disable trigger user")
        superuser.execute("update task set user_id = %s", [alice.id])
        superuser.execute("alter table task enable trigger user")
        phone = Device(alice)
        assert len(phone.syncs(limit=300)) == 1000
        assert phone.is_in_step()
        first = min(phone.tasks)
        alice.http.patch(f"/api/tasks/{first}/complete")
        assert [told[0] for told in phone.syncs() if isinstance(told, tuple)] == [first]


def test_while_somebody_writes_the_lock_is_not_waited_for_for_long(before: TaskDatabase) -> None:
    with psycopg.connect(before.superuser) as writer:
        writer.execute("update task set title = 'y' where user_id = 'alice'")
        with pytest.raises(MigrationError, match="try again"):
            migrate(before.owner)
    assert SYNC in migrate(before.owner)


def test_what_was_interrupted_is_done_again(
    before: TaskDatabase, superuser: psycopg.Connection
) -> None:
    migrate(before.owner)
    whole = state_of(before)
    superuser.execute("delete from _yoyo_migration where migration_id = %s", [INDEXED])
    for index in ("task_user_id_seq_id", "task_user_id_uid"):
        superuser.execute(
            "update pg_index set indisvalid = false where indexrelid = %s::regclass", [index]
        )
    assert migrate(before.owner)[0] == INDEXED
    assert one(superuser, "select bool_and(indisvalid) from pg_index") is True
    assert state_of(before) == whole
