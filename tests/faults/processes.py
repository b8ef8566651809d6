"""`task-api serve` as a program of its own, on a PostgreSQL that a test breaks."""

import contextlib
import re
from collections.abc import Iterator

from tests.faults.cluster import Postgres
from tests.people import SECRET, People
from tests.program import Running, running


@contextlib.contextmanager
def served(postgres: Postgres, *options: str, **settings: str) -> Iterator[tuple[Running, People]]:
    """`task-api serve` with these options and settings, and its people."""
    everything = settings_for(postgres, **settings)
    with (
        running("serve", "--port", "0", *options, **everything) as serve,
        People(f"http://127.0.0.1:{port_of(serve)}") as people,
    ):
        yield serve, people


def settings_for(postgres: Postgres, **others: str) -> dict[str, str]:
    return {
        "DATABASE_URL": postgres.database.task_app,
        "BETTER_AUTH_SECRET": SECRET,
    } | others


def port_of(serve: Running) -> int:
    found = re.search(r"port (\d+)", serve.says("port"))
    assert found
    return int(found[1])
