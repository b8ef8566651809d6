"""Clients that ask, and do not read what they are answered."""

import contextlib
import time
from typing import Final

import pytest

from tests.faults.cluster import Postgres
from tests.faults.processes import served
from tests.faults.raw import Raw, raw
from tests.faults.test_slow_clients import (
    HOST,
    SHORT,
    SLACK,
    address,
    bearer,
    diligent,
    patience,
    settings,
    size_of,
    soon,
    writes_much,
)
from tests.locks import held
from tests.people import Person

__all__ = ["address", "diligent", "patience", "settings", "soon"]  # fixtures

LOCK: Final = "select 1 from task where user_id = %s and id = %s for update"
ASSET: Final = "GET /docs/assets/swagger-ui-bundle.js HTTP/1.1"
SEVERAL: Final = 20  # answers, more than the kernel takes for who does not read
MANY: Final = 40  # clients


def asks(client: Raw, *lines: str, times: int = SEVERAL) -> None:
    client.writes("\r\n".join([*lines, "", ""]).encode() * times)


def is_cut_off(client: Raw) -> None:
    """It was ended long before all of it was sent."""
    assert client.is_reset
    ended = client.ends()
    assert ended.status == 200
    assert len(ended.content) < SEVERAL * size_of(ended)


def test_who_reads_none_of_several_answers_is_cut_off(
    soon: None, address: str, diligent: Person
) -> None:
    with raw(address, window=1 << 16) as client:
        asks(client, "GET /api/tasks HTTP/1.1", HOST, bearer(diligent))
        time.sleep(1.0)  # PostgreSQL and the network take a while
        time.sleep(SHORT + SLACK)
        is_cut_off(client)


def test_a_stranger_who_reads_none_of_the_documentation_is_cut_off(
    soon: None, address: str
) -> None:
    with raw(address, window=1 << 16) as client:
        asks(client, ASSET, HOST)
        time.sleep(1.0 + SHORT + SLACK)
        is_cut_off(client)


def test_who_reads_nothing_is_cut_off_whatever_else_is_being_answered(
    soon: None, postgres: Postgres, address: str, diligent: Person
) -> None:
    """A request that waits for a lock keeps the connection busy, and not alive."""
    task = diligent.creates()
    with (
        held(postgres.database.superuser, LOCK, diligent.id, task["id"]),
        raw(address, window=1 << 16) as client,
    ):
        asks(client, ASSET, HOST, times=4)
        asks(client, f"DELETE /api/tasks/{task['id']} HTTP/1.1", HOST, bearer(diligent), times=1)
        time.sleep(1.0 + SHORT + SLACK)
        is_cut_off(client)
    assert diligent.http.get(f"/api/tasks/{task['id']}").status_code == 200


def test_what_is_asked_for_behind_an_unread_answer_is_not_even_done(
    address: str, diligent: Person, bob: Person
) -> None:
    task = bob.creates()
    with raw(address, window=1 << 16) as client:
        asks(client, "GET /api/tasks HTTP/1.1", HOST, bearer(diligent), times=1)
        last = f"DELETE /api/tasks/{task['id']} HTTP/1.1"
        asks(client, last, HOST, bearer(bob), "Connection: close", times=1)
        time.sleep(2.0)
        assert bob.lists() == [task]
        ended = client.ends()  # now it reads
    assert ended.status == 200
    assert b"HTTP/1.1 204" in ended.content
    assert bob.lists() == []


@pytest.mark.evidence("slow-clients")
def test_who_came_last_stays_when_too_much_is_unread_by_those_before(postgres: Postgres) -> None:
    with served(postgres, MAX_UNSENT_MIB="2") as (_, people), contextlib.ExitStack() as stack:
        alice = people.person("alice")
        writes_much(alice)
        clients: list[Raw] = []
        while not any(client.is_reset for client in clients):
            assert len(clients) < MANY
            # how much of them the kernel takes is its own affair, so each is of another size
            limit = 34 - len(clients) % 15  # of 30 kB each
            lines = (f"GET /api/tasks?limit={limit} HTTP/1.1", HOST, bearer(alice))
            clients.append(stack.enter_context(raw(people.base_url, window=1 << 16)))
            asks(clients[-1], *lines, times=SEVERAL - 1)
            asks(clients[-1], *lines, "Connection: close", times=1)
            time.sleep(0.7)
        assert not clients[-1].is_reset
        last = clients[-1].ends()
        assert last.content.count(b"HTTP/1.1 200") == SEVERAL
        assert len(last.content) > SEVERAL * size_of(last)
        assert people.stranger().http.get("/livez").status_code == 200
