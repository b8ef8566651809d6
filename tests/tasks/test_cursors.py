"""Cursors: a list is walked page by page, forwards and backwards, and no cursor but its own will
do."""

import json
import re
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from tests.people import People, Person
from tests.problems import problem
from tests.walks import walk

SORTS: Final = ["created_at", "-created_at", "updated_at", "-updated_at", "title", "-title"]
# What may stand in a URL as it is (RFC 3986).
URL: Final = re.compile(r"/api/tasks\?([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-F]{2})+")
LINK: Final = re.compile(r'<([^>]*)>; rel="(first|next|prev)"')
ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
BEARABLE: Final = 2_000  # characters

# Every character of ASCII that may be in a title, and some that are hard to sort or to write.
TITLES: Final = [f"a{chr(code)}z" for code in range(1, 0x80)] + [
    "\u00e9",
    "e\u0301",
    "\u0416\u0443\u043a",
    "\u65e5\u672c\u8a9e",
    "\u05e7\u05e0\u05d4 \u05d7\u05dc\u05d1",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "a\u2028z",
    "a\u0085z",
    "a\ufffdz",
    "a\uffffz",
    "a\U0010ffffz",
    '"\\u0000"',
    "%00",
    "null",
    '["after", "", 1]',
    "x" * 200,
    "\U0001f95b" * 200,
    "a" + "\x01" * 198 + "z",
]


def creates(person: Person, titles: list[str]) -> None:
    """A hundred at once, which then have the same dates."""
    for start in range(0, len(titles), 100):
        tasks = [
            {"title": title, "completed": n % 2 == 0}
            for n, title in enumerate(titles[start : start + 100])
        ]
        assert person.http.post("/api/tasks/bulk", json=tasks).status_code == 201


@pytest.fixture(scope="module")
def walker(server: str) -> Iterator[Person]:
    """Somebody with ten tasks, who changes nothing."""
    people = People(server)
    walker = people.person("alice")
    creates(walker, ["Buy milk", "Buy bread", "Buy milk"])
    for title in ("Call Bob", "buy", "Buy milk"):
        walker.creates(title, completed=True)
    creates(walker, ["Buy milk", "Éclair", "10 & 9", "<Jump>"])
    for task in walker.lists()[2:8:2]:
        walker.http.patch(f"/api/tasks/{task['id']}", json={"description": "milk, too"})
    yield walker
    people.leave()


def get(person: Person, url: str, **parameters: Any) -> httpx2.Response:
    answer = person.http.get(url, params=parameters or None)
    assert answer.status_code == 200, answer.text
    return answer


def cursor(person: Person, relation: str = "next", **parameters: Any) -> str:
    answer = get(person, "/api/tasks", limit=3, **parameters)
    if relation == "prev":
        answer = get(person, answer.links["next"]["url"])
    found: str = dict(parse_qsl(urlsplit(answer.links[relation]["url"]).query))["cursor"]
    return found


def refused(answer: httpx2.Response) -> bool:
    errors = problem(answer, 400, "malformed-request")["errors"]
    return [error["parameter"] for error in errors] == ["cursor"]


# walking


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [1, 3, 5, 10])
@pytest.mark.parametrize("asked", [{}, {"q": "milk"}], ids=str)
def test_a_walk_meets_every_task_once_and_goes_back_the_way_it_came(
    walker: Person, sort: str, limit: int, asked: dict[str, str]
) -> None:
    wanted = walker.lists(sort=sort, **asked)
    pages = [wanted[n : n + limit] for n in range(0, len(wanted), limit)]

    start = get(walker, "/api/tasks", sort=sort, limit=limit, **asked)
    forwards = list(walk(walker, "next", start))
    assert [answer.json() for answer in forwards] == pages
    backwards = list(walk(walker, "prev", forwards[-1]))
    assert [answer.json() for answer in backwards] == pages[::-1]

    last = len(pages) - 1
    for number, both in enumerate(zip(forwards, backwards[::-1], strict=True)):
        there = {"first": True, "prev": number > 0, "next": number < last}
        for answer in both:
            assert set(answer.links) == {relation for relation in there if there[relation]}
            assert answer.links["first"] == start.links["first"]
    assert get(walker, start.links["first"]["url"]).json() == pages[0]


def test_a_page_met_on_the_way_back_is_written_as_it_was(walker: Person) -> None:
    pages = list(walk(walker, "next", get(walker, "/api/tasks", limit=3)))
    back = get(walker, pages[2].links["prev"]["url"])
    assert back.content == pages[1].content
    assert back.headers["Content-Type"] == pages[1].headers["Content-Type"]


@pytest.mark.parametrize("sort", ["title", "-title"])
def test_a_cursor_holds_any_title(alice: Person, sort: str) -> None:
    creates(alice, TITLES)
    wanted = alice.lists(sort=sort)
    assert len(wanted) == len(TITLES)
    forwards = list(walk(alice, "next", get(alice, "/api/tasks", sort=sort, limit=2)))
    assert [task for answer in forwards for task in answer.json()] == wanted
    backwards = list(walk(alice, "prev", forwards[-1]))
    assert [answer.json() for answer in backwards] == [a.json() for a in forwards[::-1]]
    for answer in forwards:
        for link in answer.links.values():
            assert len(dict(parse_qsl(urlsplit(link["url"]).query)).get("cursor", "")) < BEARABLE


def test_the_length_of_pages_may_change_on_the_way(walker: Person) -> None:
    everything = walker.lists()
    answer = get(walker, "/api/tasks", limit=2)
    for limit, start in ((1, 2), (4, 3), (1000, 7)):
        url = httpx2.URL(answer.links["next"]["url"]).copy_set_param("limit", limit)
        answer = get(walker, str(url))
        assert answer.json() == everything[start : start + limit]
    url = httpx2.URL(answer.links["prev"]["url"]).copy_remove_param("limit")
    assert get(walker, str(url)).json() == everything[:7]


def test_from_an_offset_a_walk_goes_both_ways(walker: Person) -> None:
    everything = walker.lists(sort="title")
    answer = get(walker, "/api/tasks", sort="title", offset=4, limit=3)
    assert answer.json() == everything[4:7]
    assert get(walker, answer.links["next"]["url"]).json() == everything[7:10]
    back = get(walker, answer.links["prev"]["url"])
    assert back.json() == everything[1:4]
    assert get(walker, back.links["prev"]["url"]).json() == everything[:1]


# what happens between two pages


def test_a_walk_goes_on_where_the_last_task_was_though_it_is_gone(alice: Person) -> None:
    everything = [alice.creates(str(n)) for n in range(6)]
    answer = get(alice, "/api/tasks", limit=2, sort="created_at")
    alice.http.delete(f"/api/tasks/{everything[1]['id']}")
    following = get(alice, answer.links["next"]["url"])
    assert following.json() == everything[2:4]
    assert get(alice, following.links["prev"]["url"]).json() == everything[:1]


def test_a_page_may_have_become_the_last_one(alice: Person) -> None:
    everything = [alice.creates(str(n)) for n in range(5)]
    middle = get(alice, get(alice, "/api/tasks", limit=2, sort="title").links["next"]["url"])
    assert middle.json() == everything[2:4]
    for task in everything[2:]:
        alice.http.delete(f"/api/tasks/{task['id']}")
    back = get(alice, middle.links["prev"]["url"])
    assert back.json() == everything[:2]
    assert set(back.links) == {"first"}
    beyond = get(alice, middle.links["next"]["url"])
    assert (beyond.json(), set(beyond.links)) == ([], {"first"})


def test_a_page_may_have_become_the_first_one(alice: Person) -> None:
    everything = [alice.creates(str(n)) for n in range(5)]
    middle = get(alice, get(alice, "/api/tasks", limit=2, sort="title").links["next"]["url"])
    for task in everything[:4]:
        alice.http.delete(f"/api/tasks/{task['id']}")
    following = get(alice, middle.links["next"]["url"])
    assert following.json() == everything[4:]
    assert set(following.links) == {"first"}
    before = get(alice, middle.links["prev"]["url"])
    assert (before.json(), set(before.links)) == ([], {"first"})


def test_what_is_of_another_list_is_not_behind_or_before_a_page(alice: Person) -> None:
    done = [alice.creates(str(n), completed=True) for n in range(4)]
    for title in ("9", "/"):
        alice.creates(title)
    asked = {"completed": "true", "sort": "title", "limit": 2}
    first = get(alice, "/api/tasks", **asked)
    second = get(alice, first.links["next"]["url"])
    for task in done[:2]:
        alice.http.delete(f"/api/tasks/{task['id']}")
    following = get(alice, first.links["next"]["url"])
    assert (following.json(), set(following.links)) == (done[2:], {"first"})
    done[0] = alice.creates("0", completed=True)
    for task in done[2:]:
        alice.http.delete(f"/api/tasks/{task['id']}")
    back = get(alice, second.links["prev"]["url"])
    assert (back.json(), set(back.links)) == (done[:1], {"first"})


def test_what_was_added_before_the_first_page_is_found_on_the_way_back(alice: Person) -> None:
    old = [alice.creates(str(n)) for n in range(4)]
    first = get(alice, "/api/tasks", limit=2)
    assert set(first.links) == {"first", "next"}
    new = alice.creates("new")
    back = get(alice, get(alice, first.links["next"]["url"]).links["prev"]["url"])
    assert back.json() == [old[3], old[2]]
    assert get(alice, back.links["prev"]["url"]).json() == [new]


# what a Link says

ASKED: Final = {
    "completed": "false",
    "created_after": "2020-01-01T00:00:00Z",
    "created_before": "2999-01-01T00:00:00.000001Z",
    "updated_after": "2020-01-01T00:00:00Z",
    "updated_before": "2999-01-01T00:00:00Z",
    "q": """a&b=c +d %<é> "x" {y} \\ 日本 #?/;'""",
    "sort": "-title",
    "limit": "1",
}


def test_links_keep_all_that_was_asked(alice: Person) -> None:
    for n in range(3):
        alice.creates(f"{n} {ASKED['q']}")
    answer = get(alice, "/api/tasks", **ASKED)
    answer = get(alice, answer.links["next"]["url"])
    links = LINK.findall(answer.headers["Link"])
    assert ", ".join(f'<{url}>; rel="{name}"' for url, name in links) == answer.headers["Link"]
    assert [name for _, name in links] == ["first", "next", "prev"]
    for url, name in links:
        assert URL.fullmatch(url)
        kept = dict(parse_qsl(urlsplit(url).query, strict_parsing=True))
        assert ("cursor" in kept) is (name != "first")
        kept.pop("cursor", None)
        assert kept == ASKED
        assert len(get(alice, url).json()) == 1


def test_links_say_nothing_that_was_not_asked(walker: Person) -> None:
    assert get(walker, "/api/tasks").headers["Link"] == '</api/tasks>; rel="first"'
    answer = get(walker, "/api/tasks", offset=3, limit=2)
    for link in answer.links.values():
        parameters = dict(parse_qsl(urlsplit(link["url"]).query))
        assert set(parameters) - {"cursor"} == {"limit"}


def test_a_date_keeps_its_moment_in_links(walker: Person) -> None:
    written = "2020-01-01T05:30:00.250000+05:30"
    answer = get(walker, "/api/tasks", created_after=written, limit=4)
    kept = dict(parse_qsl(urlsplit(answer.links["next"]["url"]).query))
    assert kept["created_after"] == "2020-01-01T00:00:00.250000Z"
    # the list is the same, however its dates are written
    assert get(walker, "/api/tasks", **kept | {"created_after": written}).status_code == 200


def test_head_says_where_to_go_on_as_get_does(walker: Person) -> None:
    url = "/api/tasks?limit=4"
    assert walker.http.head(url).headers["Link"] == walker.http.get(url).headers["Link"]


def test_a_cursor_that_an_earlier_version_made_goes_on(walker: Person) -> None:
    content = b64decode(cursor(walker) + "==", "-_")[8:]
    filters = dict.fromkeys(
        ("completed", "created_after", "created_before", "updated_after", "updated_before", "q")
    )
    names = json.dumps(filters | {"sort": "-created_at"}, separators=(",", ":"))
    key = blake2b(f"{names} {walker.id}".encode()).digest()
    earlier = blake2b(content, key=key, digest_size=8).digest() + content
    assert urlsafe_b64encode(earlier).rstrip(b"=").decode() == cursor(walker)


# what is no cursor of this list


def test_a_cursor_is_short_and_needs_no_escape(walker: Person) -> None:
    for sort in SORTS:
        assert re.fullmatch("[A-Za-z0-9_-]{40,100}", cursor(walker, sort=sort))


@pytest.mark.parametrize("relation", ["next", "prev"])
def test_bob_s_cursor_is_none_of_alice_s(walker: Person, bob: Person, relation: str) -> None:
    creates(bob, ["Buy milk"] * 9)
    hers, his = (cursor(person, relation, sort="title") for person in (walker, bob))
    for person, own, other in ((walker, hers, his), (bob, his, hers)):
        assert get(person, "/api/tasks", sort="title", cursor=own).json()
        answer = person.http.get("/api/tasks", params={"sort": "title", "cursor": other})
        assert refused(answer)


@pytest.mark.parametrize(
    ("of", "on"),
    [
        ({}, {"completed": "true"}),
        ({}, {"completed": "false"}),
        ({"completed": "true"}, {}),
        ({"completed": "true"}, {"completed": "false"}),
        ({}, {"q": "milk"}),
        ({"q": "milk"}, {"q": "buy"}),
        ({"q": "milk buy"}, {"q": "milkbuy"}),
        ({}, {"created_after": "2020-01-01T00:00:00Z"}),
        ({"created_after": "2020-01-01T00:00:00Z"}, {"updated_after": "2020-01-01T00:00:00Z"}),
        (
            {"created_after": "2020-01-01T00:00:00Z"},
            {"created_after": "2020-01-01T00:00:00.000001Z"},
        ),
        ({"created_before": "2999-01-01T00:00:00Z"}, {}),
        ({"updated_before": "2999-01-01T00:00:00Z"}, {}),
        ({}, {"sort": "created_at"}),
        ({"sort": "updated_at"}, {"sort": "created_at"}),
        ({"sort": "updated_at"}, {"sort": "-updated_at"}),
        ({"sort": "title"}, {"sort": "-title"}),
        ({"sort": "title"}, {}),
        ({}, {"sort": "title"}),
    ],
    ids=str,
)
@pytest.mark.parametrize("relation", ["next", "prev"])
def test_another_list_s_cursor_is_none_of_this(
    walker: Person, of: dict[str, str], on: dict[str, str], relation: str
) -> None:
    foreign = cursor(walker, relation, **of)
    assert get(walker, "/api/tasks", cursor=foreign, **of).json()
    assert refused(walker.http.get("/api/tasks", params={"cursor": foreign, **on}))


def test_the_same_list_may_be_asked_for_in_other_words(walker: Person) -> None:
    plain = cursor(walker)
    found = get(walker, "/api/tasks", cursor=plain).json()
    assert get(walker, "/api/tasks", cursor=plain, sort="-created_at").json() == found
    assert get(walker, "/api/tasks", cursor=plain, offset=0, limit=1000).json() == found


@pytest.mark.parametrize("sort", ["-created_at", "title"])
def test_a_cursor_with_one_character_changed_is_none(walker: Person, sort: str) -> None:
    whole = cursor(walker, sort=sort)
    for place, character in enumerate(whole):
        # the nearest by its bits, so that it differs in the last one, too
        other = ALPHABET[ALPHABET.index(character) ^ 1]
        altered = whole[:place] + other + whole[place + 1 :]
        assert refused(walker.http.get("/api/tasks", params={"sort": sort, "cursor": altered}))


def test_a_cursor_cut_or_padded_is_none(walker: Person) -> None:
    whole = cursor(walker)
    altered = [half for n in range(1, len(whole), 6) for half in (whole[:n], whole[n:])]
    altered += [whole + more for more in ("=", "==", "A", "AA", "AAAA", " ", "\n", "\0", ".", "%")]
    altered += [more + whole for more in ("=", "A", "AAAA", " ", "\n", ".")]
    altered += [whole * 2, whole.swapcase(), whole[::-1], f'"{whole}"', f"{whole[:9]}\n{whole[9:]}"]
    for text in altered:
        assert refused(walker.http.get("/api/tasks", params={"cursor": text})), text


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "0",
        "null",
        "first",
        "A",
        "AA",
        "AAA",
        "AAAA",
        "A" * 12,
        "A" * 10_000,
        "_" * 41,
        "é",
        "日本",
        "\ud83e\udd5b".encode("utf-16", "surrogatepass").decode("utf-16"),
        "\0",
        "=",
        "====",
        "../..",
        "'; drop table task; --",
        '["after", "2026-11-21T08:00:00.000000Z", 7]',
        "eyJhbGciOiJub25lIn0",
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_garbage_is_no_cursor(walker: Person, garbage: str) -> None:
    for sort in ("-created_at", "title"):
        parameters = {"sort": sort, "cursor": garbage, "q": "milk"}
        assert refused(walker.http.get("/api/tasks", params=parameters))


def test_bytes_that_are_no_text_are_no_cursor(walker: Person) -> None:
    for query in ("cursor=%FF%FE", "cursor=%ED%A0%80", "cursor=%00", f"cursor={cursor(walker)}%00"):
        assert refused(walker.http.get(f"/api/tasks?{query}"))
