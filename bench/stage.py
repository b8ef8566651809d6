"""The stage: one PostgreSQL, people with tasks, and a token for everybody."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from api.auth.authenticator import issue_token
from api.commands.embedded import postgres
from api.settings import AuthSettings
from tests.cluster import Cluster, TaskDatabase

SECRET: Final = "a secret of the benchmark, longer than 32 bytes"

_TASKS: Final = """
    insert into task (id, user_id, title, description, completed, priority,
                      tags, tag_keys, due_date, due_time)
    overriding system value
    select n, 'user-' || (n - 1) / %(tasks)s + 1, 'Buy ' || n || ' things',
           case when n %% 3 = 0 then 'as on the list, and some bread' end, n %% 2 = 0,
           nullif(n %% 4, 0), tags, tags, due, case when n %% 8 = 0 then time '18:30' end
      from generate_series(1, %(rows)s::bigint) as n
     cross join lateral (
           select case when n %% 3 = 1 then array['home', 'shop'] else '{}' end as tags,
                  case when n %% 2 = 0 then date '2026-12-01' + cast(n %% 90 as int) end as due
           ) as members
"""


@dataclass(frozen=True)
class Stage:
    """A database in which `people` have `tasks` each, and the file that wrk reads them from."""

    database: TaskDatabase
    people: int
    tasks: int
    crowd: Path


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL with its defaults, its data on the disk."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o755)  # the server is somebody else when we are root
        with postgres(Path(folder) / "postgres") as url:
            yield Cluster(url)


@contextlib.contextmanager
def stage(server: Cluster, people: int, tasks: int, askers: int = 10_000) -> Iterator[Stage]:
    """A migrated database. Of the people, evenly chosen `askers` are those who will ask.

    `user-7` has the tasks 7 * tasks - tasks + 1 .. 7 * tasks.
    """
    with server.database() as database, tempfile.NamedTemporaryFile("w") as crowd:
        with psycopg.connect(database.superuser, autocommit=True) as connection:
            connection.execute(
                _TASKS,
                {"tasks": tasks, "rows": people * tasks},
            )
            connection.execute(
                "select setval(pg_get_serial_sequence('task', 'id'), %s)", [people * tasks]
            )
            connection.execute("vacuum (analyze, freeze) task")
            connection.execute("checkpoint")
        settings = AuthSettings(better_auth_secret=SECRET)
        for number in range(1, people + 1, max(people // askers, 1)):
            last = number * tasks
            token = issue_token(settings, f"user-{number}")
            print(token, last - tasks + 1, last, file=crowd)
        crowd.flush()
        yield Stage(database, people, tasks, Path(crowd.name))
