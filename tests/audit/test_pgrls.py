"""Somebody else's opinion: pgrls reads the migrated database, lints it and proves its policies.

What it may not complain of is in pgrls.toml, each with its reason.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg
import pytest

from tests.cluster import OWNER, TaskDatabase
from tests.isolation.guarded import NAMES
from tests.program import environment

CONFIG: Final = Path(__file__).with_name("pgrls.toml")
ALLOWED: Final[dict[str, list[str]]] = {
    rule: options["allowlist"]
    for rule, options in tomllib.loads(CONFIG.read_text())["lint"]["rules"].items()
    if "allowlist" in options
}
READS, WRITES, NOBODY = "cross-tenant", "write", "anon"
TABLES: Final = set(NAMES)
ME: Final = "(select current_setting('app.user_id', true))"

# The commands that each mode looks at.
COMMANDS: Final = {
    READS: {"select"},
    WRITES: {"insert", "update", "delete"},
    NOBODY: {"select"},
}
# They are the owner's, and about everybody's rows: all that is left unproven.
SWEEPS: Final = {
    *("idempotency_key_sweep_select", "idempotency_key_sweep_delete"),
    *("task_tombstone_sweep_select", "task_tombstone_sweep_delete"),
    *("sync_head_sweep_select", "sync_head_sweep_update"),
}

# What lets somebody through, the proof that fails of it, how, and the rule that is broken.
LEAKS: Final[dict[str, tuple[LiteralString, str, str, str]]] = {
    "everybody reads what is done": (
        f"alter policy task_select on task using (completed or user_id = {ME})",
        READS,
        "leak",
        "PERF003",
    ),
    "nobody reads everything": (
        f"alter policy task_select on task using (user_id = {ME} or {ME} is null)",
        NOBODY,
        "leak",
        "SEC004",
    ),
    "a task may be given away": (
        "alter policy task_update on task with check (true)",
        WRITES,
        "leak",
        "SEC020",
    ),
    "a task may be made for anybody": (
        "alter policy task_insert on task with check (true)",
        WRITES,
        "unverified",
        "SEC028",
    ),
    "everybody reads what is being answered": (
        f"alter policy idempotency_key_select on idempotency_key"
        f" using (body is null or user_id = {ME})",
        READS,
        "leak",
        "PERF003",
    ),
    "an answer may be put under another's key": (
        "alter policy idempotency_key_update on idempotency_key with check (true)",
        WRITES,
        "leak",
        "SEC020",
    ),
    "a key may be used up for anybody": (
        "alter policy idempotency_key_insert on idempotency_key with check (true)",
        WRITES,
        "unverified",
        "SEC028",
    ),
}


def pgrls(command: str, database: TaskDatabase, *options: str | Path) -> tuple[int, dict[str, Any]]:
    """How `pgrls` ends when the owner runs it, and what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "pgrls", command, "--format", "json", *options],
        cwd="/",
        env=environment(DATABASE_URL=database.owner),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode in (0, 1), done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, said


def complaints(said: dict[str, Any]) -> set[tuple[str, str]]:
    """The rules that are broken, and by what: errors and warnings."""
    return {
        (complaint["rule_id"], complaint["location"])
        for complaint in said["violations"]
        if complaint["severity"] != "info"
    }


def verdicts(said: dict[str, Any]) -> dict[str, str]:
    """What was proven of each policy but the sweeps, of which nothing can be."""
    assert {table["table"] for table in said["tables"]} == {f"public.{name}" for name in TABLES}
    found = {
        policy["policy"]: policy["verdict"]
        for table in said["tables"]
        for policy in table["policies"]
    }
    assert {found.pop(name) for name in SWEEPS & {*found}} == {"unverified"}
    return found


def test_there_is_nothing_to_complain_of(database: TaskDatabase) -> None:
    code, said = pgrls("lint", database, "--config", CONFIG)
    assert complaints(said) == set()
    assert code == 0


def test_no_more_is_let_pass_than_there_is(database: TaskDatabase) -> None:
    code, said = pgrls("lint", database)
    assert complaints(said) == {
        (rule, location) for rule, locations in ALLOWED.items() for location in locations
    }
    assert code == 1


def test_task_app_has_no_privilege_on_a_table_that_is_let_pass(
    as_owner: psycopg.Connection,
) -> None:
    for table in ALLOWED["SEC001"]:
        for privilege in ("select", "insert", "update", "references"):
            may = "select has_any_column_privilege('task_app', %s, %s)"
            assert as_owner.execute(may, [table, privilege]).fetchone() == (False,)
        may = "select has_table_privilege('task_app', %s, 'delete, truncate, trigger')"
        assert as_owner.execute(may, [table]).fetchone() == (False,)


@pytest.mark.evidence("by-id")
@pytest.mark.parametrize("mode", COMMANDS)
def test_it_is_proven_that_nobody_reaches_another_s_tasks(
    database: TaskDatabase, mode: str
) -> None:
    code, said = pgrls("verify", database, "--config", CONFIG, "--mode", mode)
    policies = {f"{table}_{command}" for table in TABLES for command in COMMANDS[mode]}
    assert verdicts(said) == dict.fromkeys(policies, "isolated")
    assert code == 0


def test_what_is_not_proven_is_the_owner_s(as_owner: psycopg.Connection) -> None:
    others = "select policyname, roles::text from pg_policies where roles <> '{task_app}'"
    assert {*as_owner.execute(others)} == {(name, f"{{{OWNER}}}") for name in SWEEPS}


@pytest.mark.slow
@pytest.mark.parametrize(("leak", "mode", "verdict", "rule"), LEAKS.values(), ids=LEAKS)
def test_a_leak_is_seen(
    own_database: TaskDatabase, leak: LiteralString, mode: str, verdict: str, rule: str
) -> None:
    with psycopg.connect(own_database.owner) as connection:
        connection.execute(leak)
    code, said = pgrls("verify", own_database, "--config", CONFIG, "--mode", mode)
    assert code == (verdict == "leak")
    assert [v for v in verdicts(said).values() if v != "isolated"] == [verdict]
    code, said = pgrls("lint", own_database, "--config", CONFIG)
    assert code == 1
    assert rule in {broken for broken, _ in complaints(said)}
