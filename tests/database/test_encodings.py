"""Only a database in UTF8 holds every text, and nobody's setting makes a session garble it."""

import contextlib
import itertools
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import psycopg
import pytest

from api.commands.migrate import migrate
from api.database import gate
from api.http import readiness
from tests.cluster import OWNER, Cluster, TaskDatabase, with_query
from tests.database.test_gate import refusal_of
from tests.people import SECRET
from tests.problems import problem
from tests.program import run
from tests.server import people_of

TEXT: Final = "Buy milk 🥛, é and ж"
_numbers = itertools.count(1)

each_encoding = pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])


@contextlib.contextmanager
def database_in(cluster: Cluster, encoding: str) -> Iterator[TaskDatabase]:
    """A database of the owner's in this encoding, as `create database` makes it."""
    name = f"tasks_in_{encoding.lower()}_{next(_numbers)}"
    with psycopg.connect(cluster.superuser, autocommit=True) as connection:
        connection.execute(
            f"create database {name} encoding '{encoding}' lc_collate 'C' lc_ctype 'C'"
            f" template template0 owner {OWNER}".encode()
        )
        try:
            yield TaskDatabase(
                superuser=urlsplit(cluster.superuser)._replace(path=f"/{name}").geturl(),
                owner=cluster.url(OWNER, name),
                task_app=cluster.url("task_app", name),
            )
        finally:
            connection.execute(f"drop database {name} with (force)".encode())


@contextlib.contextmanager
def migrated_in(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> Iterator[TaskDatabase]:
    """One that an older version has migrated, which did not ask."""
    with database_in(cluster, encoding) as database:
        with monkeypatch.context() as older:
            older.setattr(gate, "wrong_encoding", lambda _: None)
            migrate(database.owner)
        yield database


def named(line: str, encoding: str) -> bool:
    return encoding in line and "encoding 'UTF8' template template0" in line


@pytest.mark.evidence("encoding")
@each_encoding
def test_migrate_refuses_and_changes_nothing(
    cluster: Cluster, database: TaskDatabase, encoding: str
) -> None:
    with database_in(cluster, encoding) as other:
        line = run("migrate", MIGRATION_DATABASE_URL=other.owner).refusal()
        with psycopg.connect(other.superuser) as connection:
            made = connection.execute(
                "select count(*) from pg_class where relnamespace = 'public'::regnamespace"
            ).fetchone()
    assert named(line, encoding)
    assert made == (0,)


@pytest.mark.evidence("encoding")
@each_encoding
def test_nothing_is_served_exported_or_erased_there(
    cluster: Cluster, database: TaskDatabase, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    with migrated_in(cluster, monkeypatch, encoding) as other:
        for command in (["serve"], ["export", "alice"], ["erase", "alice"]):
            given = {"DATABASE_URL": other.task_app, "BETTER_AUTH_SECRET": SECRET}
            assert named(run(*command, **given).refusal(), encoding)
        assert named(run("sweep", MIGRATION_DATABASE_URL=other.owner).refusal(), encoding)


@each_encoding
def test_doctor_and_audit_say_so_and_do_not_break(
    cluster: Cluster, database: TaskDatabase, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    with migrated_in(cluster, monkeypatch, encoding) as other:
        urls = {"DATABASE_URL": other.task_app, "MIGRATION_DATABASE_URL": other.owner}
        doctor = run("doctor", BETTER_AUTH_SECRET=SECRET, **urls)
        audit = run("audit", **urls)
    assert (doctor.code, doctor.err) == (1, "")
    assert doctor.out.count(f"FAIL  encoding                 the database's encoding is {encoding}")
    assert doctor.out.count("-> Make another one: create database NAME encoding 'UTF8'") == 2
    assert audit.err == ""
    assert "Audit of database" in audit.out


def test_readiness_notices_a_database_that_was_put_in_its_place(
    cluster: Cluster, own_database: TaskDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "MAX_AGE", 0)
    name = urlsplit(own_database.superuser).path[1:]
    with (
        people_of(own_database, database_url=own_database.direct) as people,
        migrated_in(cluster, monkeypatch, "LATIN1") as other,
        psycopg.connect(cluster.superuser, autocommit=True) as connection,
    ):
        balancer = people.stranger()
        assert balancer.http.get("/readyz").status_code == 200
        there = urlsplit(other.superuser).path[1:]

        def renames(*steps: tuple[str, str]) -> None:
            for old, new in steps:
                connection.execute(
                    "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                    " where datname = %s",
                    [old],
                )
                connection.execute(f"alter database {old} rename to {new}".encode())

        renames((name, f"{name}_kept"), (there, name))
        try:
            answer = balancer.http.get("/readyz")
        finally:
            renames((name, there), (f"{name}_kept", name))
    problem(answer, 503, "unavailable")
    assert [fault["detail"] for fault in answer.json()["errors"]] == ["The encoding is not UTF8."]


@pytest.mark.evidence("encoding")
@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "WIN1251"])
def test_what_others_preset_for_sessions_garbles_nothing(
    own_database: TaskDatabase, encoding: str
) -> None:
    name = urlsplit(own_database.superuser).path[1:]
    with psycopg.connect(own_database.superuser, autocommit=True) as connection:
        for whose in (
            f"database {name}",
            f"role task_app in database {name}",
            f"role {OWNER} in database {name}",
        ):
            connection.execute(f"alter {whose} set client_encoding = '{encoding}'".encode())
    url = with_query(own_database.task_app, f"client_encoding={encoding}")
    with people_of(own_database, database_url=url) as people:
        alice = people.person("alice")
        alice.creates(TEXT)
        assert [task["title"] for task in alice.lists()] == [TEXT]
    with psycopg.connect(own_database.superuser, client_encoding="utf8") as connection:
        rows = connection.execute("select title from task").fetchall()
    assert rows == [(TEXT,)]
    environment = {"MIGRATION_DATABASE_URL": own_database.owner, "PGCLIENTENCODING": encoding}
    for command in ("sweep", "audit", "migrate"):
        outcome = run(command, DATABASE_URL=own_database.task_app, **environment)
        # the presets themselves are drift until migrate has taken them away
        assert (outcome.code, outcome.err) == (1 if command == "audit" else 0, ""), outcome
    assert run("audit", DATABASE_URL=own_database.task_app, **environment).code == 0


def test_a_session_that_speaks_another_encoding_is_refused(
    own_database: TaskDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as a pooler might have left it
    monkeypatch.setattr("api.database.connector._DRIVERS", {"client_encoding", "dbname", "user"})
    line = str(refusal_of(with_query(own_database.direct, "client_encoding=LATIN1")))
    assert "client_encoding is LATIN1" in line
    assert "UTF8" in line
