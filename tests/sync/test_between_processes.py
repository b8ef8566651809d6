"""Alice's devices are connected to different processes: LISTEN and NOTIFY, Redis, or nothing."""

import contextlib
import re
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from api.sync.notify import COALESCE
from tests.cluster import Cluster, TaskDatabase
from tests.people import SECRET, People, Person
from tests.pgbouncer import pgbouncer
from tests.program import Running, running
from tests.redis import Redis, redis
from tests.streams import Device, watching

HEARD = "changes of other processes are heard"


def listening(url: str) -> list[int]:
    """The processes of PostgreSQL on which somebody listens."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "select pid from pg_stat_activity where query like 'LISTEN %'"
            " and datname = current_database()"
        )
        return [pid for (pid,) in rows]


def soon(condition: Callable[[], object], within: float = 10) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def address_of(serve: Running) -> str:
    found = re.search(r"port (\d+)", serve.says("port"))
    assert found
    return f"http://127.0.0.1:{found[1]}"


@contextlib.contextmanager
def processes(
    database: TaskDatabase, *options: str, times: int = 2, **settings: Any
) -> Iterator[list[tuple[Running, People]]]:
    given = {"DATABASE_URL": database.task_app, "BETTER_AUTH_SECRET": SECRET} | settings
    with contextlib.ExitStack() as stack:
        serves = [
            stack.enter_context(running("serve", "--port", "0", *options, **given))
            for _ in range(times)
        ]
        yield [(serve, stack.enter_context(People(address_of(serve)))) for serve in serves]


def elsewhere(person: Person, people: People) -> Person:
    """The same person, at another process."""
    there = people.person("same")
    there.id = person.id
    there.http.headers["Authorization"] = person.http.headers["Authorization"]
    return there


def hears(serve: Running, times: int = 1) -> None:
    soon(lambda: serve.err.count(HEARD) >= times)


def test_without_a_channel_each_process_tells_its_own_streams_only(
    own_database: TaskDatabase,
) -> None:
    with processes(own_database) as [(_, here), (_, there)]:
        alice = here.person("alice")
        with watching(alice) as [device]:
            elsewhere(alice, there).creates()
            assert device.is_told_nothing()
            alice.creates()
            device.is_told()


def test_alices_other_device_is_told_by_listen_and_bob_is_not(own_database: TaskDatabase) -> None:
    direct = {"LISTEN_DATABASE_URL": own_database.direct}
    with processes(own_database, **direct) as [(one, here), (_, there)]:
        alice, bob = here.person("alice"), here.person("bob")
        assert listening(own_database.superuser) == []  # nobody watches
        with watching(alice) as [hers], watching(bob) as [his]:
            hears(one)
            assert len(listening(own_database.superuser)) == 1  # there nobody does
            elsewhere(alice, there).creates()
            hers.is_told(2)
            assert his.is_told_nothing()
        soon(lambda: listening(own_database.superuser) == [])


def test_whoever_listens_learns_nothing_of_alice(own_database: TaskDatabase) -> None:
    """A role with no privilege hears each NOTIFY: digests, and nobody knows whose they are."""
    with psycopg.connect(own_database.superuser, autocommit=True) as superuser:
        superuser.execute("create role mallory login nosuperuser")
    try:
        direct = {"LISTEN_DATABASE_URL": own_database.direct}
        with (
            processes(own_database, times=1, **direct) as [(_, people)],
            psycopg.connect(own_database.of("mallory"), autocommit=True) as mallory,
        ):
            mallory.execute("listen task_api_changed")
            alice, bob = people.person("alice"), people.person("bob")
            for person in (alice, bob, alice):
                person.creates("A secret")
                time.sleep(0.2)
            heard = [said.payload for said in mallory.notifies(timeout=1, stop_after=3)]
        assert all(re.fullmatch(r"[0-9a-f]{8}\.[\w-]{22}", payload) for payload in heard), heard
        first, other, again = (payload[9:] for payload in heard)
        assert first == again != other
        assert not any(word in " ".join(heard) for word in (alice.id, bob.id, "secret"))
    finally:
        with psycopg.connect(own_database.superuser, autocommit=True) as superuser:
            superuser.execute("drop role mallory")


def test_another_deployment_on_the_database_understands_nothing(
    own_database: TaskDatabase,
) -> None:
    direct = {"LISTEN_DATABASE_URL": own_database.direct}
    other = SECRET[::-1]
    with (
        processes(own_database, times=1, **direct) as [(one, here)],
        processes(own_database, times=1, BETTER_AUTH_SECRET=other, **direct) as [(_, there)],
    ):
        alice = here.person("alice")
        with watching(alice) as [device]:
            hears(one)
            stranger = elsewhere(alice, there)
            assert stranger.http.get("/api/tasks").status_code == 401
            there.person("bob")
            assert device.is_told_nothing()


def test_what_a_stranger_notifies_harms_nobody(own_database: TaskDatabase) -> None:
    direct = {"LISTEN_DATABASE_URL": own_database.direct}
    with processes(own_database, **direct) as [(one, here), (_, there)]:
        alice = here.person("alice")
        with watching(alice) as [device]:
            hears(one)
            with psycopg.connect(own_database.superuser, autocommit=True) as stranger:
                for payload in ("", "*", "x" * 7999, "0" * 8, f"00000000.{'A' * 22}", "é" * 22):
                    stranger.execute("select pg_notify('task_api_changed', %s)", [payload])
            assert device.is_told_nothing()
            elsewhere(alice, there).creates()
            device.is_told()
        assert "Traceback" not in one.err


def test_a_notify_that_is_sent_again_tells_alice_nothing(own_database: TaskDatabase) -> None:
    direct = {"LISTEN_DATABASE_URL": own_database.direct}
    with processes(own_database, **direct) as [(one, here), (_, there)]:
        alice = here.person("alice")
        with (
            watching(alice) as [device],
            psycopg.connect(own_database.superuser, autocommit=True) as stranger,
        ):
            hears(one)
            stranger.execute("listen task_api_changed")
            elsewhere(alice, there).creates()
            device.is_told()
            (said,) = stranger.notifies(timeout=5, stop_after=1)
            for _ in range(50):
                stranger.execute("select pg_notify('task_api_changed', %s)", [said.payload])
            assert device.is_told_nothing()


def test_notify_goes_through_a_pooler(own_database: TaskDatabase, own_cluster: Cluster) -> None:
    with pgbouncer(own_database.superuser) as pooled:
        given = {"DATABASE_URL": pooled, "LISTEN_DATABASE_URL": own_database.direct}
        with processes(own_database, **given) as [(one, here), (_, there)]:
            alice = here.person("alice")
            with watching(alice) as [device]:
                hears(one)
                elsewhere(alice, there).creates()
                device.is_told(2)


def test_when_the_connection_breaks_it_is_dialled_again_and_all_are_woken(
    own_database: TaskDatabase,
) -> None:
    direct = {"LISTEN_DATABASE_URL": own_database.direct}
    with processes(own_database, **direct) as [(one, here), (_, there)]:
        alice, bob = here.person("alice"), here.person("bob")
        with (
            watching(alice, times=2) as hers,
            watching(bob) as [his],
            psycopg.connect(own_database.superuser, autocommit=True) as superuser,
        ):
            hears(one)
            (pid,) = listening(own_database.superuser)
            superuser.execute("select pg_terminate_backend(%s, 5000)", [pid])
            elsewhere(alice, there).creates()  # which nobody hears
            for device in hers:
                device.is_told()
            assert his.is_told_nothing()
            hears(one, 2)
            elsewhere(alice, there).creates()
            for device in hers:
                device.is_told(2)
        assert "Traceback" not in one.err


def test_streams_are_there_while_nobody_can_listen(own_database: TaskDatabase) -> None:
    nowhere = {"LISTEN_DATABASE_URL": "postgresql://task_app@127.0.0.1:1/nowhere"}
    with processes(own_database, times=1, **nowhere) as [(serve, people)]:
        alice = people.person("alice")
        with watching(alice) as [device]:
            soon(lambda: "are not heard" in serve.err)
            alice.creates()
            device.is_told()


def test_changes_of_a_moment_are_told_together_after_their_commits(
    own_database: TaskDatabase,
) -> None:
    """NOTIFY takes one lock for all that commit with it: so no transaction of a write does."""
    direct = {"LISTEN_DATABASE_URL": own_database.direct}
    with (
        processes(own_database, times=1, **direct) as [(_, people)],
        psycopg.connect(own_database.superuser, autocommit=True) as listener,
    ):
        listener.execute("listen task_api_changed")
        alice = people.person("alice")
        begun = time.monotonic()
        for _ in range(50):
            alice.creates()
        took = time.monotonic() - begun
        heard = len([*listener.notifies(timeout=1)])
        assert 1 <= heard <= took / COALESCE + 2


@pytest.fixture
def shared() -> Iterator[Redis]:
    with redis() as there:
        yield there


def test_alices_other_device_is_told_through_redis(
    own_database: TaskDatabase, shared: Redis
) -> None:
    with processes(own_database, RATE_LIMIT_STORAGE=shared.url) as [(one, here), (_, there)]:
        alice, bob = here.person("alice"), here.person("bob")
        with watching(alice) as [hers], watching(bob) as [his]:
            hears(one)
            elsewhere(alice, there).creates()
            hers.is_told(2)
            assert his.is_told_nothing()
            shared.goes()
            soon(lambda: "are not heard" in one.err)
            elsewhere(alice, there).creates()
            shared.comes()
            hers.is_told()
            hears(one, 2)
            elsewhere(alice, there).creates()
            hers.is_told(2)
            assert his.is_told_nothing()
        assert "Traceback" not in one.err


def test_workers_tell_each_other(own_database: TaskDatabase) -> None:
    direct = {"LISTEN_DATABASE_URL": own_database.direct}
    with processes(own_database, "--workers", "3", times=1, **direct) as [(serve, people)]:
        alice = people.person("alice")
        with watching(alice, times=9) as devices:
            time.sleep(1)  # each of the processes that have some listens
            for _ in range(3):
                with contextlib.closing(elsewhere(alice, people).http) as new:
                    assert new.post("/api/tasks", json={"title": "Buy milk"}).is_success
                for device in devices:
                    device.is_told(2)
        serve.stops(signal.SIGTERM)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_ends_all_streams_at_once(own_database: TaskDatabase, workers: str) -> None:
    direct = {"LISTEN_DATABASE_URL": own_database.direct}
    with processes(own_database, "--workers", workers, times=1, **direct) as [(serve, people)]:
        everybody = [people.person("alice") for _ in range(5)]
        with contextlib.ExitStack() as stack:
            devices: list[Device] = []
            for person in everybody:
                devices += stack.enter_context(watching(person, times=4))
            begun = time.monotonic()
            serve.process.send_signal(signal.SIGTERM)
            for device in devices:
                assert device.ends() < 2
                assert device.rest() == b""
            assert time.monotonic() - begun < 3
            assert serve.process.wait(5) == 0
        assert serve.err.count("the server stops") == 20
        assert "Traceback" not in serve.err
        assert "Cancel" not in serve.err


def test_the_last_change_of_a_process_that_stops_is_told(own_database: TaskDatabase) -> None:
    direct = {"LISTEN_DATABASE_URL": own_database.direct}
    with processes(own_database, **direct) as [(one, here), (other, there)]:
        alice = here.person("alice")
        with watching(alice) as [device]:
            hears(one)
            elsewhere(alice, there).creates()
            other.process.send_signal(signal.SIGTERM)
            device.is_told(3)
