"""The manners of HTTP: methods, addresses, other origins, faults, and the documentation page."""

import json
import re
import socket
import time
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import httpx2
import psycopg
import pytest

from tests.cluster import TaskDatabase
from tests.people import People, Person
from tests.problems import MARK, problem
from tests.server import people_of

FRONT_END = "https://app.example.com"
ELSEWHERE = "https://elsewhere.example.com"
ASSET = "/docs/assets/swagger-ui.css"
READABLE = {
    "ETag",
    "Idempotency-Replayed",
    "Link",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
    "X-Total-Count",
}
# The request's id is the client's own, so that answers can be compared.
ONE = {"X-Request-Id": "one"}
# Not the same twice.
MOVING = {"date": "", "ratelimit": ""}
TAKEN = re.compile(r"[A-Za-z0-9._-]{1,128}")
SENDABLE = (
    "authorization",
    "baggage",
    "cache-control",
    "content-encoding",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-event-id",
    "prefer",
    "sentry-trace",
    "traceparent",
    "tracestate",
    "x-request-id",
    "x-requested-with",
)
SIMPLE = {"accept", "accept-language", "content-language"}  # nobody need ask for them

ALLOWED = {
    "/api/tasks": {"DELETE", "GET", "HEAD", "POST"},
    "/api/tasks/bulk": {"POST"},
    "/api/tasks/7": {"DELETE", "GET", "HEAD", "PATCH", "PUT"},
    "/api/tasks/7/complete": {"PATCH"},
    "/livez": {"GET", "HEAD"},
    "/readyz": {"GET", "HEAD"},
    "/openapi.json": {"GET", "HEAD"},
    "/": {"GET", "HEAD"},
    "/docs": {"GET", "HEAD"},
    ASSET: {"GET", "HEAD"},
}


@pytest.fixture
def people_of_a_faulty_api(own_database: TaskDatabase) -> Iterator[People]:
    """The people of an API whose role may not insert any more: a fault of its deployment."""
    with people_of(own_database, cors_origins=FRONT_END) as people:
        with psycopg.connect(own_database.owner) as connection:
            connection.execute("revoke insert on task from task_app")
            connection.execute(
                "revoke insert (user_id, title, description, completed) on task from task_app"
            )
        yield people


# methods and addresses


@pytest.mark.parametrize(
    "address",
    [
        "/api/tasks?limit=1",
        "/api/tasks/{}",
        "/livez",
        "/readyz",
        "/openapi.json",
        "/",
        "/docs",
        ASSET,
    ],
)
def test_head_is_get_without_the_body(alice: Person, address: str) -> None:
    alice.creates()
    address = address.format(alice.creates()["id"])
    got, head = alice.http.get(address, headers=ONE), alice.http.head(address, headers=ONE)
    assert got.status_code == head.status_code == 200
    assert got.content
    assert head.content == b""
    assert got.headers.keys() == head.headers.keys()
    assert {**got.headers, **MOVING} == {**head.headers, **MOVING}


@pytest.mark.parametrize("address", ["/api/tasks/0", "/api/tasks?limit=0", "/nowhere"])
def test_head_fails_as_get_does(alice: Person, address: str) -> None:
    got, head = alice.http.get(address, headers=ONE), alice.http.head(address, headers=ONE)
    assert got.status_code == head.status_code
    assert head.content == b""
    assert {**got.headers, **MOVING} == {**head.headers, **MOVING}


@pytest.mark.parametrize(("address", "allowed"), ALLOWED.items(), ids=ALLOWED)
def test_what_an_address_does_not_take_is_refused_with_what_it_does(
    stranger: Person, address: str, allowed: set[str]
) -> None:
    every = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"}
    for method in sorted(every - allowed):
        answer = stranger.http.request(method, address)
        assert answer.status_code == 405
        assert set(answer.headers["Allow"].split(", ")) == allowed
        if method != "HEAD":
            problem(answer, 405, "method-not-allowed")
    for method in sorted(allowed):
        assert stranger.http.request(method, address).status_code in (200, 401)


@pytest.mark.evidence("proxy-bypass")
@pytest.mark.parametrize(
    "address",
    [
        f"/{MARK}",
        "/api",
        f"/api/{MARK}",
        "/api/tasks/",
        "/api/tasks/7/",
        f"/api/tasks/7/{MARK}",
        "/api/tasks/7/complete/",
        "//api/tasks",
        "/API/tasks",
        "/livez/",
        "/docs/",
        "/docs/assets/",
        f"/docs/assets/{MARK}",
        "/docs/assets/..%2F__init__.py",
        "/docs/assets/%00",
        "/redoc",
        "/%00",
        "/%FF",
    ],
)
def test_there_is_nothing_anywhere_else_and_no_redirect(alice: Person, address: str) -> None:
    # a whole URL: the client would take '//api' for a host
    answer = alice.http.get(str(alice.http.base_url).rstrip("/") + address)
    problem(answer, 404, "no-such-address")
    assert "Location" not in answer.headers


@pytest.mark.evidence("proxy-bypass")
@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_method_is_what_the_request_line_says(alice: Person, header: str) -> None:
    task = alice.creates()
    answer = alice.http.get(f"/api/tasks/{task['id']}", headers={header: "DELETE"})
    assert answer.json() == task
    assert alice.sees(task["id"]) == task


def test_a_client_that_leaves_halfway_is_no_fault_of_the_server(
    alice: Person, caplog: pytest.LogCaptureFixture
) -> None:
    address = alice.http.base_url
    head = (
        f"POST /api/tasks HTTP/1.1\r\nHost: {address.host}\r\n"
        f"Authorization: {alice.http.headers['Authorization']}\r\n"
        "Content-Type: application/json\r\nContent-Length: 99\r\n\r\n"
    )
    with socket.create_connection((address.host, address.port)) as connection:
        connection.sendall(f'{head}{{"title": "{MARK}'.encode())
        time.sleep(0.1)  # until the server waits for the rest
    time.sleep(0.1)  # until it has seen that nobody is there
    assert alice.lists() == []
    assert caplog.text == ""


@pytest.mark.evidence("secrets-in-errors", "token-leaks")
def test_a_request_is_a_line_in_the_log_without_its_query(
    alice: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    alice.http.get(f"/api/tasks?token={MARK}")
    lines = capsys.readouterr().err
    assert '"method":"GET","route":"/api/tasks","status":422' in lines
    assert MARK not in lines


def test_a_path_cannot_forge_a_line_in_the_log(
    stranger: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger.http.get("/nowhere%0AINFO:%1B[31m")
    lines = capsys.readouterr().err
    assert "\x1b" not in lines
    assert not [line for line in lines.splitlines() if line.startswith("INFO:\x1b")]
    assert lines.count("\n") == 1


# what every answer says


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/api/tasks", 200),
        ("GET", "/api/tasks/{}", 200),
        ("HEAD", "/api/tasks", 200),
        ("POST", "/api/tasks", 400),
        ("DELETE", "/api/tasks", 422),
        ("DELETE", "/api/tasks/{}", 204),
        ("GET", "/api/tasks/0", 404),
        ("GET", "/nowhere", 404),
        ("POST", "/livez", 405),
        ("GET", "/livez", 200),
        ("GET", "/readyz", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/docs", 200),
        ("GET", ASSET, 200),
    ],
)
@pytest.mark.parametrize("origin", [FRONT_END, ELSEWHERE, None])
def test_no_cache_gives_an_answer_to_somebody_else(
    alice: Person, method: str, address: str, status: int, origin: str | None
) -> None:
    address = address.format(alice.creates()["id"])
    answer = alice.http.request(method, address, headers={"Origin": origin} if origin else {})
    assert answer.status_code == status
    _demand_for_one_only(answer)


def test_nor_one_to_a_stranger(stranger: Person) -> None:
    _demand_for_one_only(stranger.http.get("/api/tasks"))


@pytest.mark.parametrize("address", ["/api/tasks/{}", "/api/tasks", ASSET])
def test_nor_that_nothing_is_new(alice: Person, address: str) -> None:
    address = address.format(alice.creates()["id"])
    tag = alice.http.get(address).headers["ETag"]
    answer = alice.http.get(address, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.content) == (304, b"")
    _demand_for_one_only(answer)


@pytest.mark.parametrize(("origin", "status"), [(FRONT_END, 200), (ELSEWHERE, 400)])
def test_nor_what_a_front_end_may(stranger: Person, origin: str, status: int) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    answer = stranger.http.options("/api/tasks", headers=headers)
    assert answer.status_code == status
    _demand_for_one_only(answer)


def _demand_for_one_only(answer: httpx2.Response) -> None:
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Vary"] == "Authorization, Origin"


def test_a_request_has_an_id_of_its_own(stranger: Person) -> None:
    addresses = ("/livez", "/api/tasks", "/nowhere")
    answers = [stranger.http.get(address) for address in addresses * 3]
    ids = [answer.headers["X-Request-Id"] for answer in answers]
    assert len({*ids}) == len(ids)
    assert all(TAKEN.fullmatch(one) for one in ids)


@pytest.mark.parametrize("given", ["x", "7", "A-b_c.9", "-", "x" * 128])
@pytest.mark.parametrize("address", ["/livez", "/api/tasks/0"])
def test_a_client_may_say_which_id(
    alice: Person, capsys: pytest.CaptureFixture[str], address: str, given: str
) -> None:
    answer = alice.http.get(address, headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == given
    if answer.status_code == 404:
        assert problem(answer, 404)["request_id"] == given
    line = json.loads(capsys.readouterr().err)
    assert (line["status"], line["request_id"]) == (answer.status_code, given)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"x" * 129, id="129 letters"),
        pytest.param(b"x" * 5_000, id="5,000 letters"),
        pytest.param(b"one two", id="two words"),
        pytest.param(b"one,two", id="a list"),
        pytest.param(b"one\ttwo", id="a tab"),
        pytest.param(b'x" 200 forged', id="a quote"),
        pytest.param("\u0661".encode(), id="arabic digits"),
        pytest.param(b"\xff", id="not UTF-8"),
        pytest.param(b"${jndi:x}", id="a lookup"),
        pytest.param(b"<x>", id="HTML"),
    ],
)
def test_what_is_no_id_is_not_taken_for_one(
    alice: Person, capsys: pytest.CaptureFixture[str], given: bytes
) -> None:
    head, body = _answer_to_the_id(alice, given)
    (made,) = re.findall(rb"\r\nx-request-id: ([^\r]*)", head)
    assert made != given
    assert TAKEN.fullmatch(made.decode())
    assert json.loads(body)["request_id"] == made.decode()
    line = json.loads(capsys.readouterr().err)
    assert (line["status"], line["request_id"]) == (404, made.decode())


@pytest.mark.parametrize("given", [b"\x1b[31mx", b"x\x7f", b"x\0", b"x\ny"])
def test_a_control_character_does_not_come_in_at_all(
    alice: Person, capsys: pytest.CaptureFixture[str], given: bytes
) -> None:
    head, _ = _answer_to_the_id(alice, given)
    assert head.startswith(b"HTTP/1.1 400 ")
    line = json.loads(capsys.readouterr().err)
    assert (line["status"], line["problem"]) == (400, "malformed-request")
    assert TAKEN.fullmatch(line["request_id"])


def _answer_to_the_id(person: Person, given: bytes) -> tuple[bytes, bytes]:
    """Head and body; a client would not send some ids as they are."""
    address = person.http.base_url
    with socket.create_connection((address.host, address.port)) as connection:
        connection.sendall(
            b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"X-Request-Id: %s\r\n\r\n" % given
        )
        head, _, body = b"".join(iter(lambda: connection.recv(65_536), b"")).partition(b"\r\n" * 2)
    return head, body


# other origins


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_a_front_end_may_ask_before_it_calls(stranger: Person, method: str) -> None:
    answer = stranger.http.options(
        "/api/tasks/7",
        headers={
            "Origin": FRONT_END,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": ",".join(SENDABLE),
        },
    )
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == FRONT_END  # once
    assert method in answer.headers["Access-Control-Allow-Methods"].split(", ")
    allowed = answer.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert set(allowed) - SIMPLE == set(SENDABLE)
    assert answer.headers["Access-Control-Max-Age"] == "7200"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.evidence("cors")
@pytest.mark.parametrize(
    ("origin", "method", "header"),
    [
        (ELSEWHERE, "GET", "authorization"),
        (f"{FRONT_END}.elsewhere.example.com", "GET", "authorization"),
        (FRONT_END.replace("https", "http"), "GET", "authorization"),
        (f"{FRONT_END}:8443", "GET", "authorization"),
        ("null", "GET", "authorization"),
        (FRONT_END, "TRACE", "authorization"),
        (FRONT_END, "GET", "x-http-method-override"),
    ],
)
def test_nobody_else_may_and_for_nothing_else(
    stranger: Person, origin: str, method: str, header: str
) -> None:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": header}
    answer = stranger.http.options("/api/tasks", headers={"Origin": origin, **asked})
    assert problem(answer, 400, "malformed-request")["detail"].startswith("Disallowed CORS")
    if origin != FRONT_END:
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/tasks", 200),
        ("/api/tasks/0", 404),
        ("/nowhere", 404),
        ("/api/tasks/7/complete", 405),
        ("/api/tasks?limit=0", 422),
        ("/livez", 200),
    ],
)
def test_a_front_end_can_read_every_answer(alice: Person, address: str, status: int) -> None:
    answer = alice.http.get(address, headers={"Origin": FRONT_END})
    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == FRONT_END
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert {*answer.headers["Access-Control-Expose-Headers"].split(", ")} == READABLE
    other = alice.http.get(address, headers={"Origin": ELSEWHERE})
    assert other.status_code == status
    assert "Access-Control-Allow-Origin" not in other.headers


def test_a_front_end_can_read_that_its_user_is_a_stranger(stranger: Person) -> None:
    answer = stranger.http.get("/api/tasks", headers={"Origin": FRONT_END})
    problem(answer, 401, "unauthorized")
    assert answer.headers["Access-Control-Allow-Origin"] == FRONT_END


# faults of the server


@pytest.mark.evidence("secrets-in-errors")
def test_a_fault_of_the_deployment_says_nothing_but_that(
    people_of_a_faulty_api: People, caplog: pytest.LogCaptureFixture
) -> None:
    alice = people_of_a_faulty_api.person("alice")
    answer = alice.http.post("/api/tasks", json={"title": MARK}, headers={"Origin": FRONT_END})
    assert problem(answer, 500, "internal-error")["detail"] == "The server met a fault of its own."
    assert answer.headers["Access-Control-Allow-Origin"] == FRONT_END
    # The log tells the operator what, and holds nothing of Alice's.
    assert "InsufficientPrivilegeError (42501)" in caplog.text
    assert MARK not in caplog.text
    assert "insert" not in caplog.text.lower()
    assert alice.lists() == []  # the rest is served


@pytest.mark.evidence("secrets-in-errors")
def test_a_row_that_the_database_refuses_is_not_logged(
    own_database: TaskDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(own_database.owner) as connection:
        connection.execute("alter table task add check (title <> 'mark7f3a')")
    with people_of(own_database) as people:
        problem(people.person("alice").http.post("/api/tasks", json={"title": MARK}), 500)
    assert "CheckViolationError (23514)" in caplog.text
    assert MARK not in caplog.text


def test_a_header_cannot_be_made_to_end(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = people.person("alice")
    path = f"/api/tasks/{alice.creates()['id']}"
    for end in ("\r\n", "\n", "\r", "\0"):
        with monkeypatch.context() as fault:
            fault.setattr(
                "api.http.etags.of_version", lambda version, end=end: f'"1{end}Set-Cookie: a=b"'
            )
            answer = alice.http.get(path)
        assert answer.status_code == 500
        assert "Set-Cookie" not in answer.headers
    assert alice.http.get(path).status_code == 200


# the documentation page


@pytest.mark.evidence("docs-scripts")
def test_the_documentation_loads_nothing_from_elsewhere(stranger: Person) -> None:
    page = stranger.http.get("/docs")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    loaded = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)""", page.text)
    types = {}
    for address in loaded:
        whole = urljoin(str(page.url), address)
        assert urlsplit(whole).netloc == urlsplit(str(page.url)).netloc
        answer = httpx2.get(whole)
        assert answer.status_code == 200
        types[urlsplit(whole).path] = answer.headers["Content-Type"]
    assert types == {
        "/docs/assets/swagger-ui.css": "text/css; charset=utf-8",
        "/docs/assets/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
        "/docs/assets/favicon.png": "image/png",
        "/openapi.json": "application/json",
    }
    assert not re.findall(r"https?://", page.text)


@pytest.mark.evidence("docs-scripts")
def test_the_documentation_may_load_nothing_from_elsewhere(stranger: Person) -> None:
    header = stranger.http.get("/docs").headers["Content-Security-Policy"]
    policy = dict(part.strip().split(" ", 1) for part in header.split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert {word for sources in policy.values() for word in sources.split()} == {
        "'none'",
        "'self'",
        "'unsafe-inline'",
        "data:",
    }
