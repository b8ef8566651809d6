"""A process serves when it has said so, and not because its end of the pipe was closed."""

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

import pytest

from api.serving import workers
from api.serving.server import CannotStart, Config
from api.serving.workers import _Worker
from api.settings import Settings
from tests.people import SECRET


def closes_and_lingers(_: object, __: object, supervisor: Connection) -> None:
    supervisor.close()
    time.sleep(2)


def dies_without_a_word(_: object, __: object, supervisor: Connection) -> None:
    os._exit(3)


def says_why(_: object, __: object, supervisor: Connection) -> None:
    supervisor.send("ALL_PROXY is no URL of a proxy")
    time.sleep(2)


def serves(_: object, __: object, supervisor: Connection) -> None:
    supervisor.send(None)
    time.sleep(2)


def serves_and_dies(_: object, __: object, supervisor: Connection) -> None:
    supervisor.send(None)


@contextlib.contextmanager
def worker(monkeypatch: pytest.MonkeyPatch, does: Any) -> Iterator[_Worker]:
    """A process that does this in place of serving."""
    monkeypatch.setattr(workers, "_serve", does)
    monkeypatch.setattr(workers, "RESTART_INTERVAL", 60.0)
    with socket.create_server(("127.0.0.1", 0)) as address:
        settings = Settings(database_url="postgresql://", better_auth_secret=SECRET)
        one = _Worker(Config("nothing", settings), address)
        try:
            yield one
        finally:
            one.kill()


def waits(one: _Worker) -> None:
    woken, waker = socket.socketpair()
    with woken, waker:
        one.wait_until_serving(woken)


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        (closes_and_lingers, "it has said why"),
        (dies_without_a_word, "it has said why"),
        (says_why, "ALL_PROXY is no URL of a proxy"),
    ],
)
def test_one_that_cannot_start_is_not_taken_for_one_that_serves(
    monkeypatch: pytest.MonkeyPatch, does: Any, reason: str
) -> None:
    with worker(monkeypatch, does) as one:
        with pytest.raises(CannotStart, match=reason):
            waits(one)
        assert not one.may_be_replaced(), "not before its time"


@pytest.mark.parametrize("does", [serves, serves_and_dies])
def test_one_that_serves_has_said_so(monkeypatch: pytest.MonkeyPatch, does: Any) -> None:
    with worker(monkeypatch, does) as one:
        waits(one)
        assert one.may_be_replaced(), "at once, for it has served"


def test_whoever_is_woken_waits_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    with worker(monkeypatch, closes_and_lingers) as one:
        woken, waker = socket.socketpair()
        with woken, waker:
            waker.send(b"\x0f")
            one.wait_until_serving(woken)
