"""`q`: each of its words is in the title or the description, whatever the case, and literally."""

from collections.abc import Iterator
from typing import Final

import psycopg
import pytest
from psycopg import sql

from api.settings import Settings
from api.tasks import queries
from api.tasks.schemas import Sort, TaskPage
from tests.cluster import TaskDatabase
from tests.people import People, Person
from tests.plans import executed
from tests.problems import MARK, problem
from tests.server import people_of

TASKS: Final = {
    "milk": ("Buy milk", None),
    "bread": ("Buy bread", "and milk, 2 litres"),
    "split": ("Fresh mi", "lk is not a word here"),
    "french": ("École d'été", "À côté de l'ŒUVRE"),
    "russian": ("Покормить ЖУКА", None),
    "greek": ("ΟΔΟΣ", None),
    "japanese": ("牛乳を買う", "日本のお店で"),
    "german": ("Straße fegen", ""),
    "shouting": ("STRASSE FEGEN", None),
    "ligature": ("\ufb01rst o\ufb03ce", None),
    "turkish": ("ISPARTA", "\u0131\u011fd\u0131r"),
    "percent": ("Save 100%", None),
    "thousand": ("Save 1000", None),
    "underscore": ("snake_case", None),
    "dash": ("snake-case", None),
    "backslash": (r"C:\temp", r"not C:\\temp"),
    "slash": ("C:/temp", None),
    "quotes": ('It\'s "quoted"', "'; drop table task; --"),
    "array": ("{a,b}", '{"c"}'),
    "null": ("NULL", "null"),
    "emoji": ("\U0001f95b and \U0001f35e", None),
    "combining": ("cafe\u0301", None),
    "control": ("bell\x07rings", "\x01"),
}

# What is asked for, and whose tasks are found.
FOUND: Final[dict[str, set[str]]] = {
    "milk": {"milk", "bread"},
    "MiLk": {"milk", "bread"},
    "il": {"milk", "bread"},
    "  milk\t": {"milk", "bread"},
    "buy milk": {"milk", "bread"},
    "milk buy": {"milk", "bread"},
    "MILK   and\nBUY": {"bread"},
    "milk milk": {"milk", "bread"},
    "litres bread": {"bread"},
    "milk cheese": set(),
    "mi lk": {"milk", "bread", "split"},
    "buymilk": set(),
    "école": {"french"},
    "ÉCOLE": {"french"},
    "ÉTÉ œuvre": {"french"},
    "ecole": set(),
    "жука": {"russian"},
    "ПОКОРМИТЬ жук": {"russian"},
    "οδο": {"greek"},
    "日本": {"japanese"},
    "日本\u3000牛乳": {"japanese"},
    "本日": set(),
    "ΟΔΟΣ": {"greek"},
    "οδος": {"greek"},
    "οδοσ": {"greek"},
    "straße": {"german", "shouting"},
    "STRAßE": {"german", "shouting"},
    "STRA\u1e9eE": {"german", "shouting"},
    "strasse": {"german", "shouting"},
    "STRASSE FEGEN": {"german", "shouting"},
    "rase": set(),
    "FIRST OFFICE": {"ligature"},
    "of\ufb01ce": {"ligature"},
    "fIC": {"ligature"},
    "isparta": {"turkish"},
    "\u0131sparta": set(),
    "I\u011eDIR": set(),
    "%": {"percent"},
    "100%": {"percent"},
    "0% save": {"percent"},
    "100": {"percent", "thousand"},
    "%%": set(),
    "s%e": set(),
    "_": {"underscore"},
    "snake_case": {"underscore"},
    "__": set(),
    "\\": {"backslash"},
    "c:\\temp": {"backslash"},
    "\\\\": {"backslash"},
    "\\\\\\": set(),
    "\\temp": {"backslash"},
    "\\%": set(),
    "temp\\": set(),
    "'": {"french", "quotes"},
    '"': {"quotes", "array"},
    "'; drop table task; --": {"quotes"},
    '"quoted" it\'s': {"quotes"},
    "{a,b}": {"array"},
    '{"c"}': {"array"},
    ",": {"bread", "array"},
    "{": {"array"},
    "null": {"null"},
    "NULL NULL": {"null"},
    "\U0001f95b": {"emoji"},
    "\U0001f35e \U0001f95b": {"emoji"},
    "cafe\u0301": {"combining"},
    "caf\u00e9": set(),
    "bell\x07": {"control"},
    "$1": set(),
    "%s": set(),
    "&": set(),
    "+": set(),
    "x" * 64: set(),
    "\U0001f95b" * 64: set(),
    "milk " * 10: {"milk", "bread"},
    "milk" * 16 + " " + "x" * 64: set(),
    # what would be patterns
    ".": set(),
    ".*": set(),
    "m.lk": set(),
    "(milk|bread)": set(),
    "[a-z]": set(),
    "^buy": set(),
    "milk$": set(),
    "\\m": set(),
    "\\w": set(),
    "(?q)milk": set(),
    "***=milk": set(),
    "***": set(),
    "{1}": set(),
    "(": set(),
    "[": set(),
    "C:\\TEMP": {"backslash"},
    " " * 300 + "milk" + "\n" * 300: {"milk", "bread"},
}


@pytest.fixture(scope="module")
def searcher(server: str) -> Iterator[Person]:
    """Somebody with all of these, who changes nothing; bob has them too."""
    people = People(server)
    searcher, bob = people.person("alice"), people.person("bob")
    for title, description in TASKS.values():
        for person in (searcher, bob):
            person.creates(title, description=description)
    yield searcher
    people.leave()


@pytest.mark.parametrize("q", FOUND, ids=lambda q: ascii(q[:20]))
def test_a_search_finds_what_holds_every_word(searcher: Person, q: str) -> None:
    found = searcher.lists(q=q)
    names = {title: name for name, (title, _) in TASKS.items()}
    assert {names[task["title"]] for task in found} == FOUND[q]
    assert {task["user_id"] for task in found} <= {searcher.id}
    assert found == [task for task in searcher.lists() if task in found]  # in the same order


@pytest.mark.parametrize("code", range(0x21, 0x7F), ids=chr)
def test_every_character_of_ascii_means_itself(searcher: Person, code: int) -> None:
    character = chr(code)
    wanted = [
        task
        for task in searcher.lists()
        if character.lower() in f"{task['title']} {task['description'] or ''}".casefold()
    ]
    assert searcher.lists(q=character) == wanted


# Texts as long as they may be, in which the beginning of a word is found at each place, or its end.
LONG: Final = "a" * 10_000
WORST: Final = {
    "the end differs": ["a" * 63 + "b"],
    "the beginning differs": ["b" + "a" * 63],
    "the middle differs": ["a" * 32 + "b" + "a" * 31],
    "all but the last are found": [*(["a" * 21] * 9), "b"],
    "ways without end": ["s" * 64],
    "many ways": [f"{'s' * 8}a" * 7, f"{'f' * 8}i" * 7],
    "none of ten": [f"{'a' * (18 - n)}{'b' * (n + 1)}" for n in range(10)],
}


@pytest.fixture(scope="module")
def hoarder(database: TaskDatabase, server: str) -> Iterator[Person]:
    """Somebody who has written as much as a thousand tasks hold."""
    with People(server) as people, psycopg.connect(database.superuser) as as_superuser:
        hoarder = people.person("alice")
        as_superuser.execute(
            "insert into task (user_id, title, description)"
            " select %s, 'a', %s from generate_series(1, 1000)",
            [hoarder.id, LONG],
        )
        as_superuser.commit()
        yield hoarder


def searching(database: TaskDatabase, person: Person, *searches: list[str]) -> list[float]:
    """Milliseconds that PostgreSQL takes for each at best, of ten tries in turn: others may use the
    machine for a while."""
    asked = [TaskPage(q=" ".join(words)).filters for words in searches]
    statement = queries.count(frozenset(asked[0]))
    explain = sql.SQL("explain (analyze, format json) {}")
    executes = [explain.format(executed("asked", person.id, statement, values)) for values in asked]
    with psycopg.connect(database.direct) as connection:
        connection.execute("select set_config('app.user_id', %s, true)", [person.id])
        connection.execute(f"prepare asked as {statement.sql}".encode())
        tries = [
            [connection.execute(execute).fetchall()[0][0][0] for execute in executes]
            for _ in range(10)
        ]
    return [
        min(float(plan["Execution Time"]) for plan in plans) for plans in zip(*tries, strict=True)
    ]


@pytest.mark.evidence("heavy-search")
@pytest.mark.parametrize("words", WORST.values(), ids=WORST)
def test_no_word_makes_a_search_go_over_a_text_again_and_again(
    database: TaskDatabase, hoarder: Person, words: list[str]
) -> None:
    # of one with `like`, 64 characters took twelve times as long as four
    worst, usual = searching(database, hoarder, words, ["milk"])
    assert worst < 5 * usual


@pytest.mark.evidence("heavy-search")
def test_a_search_that_takes_too_long_is_given_up_and_says_so(
    hoarder: Person, database: TaskDatabase
) -> None:
    assert hoarder.lists(q="b") == []
    with people_of(database, search_timeout=0.005) as people:
        same = people.stranger()
        same.http.headers["Authorization"] = hoarder.http.headers["Authorization"]
        for headers in ({}, {"Prefer": "count=exact"}):
            answer = same.http.get("/api/tasks", params={"q": "b"}, headers=headers)
            assert "search took too long" in problem(answer, 503, "unavailable")["detail"]
            assert int(answer.headers["Retry-After"]) > 0
        # what is no search has the time of every statement, and narrowed down it is soon done
        assert len(same.lists(sort="title", limit=1)) == 1
        assert same.lists(q="b", completed="true") == []


def test_a_search_may_take_two_seconds_and_other_statements_more() -> None:
    assert Settings.model_fields["search_timeout"].default == 2
    assert TaskPage(q="milk").is_slow
    assert not TaskPage(sort=Sort.TITLE).is_slow


def test_what_bob_has_is_not_found(alice: Person, bob: Person) -> None:
    his = bob.creates("Buy milk", description="and bread")
    for q in ("milk", "bread", "bob", his["title"], bob.id):
        assert alice.lists(q=q) == []
    assert bob.lists(q="milk") == [his]
    assert bob.lists(q=bob.id) == []  # nor is anything but the title and the description


def test_what_changes_is_found_by_what_it_is_now(alice: Person) -> None:
    task = alice.creates("Buy milk", description="Two litres")
    address = f"/api/tasks/{task['id']}"
    changed = alice.http.patch(address, json={"title": "Buy bread", "description": None}).json()
    assert alice.lists(q="bread") == [changed]
    for q in ("milk", "litres"):
        assert alice.lists(q=q) == []


@pytest.mark.evidence("heavy-search")
@pytest.mark.parametrize(
    "q",
    [
        "",
        " ",
        "\t\n",
        "\u00a0\u3000",
        "\u200b",
        "\x1c",
        "\x1c\x1d\x1e\x1f",
        "\0",
        f"{MARK}\0",
        "x" * 201,
        "\U0001f95b" * 201,
        "x " * 100 + "xx",
        # words
        "x" * 65,
        "\U0001f95b" * 65,
        "milk " + "x" * 65 + " bread",
        "milk " * 11,
        "\u3000".join("abcdefghijk"),
    ],
    ids=lambda q: ascii(q[:20]),
)
def test_what_cannot_be_looked_for_is_refused(searcher: Person, q: str) -> None:
    answer = searcher.http.get("/api/tasks", params={"q": q})
    errors = problem(answer, 422, "invalid-input")["errors"]
    assert [error["parameter"] for error in errors] == ["q"]


def test_what_is_no_text_is_looked_for_as_what_it_looks_like(alice: Person) -> None:
    task = alice.creates("\ufffd")
    assert alice.http.get("/api/tasks?q=%FF").json() == [task]
    assert alice.http.get("/api/tasks?q=%ED%A0%80").json() == []  # half of a pair: three of them
