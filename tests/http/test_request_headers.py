"""One list names the request headers that are read: code, CORS, documents and log agree with it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import api
from api.http.request_headers import REQUEST_HEADERS, RequestHeader
from tests.contract.test_answers import OPERATIONS
from tests.people import Person

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


def test_a_page_may_send_those_of_the_list(stranger: Person) -> None:
    def may_send(header: RequestHeader) -> bool:
        asked = {
            "Origin": "https://app.example.com",
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": header.name,
        }
        return stranger.http.options("/api/tasks/7", headers=asked).status_code == 200

    assert {header.name.lower() for header in REQUEST_HEADERS if may_send(header)} == CORS


def test_a_page_does_not_say_where_a_request_comes_from() -> None:
    for name in ("X-Forwarded-For", "Forwarded", "Host", "Origin", "traceparent"):
        assert name.lower() not in CORS


# What each may be, and what of it is in the log then.
VALUES: Final[dict[str, tuple[str, str]]] = {
    "content-type": ("application/json; charset=mark7f3a", "mark7f3a"),
    "idempotency-key": ("mark7f3a", "mark7f3a"),
    "if-match": ('"mark7f3a"', "mark7f3a"),
    "if-none-match": ('"mark7f3a"', "mark7f3a"),
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
