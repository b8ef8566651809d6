"""Nobody's statement looks through anybody else's rows to find its own."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import psycopg
import pytest

from api.database.keyset import Start
from api.database.statement import Statement
from api.tasks import queries
from api.tasks.schemas import MAX_PAGE, Sort
from tests.cluster import Cluster, TaskDatabase
from tests.plans import Mode, Plan, executed, plan

Asked = tuple[Statement, dict[str, Any]]

PERSON: Final = "user-0"
TASKS: Final = 40
BEGUN: Final = datetime(2026, 1, 1, tzinfo=UTC)
MIDDLE: Final = BEGUN + timedelta(minutes=10_000)
LATE: Final = BEGUN + timedelta(minutes=15_000)
LIMIT: Final = 5
AROUND: Final = 10  # pages of indexes, and of the heap's map
DONE: Final[dict[str, Any]] = {"completed": True}
HERE: Final[dict[str, Any]] = {"at": MIDDLE, "at_id": 10_000}
OPEN: Final[dict[str, Any]] = {"completed": False}
DUE: Final = date(2026, 1, 8)
DUE_HERE: Final[dict[str, Any]] = {"at": datetime(2026, 1, 8, 9, 30), "at_id": 1}


def page(sort: Sort, start: Start, values: dict[str, Any]) -> Asked:
    filters = frozenset(values.keys() & queries.FILTERS.keys())
    return queries.tasks(sort, filters, start), {"limit": LIMIT, "offset": 0} | values


# Go to their place in an index, and read as far as the page goes.
PAGES: Final[dict[str, Asked]] = {
    "newest": page(Sort.NEWEST, "top", {}),
    "newest, of bytes": (
        queries.page(Sort.NEWEST, frozenset(), "top", MAX_PAGE),
        {"limit": LIMIT, "offset": 0},
    ),
    "newest, after": page(Sort.NEWEST, "after", HERE),
    "newest, before": page(Sort.NEWEST, "before", HERE),
    "oldest": page(Sort.OLDEST, "top", {}),
    "oldest, after": page(Sort.OLDEST, "after", HERE),
    "oldest, before": page(Sort.OLDEST, "before", HERE),
    "completed": page(Sort.NEWEST, "top", DONE),
    "completed, after": page(Sort.NEWEST, "after", HERE | DONE),
    "completed, before": page(Sort.NEWEST, "before", HERE | DONE),
    "created after": page(Sort.NEWEST, "top", {"created_after": MIDDLE}),
    "created before": page(Sort.NEWEST, "top", {"created_before": MIDDLE}),
    "created after, completed": page(Sort.NEWEST, "top", {"created_after": MIDDLE} | DONE),
    "created between, after": page(
        Sort.NEWEST, "after", HERE | {"created_after": BEGUN, "created_before": LATE}
    ),
}

# The open ones by due date: those without one are another range of the same index.
DUE_PAGES: Final[dict[str, Asked]] = {
    "top": page(Sort.DUE_ASC, "top", OPEN),
    "after": page(Sort.DUE_ASC, "after", OPEN | DUE_HERE),
    "before": page(Sort.DUE_ASC, "before", OPEN | DUE_HERE),
    "after null": page(Sort.DUE_ASC, "after null", OPEN | {"at_id": 1}),
    "due before": page(Sort.DUE_ASC, "top", OPEN | {"due_before": DUE}),
    "due after": page(Sort.DUE_ASC, "top", OPEN | {"due_after": DUE}),
    "due before, after": page(Sort.DUE_ASC, "after", OPEN | DUE_HERE | {"due_before": DUE}),
}

# In the order of their numbers.
CHANGED: Final[dict[str, Asked]] = {
    "a full listing": (queries.LISTING, {"at": -1, "at_id": 0, "limit": LIMIT}),
    "a full listing, after": (
        queries.LISTING,
        {"at": 10, "at_id": 0, "until": 10_000, "limit": LIMIT},
    ),
    "what has changed since": (queries.CHANGES, {"at": 10, "at_id": 0, "limit": LIMIT}),
}

# Have to look at every task of the person, and look at no others.
WHOLE: Final[dict[str, Asked]] = {
    "by title": page(Sort.TITLE, "top", {}),
    "by title, after": page(Sort.TITLE_REVERSED, "after", HERE | {"at": "Buy milk"}),
    "by update": page(Sort.UPDATED_DESC, "top", {}),
    "by update, before": page(Sort.UPDATED_ASC, "before", HERE),
    "updated after": page(Sort.UPDATED_DESC, "top", {"updated_after": MIDDLE}),
    "words": page(Sort.NEWEST, "top", {"words": ["***=buy", "***=bread"]}),
    "words, after": page(Sort.NEWEST, "after", HERE | {"words": ["***=bread"]}),
    "by due date": page(Sort.DUE_DESC, "top", {}),
    "by due date, after": page(Sort.DUE_DESC, "after", DUE_HERE),
    "by priority": page(Sort.PRIORITY_DESC, "top", {}),
    "by priority, after": page(Sort.PRIORITY_ASC, "after", {"at": 2, "at_id": 1}),
    "by completion": page(Sort.COMPLETED_DESC, "top", {}),
    "of a priority": page(Sort.NEWEST, "top", {"priority": [2, 3]}),
    "with tags": page(Sort.NEWEST, "top", {"tags": ["home", "x"]}),
    "with any tag": page(Sort.DUE_ASC, "top", {"any_tag": ["home", "x"]}),
    "due before": page(Sort.NEWEST, "top", {"due_before": DUE}),
    "completed after": page(Sort.NEWEST, "top", {"completed_after": MIDDLE}),
    "tags": (queries.TAGS, {"limit": LIMIT}),
    "count": (queries.count(frozenset()), {}),
    "count those completed": (queries.count(frozenset(DONE)), DONE),
    "count with words": (queries.count(frozenset({"words"})), {"words": ["***=bread"]}),
    "delete those completed": (queries.DELETE_COMPLETED, {}),
}

_THIS: Final[dict[str, Any]] = {"id": 1_000, "versions": None}
ONE: Final[dict[str, Asked]] = {
    "get": (queries.GET, {"id": 1_000}),
    "complete": (queries.COMPLETE, _THIS | OPEN),
    "update": (
        queries.UPDATE,
        _THIS | queries.TASK.changes({"title": "Buy bread", "description": None} | DONE),
    ),
    "update what it was": (
        queries.UPDATE,
        _THIS | {"versions": [1, 2]} | queries.TASK.changes(DONE),
    ),
    "update the whole of it": (
        queries.UPDATE_WHOLE,
        _THIS | queries.TASK.changes(DONE) | queries.TASK.expected({"id": 1_000}),
    ),
    "delete": (queries.DELETE, _THIS),
    "pass on": (queries.PASS_ON, {"id": 1_000, "next_id": 7}),
}


def filled(database: TaskDatabase) -> TaskDatabase:
    """Five hundred people with forty tasks each, in turn, so that every page is everybody's."""
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        connection.execute(
            "insert into task (user_id, title, completed, created_at, updated_at, priority,"
            " tags, tag_keys, due_date, due_time)"
            " select 'user-' || n %% 500, 'Buy milk', n / 500 %% 2 = 0, moment, moment,"
            " nullif(n / 500 %% 4, 0), '{Home}', '{home}',"
            " case when n / 500 %% 5 > 0 then moment::date end,"
            " case when n / 500 %% 5 > 2 then '09:30'::time end"
            "   from generate_series(1, 20000) as n,"
            "        lateral (select %s + n * interval '1 minute' as moment) as at",
            [BEGUN],
        )
        connection.execute("vacuum analyze task")
    return database


@pytest.fixture(scope="module")
def crowd(cluster: Cluster) -> Iterator[TaskDatabase]:
    with cluster.database() as database:
        yield filled(database)


@pytest.fixture(params=["force_custom_plan", "force_generic_plan"])
def mode(request: pytest.FixtureRequest) -> Mode:
    found: Mode = request.param
    return found


def plan_for_one(crowd: TaskDatabase, asked: Asked, mode: Mode) -> Plan:
    """The plan; each way into a table or an index is by the person."""
    found = plan(crowd.direct, PERSON, *asked, mode)
    assert found.entries
    assert all("user_id = " in entry for entry in found.entries), found.entries
    return found


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_read_from_its_place_in_an_index_and_no_further(
    crowd: TaskDatabase, name: str, mode: Mode
) -> None:
    found = plan_for_one(crowd, PAGES[name], mode)
    assert found.removed == 0
    beginning = "at" in PAGES[name][1]  # one row tells whether something is behind it
    assert found.rows == LIMIT + 1 + beginning
    assert found.pages <= found.rows + AROUND
    if beginning:
        assert all("ROW(created_at, id) " in entry for entry in found.entries), found.entries


@pytest.mark.parametrize("name", DUE_PAGES)
def test_open_tasks_by_due_date_are_read_from_their_place_and_no_further(
    crowd: TaskDatabase, name: str, mode: Mode
) -> None:
    found = plan_for_one(crowd, DUE_PAGES[name], mode)
    assert all("completed" in entry for entry in found.entries), found.entries
    assert found.removed == 0
    # the first rows of each of two ranges, and one or two that are behind
    assert found.rows <= 2 * (LIMIT + 1) + 2
    assert found.pages <= 2 * found.rows + AROUND


@pytest.mark.parametrize("name", CHANGED)
def test_changes_are_read_from_their_place_once_and_no_further(
    crowd: TaskDatabase, name: str, mode: Mode
) -> None:
    found = plan_for_one(crowd, CHANGED[name], mode)
    assert found.removed == 0
    assert found.rows == LIMIT + 1
    assert found.pages <= found.rows + AROUND


@pytest.mark.parametrize("name", WHOLE)
def test_what_needs_all_of_a_persons_rows_reads_no_others(
    crowd: TaskDatabase, name: str, mode: Mode
) -> None:
    found = plan_for_one(crowd, WHOLE[name], mode)
    assert found.rows <= TASKS * len(found.entries)
    # five times a page to delete a row of it: its head and its tombstone, too
    assert found.pages <= 5 * found.rows + AROUND


def test_a_tag_of_many_tasks_is_counted_before_its_spellings_are_compared(
    crowd: TaskDatabase, mode: Mode
) -> None:
    assert plan(crowd.direct, PERSON, *WHOLE["tags"], mode).windowed == 1


@pytest.mark.parametrize("name", ONE)
def test_a_statement_on_one_task_goes_to_it(crowd: TaskDatabase, name: str, mode: Mode) -> None:
    found = plan_for_one(crowd, ONE[name], mode)
    assert all("id = " in entry.replace("user_id", "") for entry in found.entries), found.entries
    assert found.removed == 0


def test_a_list_is_planned_once_for_everybody(crowd: TaskDatabase) -> None:
    statement, values = PAGES["newest"]
    with psycopg.connect(crowd.direct) as connection:
        connection.execute(f"prepare list as {statement.sql}".encode())
        for person in ("user-0", "user-1"):
            connection.execute(executed("list", person, statement, values))
        plans = "select generic_plans, custom_plans from pg_prepared_statements where name = 'list'"
        assert connection.execute(plans).fetchall() == [(2, 0)]


def test_what_goes_through_all_rows_would_be_seen(own_database: TaskDatabase) -> None:
    with psycopg.connect(filled(own_database).superuser, autocommit=True) as connection:
        connection.execute("alter table task drop constraint task_pkey")
        connection.execute("drop index task_user_id_created_at_id")
        connection.execute("drop index task_user_id_completed_created_at_id")
        connection.execute("drop index task_user_id_completed_due_at_id")
        connection.execute("drop index task_user_id_seq_id")
    found = plan(own_database.direct, PERSON, *ONE["get"])
    assert found.entries == ["Seq Scan"]
    assert found.removed > 10_000
    assert found.rows > 10_000
