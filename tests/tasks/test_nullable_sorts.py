"""A list can be sorted by what some tasks do not have: those are the last, whichever way it goes.

No route offers such a sort yet, so the tests bring one: by description.
"""

import random
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import psycopg
import pytest
from fastapi import Response

from api.auth.authenticator import User
from api.database.keyset import Start
from api.database.session import Database
from api.http.problems import Failure
from api.settings import DatabaseSettings
from api.tasks import queries
from api.tasks.routes import list_tasks
from api.tasks.schemas import TaskPage
from tests.cluster import Cluster, TaskDatabase
from tests.plans import plan
from tests.sorts import ByDescription

ALICE: Final = User("alice-who-sorts")
BOB: Final = User("bob-who-sorts")
LIMIT: Final = 5
MOST: Final = 50  # pages
CURSOR: Final = re.compile(r'[?&]cursor=([\w-]+)>; rel="(next|prev)"')
DESCRIPTIONS: Final = [None, None, None, "", "a", "a", "b", "B", "null"]


class Page(TaskPage):
    sort: ByDescription = ByDescription.FIRST  # type: ignore[assignment]


each_sort = pytest.mark.parametrize("sort", ByDescription, ids=str)


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Iterator[TaskDatabase]:
    """Nobody else's: its row security is switched off and on."""
    with cluster.database() as database:
        yield database


@pytest.fixture(params=["both walls", "the filters alone"])
async def door(request: pytest.FixtureRequest, database: TaskDatabase) -> AsyncIterator[Database]:
    async with Database.connect(DatabaseSettings(database_url=database.task_app)) as door:
        with psycopg.connect(database.owner, autocommit=True) as owner:
            if request.param == "the filters alone":
                owner.execute("alter table task disable row level security")
            yield door
            owner.execute("alter table task enable row level security")


@pytest.fixture
def superuser(database: TaskDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        yield connection
        connection.execute("delete from task where user_id = any (%s)", [[ALICE.id, BOB.id]])


def gives(connection: psycopg.Connection, user: User, description: str | None) -> int:
    made = "insert into task (user_id, title, description) values (%s, 'x', %s) returning id"
    (task_id,) = connection.execute(made, [user.id, description]).fetchone() or (0,)
    return int(task_id)


def in_order(connection: psycopg.Connection, sort: ByDescription) -> list[int]:
    """Alice's, as PostgreSQL sorts them."""
    order = {
        ByDescription.FIRST: "description asc nulls last, id asc",
        ByDescription.LAST: "description desc nulls last, id desc",
    }
    query = f"select id from task where user_id = %s order by {order[sort]}"  # noqa: S608
    return [task_id for (task_id,) in connection.execute(query.encode(), [ALICE.id])]


async def page_at(door: Database, cursor: str | None, **asked: Any) -> Response:
    page = Page(cursor=cursor, **asked)
    return await door.run(ALICE, lambda tx: list_tasks(tx, page), reads=True)


def ids_of(response: Response) -> list[int]:
    return [int(found) for found in re.findall(r'"id":(\d+)', bytes(response.body).decode())]


def cursors(response: Response) -> dict[str, str]:
    return {relation: cursor for cursor, relation in CURSOR.findall(response.headers["Link"])}


async def walk(
    door: Database, relation: str, start: str | None, **asked: Any
) -> AsyncIterator[Response]:
    cursor = start
    for _ in range(MOST):
        response = await page_at(door, cursor, **asked)
        yield response
        cursor = cursors(response).get(relation)
        if cursor is None:
            return
    raise AssertionError("a walk without end")


@pytest.mark.anyio
@each_sort
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 9, 10, 11])
@pytest.mark.parametrize(
    "given", [DESCRIPTIONS, [None] * 5, ["a"] * 5], ids=["some", "none", "all"]
)
async def test_a_walk_meets_each_task_once_and_goes_back_the_way_it_came(
    door: Database,
    superuser: psycopg.Connection,
    sort: ByDescription,
    limit: int,
    given: list[str | None],
) -> None:
    for description in given:
        gives(superuser, ALICE, description)
        gives(superuser, BOB, description)
    wanted = in_order(superuser, sort)
    pages = [wanted[n : n + limit] for n in range(0, len(wanted), limit)]

    forwards = [one async for one in walk(door, "next", None, sort=sort, limit=limit)]
    assert [ids_of(one) for one in forwards] == pages
    back = cursors(forwards[-1]).get("prev")
    backwards = [one async for one in walk(door, "prev", back, sort=sort, limit=limit)]
    assert [ids_of(one) for one in backwards] == (pages[-2::-1] or pages)
    for number, response in enumerate([*forwards[:-1], *backwards[::-1]]):
        number %= max(1, len(pages) - 1)
        there = {"prev": number > 0, "next": number < len(pages) - 1}
        assert {*cursors(response)} == {relation for relation in there if there[relation]}


@pytest.mark.anyio
@each_sort
@pytest.mark.parametrize("relation", ["next", "prev"])
@pytest.mark.parametrize("seed", range(8))
async def test_a_walk_meets_what_was_there_throughout_once_whatever_others_write(
    door: Database, superuser: psycopg.Connection, sort: ByDescription, relation: str, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - which must be the same each time
    for _ in range(12):
        gives(superuser, ALICE, chance.choice(DESCRIPTIONS))
    before = in_order(superuser, sort)
    asked = {"sort": sort, "limit": chance.randint(1, 4)}
    start, there = None, before
    if relation == "prev":
        async for response in walk(door, "next", None, **asked):
            start, last = cursors(response).get("prev"), ids_of(response)
        there = before[: before.index(last[0])]
    moved: set[int] = set()
    met: list[int] = []
    async for response in walk(door, relation, start, **asked):
        page = ids_of(response)
        met = [*met, *page] if relation == "next" else [*page, *met]
        for _ in range(chance.randint(0, 3)):
            task_id = chance.choice(before)
            match chance.choice(["create", "delete", "describe"]):
                case "create":
                    gives(superuser, ALICE, chance.choice(DESCRIPTIONS))
                    gives(superuser, BOB, chance.choice(DESCRIPTIONS))
                case "delete":
                    superuser.execute("delete from task where id = %s", [task_id])
                    moved.add(task_id)
                case "describe":
                    superuser.execute(
                        "update task set description = %s where id = %s",
                        [chance.choice(DESCRIPTIONS), task_id],
                    )
                    moved.add(task_id)
    throughout = [task_id for task_id in there if task_id not in moved]
    assert [task_id for task_id in met if task_id in throughout] == throughout


@pytest.mark.anyio
async def test_a_cursor_beside_a_task_without_it_is_good_for_that_list_alone(
    door: Database, superuser: psycopg.Connection
) -> None:
    for _ in range(3):
        gives(superuser, ALICE, None)
    next_ = cursors(await page_at(door, None, limit=1))["next"]
    assert len(ids_of(await page_at(door, next_, limit=1))) == 1
    with pytest.raises(Failure):
        await page_at(door, next_, sort=ByDescription.LAST, limit=1)


@pytest.mark.anyio
@each_sort
async def test_beside_a_task_that_is_gone_there_are_those_with_it_and_those_without(
    door: Database, superuser: psycopg.Connection, sort: ByDescription
) -> None:
    for description in ("a", "b", None, None):
        gives(superuser, ALICE, description)
    first, second, third, fourth = in_order(superuser, sort)
    pages = [page async for page in walk(door, "next", None, sort=sort, limit=1)]
    before_text, after_null = cursors(pages[1])["prev"], cursors(pages[2])["next"]
    superuser.execute("delete from task where id = any (%s)", [[second, third]])
    page = await page_at(door, before_text, sort=sort, limit=1)
    assert (ids_of(page), {*cursors(page)}) == ([first], {"next"})
    page = await page_at(door, after_null, sort=sort, limit=1)
    assert (ids_of(page), {*cursors(page)}) == ([fourth], {"prev"})


# an index

HERE: Final[dict[Start, dict[str, Any]]] = {
    "top": {},
    "after": {"at": "note 20", "at_id": 1},
    "before": {"at": "note 20", "at_id": 1},
    "after null": {"at_id": 10_000},
    "before null": {"at_id": 10_000},
}


@pytest.fixture(scope="module")
def crowd(cluster: Cluster) -> Iterator[TaskDatabase]:
    """Fifty people with four hundred tasks each, half of them without a description."""
    with cluster.database() as database:
        with psycopg.connect(database.superuser, autocommit=True) as connection:
            connection.execute(
                "insert into task (user_id, title, description) select 'user-' || n % 50, 'x',"
                " case when n / 50 % 2 = 0 then 'note ' || n / 100 % 40 end"
                " from generate_series(1, 20000) n"
            )
            connection.execute("create index on task (user_id, description, id)")
            connection.execute(
                "create index on task (user_id, description desc nulls last, id desc)"
            )
            connection.execute("vacuum analyze task")
        yield database


@each_sort
@pytest.mark.parametrize("start", HERE)
def test_a_page_is_read_from_its_place_in_an_index_and_no_further(
    crowd: TaskDatabase, sort: Any, start: Start
) -> None:
    statement = queries.tasks(sort, frozenset(), start)
    found = plan(crowd.direct, "user-7", statement, {"limit": LIMIT, "offset": 0} | HERE[start])
    assert found.entries
    assert all("user_id = " in entry for entry in found.entries), found.entries
    assert found.removed == 0
    # the first rows of each of two ranges, and one or two that are behind
    assert LIMIT < found.rows <= 2 * (LIMIT + 1) + 2
