"""Clients that are slow, silent or cunning cost the server little, and nobody else a thing."""

import contextlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from api.settings import Settings
from tests.faults.cluster import Postgres
from tests.faults.processes import served
from tests.faults.raw import Ended, raw
from tests.locks import held
from tests.people import SECRET, People, Person
from tests.problems import problem

SHORT = 0.4  # seconds, instead of those of the server
SLACK = 1.6  # the server looks at its clocks from time to time, and the machine is busy
HOST = "Host: localhost"
JSON = "Content-Type: application/json"
LOCK: Final = "select 1 from task where user_id = %s and id = %s for update"


@pytest.fixture
def patience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """What the server's patience is, for who uses `impatient`, `soon` or `later`."""
    if "impatient" in request.fixturenames:
        monkeypatch.setattr("api.serving.server.KEEP_ALIVE", SHORT)
        return dict.fromkeys(("head_timeout", "write_timeout", "body_timeout"), SHORT)
    if "soon" in request.fixturenames:
        return {"write_timeout": SHORT}
    return {"write_timeout": 1.5} if "later" in request.fixturenames else {}


@pytest.fixture
def settings(postgres: Postgres, patience: dict[str, float]) -> Settings:
    given = {"database_url": postgres.database.task_app, "better_auth_secret": SECRET}
    return Settings.model_validate(given | patience)


@pytest.fixture
def address(people: People) -> str:
    return people.base_url


@pytest.fixture
def soon() -> None:
    """Who does not read is cut off soon."""


@pytest.fixture
def later() -> None:
    """Who does not read is cut off a little later."""


@pytest.fixture
def impatient(people: People) -> str:
    """The address of a server that waits for nobody for long."""
    return people.base_url


def bearer(person: Person) -> str:
    return f"Authorization: {person.http.headers['Authorization']}"


def is_ended(ended: Ended, *statuses: int | None) -> None:
    assert ended.status in statuses
    assert SHORT - 0.1 < ended.took < SHORT + SLACK
    if ended.status:
        head, _, body = ended.content.partition(b"\r\n\r\n")
        assert b"\r\nconnection: close" in head.lower()
        assert b"application/problem+json" in head
        assert json.loads(body)["status"] == ended.status


# patience ends


def test_patience_ends_with_who_says_nothing(impatient: str) -> None:
    with raw(impatient) as client:
        is_ended(client.ends(), None, 408)


def test_patience_ends_with_a_head_that_stops(impatient: str) -> None:
    with raw(impatient) as client:
        client.writes(b"GET /livez HTTP/1.1\r\nHost: local")
        is_ended(client.ends(), None, 408)


@pytest.mark.evidence("slow-clients")
def test_patience_ends_with_a_head_that_dribbles(impatient: str) -> None:
    with raw(impatient) as client:
        head = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 100
        is_ended(client.dribbles(head, 0.05), None, 408)


def test_patience_ends_with_a_second_head_that_dribbles(impatient: str) -> None:
    with raw(impatient) as client:
        client.sends("GET /livez HTTP/1.1", HOST)
        assert b" 200 " in client.reads()
        head = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 100
        is_ended(client.dribbles(head, 0.05), None, 408)


def test_patience_ends_with_a_body_that_never_comes(impatient: str, alice: Person) -> None:
    with raw(impatient) as client:
        client.sends("POST /api/tasks HTTP/1.1", HOST, bearer(alice), JSON, "Content-Length: 9")
        is_ended(client.ends(), None, 408)
    assert alice.lists() == []


@pytest.mark.evidence("slow-clients")
def test_patience_ends_with_a_body_that_dribbles(impatient: str, alice: Person) -> None:
    body = json.dumps({"title": "x" * 200}).encode()
    length = f"Content-Length: {len(body)}"
    with raw(impatient) as client:
        client.sends("POST /api/tasks HTTP/1.1", HOST, bearer(alice), JSON, length)
        is_ended(client.dribbles(body, 0.05), None, 408)
    assert alice.lists() == []


def test_patience_ends_with_chunks_that_dribble(impatient: str, alice: Person) -> None:
    with raw(impatient) as client:
        client.sends(
            "POST /api/tasks HTTP/1.1", HOST, bearer(alice), JSON, "Transfer-Encoding: chunked"
        )
        is_ended(client.dribbles(b"1\r\n \r\n" * 100, 0.05), None, 408)
    assert alice.lists() == []


def test_patience_ends_with_a_body_that_nobody_asked_for(impatient: str) -> None:
    """The route has answered without it."""
    with raw(impatient) as client:
        client.sends("GET /livez HTTP/1.1", HOST, "Content-Length: 1000")
        assert b" 200 " in client.reads()
        client.writes(b"x")
        is_ended(client.ends(), None)


def test_patience_ends_with_a_connection_that_nobody_uses(impatient: str) -> None:
    with raw(impatient) as client:
        for _ in range(3):
            client.sends("GET /livez HTTP/1.1", HOST)
            assert b" 200 " in client.reads()
            time.sleep(SHORT / 2)  # used often enough
        client.sends("GET /livez HTTP/1.1", HOST)
        client.reads()
        is_ended(client.ends(), None)


def test_patience_does_not_end_with_who_is_waiting_for_an_answer(
    postgres: Postgres, impatient: str, alice: Person, bob: Person
) -> None:
    task = alice.creates()
    with ThreadPoolExecutor(1) as pool:
        with held(postgres.database.superuser, LOCK, alice.id, task["id"]) as waiting:
            asking = pool.submit(alice.http.delete, f"/api/tasks/{task['id']}")
            waiting(1)
            time.sleep(3 * SHORT)
        assert asking.result().status_code == 204
    assert bob.lists() == []


@pytest.fixture
def diligent(alice: Person) -> Person:
    """Alice, whose list is longer than what the kernel takes of it."""
    writes_much(alice)
    return alice


def writes_much(person: Person) -> None:
    body = [{"title": "x", "description": "\u20ac" * 10_000} for _ in range(25)]
    for _ in range(16):
        assert person.http.post("/api/tasks/bulk", json=body).status_code == 201


def size_of(ended: Ended) -> int:
    """What the server said it would send."""
    head = ended.content.partition(b"\r\n\r\n")[0].lower()
    (length,) = [line for line in head.split(b"\r\n") if line.startswith(b"content-length")]
    return int(length.split()[1])


@pytest.mark.evidence("slow-clients")
def test_who_does_not_read_the_answer_is_cut_off(
    soon: None, address: str, diligent: Person
) -> None:
    with raw(address, window=4096) as client:
        client.sends("GET /api/tasks HTTP/1.1", HOST, bearer(diligent))
        time.sleep(1.0)  # PostgreSQL and the network take a while
        time.sleep(SHORT + SLACK)
        ended = client.ends()
    assert ended.status == 200
    assert len(ended.content) < size_of(ended)


def test_who_reads_slowly_but_reads_gets_all_of_it(
    later: None, address: str, diligent: Person
) -> None:
    with raw(address, window=1 << 16) as client:
        client.sends("GET /api/tasks HTTP/1.1", HOST, bearer(diligent), "Connection: close")
        ended = client.reads_slowly(1 << 16, 0.025)
    assert ended.status == 200
    assert ended.took > 3  # the control: longer than it may stand still
    assert size_of(ended) > 10_000_000
    assert len(ended.content.partition(b"\r\n\r\n")[2]) == size_of(ended)


@pytest.mark.evidence("smuggling")
@pytest.mark.parametrize("transfer", ["Transfer-Encoding: chunked", "Transfer-Encoding:\tchunked"])
@pytest.mark.parametrize("length_first", [True, False])
def test_two_lengths_are_refused_and_nothing_is_smuggled(
    address: str, alice: Person, transfer: str, *, length_first: bool
) -> None:
    smuggled = f"POST /api/tasks HTTP/1.1\r\n{HOST}\r\n{bearer(alice)}\r\n{JSON}\r\n"
    smuggled += 'Content-Length: 14\r\n\r\n{"title": "x"}'
    body = f"0\r\n\r\n{smuggled}".encode()
    lengths = [f"Content-Length: {len(body)}", transfer]
    with raw(address) as client:
        client.sends(
            "POST /api/tasks HTTP/1.1",
            HOST,
            bearer(alice),
            JSON,
            *(lengths if length_first else lengths[::-1]),
            body=body,
        )
        ended = client.ends()
    assert ended.status == 400
    assert ended.content.count(b"HTTP/1.1 ") == 1
    assert alice.lists() == []


@pytest.mark.evidence("smuggling")
@pytest.mark.parametrize(
    "head",
    [
        ["Content-Length: 3", "Content-Length: 4"],
        ["Content-Length: -1"],
        ["Content-Length: 1e1"],
        ["Content-Length: 99999999999999999999"],
        ["Transfer-Encoding: chunked, identity"],
        ["Transfer-Encoding: gzip"],
        ["Content-Length : 3"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked, x"],
    ],
    ids=", ".join,
)
def test_a_length_that_may_be_read_two_ways_is_refused(
    address: str, alice: Person, head: list[str]
) -> None:
    with raw(address) as client:
        client.sends("POST /api/tasks HTTP/1.1", HOST, bearer(alice), JSON, *head, body=b"{}\r\n")
        ended = client.ends()
    assert ended.status in (400, 411, 413, 501)
    assert ended.content.count(b"HTTP/1.1 ") == 1
    assert alice.lists() == []


@pytest.mark.parametrize(
    "lines",
    [
        ["GET /livez HTTP/1.1", f"X-Long: {'x' * 100_000}"],
        ["GET /livez HTTP/1.1", *(f"X-{n}: {'x' * 90}" for n in range(1000))],
        [f"GET /livez?{'x' * 100_000} HTTP/1.1"],
    ],
    ids=["one long line", "many lines", "a long address"],
)
def test_a_head_of_100_kb_is_refused(address: str, lines: list[str]) -> None:
    with raw(address) as client:
        client.sends(*lines, HOST)
        ended = client.ends()
    assert ended.status in (400, 431)
    assert ended.content.count(b"HTTP/1.1 ") == 1


@pytest.mark.evidence("slow-clients")
def test_a_head_that_never_ends_is_not_kept(address: str) -> None:
    with raw(address) as client, pytest.raises(OSError, match=r"reset|[Bb]roken"):
        client.endlessly(b"GET /livez HTTP/1.1\r\n", b"X: " + b"x" * 10_000 + b"\r\n")


def test_a_hundred_slow_clients_keep_nobody_waiting(address: str, bob: Person) -> None:
    with contextlib.ExitStack() as clients:
        for _ in range(100):
            clients.enter_context(raw(address)).writes(b"GET /livez HTTP/1.1\r\nHost")
        begun = time.monotonic()
        assert bob.lists() == []
        assert time.monotonic() - begun < 1


@pytest.mark.evidence("slow-clients")
def test_beyond_a_limit_of_connections_people_are_asked_to_come_back(
    postgres: Postgres,
) -> None:
    with served(postgres, "--limit-concurrency", "3") as (_, people):
        alice = people.person("alice")
        task = alice.creates()
        with ThreadPoolExecutor(4) as pool:
            with held(postgres.database.superuser, LOCK, alice.id, task["id"]) as waiting:
                address = f"/api/tasks/{task['id']}/complete"
                asking = []
                for number in (1, 2, 3):
                    person = alice if number == 1 else _another(people, alice)
                    asking.append(pool.submit(person.http.patch, address, json={"completed": True}))
                    waiting(number)
                refused = _another(people, alice).http.get("/api/tasks")
                problem(refused, 503, "unavailable")
                assert int(refused.headers["Retry-After"]) > 0
            assert [one.result().status_code for one in asking] == [200] * 3


def _another(people: People, person: Person) -> Person:
    """The same person, on a connection of their own."""
    other = people.person("alice")
    other.http.headers["Authorization"] = person.http.headers["Authorization"]
    return other
