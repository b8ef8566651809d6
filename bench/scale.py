"""Cost that does not grow: a hundred times the rows, five hundred times the tasks of one person."""

import argparse
import contextlib
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from api.database.keyset import Start
from api.database.statement import Statement
from api.tasks import queries
from api.tasks.schemas import Sort, TaskCreate
from bench import contestants
from bench.clients import wrk
from bench.stage import Stage, stage
from bench.table import table
from tests.cluster import Cluster
from tests.plans import plan

_NEW: Final = TaskCreate(title="Buy milk").model_dump()
_DONE: Final = {"completed": True}


def measure(server: Cluster, options: argparse.Namespace) -> None:
    """Rates on each stage, taking turns, and what each statement reads."""
    with contextlib.ExitStack() as stack:
        small = stack.enter_context(stage(server, 5_000, 20))
        large = stack.enter_context(stage(server, 500_000, 20))
        busy = stack.enter_context(stage(server, 100, 10_000))
        stages = {
            "100,000 rows, 20 each": small,
            "10,000,000 rows, 20 each": large,
            "1,000,000 rows, 10,000 each": busy,
        }
        rows = [
            [name, case, reads, removed]
            for name, on in stages.items()
            for case, reads, removed in _explained(on)
        ]
        table(["stage", "statement", "pages touched", "rows removed by a filter"], rows)
        servers = {
            name: stack.enter_context(contestants.running("task-api", on))
            for name, on in stages.items()
        }
        for workload in ("list", "get", "complete", "create"):
            rates: dict[str, list[float]] = {name: [] for name in stages}
            for name, ours in servers.items():
                wrk(ours.address, workload, stages[name], 100, 2)
            for _ in range(options.rounds):
                for name, ours in servers.items():
                    figures = wrk(ours.address, workload, stages[name], 100, options.seconds)
                    if figures.errors:
                        raise SystemExit(f"{figures.errors} errors: {workload} on {name}")
                    rates[name].append(figures.rate)
            first = statistics.median(next(iter(rates.values())))
            table(
                [workload, "requests/s", "time per request, first row = 1"],
                [
                    [name, statistics.median(of), f"{first / statistics.median(of):.2f}"]
                    for name, of in rates.items()
                ],
            )


def _explained(on: Stage) -> Iterator[tuple[str, int, int]]:
    """Each statement of somebody in the middle: pages touched, rows fetched in vain."""
    person = f"user-{on.people // 2}"
    task = on.people // 2 * on.tasks
    page = {"limit": 20, "offset": 0}
    here = {"at": datetime.now(UTC), "at_id": task}
    this = {"id": task, "versions": None}
    cases: dict[str, tuple[Statement, dict[str, Any]]] = {
        "list": (_list(), page),
        "list, completed": (_list("completed"), page | _DONE),
        "list, after a cursor": (_list(start="after"), page | here),
        "list, by title": (_list(sort=Sort.TITLE), page),
        "list, with a word": (_list("words"), page | {"words": ["%bread%"]}),
        "get": (queries.GET, {"id": task}),
        "complete": (queries.COMPLETE, this | _DONE),
        "create": (queries.CREATE, _NEW),
        "delete": (queries.DELETE, this),
    }
    for name, (statement, values) in cases.items():
        found = plan(on.database.task_app, person, statement, values)
        yield name, found.pages, found.removed


def _list(*filters: str, sort: Sort = Sort.NEWEST, start: Start = "top") -> Statement:
    return queries.tasks(sort, frozenset(filters), start)
