"""Whoever runs the server under nohup may log out: what ignores hangups goes on ignoring them."""

import os
import signal
import time
from pathlib import Path

import httpx2
import pytest

from tests.cluster import TaskDatabase
from tests.commands.test_dev import address_of, folder, postgres_in
from tests.commands.test_serve import port_of, settings_for
from tests.forked import Outcome
from tests.people import SECRET, signed
from tests.program import TASK_API, Running, running

__all__ = ["folder"]  # the fixture

ALICE = {"Authorization": f"Bearer {signed({'sub': 'alice-who-hangs-up'})}"}
SETTLED = 1.0  # seconds in which a hangup has its effect


def creates_a_task(address: str) -> int:
    answer = httpx2.post(f"{address}/api/tasks", headers=ALICE, json={"title": "Buy milk"})
    return answer.status_code


def hangs_up(run: Running) -> None:
    """The terminal is closed: all that it had started are told."""
    os.killpg(run.process.pid, signal.SIGHUP)
    time.sleep(SETTLED)


def test_dev_and_its_postgresql_survive_a_hangup_that_is_ignored(folder: Path) -> None:
    settings = {"PORT": "0", "BETTER_AUTH_SECRET": SECRET}
    with running("nohup", TASK_API, "dev", folder=folder, program="setsid", **settings) as dev:
        while not (folder / ".data/postgres/base").exists():  # initdb is at work
            assert dev.process.poll() is None, dev.err
        os.killpg(dev.process.pid, signal.SIGHUP)
        address, before = address_of(dev), postgres_in(folder)
        assert before is not None
        hangs_up(dev)
        assert creates_a_task(address) == 201
        assert postgres_in(folder) == before
        assert dev.stops(signal.SIGTERM).code == 0


def test_dev_stops_at_a_hangup_that_is_not_ignored(folder: Path) -> None:
    settings = {"PORT": "0", "BETTER_AUTH_SECRET": SECRET}
    with running(TASK_API, "dev", folder=folder, program="setsid", **settings) as dev:
        address_of(dev)
        os.killpg(dev.process.pid, signal.SIGHUP)
        assert dev.process.wait(20) == 0, dev.err
    assert postgres_in(folder) is None


@pytest.mark.parametrize("workers", ["1", "2"])
def test_serve_survives_a_hangup_that_is_ignored(database: TaskDatabase, workers: str) -> None:
    command = ("nohup", TASK_API, "serve", "--port", "0", "--workers", workers)
    with running(*command, program="setsid", **settings_for(database)) as serve:
        address = f"http://127.0.0.1:{port_of(serve)}"
        hangs_up(serve)
        assert creates_a_task(address) == 201
        assert serve.stops(signal.SIGTERM).code == 0


def test_two_workers_stop_at_a_hangup_that_is_not_ignored(database: TaskDatabase) -> None:
    command = (TASK_API, "serve", "--port", "0", "--workers", "2")
    with running(*command, program="setsid", **settings_for(database)) as serve:
        port_of(serve)
        outcome: Outcome = serve.stops(signal.SIGHUP)
    assert outcome.code == 0, outcome


def test_what_ignores_ctrl_c_can_be_stopped_at_any_time(folder: Path) -> None:
    """As what a script puts in the background ignores it: SIGTERM stops it, also as it starts."""
    script = f"{TASK_API} dev & echo $! >pid; wait $!"
    settings = {"PORT": "0", "BETTER_AUTH_SECRET": SECRET}
    with running("-c", script, folder=folder, program="sh", **settings) as shell:
        while postgres_in(folder) is None:
            assert shell.process.poll() is None, shell.err
        os.kill(int((folder / "pid").read_text()), signal.SIGTERM)
        assert shell.process.wait(20) == 0, shell.err
        assert "Ctrl-C stops it" not in shell.out, "it was not stopped as it started"
    assert postgres_in(folder) is None
