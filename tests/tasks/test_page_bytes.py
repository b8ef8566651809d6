"""A page has bytes, too: it ends at about a megabyte of JSON, and whoever follows its links meets
every task once all the same."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import httpx2
import psycopg
import pytest

from api.database.json_rows import MAX_PAGE_BYTES
from api.idempotency import queries as idempotency_queries
from api.tasks import queries
from api.tasks.schemas import MAX_PAGE, Sort
from tests.cluster import TaskDatabase
from tests.people import People, Person
from tests.plans import executed
from tests.walks import walk

SORTS: Final = ["created_at", "-created_at", "updated_at", "-updated_at", "title", "-title"]
LONGEST: Final = 10_000  # characters of a description
CONTROL: Final = "\x01"  # takes one byte in the table, and six in JSON
MILK: Final = "\U0001f95b"  # takes four in both
# What a page may be built of before it is cut: texts of the size of a page, six times in JSON.
BUILT: Final = 7 * MAX_PAGE_BYTES


def given(connection: psycopg.Connection, person: Person, descriptions: list[str | None]) -> None:
    """These tasks, made by a superuser, a second apart."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into task (user_id, title, description, completed, created_at, updated_at)"
            " values (%s, %s, %s, %s, now() + %s * interval '1 s', now() - %s * interval '1 h')",
            [
                (person.id, f"Task {n * 7 % 100}", description, n % 2 == 0, n, n * 3 % 50)
                for n, description in enumerate(descriptions)
            ],
        )


@pytest.fixture(scope="module")
def as_superuser(database: TaskDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def reader(server: str, as_superuser: psycopg.Connection) -> Iterator[Person]:
    """Somebody with long and short tasks, 5 MB in all, who changes nothing."""
    people = People(server)
    reader = people.person("alice")
    long = [CONTROL * LONGEST, MILK * LONGEST, "milk " * 2_000]
    given(as_superuser, reader, [*(long * 40), *([None] * 30), *(long * 10)])
    yield reader
    people.leave()


def get(person: Person, url: str, **parameters: Any) -> httpx2.Response:
    answer = person.http.get(url, params=parameters or None)
    assert answer.status_code == 200, answer.text
    assert len(answer.content) <= MAX_PAGE_BYTES
    return answer


def everything(person: Person, **asked: Any) -> list[dict[str, Any]]:
    """In pages so short that bytes do not matter."""
    pages = walk(person, "next", get(person, "/api/tasks", limit=5, **asked))
    return [task for page in pages for task in page.json()]


def bytes_of(task: dict[str, Any]) -> int:
    """Of its JSON, as PostgreSQL writes it, and a comma."""
    return len(json.dumps(task, ensure_ascii=False, separators=(",", ":")).encode()) + 1


@pytest.mark.evidence("one-heavy-request")
@pytest.mark.parametrize("limit", [1000, 101, 100, 40])
@pytest.mark.parametrize("sort", SORTS)
def test_a_walk_over_long_tasks_meets_each_once_both_ways(
    reader: Person, sort: str, limit: int
) -> None:
    wanted = everything(reader, sort=sort)
    assert len(wanted) == 180
    forwards = list(walk(reader, "next", get(reader, "/api/tasks", sort=sort, limit=limit)))
    assert [task for page in forwards for task in page.json()] == wanted
    backwards = list(walk(reader, "prev", forwards[-1]))
    assert [task for page in backwards[::-1] for task in page.json()] == wanted
    assert len(forwards) > 180 / limit  # bytes did matter
    for pages in (forwards, backwards[::-1]):
        for number, page in enumerate(pages):
            assert 0 < len(page.content) <= MAX_PAGE_BYTES
            relations = {"first": True, "prev": number > 0, "next": number < len(pages) - 1}
            assert set(page.links) == {name for name, there in relations.items() if there}


@pytest.mark.parametrize("limit", [1000, 100])
def test_a_page_is_as_full_as_it_may_be(reader: Person, limit: int) -> None:
    pages = list(walk(reader, "next", get(reader, "/api/tasks", limit=limit)))
    for page, following in pairwise(pages):
        (first, *_) = following.json()
        assert len(page.json()) == limit or len(page.content) + bytes_of(first) > MAX_PAGE_BYTES


@pytest.mark.parametrize("limit", [1000, 100])
@pytest.mark.parametrize("asked", [{"q": "task"}, {"completed": "true"}], ids=str)
def test_what_is_chosen_ends_where_bytes_end_too(
    reader: Person, asked: dict[str, str], limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.database.pool.REST", 0)  # a user's next search waits for its turn
    wanted = everything(reader, **asked)
    pages = list(walk(reader, "next", get(reader, "/api/tasks", limit=limit, **asked)))
    assert [task for page in pages for task in page.json()] == wanted
    assert all(len(page.content) <= MAX_PAGE_BYTES for page in pages)


@pytest.mark.parametrize("limit", [1000, 100])
def test_from_an_offset_a_page_ends_where_bytes_end(reader: Person, limit: int) -> None:
    wanted = everything(reader)
    page = get(reader, "/api/tasks", offset=10, limit=limit)
    number = len(page.json())
    assert page.json() == wanted[10 : 10 + number]
    assert 0 < number < 100
    assert get(reader, page.links["next"]["url"]).json()[0] == wanted[10 + number]
    assert get(reader, page.links["prev"]["url"]).json() == wanted[:10]


def test_a_page_cut_short_has_its_tag_and_the_total_of_the_list(reader: Person) -> None:
    page = reader.http.get("/api/tasks", headers={"Prefer": "count=exact"})
    assert page.headers["X-Total-Count"] == "180"
    assert len(page.json()) < 180
    tag = {"If-None-Match": page.headers["ETag"], "Prefer": "count=exact"}
    assert reader.http.get("/api/tasks", headers=tag).status_code == 304
    following = page.links["next"]["url"]
    assert reader.http.get(following, headers=tag).status_code == 200


def test_short_tasks_are_a_thousand_to_a_page(
    alice: Person, as_superuser: psycopg.Connection
) -> None:
    given(as_superuser, alice, ["Two litres"] * 1001)
    page = get(alice, "/api/tasks")
    assert len(page.json()) == MAX_PAGE
    assert len(get(alice, page.links["next"]["url"]).json()) == 1


def sent(database: TaskDatabase, person: Person, statement: Any, **values: Any) -> int:
    """Bytes that PostgreSQL makes of the lines of this statement."""
    with psycopg.connect(database.direct) as connection:
        connection.execute("select set_config('app.user_id', %s, true)", [person.id])
        connection.execute(f"prepare asked as {statement.sql}".encode())
        row = connection.execute(executed("asked", person.id, statement, values)).fetchone()
    assert row is not None
    return len(row[0].encode())


@pytest.mark.evidence("one-heavy-request")
@pytest.mark.parametrize("limit", [queries.SHORT_PAGE, queries.SHORT_PAGE + 1, MAX_PAGE])
def test_postgresql_does_not_make_what_will_not_be_sent(
    database: TaskDatabase, alice: Person, as_superuser: psycopg.Connection, limit: int
) -> None:
    given(as_superuser, alice, [CONTROL * LONGEST] * 300)
    statement = queries.page(Sort.NEWEST, frozenset(), "top", limit)
    made = sent(database, alice, statement, limit=limit, offset=0)
    assert MAX_PAGE_BYTES < made < BUILT


@pytest.mark.evidence("one-heavy-request")
def test_tags_have_bytes_like_any_text(
    database: TaskDatabase, alice: Person, as_superuser: psycopg.Connection
) -> None:
    given(as_superuser, alice, [None] * 600)
    tags = [f"{n:02}" + MILK * 48 for n in range(20)]
    as_superuser.execute(
        "update task set tags = %s, tag_keys = %s where user_id = %s", [tags, tags, alice.id]
    )
    pages = [*walk(alice, "next", get(alice, "/api/tasks"))]
    assert [task["tags"] for page in pages for task in page.json()] == [tags] * 600
    assert len(pages) > 1
    assert all(len(page.content) <= MAX_PAGE_BYTES for page in pages)
    statement = queries.page(Sort.NEWEST, frozenset(), "top", MAX_PAGE)
    assert sent(database, alice, statement, limit=MAX_PAGE, offset=0) < 2 * MAX_PAGE_BYTES


def test_what_is_exported_at_once_is_bounded_too(
    database: TaskDatabase, alice: Person, as_superuser: psycopg.Connection
) -> None:
    given(as_superuser, alice, [CONTROL * LONGEST] * 300)
    as_superuser.execute(
        "insert into idempotency_key (user_id, key, fingerprint, status, headers, body)"
        " select %s, 'key ' || n, 'f', 200, '{}', repeat('\"', 960000)"
        " from generate_series(1, 20) as n",
        [alice.id],
    )
    tasks = sent(database, alice, queries.EXPORT_TASKS, after=-1, limit=250)
    answers = sent(database, alice, idempotency_queries.EXPORT_KEPT_ANSWERS, after="", limit=250)
    assert MAX_PAGE_BYTES < tasks < BUILT
    assert MAX_PAGE_BYTES < answers < BUILT
