"""What the table itself refuses and keeps, whoever writes to it and past whatever API."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.errors import CheckViolation, GeneratedAlways

from tests.cluster import TaskDatabase


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


CHANGE = "update task set {} where user_id = 'alice' returning version, updated_at, now()"


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
