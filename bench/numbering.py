"""`python -m bench numbering`: what the number of a change costs, in three designs.

Each is asked by pgbench as task_app, as a request asks: none; the number in the task, with an index
(what there is); and a table of changes beside the task, which has the numbers of deletions too.
"""

import argparse
import contextlib
import statistics
from typing import Final, LiteralString

import psycopg

from bench.clients import pgbench
from bench.stage import stage
from tests.cluster import Cluster

_NONE: Final[LiteralString] = """
    drop trigger task_hold on task; drop trigger task_number on task;
    drop trigger task_renumber on task; drop trigger task_bury on task;
    drop index task_user_id_seq_id; drop index task_user_id_uid"""
_BESIDE: Final[LiteralString] = """
    create table task_change (
        user_id text not null, task_id bigint not null, seq bigint not null,
        deleted boolean not null, primary key (user_id, task_id));
    create index on task_change (user_id, seq, task_id);
    alter table task_change enable row level security;
    create policy mine on task_change to task_app
        using (user_id = (select current_setting('app.user_id', true)));
    grant select, insert, update on task_change to task_app;
    create function task_changed() returns trigger language plpgsql
    set search_path = pg_catalog, pg_temp as $$
    declare
        changed public.task := coalesce(new, old);
        moved bigint;
    begin
        update public.sync_head set seq = seq + 1 where user_id = changed.user_id
            returning seq into moved;
        if not found then
            insert into public.sync_head (user_id) values (changed.user_id) on conflict do nothing;
            update public.sync_head set seq = seq + 1 where user_id = changed.user_id
                returning seq into moved;
        end if;
        insert into public.task_change values (changed.user_id, changed.id, moved, new is null)
        on conflict (user_id, task_id) do update
            set seq = excluded.seq, deleted = excluded.deleted;
        return null;
    end $$;
    drop trigger task_number on task; drop trigger task_renumber on task;
    drop trigger task_bury on task; drop index task_user_id_seq_id;
    create trigger task_changed after insert or update or delete on task
        for each row execute function task_changed()"""
DESIGNS: Final[dict[str, LiteralString]] = {
    "no number": _NONE,
    "a number in the task": "select",
    "a table of changes": _BESIDE,
}


def measure(server: Cluster, options: argparse.Namespace) -> None:
    """Print a table of transactions a second, the median of the rounds, in turn."""
    with contextlib.ExitStack() as stack:
        stages = {name: stack.enter_context(stage(server, 10_000, 20)) for name in DESIGNS}
        for name, on in stages.items():
            with psycopg.connect(on.database.superuser, autocommit=True) as superuser:
                superuser.execute(DESIGNS[name])
        print("| workload |", " | ".join(DESIGNS), "|", flush=True)
        print("|---" * (len(DESIGNS) + 1) + "|")
        for workload in ("create", "complete"):
            rates: dict[str, list[float]] = {name: [] for name in DESIGNS}
            for _ in range(options.rounds):
                for name, on in stages.items():
                    rates[name].append(pgbench(workload, on, options.seconds))
            medians = {name: statistics.median(rates[name]) for name in DESIGNS}
            most = medians[next(iter(DESIGNS))]
            cells = (f"{rate:,.0f} ({rate / most:.2f})" for rate in medians.values())
            print(f"| {workload} |", " | ".join(cells), "|", flush=True)
