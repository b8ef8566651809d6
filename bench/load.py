"""This program under load: alone beside PostgreSQL's own ceiling, and beside its peers."""

import argparse
import contextlib
import statistics
from collections import defaultdict

from bench import contestants
from bench.clients import WORKLOADS, Figures, pgbench, wrk
from bench.stage import Stage
from bench.table import table

WARM = 10  # seconds: most of the people have been seen by then, and connections opened


def alone(on: Stage, options: argparse.Namespace) -> None:
    """This program alone, beside the ceiling of the same transaction."""
    rows = []
    with contestants.running("task-api", on) as ours:
        wrk(ours.address, "mix", on, 100, WARM)
        for workload in WORKLOADS:
            runs, ceilings = [], []
            for _ in range(options.rounds):
                runs.append(wrk(ours.address, workload, on, 100, options.seconds))
                ceilings.append(pgbench(workload, on, options.seconds))
            figures, ceiling = _middle(runs), statistics.median(ceilings)
            share = f"{figures.rate / ceiling:.0%}"
            rows.append([f"{workload}, 100 connections", *_columns(figures), ceiling, share])
        crowd = [wrk(ours.address, "mix", on, 1000, options.seconds) for _ in range(options.rounds)]
        rows.append(["mix, 1,000 connections", *_columns(_middle(crowd)), "", ""])
    table(
        ["workload", "requests/s", "p50 ms", "p95 ms", "p99 ms", "errors", "pgbench/s", "share"],
        rows,
    )


def peers(on: Stage, options: argparse.Namespace) -> None:
    """This program, and the others, taking turns."""
    names = list(contestants.COMMANDS)
    runs: defaultdict[tuple[str, str], list[Figures]] = defaultdict(list)
    cases = [(workload, 100) for workload in WORKLOADS] + [("mix", 1000)]
    with contextlib.ExitStack() as running:
        all_of_them = [running.enter_context(contestants.running(name, on)) for name in names]
        answers = [contestants.asked(contestant, on)[0] for contestant in all_of_them]
        if any(_without_moments(answer) != _without_moments(answers[0]) for answer in answers):
            raise SystemExit("they do not answer alike")
        for contestant in all_of_them:
            wrk(contestant.address, "mix", on, 100, WARM)
        for workload, connections in cases:
            for _ in range(options.rounds):
                for contestant in all_of_them:
                    runs[f"{workload}, {connections}", contestant.name].append(
                        wrk(contestant.address, workload, on, connections, options.seconds)
                    )
    rows = []
    for workload, connections in cases:
        case = f"{workload}, {connections}"
        figures = {name: _middle(runs[case, name]) for name in names}
        ours = figures["task-api"]
        for name in names:
            ratio = f"{ours.rate / figures[name].rate:.2f}"
            rows.append([case, name, *_columns(figures[name]), ratio])
    table(
        [
            *("workload, connections", "who", "requests/s", "p50 ms", "p95 ms", "p99 ms", "errors"),
            "task-api is x times that",
        ],
        rows,
    )


def _without_moments(tasks: list[dict[str, object]]) -> list[dict[str, object]]:
    """The tasks; of their moments, which each writes in its own form, only whether there are."""
    moments = ("completed_at", "created_at", "updated_at")
    return [task | {name: task[name] is None for name in moments} for task in tasks]


def _columns(figures: Figures) -> list[object]:
    return [figures.rate, figures.p50, figures.p95, figures.p99, figures.errors]


def _middle(runs: list[Figures]) -> Figures:
    """The run of the median rate, with the errors of all."""
    ranked = sorted(runs, key=lambda run: run.rate)
    chosen = ranked[len(ranked) // 2]
    return Figures(**vars(chosen) | {"errors": sum(run.errors for run in runs)})
