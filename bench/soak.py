"""What it costs to start, and what a worker holds after a million requests."""

import argparse
import statistics
import time

from bench import contestants
from bench.clients import wrk
from bench.stage import Stage
from bench.table import table

STARTS = 5
REQUESTS = 1_000_000


def measure(on: Stage, options: argparse.Namespace) -> None:
    """Start it some times; then let a hundred connections ask until it is a million."""
    starts = []
    for _ in range(STARTS):
        begun = time.monotonic()
        with contestants.running("task-api", on):
            starts.append(time.monotonic() - begun)
    table(
        ["start to first answer, median of", "seconds", "longest"],
        [[STARTS, statistics.median(starts), max(starts)]],
    )
    rows, asked, errors = [], 0, 0
    with contestants.running("task-api", on) as ours:
        while True:
            rows.append([f"{asked:,}", *ours.memory()[: contestants.WORKERS], errors])
            if asked >= REQUESTS:
                break
            figures = wrk(ours.address, "mix", on, 100, 4 * options.seconds)
            asked, errors = asked + figures.requests, errors + figures.errors
    table(["requests", "a worker, MiB", "the other, MiB", "errors"], rows)
