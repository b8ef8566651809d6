"""Who watches is told at once of their own changes, and of nobody else's."""

import asyncio
import logging
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from api.main import TaskAPI, create_app
from api.settings import Settings
from api.sync import hub
from api.sync.stream import Stream
from tests.cluster import TaskDatabase
from tests.people import SECRET, People, Person, signed, soon_over
from tests.problems import problem
from tests.program import running
from tests.server import serving
from tests.streams import PATH, Device, watching


@pytest.fixture
def app(database: TaskDatabase) -> TaskAPI:
    return create_app(Settings(database_url=database.task_app, better_auth_secret=SECRET))


@pytest.fixture
def here(database: TaskDatabase, app: TaskAPI) -> Iterator[People]:
    """The people of a server that a test may look into."""
    settings = Settings(database_url=database.task_app, better_auth_secret=SECRET)
    with serving(settings, app) as address, People(address) as people:
        yield people


def soon(condition: object, within: float = 5) -> None:
    deadline = time.monotonic() + within
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_alices_other_device_is_told_of_each_kind_of_change(alice: Person) -> None:
    task = alice.creates()
    path = f"/api/tasks/{task['id']}"
    with watching(alice, times=2) as devices:
        ids = set()
        for method, address, body in (
            ("POST", "/api/tasks", {"title": "Buy bread"}),
            ("POST", "/api/tasks/bulk", [{"title": "Buy salt"}, {"title": "Buy oil"}]),
            ("PATCH", path, {"title": "Buy oat milk"}),
            ("PUT", path, {"description": "two of them"}),
            ("PATCH", f"{path}/complete", {"completed": True}),
            ("DELETE", "/api/tasks?completed=true", None),
            ("DELETE", f"/api/tasks/{alice.creates('Buy tea')['id']}", None),
        ):
            for device in devices:
                device.is_told_nothing(0.1)  # what came before
            answer = alice.http.request(method, address, json=body)
            assert answer.is_success, answer.text
            first, second = (device.is_told() for device in devices)
            assert first == second
            ids.add(first)
        assert len(ids) == 7


def test_bob_is_told_nothing_of_alices_changes(alice: Person, bob: Person) -> None:
    with watching(alice) as [hers], watching(bob) as [his]:
        task = alice.creates("Meet bob in secret")
        hers.is_told()
        assert his.is_told_nothing()
        bob.http.delete(f"/api/tasks/{task['id']}")  # there is none for him
        assert hers.is_told_nothing()
        bob.creates()
        his.is_told()
        assert hers.is_told_nothing()
        assert b"secret" not in hers.heard + his.heard


@pytest.mark.parametrize("body", [{"title": "Buy milk"}, {"title": " "}, None])
def test_what_changes_nothing_tells_nobody(alice: Person, body: dict[str, str] | None) -> None:
    task = alice.creates()
    with watching(alice) as [device]:
        if body is None:
            alice.http.delete("/api/tasks/9007199254740991")
            alice.http.patch(
                f"/api/tasks/{task['id']}", json={"title": "x"}, headers={"If-Match": '"99"'}
            )
            alice.http.get("/api/tasks")
        else:
            alice.http.patch(f"/api/tasks/{task['id']}", json=body)
        assert device.is_told_nothing()


def test_a_hundred_changes_in_a_moment_are_some_events_of_which_the_last_is_the_last(
    alice: Person,
) -> None:
    with watching(alice) as [device]:
        for _ in range(100):
            alice.creates()
        seen = [device.is_told()]
        while block := device.block(1):
            seen.append(block["id"])
        assert len(seen) < 60
        with watching(alice, seen[-1]) as [other]:
            assert other.is_told_nothing()


def test_who_comes_back_behind_is_told_at_once_and_who_is_not_behind_is_not(
    alice: Person,
) -> None:
    with watching(alice) as [device]:
        alice.creates()
        last = device.is_told()
    with watching(alice, last) as [device]:
        assert device.greeting["id"] == last
        assert device.is_told_nothing()
    alice.creates()
    with watching(alice, last) as [device]:
        newer = device.is_told(1)
        assert newer != last
        assert device.is_told_nothing()


def test_a_device_that_was_told_nothing_yet_knows_where_it_stands(alice: Person) -> None:
    alice.creates()
    with watching(alice) as [device]:
        last = device.greeting["id"]
    alice.creates()
    with watching(alice, last) as [device]:
        assert device.is_told(1) != last


def test_what_changes_while_the_head_is_read_is_told(
    here: People, app: TaskAPI, database: TaskDatabase
) -> None:
    """The stream is known before its head is read, so that there is no gap."""
    alice = here.person("alice")
    alice.creates()
    order = []
    join, run = app.state.hub.join, app.state.database.run

    def joins(user: object) -> object:
        order.append("join")
        return join(user)

    def runs(*arguments: object, **options: object) -> object:
        order.append("read")
        return run(*arguments, **options)

    app.state.hub.join, app.state.database.run = joins, runs
    with watching(alice):
        assert order == ["join", "read"]


def test_after_all_is_erased_the_token_is_forgotten(
    alice: Person, as_owner: psycopg.Connection
) -> None:
    with watching(alice) as [device]:
        alice.creates()
        last = device.is_told()
    as_owner.execute("alter table sync_head no force row level security")
    try:
        as_owner.execute("delete from sync_head where user_id = %s", [alice.id])
    finally:
        as_owner.execute("alter table sync_head force row level security")
    with watching(alice, last) as [device]:
        assert device.is_told() == ""


@pytest.mark.parametrize("last", ["x", "bob's", "é"])
def test_an_id_that_is_none_of_alices_is_refused(alice: Person, bob: Person, last: str) -> None:
    if last == "bob's":
        with watching(bob) as [device]:
            bob.creates()
            last = device.is_told()
    over = soon_over(alice)["Authorization"].encode()  # else one would wait for it
    answer = alice.http.get(PATH, headers={b"Authorization": over, b"Last-Event-ID": last.encode()})
    problem(answer, 400, "malformed-request")
    assert answer.json()["errors"][0]["header"] == "Last-Event-ID"


def test_an_empty_id_is_none(alice: Person) -> None:
    with watching(alice, "") as [device]:
        assert device.status == 200
        assert device.is_told_nothing(0.2)


def test_a_stranger_has_no_stream(stranger: Person) -> None:
    problem(stranger.http.get(PATH), 401, "unauthorized")
    problem(stranger.http.post(PATH), 405, "method-not-allowed")


def test_a_stream_takes_no_parameters_and_only_get(alice: Person) -> None:
    problem(alice.http.get(PATH, params={"token": "x"}), 422, "invalid-input")
    answer = alice.http.post(PATH)
    problem(answer, 405, "method-not-allowed")


def test_head_is_answered_and_no_stream_is_opened(here: People, app: TaskAPI) -> None:
    alice = here.person("alice")
    for _ in range(hub.MAX_STREAMS + 1):
        answer = alice.http.head(PATH)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["Content-Type"] == "text/event-stream"
    assert app.state.hub.open == 0


def test_what_lies_between_keeps_and_holds_back_nothing(alice: Person) -> None:
    with watching(alice) as [device]:
        assert device.headers["content-type"] == "text/event-stream"
        assert device.headers["cache-control"] == "private, no-cache"
        assert device.headers["x-accel-buffering"] == "no"
        assert "content-length" not in device.headers


def test_clients_come_back_at_different_times(alice: Person) -> None:
    with watching(alice, times=10) as devices:
        pauses = {int(device.greeting["retry"]) for device in devices}
    assert len(pauses) > 5
    assert all(1000 <= pause <= 5000 for pause in pauses)


def test_a_quiet_stream_is_pinged(here: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.sync.stream.PING_INTERVAL", 0.5)
    with watching(here.person("alice")) as [device]:
        assert device.block() == {"": ""}
        assert device.block() == {"": ""}


def test_a_stream_ends_when_its_token_expires(people: People) -> None:
    alice = people.person("alice")
    alice.http.headers["Authorization"] = (
        f"Bearer {signed({'sub': alice.id, 'exp': int(time.time()) + 3})}"
    )
    with watching(alice) as [device]:
        assert 1 < device.ends() < 6
        assert device.rest() == b""  # and the connection is closed


def test_a_stream_outlives_the_timeout_of_requests(database: TaskDatabase) -> None:
    settings = Settings(
        database_url=database.task_app, better_auth_secret=SECRET, request_timeout=0.3
    )
    with serving(settings) as address, People(address) as people:
        alice = people.person("alice")
        with watching(alice) as [device]:
            assert device.is_told_nothing(1)
            alice.creates()
            device.is_told()


def test_an_eleventh_stream_is_refused_until_one_is_closed(here: People, app: TaskAPI) -> None:
    alice, bob = here.person("alice"), here.person("bob")
    with watching(alice, times=hub.MAX_STREAMS) as devices:
        refused = alice.http.get(PATH, headers=soon_over(alice))  # else one would wait for it
        problem(refused, 429, "rate-limited")
        assert int(refused.headers["Retry-After"]) > 0
        with watching(bob) as [his]:  # bob's are his own
            assert his.status == 200
        devices[0].socket.close()
        soon(lambda: app.state.hub.open == hub.MAX_STREAMS - 1)
        with watching(alice) as [device]:
            assert device.status == 200
    soon(lambda: app.state.hub.open == 0)


def test_who_leaves_is_forgotten_at_once_with_all_that_was_kept(here: People, app: TaskAPI) -> None:
    everybody = [here.person(name) for name in ("alice", "bob", "carol")]
    for _ in range(3):
        with ExitStack() as stack:
            for person in everybody:
                stack.enter_context(watching(person, times=5))
            assert app.state.hub.open == 15
        soon(lambda: app.state.hub.open == 0, 2)
    kept = {name: value for name, value in vars(app.state.hub).items() if value and name[0] == "_"}
    assert kept.keys() == {"_database"}


def test_who_is_refused_by_the_database_leaves_nothing_behind(
    here: People, app: TaskAPI, database: TaskDatabase
) -> None:
    alice = here.person("alice")
    with database.shut():
        problem(alice.http.get(PATH), 503, "unavailable")
    assert app.state.hub.open == 0


def test_fifty_streams_hold_no_connection(here: People, app: TaskAPI) -> None:
    everybody = [here.person("alice") for _ in range(5)]
    with ExitStack() as stack:
        devices = [
            device
            for person in everybody
            for device in stack.enter_context(watching(person, times=10))
        ]
        assert len(devices) == 50
        assert app.state.database.pool_state.in_use == 0
        for person in everybody:
            person.creates()
        for device in devices:
            device.is_told()
        assert app.state.database.pool_state.in_use == 0


def test_a_head_that_could_not_be_read_is_read_later(
    here: People, app: TaskAPI, database: TaskDatabase
) -> None:
    alice, changed = here.person("alice"), app.state.hub.changed
    with watching(alice) as [device]:
        # the wake-up comes when the database has just gone away
        app.state.hub.changed = lambda user: asyncio.get_running_loop().call_later(
            0.5, changed, user
        )
        alice.creates()
        with database.shut():
            assert device.is_told_nothing(1)
        device.is_told()


def speaks_much(stream: Stream) -> bytes:
    """More than the system takes for a client that does not read."""
    return b":" + bytes(16 * 2**20) + b"\n\n"


def reads_nothing(person: Person) -> socket.socket:
    client = socket.create_connection((person.http.base_url.host, person.http.base_url.port or 80))
    token = person.http.headers["Authorization"]
    client.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n".encode())
    return client


def test_who_does_not_read_is_cut_off(
    database: TaskDatabase, app: TaskAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stream, "greeting", speaks_much)
    settings = Settings(database_url=database.task_app, better_auth_secret=SECRET, write_timeout=1)
    with (
        serving(settings, app) as address,
        People(address) as people,
        reads_nothing(people.person("alice")),
    ):
        soon(lambda: app.state.hub.open == 1)
        soon(lambda: app.state.hub.open == 0)


def test_a_server_that_stops_does_not_wait_for_who_does_not_read(
    database: TaskDatabase, app: TaskAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stream, "greeting", speaks_much)
    settings = Settings(database_url=database.task_app, better_auth_secret=SECRET)
    with ExitStack() as stack:
        with serving(settings, app) as address, People(address) as people:
            stack.enter_context(reads_nothing(people.person("alice")))
            soon(lambda: app.state.hub.open == 1)
            time.sleep(0.5)
            begun = time.monotonic()
        assert time.monotonic() - begun < 6  # SHUTDOWN_TIMEOUT is 10


def test_streams_make_room_for_requests(own_database: TaskDatabase) -> None:
    """The oldest is closed when the server has as many connections as it may have."""
    given = {"DATABASE_URL": own_database.task_app, "BETTER_AUTH_SECRET": SECRET}
    limits = ("--limit-concurrency", "4", "--limit-per-address", "4")
    with running("serve", "--port", "0", *limits, **given) as serve:
        found = re.search(r"port (\d+)", serve.says("port"))
        assert found
        with People(f"http://127.0.0.1:{found[1]}") as people, ExitStack() as stack:
            alice, bob = people.person("alice"), people.person("bob")
            first, *others = [Device(alice) for _ in range(4)]
            for device in (first, *others):
                stack.callback(device.socket.close)
            assert bob.lists() == []
            assert first.block(5) is None
            assert all(device.is_told_nothing(0.1) for device in others)


def test_the_log_has_a_line_at_the_end_and_no_token(
    here: People, caplog: pytest.LogCaptureFixture
) -> None:
    alice = here.person("alice")
    caplog.set_level(logging.INFO, "api")
    logging.getLogger("api").propagate = True
    with watching(alice) as [device]:
        alice.creates()
        token = device.is_told()
    soon(lambda: any("stream closed" in record.getMessage() for record in caplog.records))
    lines = [record.getMessage() for record in caplog.records]
    (ended,) = [line for line in lines if line.startswith("stream closed")]
    assert re.fullmatch(r"stream closed after [\d.]+ s, 1 events: the client has left", ended)
    bearer = str(alice.http.headers["Authorization"]).split(" ")[1]
    for secret in (token, bearer, alice.id):
        assert not any(secret in line for line in lines)
