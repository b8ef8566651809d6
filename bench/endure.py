"""Whether it stays what it is: a quarter of an hour at four fifths of what it can do."""

import argparse
import statistics
from collections.abc import Callable

import psycopg

from bench import contestants
from bench.clients import Figures, wrk
from bench.stage import Stage
from bench.table import table

MINUTES = 15
SHARE = 0.8
_CONNECTIONS = 100


def measure(on: Stage, options: argparse.Namespace) -> None:
    """Find the peak; then go on below it, and look at everything once a minute."""
    with contestants.running("task-api", on) as ours:

        def asked(seconds: int, pause: float = 0) -> Figures:
            return wrk(ours.address, "mix", on, _CONNECTIONS, seconds, pause)

        asked(2 * options.seconds)  # it has to have met everybody once
        peak = statistics.median(asked(options.seconds).rate for _ in range(options.rounds))
        pause = _pause(asked, SHARE * peak, options.seconds)
        rows = []
        for minute in range(1, MINUTES + 1):
            figures = asked(60, pause)
            rows.append(
                [
                    minute,
                    figures.rate,
                    figures.rate / peak,
                    *(figures.p50, figures.p95, figures.p99),
                    *ours.memory()[: contestants.WORKERS],
                    _backends(on),
                    figures.errors,
                ]
            )
    print(f"Peak: {peak:,.0f}/s. Pause of each connection: {pause:.1f} ms.\n")
    table(
        [
            *("minute", "rate", "of the peak", "p50, ms", "p95, ms", "p99, ms"),
            *("a worker, MiB", "the other, MiB", "connections to PostgreSQL", "errors"),
        ],
        rows,
    )


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
