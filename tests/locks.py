"""Database locks that a test holds, so that requests meet in the middle of their transactions."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import LiteralString

import psycopg

Waiting = Callable[[int], list[int]]


@contextlib.contextmanager
def held(url: str, sql: LiteralString, *values: object) -> Iterator[Waiting]:
    """Hold what this statement locks, until the block ends.

    Yields a function that returns once so many requests wait: the server processes they are in.
    """
    with psycopg.connect(url) as connection:
        connection.execute(sql, values)

        def waiting(number: int) -> list[int]:
            deadline = time.monotonic() + 1.5  # task_app waits for 2 s
            while True:
                connection.execute("select pg_stat_clear_snapshot()")
                found = connection.execute(
                    "select pid from pg_stat_activity where usename = 'task_app'"
                    " and datname = current_database() and wait_event_type = 'Lock'"
                ).fetchall()
                if len(found) == number:
                    return [pid for (pid,) in found]
                assert time.monotonic() < deadline, f"{len(found)} wait, not {number}"
                time.sleep(0.01)

        yield waiting
        connection.rollback()
