"""What was acknowledged is there, once, whatever happens to the database meanwhile."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.faults.cluster import Postgres
from tests.faults.crowd import EAGER
from tests.faults.processes import served
from tests.people import Person

WRITERS = 8
WRITES = 1000
KILLS = 50

pytestmark = pytest.mark.slow


def keeps_writing(person: Person, enough: threading.Event, acknowledged: list[str]) -> int:
    """Writes until it is enough, each task until it is acknowledged; how many refusals it took."""
    refusals = 0
    for number in itertools.count():
        if enough.is_set():
            break
        title = f"{person.id} {number}"
        while not _is_acknowledged(_writes(person, title)):
            refusals += 1
            time.sleep(EAGER)
        acknowledged.append(title)
    return refusals


def _writes(person: Person, title: str) -> httpx2.Response:
    key = {"Idempotency-Key": f'"{title}"'}
    return person.http.post("/api/tasks", json={"title": title}, headers=key)


def _is_acknowledged(response: httpx2.Response) -> bool:
    assert response.status_code in (201, 409, 503), response.text
    assert response.status_code == 201 or int(response.headers["Retry-After"]) > 0
    return response.status_code == 201


def breaks(postgres: Postgres) -> None:
    """50 backends killed, one fast restart, one crash."""
    for restart in ("fast", "immediate"):
        killed = 0
        while killed < KILLS // 2:
            killed += postgres.kills_one_backend()
            time.sleep(0.05)
        with postgres.away(restart):
            time.sleep(0.3)
        time.sleep(0.5)


def test_every_acknowledged_write_is_there_once(postgres: Postgres) -> None:
    with served(postgres, "--workers", "2") as (_, people):
        writers = [people.person("alice") for _ in range(WRITERS)]
        acknowledged: list[str] = []
        enough = threading.Event()
        with ThreadPoolExecutor(WRITERS) as pool:
            try:
                writing = [pool.submit(keeps_writing, p, enough, acknowledged) for p in writers]
                breaks(postgres)
                while len(acknowledged) < WRITES and not any(one.done() for one in writing):
                    time.sleep(0.1)
            finally:
                enough.set()
            refusals = sum(one.result() for one in writing)
    rows = postgres.runs("select title from task")
    assert sorted(title for (title,) in rows) == sorted(acknowledged)
    assert len(acknowledged) >= WRITES
    assert refusals > 0  # the control: they did notice something
