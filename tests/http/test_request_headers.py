"""One list names the request headers that are read: code, CORS, documents and log agree with it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx2
import pytest

import api
from api.http.request_headers import REQUEST_HEADERS, RequestHeader
from tests.cluster import TaskDatabase
from tests.contract.test_answers import OPERATIONS
from tests.people import Person
from tests.server import people_of

NAMES: Final = {header.name.lower() for header in REQUEST_HEADERS}
CORS: Final = {header.name.lower() for header in REQUEST_HEADERS if header.cors}
LOGGED: Final = {header.name.lower() for header in REQUEST_HEADERS if header.logged}
TEXT: Final = re.compile(rb"[a-z]+(-[a-z]+)*")
# Bytes that look like the name of a header and are something else.
OTHERS: Final = {
    "http/body.py": {"identity"},
    "http/cors.py": {"access-control-allow-origin", "timing-allow-origin"},
    "http/stack.py": {"vary"},
    "serving/responses.py": {"close"},
}
# What a page cannot set (Fetch, section 2.2.2), of what is read.
OF_BROWSERS: Final = {
    "access-control-request-method",
    "content-length",
    "host",
    "origin",
    "upgrade",
}
OF_PROXIES: Final = {"x-forwarded-for"}
FRONT_END: Final = "https://app.example.com"
WITHOUT_REQUESTS: Final = {"commands", "database"}  # the rooms that never see one


def read_by(source: str) -> Iterator[str]:
    """The names of headers in it: bytes that are in no pair of a name and a value, and aliases of
    FastAPI's parameters."""
    tree = ast.parse(source)
    given = {
        id(node.elts[0]) for node in ast.walk(tree) if isinstance(node, ast.Tuple) and node.elts[1:]
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, bytes):
            if TEXT.fullmatch(node.value) and id(node) not in given:
                yield node.value.decode()
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Header":
            (alias,) = (word.value for word in node.keywords if word.arg == "alias")
            assert isinstance(alias, ast.Constant)
            yield str(alias.value).lower()


def test_the_program_reads_the_headers_of_the_list_and_no_others() -> None:
    root = Path(api.__file__).parent
    read: set[str] = set()
    for file in sorted(root.rglob("*.py")):
        place = file.relative_to(root)
        if place.parts[0] not in WITHOUT_REQUESTS:
            found = {*read_by(file.read_text())} - OTHERS.get(place.as_posix(), set())
            assert found <= NAMES, f"{place} reads what api/http/request_headers.py does not name"
            read |= found
    assert read == NAMES


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('headers.get(b"x-tenant")', ["x-tenant"]),
        ('values(scope, b"te")', ["te"]),
        ('[value for name, value in headers if name == b"range"]', ["range"]),
        ('Header(alias="X-Tenant", description="x")', ["x-tenant"]),
        ('headers.append((b"x-tenant", b"7"))', []),
    ],
)
def test_a_header_that_is_read_is_seen_however_it_is_read(source: str, names: list[str]) -> None:
    assert [*read_by(source)] == names


def test_the_document_names_headers_of_the_list() -> None:
    documented = {
        parameter["name"].lower()
        for _, _, operation in OPERATIONS.values()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "header"
    }
    assert documented
    assert documented < CORS


def asks_to_send(person: Person, origin: str, names: str) -> httpx2.Response:
    """The answer to the preflight of a page of this origin that sends these headers."""
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": names,
    }
    return person.http.options("/api/tasks/7", headers=asked)


def test_a_page_may_send_those_of_the_list(stranger: Person) -> None:
    def may_send(header: RequestHeader) -> bool:
        return asks_to_send(stranger, FRONT_END, header.name).status_code == 200

    assert {header.name.lower() for header in REQUEST_HEADERS if may_send(header)} == CORS


def test_a_page_may_send_every_header_that_is_read_but_those_of_browsers_and_proxies() -> None:
    assert NAMES - OF_BROWSERS - OF_PROXIES == CORS


def test_a_page_does_not_say_where_a_request_comes_from(stranger: Person) -> None:
    for name in ("X-Forwarded-For", "Forwarded", "Host", "Origin"):
        assert asks_to_send(stranger, FRONT_END, name).status_code == 400


@pytest.mark.parametrize(
    "names",
    [
        "authorization,content-type,traceparent,tracestate",  # OpenTelemetry
        "authorization,baggage,sentry-trace",  # Sentry
        "authorization,cache-control,x-requested-with",
        "authorization,content-type,idempotency-key,if-match,if-none-match,prefer,x-request-id",
    ],
)
def test_what_the_libraries_of_pages_add_does_not_stop_a_request(
    stranger: Person, names: str
) -> None:
    answer = asks_to_send(stranger, FRONT_END, names)
    assert answer.status_code == 200
    allowed = answer.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {*names.split(",")} <= {*allowed}


@pytest.mark.parametrize("name", ["x-evil", "cookie", "x-http-method-override", "range"])
def test_other_headers_stop_it(stranger: Person, name: str) -> None:
    assert asks_to_send(stranger, FRONT_END, f"authorization,{name}").status_code == 400


@pytest.mark.parametrize(
    ("setting", "origin"),
    [
        ("capacitor://localhost", "capacitor://localhost"),
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
        ("https://app.example.com:443", "https://app.example.com"),
    ],
)
def test_an_app_or_an_extension_may_call_and_read(
    database: TaskDatabase, setting: str, origin: str
) -> None:
    with people_of(database, cors_origins=setting) as people:
        alice = people.person("alice")
        asked = asks_to_send(alice, origin, "authorization")
        answer = alice.http.get("/api/tasks", headers={"Origin": origin})
        other = alice.http.get("/api/tasks", headers={"Origin": f"{origin}.elsewhere"})
    for one in (asked, answer):
        assert (one.status_code, one.headers["Access-Control-Allow-Origin"]) == (200, origin)
    assert "Access-Control-Allow-Origin" not in other.headers


# What each may be, and what of it is in the log then.
VALUES: Final[dict[str, tuple[str, str]]] = {
    "accept": ("text/mark7f3a", "mark7f3a"),
    "content-type": ("application/json; charset=mark7f3a", "mark7f3a"),
    "idempotency-key": ("mark7f3a", "mark7f3a"),
    "if-match": ('"mark7f3a"', "mark7f3a"),
    "if-none-match": ('"mark7f3a"', "mark7f3a"),
    "last-event-id": ("mark7f3a", "mark7f3a"),
    "prefer": ("mark7f3a", "mark7f3a"),
    "x-request-id": ("mark7f3a", "mark7f3a"),
    "traceparent": ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "0af7651916cd43dd"),
    "x-forwarded-for": ("192.0.2.77", "192.0.2.77"),
    "origin": ("https://mark7f3a.example.com", "mark7f3a"),
    "access-control-request-method": ("MARK7F3A", "MARK7F3A"),
    "host": ("mark7f3a", "mark7f3a"),
    "content-encoding": ("mark7f3a", "mark7f3a"),
    "upgrade": ("mark7f3a", "mark7f3a"),
}
# Without which there would be no request to speak of.
UNTRIED: Final = {"authorization", "content-length"}


@pytest.mark.parametrize("name", sorted(NAMES - UNTRIED))
def test_the_log_has_the_values_of_the_list_and_no_others(
    alice: Person, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    value, kept = VALUES[name]
    alice.http.post("/api/tasks", content=b"{}", headers={name: value})
    logged = capsys.readouterr().err
    assert '"route":"/api/tasks"' in logged
    assert (kept.lower() in logged.lower()) == (name in LOGGED)
