"""More connections than there is room for: who is served, and who has to go."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import psutil  # type: ignore[import-untyped]
import pytest

from tests.faults.cluster import Postgres, eventually
from tests.faults.processes import port_of, served, settings_for
from tests.faults.raw import raw
from tests.locks import held
from tests.people import People, Person
from tests.problems import problem
from tests.program import TASK_API, running

LOCK: Final = "select 1 from task where user_id = %s and id = %s for update"
HOST: Final = "Host: localhost"
pytestmark = pytest.mark.usefixtures("patient")


def another(people: People, person: Person, *, address: str = "127.0.0.1") -> Person:
    """The same person, on a connection of their own from this address."""
    other = people.person("alice")
    other.http.close()
    other.http = httpx2.Client(
        base_url=people.base_url,
        headers={"Authorization": person.http.headers["Authorization"]},
        transport=httpx2.HTTPTransport(local_address=address),
    )
    return other


@contextlib.contextmanager
def at_work(
    postgres: Postgres, people: People, number: int, *, address: str = "127.0.0.1"
) -> Iterator[list[Future[httpx2.Response]]]:
    """So many connections of alice's, each with a request that is served at the end."""
    alice = people.person("alice")
    task = alice.creates()
    alice.http.close()
    asking = []
    with contextlib.ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(number))
        with held(postgres.database.superuser, LOCK, alice.id, task["id"]) as waiting:
            for so_far in range(1, number + 1):
                person = another(people, alice, address=address)
                stack.callback(person.http.close)
                path = f"/api/tasks/{task['id']}/complete"
                asking.append(pool.submit(person.http.patch, path, json={"completed": True}))
                waiting(so_far)
            yield asking
        assert [one.result().status_code for one in asking] == [200] * number


def is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


@contextlib.contextmanager
def silent(base: str, number: int, address: str = "127.0.0.1") -> Iterator[list[socket.socket]]:
    """So many connections that say nothing."""
    parts = urlsplit(base)
    with contextlib.ExitStack() as stack:
        made = []
        for _ in range(number):
            there = (parts.hostname or "", parts.port or 0)
            one = socket.create_connection(there, source_address=(address, 0))
            made.append(stack.enter_context(one))
        yield made


@pytest.mark.evidence("slow-clients")
def test_silent_sockets_turn_nobody_away(postgres: Postgres) -> None:
    with served(postgres, "--limit-concurrency", "20") as (_, people):
        alice = people.person("alice")
        task = alice.creates()
        with silent(people.base_url, 200) as sockets:
            assert alice.lists() == [task]
            for _ in range(3):
                assert people.person("bob").lists() == []
                assert people.stranger().http.get("/livez").status_code == 200
            # those that are idle longest had to go, and no more than had to
            eventually(lambda: sum(map(is_closed, sockets)) >= 180)
            assert [is_closed(one) for one in sockets] == sorted(
                map(is_closed, sockets), reverse=True
            )
            assert not is_closed(sockets[-1])


def test_who_has_asked_stays_where_others_are_silent(postgres: Postgres) -> None:
    with (
        served(postgres, "--limit-concurrency", "20") as (_, people),
        raw(people.base_url) as alice,
    ):
        for _ in range(2):
            alice.sends("GET /livez HTTP/1.1", HOST)
            assert b" 200 " in alice.reads()
            with silent(people.base_url, 100):
                alice.sends("GET /livez HTTP/1.1", HOST)
                assert b" 200 " in alice.reads()


def test_who_is_being_served_is_served_whoever_comes(postgres: Postgres) -> None:
    with (
        served(postgres, "--limit-concurrency", "6", POOL_SIZE="6", POOL_SHARE="5") as (_, people),
        at_work(postgres, people, 5),
        silent(people.base_url, 50),
    ):
        assert people.stranger().http.get("/livez").status_code == 200
        assert people.person("bob").lists() == []


def test_where_all_are_at_work_a_newcomer_is_asked_to_come_back(postgres: Postgres) -> None:
    with (
        served(postgres, "--limit-concurrency", "4", POOL_SIZE="5", POOL_SHARE="5") as (_, people),
        at_work(postgres, people, 4),
    ):
        for _ in range(3):
            refused = people.person("bob").http.get("/api/tasks")
            problem(refused, 503, "unavailable")
            assert int(refused.headers["Retry-After"]) > 0
            assert refused.headers["Connection"] == "close"
            assert people.stranger().http.get("/livez").status_code == 200


def test_who_found_no_room_is_served_once_there_is_some(postgres: Postgres) -> None:
    with served(postgres, "--limit-concurrency", "2", POOL_SIZE="5", POOL_SHARE="5") as (_, people):
        bob = people.person("bob")
        with at_work(postgres, people, 2):
            assert bob.http.get("/livez").status_code == 200
        eventually(lambda: bob.http.get("/api/tasks").status_code == 200)


def test_who_sends_half_a_head_is_told_when_the_place_is_needed(postgres: Postgres) -> None:
    with (
        served(postgres, "--limit-concurrency", "1") as (_, people),
        raw(people.base_url) as client,
    ):
        client.writes(b"GET /livez HTTP/1.1\r\nHost: loc")
        time.sleep(0.2)
        assert people.stranger().http.get("/livez").status_code == 200
        ended = client.ends()
        assert ended.status == 503
        assert json.loads(ended.content.partition(b"\r\n\r\n")[2])["status"] == 503


def elsewhere(**settings: Any) -> dict[str, str]:
    """No proxy on this machine is trusted, so that its addresses count."""
    return {"FORWARDED_ALLOW_IPS": "203.0.113.1"} | settings


@pytest.mark.evidence("slow-clients")
def test_an_address_has_a_quarter_of_the_connections(postgres: Postgres) -> None:
    options = ("--limit-concurrency", "8")
    with (
        served(postgres, *options, **elsewhere(POOL_SIZE="5", POOL_SHARE="5")) as (_, people),
        at_work(postgres, people, 2, address="127.0.0.2"),
    ):
        alice = people.person("alice")
        with contextlib.closing(another(people, alice, address="127.0.0.2").http) as third:
            problem(third.get("/api/tasks"), 503, "unavailable")
        with contextlib.closing(another(people, alice, address="127.0.0.3").http) as neighbour:
            assert neighbour.get("/api/tasks").json() == []


def test_an_address_that_is_full_of_silence_takes_nothing_from_another(postgres: Postgres) -> None:
    options = ("--limit-concurrency", "100", "--limit-per-address", "3")
    with (
        served(postgres, *options, **elsewhere()) as (_, people),
        silent(people.base_url, 10, "127.0.0.3") as others,
        silent(people.base_url, 10, "127.0.0.2") as sockets,
    ):
        eventually(lambda: [sum(map(is_closed, one)) for one in (others, sockets)] == [7, 7])
        assert people.person("bob").lists() == []
        assert sum(map(is_closed, others)) == 7


@pytest.mark.parametrize("trusted", ["127.0.0.1", "127.0.0.0/8", "*", "::ffff:127.0.0.1"])
def test_a_trusted_proxy_brings_as_many_as_there_is_room_for(
    postgres: Postgres, trusted: str
) -> None:
    options = ("--limit-concurrency", "40", "--limit-per-address", "1")
    with (
        served(postgres, *options, FORWARDED_ALLOW_IPS=trusted) as (_, people),
        silent(people.base_url, 30) as sockets,
    ):
        assert people.person("bob").lists() == []
        assert not any(map(is_closed, sockets))


def test_an_address_of_ipv4_is_one_on_a_socket_of_ipv6_as_well(postgres: Postgres) -> None:
    """RFC 4291, section 2.5.5.2."""
    with served(
        postgres, "--host", "::", "--limit-per-address", "1", RATE_LIMIT_ADDRESS="2/day"
    ) as (_, people):
        stranger, alice = people.stranger(), people.person("alice")
        with silent(people.base_url, 10) as sockets:  # 127.0.0.1 is a trusted proxy
            told = {"X-Forwarded-For": "203.0.113.9", "Authorization": "Bearer x.y.z"}
            answers = [stranger.http.get("/api/tasks", headers=told) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [401, 401, 429]
            assert alice.lists() == []
            assert not any(map(is_closed, sockets))


def test_where_few_files_may_be_open_there_are_fewer_connections(postgres: Postgres) -> None:
    """Else the next one could not even be accepted, and /livez not be answered."""
    few = ("--nofile=200:200", TASK_API, "serve", "--port", "0")
    with (
        running(*few, program="prlimit", **settings_for(postgres, POOL_SIZE="5")) as serve,
        People(f"http://127.0.0.1:{port_of(serve)}") as people,
        silent(people.base_url, 400),
    ):
        assert "131 connections a process" in serve.err
        assert people.stranger().http.get("/livez").status_code == 200
        assert people.person("bob").lists() == []


def test_requests_without_end_that_nobody_waits_for_take_no_memory(postgres: Postgres) -> None:
    with served(postgres) as (serve, people), raw(people.base_url) as stranger:
        process = psutil.Process(serve.process.pid)
        assert people.stranger().http.get("/livez").status_code == 200
        before = process.memory_info().rss
        with contextlib.suppress(OSError):  # it is cut off
            stranger.endlessly(b"", b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n" * 1000, 20_000_000)
        assert process.memory_info().rss - before < 50_000_000
        assert people.stranger().http.get("/livez").status_code == 200


def test_who_leaves_in_the_middle_of_several_requests_leaves_no_trace(postgres: Postgres) -> None:
    with served(postgres) as (serve, people):
        alice = people.person("alice")
        task = alice.creates()
        head = [HOST, f"Authorization: {alice.http.headers['Authorization']}"]
        for times in (1, 2, 3, 10):
            for lines in (["GET /api/tasks HTTP/1.1", *head], ["GET /docs HTTP/1.1", HOST]):
                with (
                    held(postgres.database.superuser, LOCK, alice.id, task["id"]),
                    raw(people.base_url) as client,
                ):
                    complete = f"PATCH /api/tasks/{task['id']}/complete HTTP/1.1"
                    client.sends(complete, *head, "Content-Length: 0")
                    client.writes("\r\n".join([*lines, "", ""]).encode() * times)
                    time.sleep(0.1)
        assert alice.lists()[0]["id"] == task["id"]
        outcome = serve.stops()
        assert "raceback" not in outcome.err
        assert '"level":"error"' not in outcome.err
        assert "socket.send" not in outcome.err
