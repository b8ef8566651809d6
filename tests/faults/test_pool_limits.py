"""More people than connections: who cannot be served in time is told so, and nobody hangs."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import httpx2
import pytest

from api.database import pool as pools
from api.settings import Settings
from tests.faults.cluster import Postgres
from tests.faults.crowd import is_asked_to_come_back
from tests.locks import held
from tests.people import SECRET, People

POOL_SIZE = 2
POOL_TIMEOUT = 2.0
SLACK = 1.0  # of a busy machine
pytestmark = pytest.mark.usefixtures("patient")
NO_WRITES = "lock table task in exclusive mode"


@pytest.fixture
def settings(postgres: Postgres) -> Settings:
    return Settings(
        database_url=postgres.database.task_app,
        better_auth_secret=SECRET,
        pool_size=POOL_SIZE,
        pool_timeout=POOL_TIMEOUT,
    )


Asking = Future[tuple[httpx2.Response, float]]  # the answer, and how long it took


@dataclass
class Queue:
    """People who ask one after the other, and wait."""

    people: People
    pool: ThreadPoolExecutor

    def writes(self, number: int) -> list[Asking]:
        asking = []
        for n in range(number):
            asking.append(self._asks("POST", json={"title": f"{n}"}))
            time.sleep(0.1)  # one arrives after the other
        return asking

    def reads(self, number: int) -> list[Asking]:
        return [self._asks("GET") for _ in range(number)]

    def _asks(self, method: str, **options: object) -> Asking:
        person = self.people.person("alice")
        sent = threading.Event()
        person.http.event_hooks = {"request": [lambda _: sent.set()]}

        def ask() -> tuple[httpx2.Response, float]:
            begun = time.monotonic()
            response = person.http.request(method, "/api/tasks", **options)  # type: ignore[arg-type]
            return response, time.monotonic() - begun

        asking = self.pool.submit(ask)
        sent.wait(5)
        time.sleep(0.02)  # it arrives
        return asking


@pytest.fixture
def queue(people: People) -> Iterator[Queue]:
    with ThreadPoolExecutor(64) as pool:
        yield Queue(people, pool)


def test_who_waits_too_long_for_a_connection_is_asked_to_come_back(
    postgres: Postgres, queue: Queue
) -> None:
    with held(postgres.database.superuser, NO_WRITES) as waiting:
        holders = queue.writes(POOL_SIZE)
        waiting(POOL_SIZE)
        others = queue.reads(20)
        answers = [one.result() for one in others]
    for response, took in answers:
        is_asked_to_come_back(response)
        assert POOL_TIMEOUT - 0.05 < took < POOL_TIMEOUT + SLACK
    for one in holders:
        assert one.result()[0].status_code == 201
    for one in queue.reads(20):
        assert one.result()[0].status_code == 200
    assert postgres.backends() == POOL_SIZE


@pytest.mark.evidence("many-requests")
def test_who_asks_without_end_keeps_nobody_else_waiting(
    postgres: Postgres, queue: Queue, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "MAX_WAITERS_PER_CONNECTION", 10)  # alice's requests would fill it
    alice, bob = people.person("alice"), people.person("bob")
    alice.http.timeout = httpx2.Timeout(POOL_TIMEOUT * 5)

    def writes() -> httpx2.Response:
        return alice.http.post("/api/tasks", json={"title": "Buy milk"})

    with held(postgres.database.superuser, NO_WRITES) as waiting:
        asking = [queue.pool.submit(writes) for _ in range(40)]
        assert len(waiting(1)) == POOL_SIZE // 2  # her share, though nobody else has asked yet
        for _ in range(5):
            begun = time.monotonic()
            assert bob.lists() == []
            assert time.monotonic() - begun < POOL_TIMEOUT / 2
    answers = [one.result() for one in asking]
    assert any(response.is_success for response in answers)
    for response in answers:
        if not response.is_success:
            is_asked_to_come_back(response)


def test_who_asks_first_is_served_first(postgres: Postgres, queue: Queue) -> None:
    with held(postgres.database.superuser, NO_WRITES) as waiting:
        asking = queue.writes(6)
        waiting(POOL_SIZE)
    answers = [one.result()[0] for one in asking]
    assert [response.status_code for response in answers] == [201] * 6
    ids = [response.json()["id"] for response in answers]
    # two are at work at a time, so neighbours may overtake each other
    order = sorted(range(6), key=ids.__getitem__)
    assert all(abs(place - number) < POOL_SIZE for place, number in enumerate(order))


def test_who_would_wait_in_vain_is_told_at_once(
    postgres: Postgres, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "MAX_WAITERS_PER_CONNECTION", 4)
    with held(postgres.database.superuser, NO_WRITES) as waiting:
        holders = queue.writes(POOL_SIZE)
        waiting(POOL_SIZE)
        patient = queue.reads(4 * POOL_SIZE)
        late = queue.reads(5)
        for one in late:
            response, took = one.result()
            is_asked_to_come_back(response)
            assert took < POOL_TIMEOUT / 4
    for one in holders:
        assert one.result()[0].status_code == 201
    for one in patient:  # nobody lost a place by them
        assert one.result()[0].status_code == 200


def test_who_goes_away_while_waiting_leaves_no_hole(postgres: Postgres, queue: Queue) -> None:
    with held(postgres.database.superuser, NO_WRITES) as waiting:
        holders = queue.writes(POOL_SIZE)
        waiting(POOL_SIZE)
        impatient = queue.people.person("bob")
        impatient.http.timeout = httpx2.Timeout(0.2)
        for _ in range(3):
            with pytest.raises(httpx2.ReadTimeout):
                impatient.http.get("/api/tasks")
    for one in [*holders, *queue.reads(10)]:
        assert one.result()[0].is_success
    assert postgres.backends() <= POOL_SIZE
