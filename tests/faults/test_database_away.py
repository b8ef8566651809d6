"""Whatever becomes of the database: people are asked to come back, and then are served."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx2
import pytest

from api.settings import Settings
from tests.faults.cluster import Postgres, address, eventually
from tests.faults.conftest import POOL_TIMEOUT, REQUEST_TIMEOUT
from tests.faults.crowd import Answered, crowd, is_asked_to_come_back, refused
from tests.locks import held
from tests.people import SECRET, People, Person
from tests.server import serving

pytestmark = pytest.mark.slow

SOON = 1.0  # seconds in which people are served again after the database is back
READY = 8.0  # seconds in which a balancer has noticed
SLACK = 1.0  # seconds that a busy machine may add
NO_WRITES = "lock table task in exclusive mode"
NOTHING = "lock table task in access exclusive mode"


@pytest.fixture
def elsewhere() -> Iterator[ThreadPoolExecutor]:
    """Where a request waits while the test goes on."""
    with ThreadPoolExecutor(8) as pool:
        yield pool


def writes(person: Person, title: str = "Buy milk") -> httpx2.Response:
    return person.http.post("/api/tasks", json={"title": title})


def reads(person: Person) -> httpx2.Response:
    return person.http.get("/api/tasks")


def is_served_soon(asks: Callable[[], httpx2.Response], status: int = 200) -> None:
    deadline = time.monotonic() + SOON + SLACK
    while (response := asks()).status_code != status:
        is_asked_to_come_back(response)
        assert time.monotonic() < deadline, "nobody is served again"
        time.sleep(0.02)


def timed(asks: Callable[[], httpx2.Response]) -> tuple[httpx2.Response, float]:
    begun = time.monotonic()
    return asks(), time.monotonic() - begun


def sees_what_was_acknowledged(person: Person, answered: list[Answered]) -> None:
    """And of the rest each once at most."""
    writes = [a for a in answered if a.who == person.id and a.response.request.method == "POST"]
    acknowledged = sum(one.is_served for one in writes)
    assert acknowledged <= len(person.lists()) <= len(writes)


# connections that break


def test_connections_that_broke_while_nobody_used_them_are_nobodys_business(
    postgres: Postgres, alice: Person
) -> None:
    for number in range(10):
        assert writes(alice).status_code == 201
        assert postgres.kills_backends()
        assert reads(alice).status_code == 200
        assert postgres.kills_backends()
        assert writes(alice).status_code == 201
        assert len(alice.lists()) == 2 * number + 2


def test_all_the_connections_of_many_break_and_nobody_notices(
    postgres: Postgres, people: People
) -> None:
    everybody = [people.person("alice") for _ in range(8)]
    for _ in range(5):
        with crowd(everybody) as answered:
            eventually(lambda answered=answered: len(answered) > 50)  # type: ignore[misc]
        assert not refused(answered)
        assert postgres.kills_backends() > 1


def test_a_read_whose_connection_breaks_is_done_again(
    postgres: Postgres, alice: Person, elsewhere: ThreadPoolExecutor
) -> None:
    task = alice.creates()
    with held(postgres.database.superuser, NOTHING) as waiting:
        reading = elsewhere.submit(reads, alice)
        (first,) = waiting(1)
        postgres.runs("select pg_terminate_backend(%s, 1000)", first)
        (second,) = waiting(1)
        assert second != first
    assert reading.result().json() == [task]


def test_a_write_whose_connection_breaks_is_done_once_or_not_at_all(
    postgres: Postgres, alice: Person, elsewhere: ThreadPoolExecutor
) -> None:
    for _ in range(3):
        before = len(alice.lists())
        with held(postgres.database.superuser, NO_WRITES) as waiting:
            writing = elsewhere.submit(writes, alice)
            (first,) = waiting(1)
            postgres.runs("select pg_terminate_backend(%s, 1000)", first)
        done = _done(writing)
        assert len(alice.lists()) == before + done


def _done(writing: Future[httpx2.Response]) -> int:
    response = writing.result()
    if response.status_code == 201:
        return 1
    is_asked_to_come_back(response)
    return 0


def test_backends_that_are_killed_all_the_time_cost_nobody_a_wrong_answer(
    postgres: Postgres, people: People
) -> None:
    everybody = [people.person("alice") for _ in range(8)]
    with crowd(everybody) as answered:
        for _ in range(20):
            postgres.kills_backends()
            time.sleep(0.05)
    refused(answered)
    for person in everybody:
        sees_what_was_acknowledged(person, answered)
    assert sum(a.is_served for a in answered) > len(answered) / 2


# absence


@pytest.mark.parametrize(
    ("how", "seconds"), [("fast", 0.0), ("immediate", 0.0), ("fast", 2.0)], ids=str
)
def test_a_restart_costs_people_a_moment(
    postgres: Postgres, people: People, how: str, seconds: float
) -> None:
    everybody = [people.person("alice") for _ in range(8)]
    with crowd(everybody) as answered:
        time.sleep(0.3)
        with postgres.away(how):
            time.sleep(seconds)
        back = time.monotonic()
        time.sleep(SOON + 0.5)
    for one in refused(answered):
        assert one.asked < back + SOON
    for one in answered:
        assert one.took < POOL_TIMEOUT + SLACK
    for person in everybody:
        mine = [one for one in answered if one.who == person.id]
        assert any(one.is_served for one in mine if one.asked > back)
        sees_what_was_acknowledged(person, answered)
    assert seconds == 0 or refused(answered)  # the control: it was away


def test_a_database_that_does_not_answer_keeps_nobody_waiting_for_long(
    postgres: Postgres, people: People, balancer: Person, elsewhere: ThreadPoolExecutor
) -> None:
    everybody = [people.person("alice") for _ in range(6)]
    tasks = [person.creates() for person in everybody]
    with postgres.deaf():
        asking = [elsewhere.submit(timed, lambda p=p: reads(p)) for p in everybody]  # type: ignore[misc]
        asking.append(elsewhere.submit(timed, lambda: writes(everybody[0])))
        asking.append(elsewhere.submit(timed, lambda: balancer.http.get("/readyz")))
        answers = [one.result() for one in asking]
    for response, took in answers[:-1]:
        is_asked_to_come_back(response)
        assert took < REQUEST_TIMEOUT + SLACK
    assert answers[-1][1] < REQUEST_TIMEOUT + SLACK
    for person, task in zip(everybody, tasks, strict=True):
        is_served_soon(lambda person=person: reads(person))  # type: ignore[misc]
        assert task in person.lists()


def test_a_connection_to_a_database_that_does_not_answer_is_given_up_in_time(
    postgres: Postgres, alice: Person
) -> None:
    alice.creates()
    postgres.kills_backends()
    with postgres.deaf():
        response, took = timed(lambda: reads(alice))
        is_asked_to_come_back(response)
        assert took < POOL_TIMEOUT + SLACK
    is_served_soon(lambda: reads(alice))


def test_a_balancer_sees_the_database_go_and_come_back(
    postgres: Postgres, balancer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.http.readiness.MAX_AGE", READY / 8)

    def ready() -> int:
        response, took = timed(lambda: balancer.http.get("/readyz"))
        assert took < REQUEST_TIMEOUT + SLACK
        if response.status_code != 200:
            is_asked_to_come_back(response)
        return response.status_code

    assert ready() == 200
    with postgres.away():
        eventually(lambda: ready() == 503, READY)
        assert balancer.http.get("/livez").status_code == 200
    eventually(lambda: ready() == 200, READY)


# a database that serves, but not everything


def test_while_nothing_can_be_written_people_read(postgres: Postgres, alice: Person) -> None:
    task = alice.creates()
    with postgres.read_only():
        for _ in range(3):
            is_asked_to_come_back(writes(alice))
            assert alice.lists() == [task]
    is_served_soon(lambda: writes(alice), 201)


def test_after_a_failover_people_read_and_once_it_is_promoted_they_write(
    postgres: Postgres,
) -> None:
    with (
        address(postgres) as host,
        serving(Settings(database_url=host.task_app, better_auth_secret=SECRET)) as api,
    ):
        people = People(api)
        alice = people.person("alice")
        task = alice.creates()
        with postgres.standby() as standby, postgres.away("immediate"):
            is_asked_to_come_back(writes(alice))
            host.points_at(standby)
            is_served_soon(lambda: reads(alice))
            assert alice.lists() == [task]
            is_asked_to_come_back(writes(alice))
            standby.is_promoted()
            is_served_soon(lambda: writes(alice, "Buy bread"), 201)
            assert [task["title"] for task in alice.lists()] == ["Buy bread", "Buy milk"]
        people.leave()


def test_a_disk_that_is_full_is_no_fault_of_the_request(postgres: Postgres, alice: Person) -> None:
    task = alice.creates()
    postgres.runs(
        "create function full_disk() returns trigger language plpgsql as"
        " $$ begin raise exception 'no space left' using errcode = '53100'; end $$"
    )
    postgres.runs(
        "create trigger full_disk before insert or update on task execute function full_disk()"
    )
    try:
        is_asked_to_come_back(writes(alice))
        is_asked_to_come_back(alice.http.patch(f"/api/tasks/{task['id']}/complete"))
        assert alice.lists() == [task]
    finally:
        postgres.runs("drop function full_disk() cascade")
    is_served_soon(lambda: writes(alice), 201)


def test_a_disk_that_is_really_full_is_503_until_there_is_room(
    postgres: Postgres, alice: Person
) -> None:
    with postgres.small_disk() as disk:
        if disk is None:
            pytest.skip("nobody here may mount a disk")
        task = alice.creates()
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        statuses = [writes(alice, "x" * 200).status_code for _ in range(60)]
        assert set(statuses) == {201, 503}
        is_asked_to_come_back(writes(alice, "x" * 200))
        assert alice.sees(task["id"]) == task
        assert len(alice.lists()) == 1 + statuses.count(201)
        ballast.unlink()
        is_served_soon(lambda: writes(alice), 201)


def test_who_finds_no_connection_left_is_asked_to_come_back(
    postgres: Postgres, alice: Person, bob: Person, elsewhere: ThreadPoolExecutor
) -> None:
    task = alice.creates()
    assert postgres.backends() == 1
    with postgres.crowded(1):
        with held(postgres.database.superuser, NO_WRITES) as waiting:
            writing = elsewhere.submit(writes, alice)
            waiting(1)
            response, took = timed(lambda: reads(bob))
            is_asked_to_come_back(response)
            assert took < POOL_TIMEOUT + SLACK
        assert writing.result().status_code == 201
        assert reads(bob).status_code == 200  # the one connection is enough again
    assert task in alice.lists()


def test_after_the_password_was_changed_only_those_who_are_connected_go_on(
    postgres: Postgres, balancer: Person
) -> None:
    with (
        postgres.asking_for_passwords("right") as url,
        serving(Settings(database_url=url, better_auth_secret=SECRET)) as api,
    ):
        people = People(api)
        alice = people.person("alice")
        assert writes(alice).status_code == 201
        postgres.changes_password("another")
        assert len(alice.lists()) == 1
        postgres.kills_backends()
        is_asked_to_come_back(reads(alice))
        is_asked_to_come_back(writes(alice))
        postgres.changes_password("right")
        is_served_soon(lambda: reads(alice))
        assert len(alice.lists()) == 1
        people.leave()


# a database that keeps people waiting


def test_who_waits_for_a_lock_is_told_after_two_seconds(postgres: Postgres, alice: Person) -> None:
    task = alice.creates()
    with held(postgres.database.superuser, NO_WRITES):
        response, took = timed(lambda: alice.http.delete(f"/api/tasks/{task['id']}"))
    is_asked_to_come_back(response)
    assert 1.9 < took < 2 + SLACK
    assert alice.lists() == [task]


def test_a_statement_that_takes_too_long_is_ended(postgres: Postgres, alice: Person) -> None:
    task = alice.creates()
    with postgres.waiting_for("2s", statement="200ms"):
        postgres.kills_backends()
        with held(postgres.database.superuser, NOTHING):
            for asks in (reads, writes):
                response, took = timed(lambda asks=asks: asks(alice))  # type: ignore[misc]
                is_asked_to_come_back(response)
                assert 0.19 < took < 0.7 + SLACK
    postgres.kills_backends()
    assert alice.lists() == [task]


def test_a_request_that_takes_too_long_is_given_up(postgres: Postgres, alice: Person) -> None:
    """However it manages to: here every statement waits for less than may be waited for."""
    postgres.runs(
        "create function slow() returns trigger language plpgsql as"
        " $$ begin perform pg_sleep(1); return new; end $$"
    )
    postgres.runs("create trigger slow before insert on task for each row execute function slow()")
    try:
        body = [{"title": f"{number}"} for number in range(60)]
        response, took = timed(lambda: alice.http.post("/api/tasks/bulk", json=body))
    finally:
        postgres.runs("drop function slow() cascade")
    is_asked_to_come_back(response)
    assert REQUEST_TIMEOUT - 0.1 < took < REQUEST_TIMEOUT + SLACK
    assert alice.lists() == []
    eventually(lambda: not _at_work(postgres))


def _at_work(postgres: Postgres) -> bool:
    """Does any request still hold a transaction open?"""
    return bool(
        postgres.runs(
            "select 1 from pg_stat_activity where usename = 'task_app' and state <> 'idle'"
        )
    )


def test_nobody_is_left_in_a_transaction(postgres: Postgres, people: People) -> None:
    everybody = [people.person("alice") for _ in range(8)]
    ended = threading.Event()
    with crowd(everybody):
        with postgres.away("immediate"):
            pass
        ended.wait(0.3)
    eventually(lambda: not _at_work(postgres))
