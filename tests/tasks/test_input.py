"""What people send: taken strictly, refused with a reason, never handed back."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from api.http.problems import MAX_PROBLEM
from tests.people import Person
from tests.problems import MARK, problem

JSON = {"Content-Type": "application/json"}
MAX_BODY = 64 * 1024


def faults(answer: httpx2.Response) -> list[str]:
    """Where a 422 says the faults are."""
    return [
        error.get("pointer", error.get("parameter", "?"))
        for error in problem(answer, 422, "invalid-input")["errors"]
    ]


@dataclass
class Writer:
    """One of the ways to write: a method, an address, and what is there before."""

    person: Person
    method: str
    address: str
    task: dict[str, Any]

    def sends(self, body: object, **headers: str) -> httpx2.Response:
        """The body as it is when it is bytes or a stream of them, else as JSON."""
        content: Any = json.dumps(body).encode() if isinstance(body, dict) else body
        return self.person.http.request(
            self.method, self.address, content=content, headers=JSON | headers
        )

    def changed_nothing(self) -> bool:
        return self.person.lists() == [self.task]


def _writer(alice: Person, method: str, suffix: str | None) -> Writer:
    task = alice.creates("Buy milk", description="Two litres")
    address = "/api/tasks" if suffix is None else f"/api/tasks/{task['id']}{suffix}"
    return Writer(alice, method, address, task)


_CREATE, _PUT, _PATCH = ("POST", None), ("PUT", ""), ("PATCH", "")
_COMPLETE = ("PATCH", "/complete")


@pytest.fixture(params=[_CREATE, _PUT, _PATCH], ids=["create", "put", "patch"])
def writer(request: pytest.FixtureRequest, alice: Person) -> Writer:
    """Whoever says what a task is."""
    return _writer(alice, *request.param)


@pytest.fixture(
    params=[_CREATE, _PUT, _PATCH, _COMPLETE], ids=["create", "put", "patch", "complete"]
)
def sender(request: pytest.FixtureRequest, alice: Person) -> Writer:
    """Whoever sends a body."""
    return _writer(alice, *request.param)


# titles

BLANK = {
    "nothing": "",
    "spaces": "   ",
    "tab and newline": "\t\r\n",
    "no-break space": "\u00a0",
    "narrow no-break space": "\u202f",
    "ideographic space": "\u3000",
    "zero-width space": "\u200b",
    "zero-width joiner": "\u200d",
    "zero-width non-joiner": "\u200c",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "hangul filler": "\u3164",
    "halfwidth hangul filler": "\uffa0",
    "hangul jamo fillers": "\u115f\u1160",
    "blank braille": "\u2800",
    "soft hyphen": "\u00ad",
    "variation selectors": "\ufe0f\U000e0100",
    "combining grapheme joiner": "\u034f",
    "mongolian vowel separator": "\u180e",
    "bidirectional marks": "\u200e\u200f\u202e\u2066",
    "tag characters": "\U000e0041\U000e007f",
    "controls": "\u0001\u0085",
    "line separator": "\u2028",
    "several of them": " \u200b\ufeff\u00a0\u3164\u2800 ",
}


@pytest.mark.parametrize("title", BLANK.values(), ids=BLANK.keys())
def test_a_title_that_shows_nothing_is_refused(writer: Writer, title: str) -> None:
    assert faults(writer.sends({"title": title})) == ["#/title"]
    assert writer.changed_nothing()


@pytest.mark.parametrize(
    "title",
    [
        pytest.param("x", id="one letter"),
        pytest.param("0", id="zero"),
        pytest.param("\U0001fae9", id="an emoji newer than Python's tables"),
        pytest.param("\u200bx", id="a letter behind a zero-width space"),
        pytest.param("x" * 200, id="200 letters"),
        pytest.param("\U0001f95b" * 200, id="200 astral characters"),
        pytest.param(" " * 300 + "x" * 200 + "\t\n\u00a0\u3000", id="200 letters between spaces"),
    ],
)
def test_a_title_that_shows_something_is_taken_and_trimmed(writer: Writer, title: str) -> None:
    answer = writer.sends({"title": title})
    assert answer.status_code in (200, 201)
    assert answer.json()["title"] == title.strip()


REFUSED = {
    "a title of 201 letters": (f'{{"title": "{MARK}{"x" * 193}"}}', "#/title"),
    "a title of 201 astral characters": (f'{{"title": "{chr(0x1F95B) * 201}"}}', "#/title"),
    "a title that is null": ('{"title": null}', "#/title"),
    "a title that is a number": ('{"title": 7}', "#/title"),
    "a title that is a huge number": ('{"title": 1e999}', "#/title"),
    "a title that is a boolean": ('{"title": true}', "#/title"),
    "a title that is a list": (f'{{"title": ["{MARK}"]}}', "#/title"),
    "a title that is an object": (f'{{"title": {{"{MARK}": "{MARK}"}}}}', "#/title"),
    "a title with NUL": (f'{{"title": "{MARK}\\u0000"}}', "#/title"),
    "a description of 10,001 letters": (
        f'{{"title": "x", "description": "{"x" * 10_001}"}}',
        "#/description",
    ),
    "a description that is a number": ('{"title": "x", "description": 7}', "#/description"),
    "a description that is a list": (
        f'{{"title": "x", "description": ["{MARK}"]}}',
        "#/description",
    ),
    "a description with NUL": (
        f'{{"title": "x", "description": "{MARK}\\u0000"}}',
        "#/description",
    ),
    "completed: yes": ('{"title": "x", "completed": "yes"}', "#/completed"),
    "completed: true in quotes": ('{"title": "x", "completed": "true"}', "#/completed"),
    "completed: 1": ('{"title": "x", "completed": 1}', "#/completed"),
    "completed: 0": ('{"title": "x", "completed": 0}', "#/completed"),
    "completed: 1.0": ('{"title": "x", "completed": 1.0}', "#/completed"),
    "completed: null": ('{"title": "x", "completed": null}', "#/completed"),
    "completed: a word": (f'{{"title": "x", "completed": "{MARK}"}}', "#/completed"),
    "an unknown member": (f'{{"title": "x", "due": "{MARK}"}}', "#/due"),
    "a member in capitals": ('{"title": "x", "Completed": true}', "#/Completed"),
    "a member with an empty name": ('{"title": "x", "": 1}', "#/"),
    "a member with NUL in its name": ('{"title": "x", "due\\u0000": 1}', "#/due%00"),
    "a member of the prototype": (f'{{"title": "x", "__proto__": {{"{MARK}": 1}}}}', "#/__proto__"),
}


@pytest.mark.parametrize(("body", "pointer"), REFUSED.values(), ids=REFUSED.keys())
def test_what_a_task_cannot_be_is_refused(writer: Writer, body: str, pointer: str) -> None:
    assert faults(writer.sends(body.encode())) == [pointer]
    assert writer.changed_nothing()


def test_every_fault_is_named(writer: Writer) -> None:
    body = {"title": 7, "description": 7, "completed": 7, "due": 7, "Title": 7, "colour": 7}
    assert sorted(faults(writer.sends(body))) == sorted(f"#/{name}" for name in body)
    assert writer.changed_nothing()


# Names of unknown members, as RFC 6901 has them in a URI fragment.
NAMES = {
    "a/b": "a~1b",
    "m~n": "m~0n",
    "~1": "~01",
    "due date": "due%20date",
    "100%": "100%25",
    'c"d': "c%22d",
    "e\\f": "e%5Cf",
    "a\tb\n\r\x1b[0m\x7f\x85": "a%09b%0A%0D%1B%5B0m%7F%C2%85",
    "\u202e\u2028": "%E2%80%AE%E2%80%A8",
    "größe": "gr%C3%B6%C3%9Fe",
    "x" * 64: "x" * 64,
    "x" * 65: "x" * 64,
    "/" * 20_000: "~1" * 64,
    "\U0001f95b" * 65: "%F0%9F%A5%9B" * 64,
}


@pytest.mark.parametrize(("name", "written"), NAMES.items(), ids=lambda text: ascii(text[:20]))
def test_an_unknown_member_is_named_by_its_pointer(sender: Writer, name: str, written: str) -> None:
    answer = sender.sends({name: MARK})
    assert f"#/{written}" in faults(answer)
    assert "known are: " in answer.json()["errors"][-1]["detail"]
    assert answer.text.isprintable()
    assert sender.changed_nothing()


def test_a_new_task_needs_a_title(alice: Person) -> None:
    assert faults(alice.http.post("/api/tasks", json={"completed": True})) == ["#/title"]
    assert alice.lists() == []


@pytest.mark.parametrize(
    ("completed", "pointer"),
    [
        ('{"completed": "yes"}', "#/completed"),
        (f'{{"completed": "{MARK}"}}', "#/completed"),
        ('{"completed": 1}', "#/completed"),
        ('{"completed": null}', "#/completed"),
        (f'{{"due": "{MARK}"}}', "#/due"),
        ('{"title": "Buy bread"}', "#/title"),
    ],
)
def test_what_complete_cannot_be_is_refused(alice: Person, completed: str, pointer: str) -> None:
    writer = _writer(alice, *_COMPLETE)
    assert faults(writer.sends(completed.encode())) == [pointer]
    assert writer.changed_nothing()


@pytest.mark.parametrize("description", ["x" * 10_000, "\U0001f95b" * 10_000], ids=["x", "astral"])
def test_a_description_of_ten_thousand_characters_is_taken(
    writer: Writer, description: str
) -> None:
    body = json.dumps({"title": "x", "description": description}, ensure_ascii=False)
    assert writer.sends(body.encode()).json()["description"] == description


# bodies

NOT_JSON = {
    "nothing but space": b" ",
    "a trailing comma": b'{"title": "mark7f3a",}',
    "a byte order mark": b'\xef\xbb\xbf{"title": "mark7f3a"}',
    "NaN": b'{"title": NaN}',
    "Infinity": b'{"title": -Infinity}',
    "single quotes": b"{'title': 'mark7f3a'}",
    "no quotes": b"{title: mark7f3a}",
    "a comment": b'{"title": "mark7f3a"} // mark7f3a',
    "cut short": b'{"title": "mark7f3a',
    "two values": b'{"title": "mark7f3a"}{}',
    "bytes that are not UTF-8": b'{"title": "mark7f3a\xff"}',
    "UTF-8 of a surrogate": b'{"title": "mark7f3a\xed\xa0\x80"}',
    "UTF-16": '{"title": "mark7f3a"}'.encode("utf-16"),
    "a lone surrogate": b'{"title": "mark7f3a\\ud800"}',
    "a lone surrogate, the lower": b'{"title": "\\udc00mark7f3a"}',
    "a lone surrogate as a name": b'{"\\ud800mark7f3a": 1, "title": "x"}',
    "a raw newline in text": b'{"title": "mark7f3a\n"}',
    "a raw NUL": b'{"title": "mark7f3a\0"}',
    "an unknown escape": b'{"title": "\\qmark7f3a"}',
    "a leading zero": b'{"completed": 01}',
    "deep lists": b"[" * 60_000,
    "deep objects": b'{"title":' * 7_000,
    "deep lists in a member": b'{"title": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "a number of 5,000 digits": b'{"completed": ' + b"1" * 5_000 + b"}",
    "a form": b"title=mark7f3a",
}


@pytest.mark.evidence("hostile-body")
@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_not_json_is_refused(sender: Writer, body: bytes) -> None:
    assert "errors" not in problem(sender.sends(body), 400, "malformed-request")
    assert sender.changed_nothing()


@pytest.mark.parametrize(
    "body", ["[]", '[{"title": "mark7f3a"}]', "7", '"mark7f3a"', "null", "true"]
)
def test_what_is_no_object_is_refused(sender: Writer, body: str) -> None:
    assert faults(sender.sends(body.encode())) == ["#"]
    assert sender.changed_nothing()


def test_no_body_is_no_task(writer: Writer) -> None:
    problem(writer.sends(b""), 400, "malformed-request")
    answer = writer.person.http.request(writer.method, writer.address)
    problem(answer, 400, "malformed-request")
    assert writer.changed_nothing()


def _padded(size: int) -> bytes:
    return b'{"completed":true%s}' % (b" " * (size - 18))


def _in_chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 10_000):
        yield body[start : start + 10_000]


@pytest.mark.evidence("hostile-body")
@pytest.mark.parametrize("framed", [bytes, _in_chunks], ids=["with a length", "in chunks"])
def test_a_body_has_64_kib_at_most(
    sender: Writer, framed: Callable[[bytes], bytes | Iterator[bytes]]
) -> None:
    problem(sender.sends(framed(_padded(MAX_BODY + 1))), 413, "content-too-large")
    problem(sender.sends(framed(_padded(5_000_000))), 413, "content-too-large")
    assert sender.changed_nothing()
    # At the limit it is read: a new task needs a title, a change does not.
    answer = sender.sends(framed(_padded(MAX_BODY)))
    assert answer.status_code == (422 if sender.method == "POST" else 200)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "Application/JSON",
        "application/merge-patch+json",
        "application/json; charset=utf8",
        "application/json; charset=UTF8",
        'application/json; charset="utf8"',
        'application/json; Charset="U\\TF-8"',
        "application/json ;\tcharset=utf-8 ;",
        "application/json;;charset=utf-8;",
        'application/json; profile="https://example.com/a;charset=latin-1"; charset=utf-8',
        "application/json; odata.metadata=minimal",
    ],
)
def test_json_is_taken_by_its_names(sender: Writer, content_type: str) -> None:
    body = {"completed": True} | ({"title": "x"} if sender.method == "POST" else {})
    answer = sender.sends(body, **{"Content-Type": content_type})
    assert answer.status_code in (200, 201)


@pytest.mark.evidence("hostile-body")
@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain;charset=UTF-8"},
        {"Content-Type": "text/mark7f3a"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=mark7f3a"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "application/xml, application/json"},
        {"Content-Type": ""},
        {"Content-Type": "application/json; charset"},
        {"Content-Type": "application/json; charset="},
        {"Content-Type": 'application/json; charset=""'},
        {"Content-Type": 'application/json; charset="utf-8'},
        {"Content-Type": "application/json; charset=utf-8; charset=latin-1"},
        {"Content-Type": 'application/json; charset="utf-16"'},
        {"Content-Type": "application/json charset=utf-8"},
        {"Content-Type": "application/json, application/json"},
        {"Content-Type": "application/json" + " ; " * 10_000 + "x"},
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "br"},
        {"Content-Encoding": "identity, gzip"},
        {"Content-Encoding": "GZIP"},
        {"Content-Encoding": "identity;q=1"},
        {"Content-Encoding": "*"},
    ],
    ids=lambda headers: ", ".join(f"{k}: {v[:60]}" for k, v in headers.items()),
)
def test_anything_but_json_is_refused(sender: Writer, headers: dict[str, str]) -> None:
    problem(sender.sends({"title": MARK}, **headers), 415, "unsupported-media-type")
    assert sender.changed_nothing()


@pytest.mark.parametrize(
    "headers", [{"Content-Type": "text/plain"}, {"Content-Encoding": "gzip"}, {"Content-Type": ""}]
)
def test_anything_but_json_is_refused_in_chunks_too(
    sender: Writer, headers: dict[str, str]
) -> None:
    body = b'{"title": "mark7f3a"}'
    problem(sender.sends(_in_chunks(body), **headers), 415, "unsupported-media-type")
    assert sender.changed_nothing()


def test_a_body_that_does_not_say_what_it_is_is_refused(sender: Writer) -> None:
    answer = sender.person.http.request(sender.method, sender.address, content=b'{"title": "x"}')
    problem(answer, 415, "unsupported-media-type")
    assert sender.changed_nothing()


@pytest.mark.parametrize(
    "coding", ["identity", "Identity", "IDENTITY", "identity, identity", "", ",", ", ,identity ,"]
)
def test_a_body_that_is_not_encoded_may_say_so(sender: Writer, coding: str) -> None:
    body = {"completed": True} | ({"title": "x"} if sender.method == "POST" else {})
    answer = sender.sends(body, **{"Content-Encoding": coding})
    assert answer.status_code in (200, 201)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Content-Type", ["application/json", "text/plain"]),
        ("Content-Type", ["application/json", "application/json; charset=latin-1"]),
        ("Content-Type", ["application/json", ""]),
        ("Content-Encoding", ["identity", "gzip"]),
    ],
)
def test_of_a_header_said_twice_each_must_be_right(
    sender: Writer, name: str, values: list[str], order: int
) -> None:
    kind = [] if name == "Content-Type" else [("Content-Type", "application/json")]
    headers = [*kind, *((name, value) for value in values[::order])]
    answer = sender.person.http.request(
        sender.method, sender.address, content=b'{"title": "mark7f3a"}', headers=headers
    )
    problem(answer, 415, "unsupported-media-type")
    assert sender.changed_nothing()


# no body

OF_NO_BODY: dict[str, dict[str, str]] = {
    "a form, as axios and curl say": {"Content-Type": "application/x-www-form-urlencoded"},
    "text": {"Content-Type": "text/plain;charset=UTF-8"},
    "another charset": {"Content-Type": "application/json; charset=latin-1"},
    "nothing": {"Content-Type": ""},
    "nonsense": {"Content-Type": ";;;"},
    "gzip": {"Content-Encoding": "gzip"},
    "both": {"Content-Type": "multipart/form-data", "Content-Encoding": "br"},
}


def _nothing_in_chunks() -> Iterator[bytes]:
    yield b""


@pytest.mark.parametrize("headers", OF_NO_BODY.values(), ids=OF_NO_BODY)
@pytest.mark.parametrize(
    "body", [b"", _nothing_in_chunks, None], ids=["length 0", "chunks", "none"]
)
def test_what_is_said_of_no_body_is_not_looked_at(
    alice: Person, headers: dict[str, str], body: Any
) -> None:
    task = alice.creates()
    content = body() if callable(body) else body
    address = f"/api/tasks/{task['id']}"
    answer = alice.http.patch(f"{address}/complete", content=content, headers=headers)
    assert (answer.status_code, answer.json()["completed"]) == (200, True)


@pytest.mark.parametrize("headers", OF_NO_BODY.values(), ids=OF_NO_BODY)
def test_where_a_body_is_needed_none_is_malformed_whatever_is_said_of_it(
    writer: Writer, headers: dict[str, str]
) -> None:
    answer = writer.person.http.request(writer.method, writer.address, content=b"", headers=headers)
    problem(answer, 400, "malformed-request")
    assert writer.changed_nothing()


@pytest.mark.parametrize("headers", OF_NO_BODY.values(), ids=OF_NO_BODY)
@pytest.mark.parametrize(
    "body", [None, b"", b"mark7f3a", b"x" * 100_000], ids=lambda b: f"{b!s:.9}"
)
def test_where_no_body_is_taken_none_is_looked_at(
    alice: Person, headers: dict[str, str], body: bytes | None
) -> None:
    task = alice.creates(completed=True)
    address = f"/api/tasks/{task['id']}"
    for method, url, status in (
        ("GET", "/api/tasks", 200),
        ("GET", address, 200),
        ("DELETE", address, 204),
        ("DELETE", "/api/tasks?completed=true", 200),
        ("GET", "/livez", 200),
    ):
        answer = alice.http.request(method, url, content=body, headers=headers)
        assert answer.status_code == status, answer.text


# addresses

IDS = {
    "0": "0",
    "-1": "-1",
    "+1": "+1",
    "01": "01",
    "1.0": "1.0",
    "1e0": "1e0",
    "1_0": "1_0",
    "0x1": "0x1",
    "a space before": "%201",
    "a newline behind": "1%0A",
    "a word": MARK,
    "the largest id, which nobody has": str(2**53 - 1),
    "2^53": str(2**53),
    "2^63": str(2**63),
    "2^64": str(2**64),
    "20 digits": "1" * 20,
    "5,000 digits": "1" * 5_000,
    "arabic digits": "%D9%A1",
    "fullwidth digits": "%EF%BC%91",
    "a superscript": "%C2%B2",
    "NUL": "%00",
    "a digit and NUL": "1%00",
    "not UTF-8": "%FF",
    "a slash": "1%2F2",
    "a way up": "..%2F1",
    "SQL": "1%20or%201=1",
    "null": "null",
    "true": "true",
}


@pytest.mark.parametrize("task_id", IDS.values(), ids=IDS.keys())
def test_what_is_no_id_of_alice_s_is_not_found(alice: Person, task_id: str) -> None:
    task = alice.creates()
    for method, suffix, body in (
        ("GET", "", None),
        ("PUT", "", {"title": MARK}),
        ("PATCH", "", {"title": MARK}),
        ("PATCH", "/complete", {}),
        ("DELETE", "", None),
    ):
        answer = alice.http.request(method, f"/api/tasks/{task_id}{suffix}", json=body)
        problem(answer, 404)
    assert alice.lists() == [task]


# queries

QUERIES = {
    "limit=0": "limit",
    "limit=-1": "limit",
    "limit=1001": "limit",
    "limit=18446744073709551616": "limit",
    "limit=1e3": "limit",
    "limit=1.0": "limit",
    "limit=mark7f3a": "limit",
    "limit=": "limit",
    "limit": "limit",
    "limit=%205": "limit",
    "limit=5%20": "limit",
    "limit=5%0A": "limit",
    "limit=1_0": "limit",
    "limit=%2B5": "limit",
    "limit=%D9%A5": "limit",
    "limit=true": "limit",
    "limit=%00": "limit",
    "limit=5%00": "limit",
    "offset=-1": "offset",
    "offset=10001": "offset",
    "offset=9007199254740992": "offset",
    "offset=9223372036854775808": "offset",
    "offset=18446744073709551616": "offset",
    "offset=1e3": "offset",
    "offset=mark7f3a": "offset",
    "offset=": "offset",
    "offset=%205": "offset",
    "offset=1_0": "offset",
    "completed=yes": "completed",
    "completed=1": "completed",
    "completed=True": "completed",
    "completed=TRUE": "completed",
    "completed=": "completed",
    "completed": "completed",
    "completed=null": "completed",
    "completed=mark7f3a": "completed",
    "completed=%00": "completed",
    "completed=true&completed=true": "completed",
    "completed=true&completed=false": "completed",
    "limit=1&limit=2": "limit",
    "offset=1&limit=2&offset=1": "offset",
    "complete=true": "?",
    "mark7f3a=mark7f3a": "?",
    "Limit=5": "?",
    "limit[]=5": "?",
    "user_id=mark7f3a": "?",
    "%00=1": "?",
    "%FF=%FF": "?",
    "=": "?",
}


@pytest.mark.parametrize(("query", "parameter"), QUERIES.items(), ids=QUERIES.keys())
def test_a_query_the_list_does_not_take_is_refused(
    alice: Person, query: str, parameter: str
) -> None:
    assert faults(alice.http.get(f"/api/tasks?{query}")) == [parameter]


def test_every_fault_of_a_query_is_named(alice: Person) -> None:
    answer = alice.http.get("/api/tasks?limit=0&offset=x&completed=yes")
    assert sorted(faults(answer)) == ["completed", "limit", "offset"]


@pytest.mark.evidence("many-faults")
@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("&".join(f"mark7f3a{n}=1" for n in range(2_000)), 100),
        ("&".join(f"{n:x}" for n in range(10_500)), 100),
        ("&".join(f"{n}=" for n in range(101)), 100),
        ("&".join(f"{n}=" for n in range(100)), 100),
        ("limit=1&" * 7_000, 1),
        ("mark7f3a=1&" * 5_000, 1),
        ("&" * 30_000 + "mark7f3a=1", 1),
    ],
    ids=lambda value: str(value)[:20],
)
def test_of_a_query_a_hundred_faults_are_named(alice: Person, query: str, number: int) -> None:
    answer = alice.http.get(f"/api/tasks?{query}")
    assert len(faults(answer)) == number
    assert len(answer.content) < MAX_PROBLEM
    cut = "the first 100 are listed" in answer.json()["detail"]
    assert cut is (number == 100 and query.count("&") > 99)


def test_separators_alone_are_no_parameters(alice: Person) -> None:
    task = alice.creates()
    assert alice.http.get(f"/api/tasks?{'&' * 50_000}limit=1").json() == [task]


@pytest.mark.parametrize("query", ["mark7f3a=1", "limit=5", "a=1&a=2", "mark7f3a", "%00"])
@pytest.mark.parametrize(
    ("method", "suffix"),
    [
        ("POST", None),
        ("GET", ""),
        ("PUT", ""),
        ("PATCH", ""),
        ("PATCH", "/complete"),
        ("DELETE", ""),
    ],
)
def test_elsewhere_no_query_is_taken(
    alice: Person, method: str, suffix: str | None, query: str
) -> None:
    writer = _writer(alice, method, suffix)
    body = {"title": "Buy bread"} if suffix != "/complete" else {}
    answer = alice.http.request(method, f"{writer.address}?{query}", json=body)
    assert set(faults(answer)) == {"?"}
    assert writer.changed_nothing()


# who is asked first


@pytest.mark.evidence("refusal-order")
@pytest.mark.parametrize("task_id", ["1", "0", MARK])
def test_a_stranger_learns_nothing_about_ids_queries_and_bodies(
    stranger: Person, task_id: str
) -> None:
    answer = stranger.http.put(
        f"/api/tasks/{task_id}?{MARK}=1", content=MARK, headers={"Content-Type": "text/plain"}
    )
    problem(answer, 401, "unauthorized")
