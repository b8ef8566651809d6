"""What the table itself refuses and keeps, whoever writes to it and past whatever API."""

from collections.abc import Iterator
from datetime import datetime

import psycopg
import pytest
from psycopg.errors import CheckViolation, GeneratedAlways, NotNullViolation

from tests.cluster import TaskDatabase

CHANGE = "update task set {} where user_id = 'alice' returning version, updated_at, now()"


@pytest.fixture
def superuser(database: TaskDatabase) -> Iterator[psycopg.Connection]:
    """Somebody whom no policy binds; all is undone."""
    with psycopg.connect(database.superuser) as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize(
    ("user_id", "title", "description"),
    [
        ("", "x", None),
        ("alice", "", None),
        ("alice", "  ", None),
        ("alice", "x" * 201, None),
        ("alice", "x", "x" * 10_001),
    ],
)
def test_what_a_task_cannot_be(
    superuser: psycopg.Connection, user_id: str, title: str, description: str | None
) -> None:
    with pytest.raises(CheckViolation):
        superuser.execute(
            "insert into task (user_id, title, description) values (%s, %s, %s)",
            [user_id, title, description],
        )


def test_the_longest_task(superuser: psycopg.Connection) -> None:
    superuser.execute(
        "insert into task (user_id, title, description) values (%s, %s, %s)",
        ["alice", "x" * 200, "x" * 10_000],
    )


WRONG = [
    *(("priority", 0), ("priority", 4)),
    *(("tags", ["a"]), ("tag_keys", ["a"]), ("tags", [None]), ("tags", None)),
    *(("due_date", "infinity"), ("due_date", "0001-01-01 BC"), ("due_date", "10000-01-01")),
    *(("due_time", "09:30"), ("repeat_from", "x"), ("repeat_from", None)),
    *(("time_zone", "UTC"), ("repeat", "FREQ=DAILY")),
]


@pytest.mark.parametrize(("column", "value"), WRONG)
def test_what_no_member_can_be(superuser: psycopg.Connection, column: str, value: object) -> None:
    insert = "insert into task (user_id, title, {}) values ('alice', 'x', %s)"
    with pytest.raises((CheckViolation, NotNullViolation)):
        superuser.execute(insert.format(column).encode(), [value])


@pytest.mark.parametrize(
    "wrong",
    [
        "due_date = null",
        "due_time = null",
        "due_time = '24:00'",
        "due_time = '09:30:01'",
        "time_zone = repeat('x', 65)",
        "repeat = repeat('x', 201)",
        "repeat = 'FREQ=DAILY;UNTIL=20261130'",
        "due_date = '2026-12-25'",
        "tags = array_fill('x'::text, array[21]), tag_keys = array_fill('x'::text, array[21])",
        "tags = '{a}', tag_keys = '{null}'",
        "tags = '{a,b}', tag_keys = '{a}'",
    ],
)
def test_what_members_cannot_be_together(superuser: psycopg.Connection, wrong: str) -> None:
    superuser.execute(
        "insert into task (user_id, title, due_date, due_time, time_zone, repeat)"
        " values ('alice', 'x', '2026-12-01', '09:30', 'UTC', 'FREQ=DAILY;UNTIL=20261224')"
    )
    with pytest.raises(CheckViolation):
        superuser.execute(CHANGE.format(wrong).encode())


def test_when_a_task_is_due_follows_from_its_day_and_its_time(
    superuser: psycopg.Connection,
) -> None:
    superuser.execute("insert into task (user_id, title) values ('alice', 'x')")
    for change, due_at in (
        ("title = 'y'", None),
        ("due_date = '2026-12-01'", "2026-12-01 23:59:59.999999"),
        ("due_time = '00:00'", "2026-12-01 00:00:00"),
        ("due_at = '2000-01-01'", "2026-12-01 00:00:00"),
        ("due_date = '2026-12-02'", "2026-12-02 00:00:00"),
        ("due_time = null", "2026-12-02 23:59:59.999999"),
        ("due_date = null", None),
    ):
        superuser.execute(CHANGE.format(change).encode())
        row = superuser.execute("select due_at::text from task where user_id = 'alice'").fetchone()
        assert row == (due_at,)
    insert = "insert into task (user_id, title, due_date) values ('bob', 'x', %s) returning due_at"
    assert superuser.execute(insert, ["2026-12-01"]).fetchone() == (
        datetime(2026, 12, 1, 23, 59, 59, 999_999),
    )


def test_a_task_that_is_made_has_one_version_and_one_date(superuser: psycopg.Connection) -> None:
    made = superuser.execute(
        "insert into task (user_id, title, completed, due_date)"
        " values ('alice', 'x', true, '2026-12-01') returning version, created_at, updated_at,"
        " completed_at, now()"
    ).fetchone()
    assert made is not None
    version, *dates = made
    assert version == 1
    assert len({*dates}) == 1


def test_an_id_is_given_and_exact_in_json(superuser: psycopg.Connection) -> None:
    row = superuser.execute(
        "select seqmax from pg_sequence where seqrelid = 'task_id_seq'::regclass"
    ).fetchone()
    assert row == (2**53 - 1,)
    with pytest.raises(GeneratedAlways):
        superuser.execute("insert into task (user_id, id, title) values ('alice', 7, 'x')")


@pytest.mark.evidence("collisions")
def test_two_people_may_have_the_same_id(superuser: psycopg.Connection) -> None:
    # uniqueness across owners would tell one of them about the other
    for owner in ("alice", "bob"):
        superuser.execute(
            "insert into task (user_id, id, title) overriding system value values (%s, 7, 'x')",
            [owner],
        )


def test_a_change_is_counted_and_dated(superuser: psycopg.Connection) -> None:
    superuser.execute("insert into task (user_id, title) values ('alice', 'x')")
    counts, dates = [], []
    for change in ("title = 'y'", "title = 'y'", "completed = true", "version = 1"):
        (count, date, began) = superuser.execute(CHANGE.format(change).encode()).fetchone() or ()
        counts.append(count)
        dates.append(date)
        assert date > began, "the clock's date, not the transaction's"
    assert counts == [2, 2, 3, 4], "what changes nothing does not count"
    assert dates[0] == dates[1] < dates[2] < dates[3]


def test_a_date_does_not_go_backwards(superuser: psycopg.Connection) -> None:
    superuser.execute(
        "insert into task (user_id, title, updated_at) values ('alice', 'x', '2999-01-01')"
    )
    row = superuser.execute(CHANGE.format("title = 'y'").encode()).fetchone()
    assert row is not None
    assert row[1].year == 2999


@pytest.mark.evidence("definer-rights")
def test_the_trigger_looks_nothing_up_where_somebody_else_may_write(
    superuser: psycopg.Connection,
) -> None:
    row = superuser.execute(
        "select proconfig, prosecdef from pg_proc where oid = 'task_touch()'::regprocedure"
    ).fetchone()
    assert row == (["search_path=pg_catalog, pg_temp"], False)
