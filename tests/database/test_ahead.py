"""A database that a newer version has migrated: it is served, and not changed by an older one."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlmodel import SQLModel

from api.commands import migrate as migrate_module
from api.commands.migrate import migrate
from api.http import readiness
from tests.cluster import TaskDatabase
from tests.commands.test_migrate import executes, state_of
from tests.people import SECRET
from tests.program import run
from tests.server import people_of

LATER = "0999.it's-later"


@pytest.fixture
def newer(
    own_database: TaskDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> TaskDatabase:
    """Migrated by a version that has a column more, with its grants, and withholds another."""
    migrations, policies = tmp_path / "migrations", tmp_path / "policies"
    shutil.copytree(migrate_module.MIGRATIONS, migrations)
    shutil.copytree(migrate_module.POLICIES, policies)
    (migrations / f"{LATER}.sql").write_text(
        "-- depends: 0002.lists-and-idempotency\n"
        "alter table task add column weight int not null default 0, add column hidden text"
    )
    columns = ", ".join(SQLModel.metadata.tables["task"].columns.keys())
    with (policies / "task.sql").open("a") as file:
        file.write("grant insert (weight), update (weight) on task to task_app;\n")
        file.write("revoke select on task from task_app;\n")
        file.write(f"grant select ({columns}, weight) on task to task_app;\n")
    with monkeypatch.context() as later:
        later.setattr(migrate_module, "MIGRATIONS", migrations)
        later.setattr(migrate_module, "POLICIES", policies)
        migrate(own_database.owner)
    return own_database


@pytest.fixture
def superuser(newer: TaskDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(newer.superuser, autocommit=True) as connection:
        yield connection


@pytest.mark.evidence("older-program")
def test_an_older_migrate_refuses_and_changes_nothing(newer: TaskDatabase) -> None:
    before = state_of(newer)
    line = run("migrate", MIGRATION_DATABASE_URL=newer.owner).refusal()
    assert "is ahead of this program" in line
    assert LATER in line
    assert "nothing was changed" in line
    assert state_of(newer) == before


@pytest.mark.parametrize("comment", ["null", "'0002.lists-and-idempotency'"])
def test_what_yoyo_has_noted_decides_whatever_the_comment_says(
    newer: TaskDatabase, superuser: psycopg.Connection, comment: str
) -> None:
    superuser.execute(f"comment on table task is {comment}".encode())
    before = state_of(newer)
    assert LATER in run("migrate", MIGRATION_DATABASE_URL=newer.owner).refusal()
    assert state_of(newer) == before


def test_a_migration_that_was_rolled_back_is_no_reason_to_refuse(
    newer: TaskDatabase, superuser: psycopg.Connection
) -> None:
    superuser.execute("delete from _yoyo_migration where migration_id = %s", [LATER])
    migrate(newer.owner)
    outcome = run("audit", DATABASE_URL=newer.task_app, MIGRATION_DATABASE_URL=newer.owner)
    assert "ahead" not in outcome.out


def test_an_unknown_migration_in_the_middle_is_one_too(
    newer: TaskDatabase, superuser: psycopg.Connection
) -> None:
    superuser.execute("update _yoyo_migration set migration_id = '0001b.between' where"
                      " migration_id = %s", [LATER])  # fmt: skip
    assert "0001b.between" in run("migrate", MIGRATION_DATABASE_URL=newer.owner).refusal()


@pytest.mark.evidence("older-program")
def test_an_older_sweep_refuses_and_deletes_nothing(
    newer: TaskDatabase, superuser: psycopg.Connection
) -> None:
    superuser.execute(
        "insert into idempotency_key (user_id, key, fingerprint, created_at)"
        " values ('alice', 'k', 'f', now() - interval '2 days')"
    )
    line = run("sweep", MIGRATION_DATABASE_URL=newer.owner).refusal()
    assert "is ahead of this program" in line
    assert superuser.execute("select count(*) from idempotency_key").fetchone() == (1,)


@pytest.mark.evidence("older-program")
@pytest.mark.parametrize("command", ["export", "erase"])
def test_what_claims_to_reach_all_that_is_kept_refuses(
    newer: TaskDatabase, superuser: psycopg.Connection, command: str
) -> None:
    superuser.execute("insert into task (user_id, title) values ('alice', 'Buy milk')")
    line = run(command, "alice", DATABASE_URL=newer.task_app).refusal()
    assert f"{LATER} is newer than this program" in line
    assert "task-api migrate" not in line
    assert superuser.execute("select count(*) from task").fetchone() == (1,)


def test_an_older_server_serves_on_whatever_it_does_not_need(
    newer: TaskDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "MAX_AGE", 0)
    with people_of(newer) as people:
        alice = people.person("alice")
        task = alice.creates()
        done = alice.http.patch(f"/api/tasks/{task['id']}", json={"completed": True})
        assert done.status_code == 200
        assert alice.http.get("/readyz").json() == {"status": "ok"}
        assert alice.http.delete(f"/api/tasks/{task['id']}").status_code == 204
        assert alice.lists() == []


def test_an_older_server_that_can_do_too_little_there_does_not_advise_to_migrate(
    newer: TaskDatabase, superuser: psycopg.Connection
) -> None:
    superuser.execute("revoke update (title) on task from task_app")
    line = run("serve", DATABASE_URL=newer.task_app, BETTER_AUTH_SECRET=SECRET).refusal()
    assert "update (title) on table task" in line
    assert "Run that version" in line
    assert "task-api migrate" not in line


@pytest.mark.evidence("older-program")
@pytest.mark.parametrize("by", ["owner", "task_app"])
@pytest.mark.parametrize("broken", ["select", "grant truncate on task to task_app"])
def test_an_older_audit_says_ahead_and_does_not_advise_to_migrate(
    newer: TaskDatabase, superuser: psycopg.Connection, by: str, broken: str
) -> None:
    superuser.execute(broken.encode())
    outcome = run("audit", DATABASE_URL=newer.task_app, MIGRATION_DATABASE_URL=getattr(newer, by))
    assert f"drift: the database is ahead of this program: it has had {LATER}" in outcome.out
    assert "drift:" in outcome.out.partition("NOT CHECKED")[2]
    assert "task-api migrate\n" not in outcome.out
    assert "task-api migrate writes" not in outcome.out
    assert outcome.code == (2 if broken == "select" else 1)
    assert "KEPT APART: 0" not in outcome.out


def test_an_audit_of_the_owners_sees_what_yoyo_has_noted(
    newer: TaskDatabase, superuser: psycopg.Connection
) -> None:
    superuser.execute("comment on table task is null")
    outcome = run("audit", DATABASE_URL=newer.task_app, MIGRATION_DATABASE_URL=newer.owner)
    assert f"ahead of this program: it has had {LATER}" in outcome.out


def test_a_comment_of_a_persons_is_no_newer_migration(own_database: TaskDatabase) -> None:
    executes(own_database.superuser, "comment on table task is 'What people want to do'")
    outcome = run(
        "audit", DATABASE_URL=own_database.task_app, MIGRATION_DATABASE_URL=own_database.owner
    )
    assert outcome.code == 0
    migrate(own_database.owner)
