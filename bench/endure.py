"""Whether it stays what it is: a quarter of an hour at four fifths of what it can do.

Every other minute a greedy user is there as well, whose searches never end: they find nothing in
ten million characters that look like what is sought.
"""

import argparse
import contextlib
import statistics
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg

from api.auth.authenticator import issue_token
from api.settings import AuthSettings
from bench import contestants
from bench.clients import Figures, wrk
from bench.stage import SECRET, Stage
from bench.table import table

MINUTES = 15
SHARE = 0.8
_CONNECTIONS = 100
_SEARCHES = 10  # of the greedy user, at any time


def measure(on: Stage, options: argparse.Namespace) -> None:
    """Find the peak; then go on below it, and look at everything once a minute."""
    with (
        contestants.running("task-api", on) as ours,
        _greedy(on) as greedy,
        ThreadPoolExecutor(1) as beside,
    ):

        def asked(seconds: int, pause: float = 0) -> Figures:
            return wrk(ours.address, "mix", on, _CONNECTIONS, seconds, pause)

        asked(2 * options.seconds)  # it has to have met everybody once
        peak = statistics.median(asked(options.seconds).rate for _ in range(options.rounds))
        pause = _pause(asked, SHARE * peak, options.seconds)
        rows = []
        crowd: dict[bool, list[float]] = {False: [], True: []}  # p95, with and without the greedy
        for minute in range(1, MINUTES + 1):
            is_there = minute % 2 == 0
            if is_there:
                searching = beside.submit(wrk, ours.address, "search", greedy, _SEARCHES, 60)
            figures = asked(60, pause)
            refused, requests = (0, 0)
            if is_there:
                greedy_figures = searching.result()
                refused, requests = greedy_figures.errors, greedy_figures.requests
            crowd[is_there].append(figures.p95)
            rows.append(
                [
                    minute,
                    (requests - refused) / 60,
                    refused / 60,
                    figures.rate,
                    figures.rate / peak,
                    *(figures.p50, figures.p95, figures.p99),
                    *ours.memory()[: contestants.WORKERS],
                    _backends(on),
                    figures.errors,
                ]
            )
    alone, beside_greedy = (statistics.median(crowd[is_there]) for is_there in (False, True))
    print(f"Peak: {peak:,.0f}/s. Pause of each connection: {pause:.1f} ms.")
    print(
        f"The crowd's p95, median: {alone:.1f} ms alone, {beside_greedy:.1f} ms beside the greedy "
        f"user: {beside_greedy / alone:.2f} times.\n"
    )
    table(
        [
            *(
                "minute",
                "searches",
                "refused",
                "rate",
                "of the peak",
                "p50, ms",
                "p95, ms",
                "p99, ms",
            ),
            *("a worker, MiB", "the other, MiB", "connections to PostgreSQL", "errors"),
        ],
        rows,
    )


@contextlib.contextmanager
def _greedy(on: Stage) -> Iterator[Stage]:
    """The same database, where only one user asks, who has 1,000 tasks of 10,000 characters."""
    with psycopg.connect(on.database.superuser, autocommit=True) as connection:
        connection.execute(
            "insert into task (user_id, title, description)"
            " select 'greedy', 'Buy ' || n || ' things', repeat('a', 10000)"
            "   from generate_series(1, 1000) as n"
        )
        connection.execute("vacuum analyze task")
    with tempfile.NamedTemporaryFile("w") as crowd:
        print(issue_token(AuthSettings(better_auth_secret=SECRET), "greedy"), 1, 1, file=crowd)
        crowd.flush()
        yield replace(on, crowd=Path(crowd.name))


def _pause(asked: Callable[[int, float], Figures], rate: float, seconds: int) -> float:
    """Milliseconds between an answer and the next request of a connection, for this rate."""
    pause = 1000 * _CONNECTIONS / rate / 2
    for _ in range(4):
        figures = asked(seconds, pause)
        pause += 1000 * (_CONNECTIONS / rate - _CONNECTIONS / figures.rate)
        pause = max(pause, 1)
    return pause


def _backends(on: Stage) -> int:
    with psycopg.connect(on.database.superuser) as connection:
        row = connection.execute(
            "select count(*) from pg_stat_activity where usename = 'task_app'"
        ).fetchone()
    return int(row[0]) if row else 0
