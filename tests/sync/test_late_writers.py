"""What commits late is told later, what is rolled back is never told: with real transactions that
stay open while a device asks."""

import contextlib
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, LiteralString

import psycopg
import pytest

from tests.cluster import TaskDatabase
from tests.locks import held
from tests.people import Person
from tests.server import people_of
from tests.sync.device import Device

CREATE: Final = "insert into task (user_id, title) values (%s, %s) returning id"


@contextlib.contextmanager
def transaction(database: TaskDatabase, person: Person) -> Iterator[psycopg.Connection]:
    """A transaction of this person's that the API could have open on another connection."""
    with psycopg.connect(database.direct) as connection:
        connection.execute("select set_config('app.user_id', %s, true)", [person.id])
        yield connection


def is_late(database: TaskDatabase, alice: Person, phone: Device) -> None:
    """Somebody creates a task and commits after another who began later, if that one can; the
    phone asks in between."""
    with ThreadPoolExecutor(1) as pool:
        with transaction(database, alice) as late:
            late.execute(CREATE, [alice.id, "Late"])
            other: Future[Any] = pool.submit(alice.creates, "Other")
            with contextlib.suppress(TimeoutError):
                other.result(0.5)
            phone.syncs()
            late.commit()
        other.result()
    phone.syncs()


def test_a_task_of_a_late_writer_is_told(database: TaskDatabase, alice: Person) -> None:
    phone = Device(alice)
    phone.syncs()
    for _ in range(3):
        is_late(database, alice, phone)
        assert phone.is_in_step()
    assert len(phone.tasks) == 6
    assert len(phone.told) == 6


# How others number changes: what a device has seen is the greatest number that is committed.
NAIVE: Final[dict[str, LiteralString]] = {
    "a sequence": "create sequence numbers; grant usage on numbers to task_app;"
    " create function naive() returns trigger language plpgsql as $$"
    " begin new.seq := nextval('numbers'); return new; end $$;",
    "the clock": "create function naive() returns trigger language plpgsql as $$"
    " begin new.seq := extract(epoch from clock_timestamp()) * 1000000; return new; end $$;",
}


@pytest.mark.parametrize("number", NAIVE)
def test_with_another_number_it_would_be_lost(own_database: TaskDatabase, number: str) -> None:
    """The control: the schedule above finds it out."""
    with psycopg.connect(own_database.superuser, autocommit=True) as superuser:
        superuser.execute(NAIVE[number])
        superuser.execute(
            "drop trigger task_number on task; drop trigger task_hold on task;"
            " create trigger naive before insert on task for each row execute function naive()"
        )
        with people_of(own_database) as people:
            alice = people.person("alice")
            phone = Device(alice)
            phone.syncs()
            asks = phone.asks

            def after_the_greatest(**parameters: Any) -> Any:
                superuser.execute("update sync_head set seq = (select max(seq) from task)")
                return asks(**parameters)

            phone.asks = after_the_greatest  # type: ignore[method-assign]
            is_late(own_database, alice, phone)
            assert [task["title"] for task in phone.tasks.values()] == ["Other"]
            assert not phone.is_in_step()


def test_what_is_not_committed_is_not_told_and_nor_what_is_rolled_back(
    database: TaskDatabase, alice: Person
) -> None:
    task = alice.creates()["id"]
    phone = Device(alice)
    phone.syncs()
    token = phone.token
    with transaction(database, alice) as writer:
        writer.execute(CREATE, [alice.id, "Never"])
        writer.execute("update task set title = 'Never' where user_id = %s", [alice.id])
        writer.execute("delete from task where id = %s", [task])
        assert phone.syncs() == []
        writer.rollback()
    assert phone.syncs() == []
    assert phone.token == token
    other = alice.creates()["id"]
    assert phone.syncs() == [(other, 1)]


def test_nobody_waits_for_anybody_else(database: TaskDatabase, alice: Person, bob: Person) -> None:
    for person in (alice, bob):
        person.creates(completed=True)
    with ThreadPoolExecutor(1) as pool:
        lock = "select from sync_head where user_id = %s for update"
        with held(database.superuser, lock, alice.id) as waiting:
            hers = pool.submit(alice.creates)
            waiting(1)
            task = bob.creates()["id"]
            bob.http.patch(f"/api/tasks/{task}/complete").raise_for_status()
            assert bob.http.delete("/api/tasks?completed=true").json() == {"deleted": 2}
            assert len(Device(bob).syncs()) == 0
            assert len(Device(alice).syncs()) == 1  # who reads does not wait
            waiting(1)
        hers.result()


SEEDS: Final = range(4)


def writes(database: TaskDatabase, person: Person, seed: int, until: float) -> None:
    """Transactions of several changes, of which some are slow and some are rolled back."""
    chance = random.Random(seed)  # noqa: S311 - a schedule that can be run again
    with psycopg.connect(database.direct) as connection:
        while time.monotonic() < until:
            connection.execute("select set_config('app.user_id', %s, true)", [person.id])
            for _ in range(chance.randint(1, 3)):
                match chance.choice(["create", "create", "retitle", "delete", "clear", "wait"]):
                    case "create":
                        values = [person.id, f"{chance.random()}"]
                        connection.execute(CREATE, values)
                    case "retitle":
                        connection.execute(
                            "update task set title = %s, completed = not completed where id = ("
                            " select id from task order by random() limit 1)",
                            [f"{chance.random()}"],
                        )
                    case "delete":
                        connection.execute("delete from task where id = (select max(id) from task)")
                    case "clear":
                        connection.execute("delete from task where completed and id % 3 = 0")
                    case "wait":
                        time.sleep(chance.random() / 50)
            if chance.random() < 0.3:
                connection.rollback()
            else:
                connection.commit()


@pytest.mark.parametrize("seed", SEEDS)
def test_beside_writers_a_device_is_told_everything(
    database: TaskDatabase, alice: Person, seed: int
) -> None:
    devices = [Device(alice), Device(alice)]
    until = time.monotonic() + 1.5
    writers = [
        threading.Thread(target=writes, args=(database, alice, 10 * seed + n, until))
        for n in range(3)
    ]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        for limit, device in enumerate(devices, 1):
            device.turns(limit=3 * limit)
    for device in devices:
        for _ in range(2):  # a full listing that was begun, and what came after
            device.syncs()
        assert device.is_in_step()
        assert len(device.told) > 10
