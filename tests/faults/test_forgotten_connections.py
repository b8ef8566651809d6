"""A firewall forgets the connections that nobody used for a while, and tells nobody."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from api.settings import Settings
from tests.faults.cluster import Postgres
from tests.faults.wire import Wire
from tests.locks import held
from tests.people import SECRET, People, Person

MANY = 5


@pytest.fixture
def settings(to_postgres: Wire) -> Settings:
    return Settings(database_url=to_postgres.task_app, better_auth_secret=SECRET)


@pytest.fixture
def forgotten(postgres: Postgres, to_postgres: Wire, people: People) -> None:
    """The API holds many connections, each of which breaks when it is used."""
    everybody = [people.person("bob") for _ in range(MANY)]
    with ThreadPoolExecutor(MANY) as pool:
        with held(postgres.database.superuser, "lock table task in exclusive mode") as waiting:
            writing = [pool.submit(bob.creates) for bob in everybody]  # at once
            waiting(MANY)
        for one in writing:
            one.result()
    assert to_postgres.forgets() == MANY


def reads(person: Person) -> httpx2.Response:
    return person.http.get("/api/tasks")


def writes(person: Person) -> httpx2.Response:
    return person.http.post("/api/tasks", json={"title": "Buy milk"})


def is_ready(person: Person) -> httpx2.Response:
    return person.http.get("/readyz")


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize("asks", [reads, writes, is_ready])
def test_who_comes_next_does_not_notice(
    alice: Person, asks: Callable[[Person], httpx2.Response]
) -> None:
    assert asks(alice).is_success
    assert len(alice.lists()) == (asks is writes)


@pytest.mark.usefixtures("forgotten")
def test_nor_do_those_who_come_all_at_once(people: People) -> None:
    everybody = [people.person("alice") for _ in range(MANY)]
    with ThreadPoolExecutor(MANY) as pool:
        for response in pool.map(writes, everybody):
            assert response.status_code == 201
    for person in everybody:
        assert len(person.lists()) == 1
