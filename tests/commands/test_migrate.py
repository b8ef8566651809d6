"""`task-api migrate`: policies are state, not history, and nothing is ever half done."""

import contextlib
import re
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import psycopg
import pytest
import yoyo
from psycopg.sql import SQL, Identifier

from api.commands import migrate as migrate_module
from api.commands.migrate import MigrationError, migrate
from api.database.migrations import APPLIED, are_ahead, are_behind, names, newest
from tests.cluster import OWNER, Cluster, TaskDatabase, with_query
from tests.forked import Outcome
from tests.isolation.guarded import NAMES
from tests.program import run

AWKWARD = 'o\'brien \\ %41 "é" $1 :x; --'

# Everything about access and shape that a second run could disturb. No grants at all and the
# default ones, written down, are the same.
STATE = (
    "select * from pg_policies order by 1, 2, 3",
    "select relname, relkind, relrowsecurity, relforcerowsecurity, (select array_agg(a order by a)"
    " from aclexplode(coalesce(relacl, acldefault((case relkind when 'S' then 's' else 'r' end)"
    '::"char", relowner))) a)::text'
    " from pg_class where relnamespace = 'public'::regnamespace order by 1",
    "select attrelid::regclass::text, attname, atttypid, attnotnull, attacl::text"
    " from pg_attribute join pg_class on pg_class.oid = attrelid"
    " where relnamespace = 'public'::regnamespace and attnum > 0"
    "   and not attisdropped order by 1, 2",
    "select nspname, (select array_agg(a order by a) from aclexplode(nspacl) a)::text"
    " from pg_namespace where nspname = 'public'",
    "select (select array_agg(a order by a) from aclexplode(datacl) a)::text"
    " from pg_database where datname = current_database()",
    "select indexdef from pg_indexes where schemaname = 'public' order by 1",
    "select tgname, pg_get_triggerdef(oid) from pg_trigger order by 1",
    "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint"
    " where connamespace = 'public'::regnamespace order by 1, 2",
    "select proname, proacl::text from pg_proc where pronamespace = 'public'::regnamespace"
    " order by 1",
    "select a.rolname, a.rolpassword, s.setconfig from pg_authid a"
    " left join pg_db_role_setting s on s.setrole = a.oid where a.rolname = 'task_app'",
    "select roleid::regrole, member::regrole from pg_auth_members order by 1, 2",
)


def state_of(database: TaskDatabase) -> list[list[tuple[Any, ...]]]:
    with psycopg.connect(database.superuser) as connection:
        return [connection.execute(query).fetchall() for query in STATE]


TABLES = sorted(NAMES)
MIGRATED = sorted(names())
WRITTEN_ANEW = ["00_roles.sql", *(f"{table}.sql" for table in TABLES)]


def executes(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def migrates(database: TaskDatabase, **settings: str) -> Outcome:
    return run("migrate", MIGRATION_DATABASE_URL=database.owner, **settings)


@pytest.fixture
def policies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the policy files that a test may change."""
    copy = tmp_path / "policies"
    shutil.copytree(migrate_module.POLICIES, copy)
    monkeypatch.setattr(migrate_module, "POLICIES", copy)
    return copy


def renamed(cluster: Cluster) -> Iterator[None]:
    """The role is the cluster's; for one test it goes by another name."""
    executes(cluster.superuser, "alter role task_app rename to task_app_of_others")
    yield
    with psycopg.connect(cluster.superuser, autocommit=True) as connection:
        role = connection.execute("select from pg_roles where rolname = 'task_app'").fetchone()
        if role is not None:
            connection.execute("drop role task_app")
        connection.execute("alter role task_app_of_others rename to task_app")


@pytest.fixture
def without_task_app(cluster: Cluster, database: TaskDatabase) -> Iterator[None]:
    yield from renamed(cluster)


def test_an_empty_database_gets_table_role_and_policies(cluster: Cluster) -> None:
    with cluster.empty_database() as empty:
        first = migrates(empty)
        assert first.code == 0, first
        assert first.out.splitlines() == [f"applied {name}" for name in MIGRATED + WRITTEN_ANEW]
        before = state_of(empty)
        policies = [(policy[1], policy[5].lower(), policy[4]) for policy in before[0]]
        commands = ("delete", "insert", "select", "update")
        assert sorted(policies) == sorted(
            [
                *((table, command, ["task_app"]) for table in TABLES for command in commands),
                *(("idempotency_key", command, [OWNER]) for command in ("delete", "select")),
                *(("task_tombstone", command, [OWNER]) for command in ("delete", "select")),
                *(("sync_head", command, [OWNER]) for command in ("select", "update")),
            ]
        )

        second = migrates(empty)
        assert second.code == 0, second
        assert second.out.splitlines() == [f"applied {name}" for name in WRITTEN_ANEW]
        assert state_of(empty) == before


def applied(database: TaskDatabase) -> str | None:
    """The last migration, as the server finds it."""
    with psycopg.connect(database.task_app) as connection:
        row = connection.execute(APPLIED).fetchone()
    assert row is not None
    return row[0] if row[0] is None else str(row[0])


def test_the_server_can_read_which_migration_was_the_last(own_database: TaskDatabase) -> None:
    assert applied(own_database) == newest() == MIGRATED[-1]
    executes(own_database.owner, "comment on table task is null")
    assert are_behind(applied(own_database))
    migrate(own_database.owner)
    assert not are_behind(applied(own_database))


def test_a_database_without_tables_is_behind(cluster: Cluster, database: TaskDatabase) -> None:
    with cluster.empty_database() as empty:
        assert applied(empty) is None
    assert are_behind(None)


def test_a_database_that_is_ahead_is_not_behind(
    own_database: TaskDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copytree(migrate_module.MIGRATIONS, tmp_path / "migrations")
    (tmp_path / "migrations/0999.it's-later.sql").write_text("select 1")
    with monkeypatch.context() as later:
        later.setattr(migrate_module, "MIGRATIONS", tmp_path / "migrations")
        migrate(own_database.owner)
    assert applied(own_database) == "0999.it's-later"
    assert not are_behind(applied(own_database))
    assert are_ahead(applied(own_database))
    assert not are_ahead(newest())
    assert not are_ahead(None)


def test_a_database_of_the_version_before_is_behind() -> None:
    names = [MIGRATED[0], "0009.nine", "0010.ten"]
    assert [name for name in names if are_behind(name)] == [MIGRATED[0]]


STRAY = (
    "create policy stray on task for select to task_app using (true)",
    "create policy stray on task using (true)",
    "grant truncate, references, trigger on task to task_app",
    "grant update (user_id), insert (id) on task to task_app",
    "grant select on task to public",
    "grant select (title) on task to public",
    "grant select, delete on task to passer_by with grant option",
    "grant select on _yoyo_migration to task_app",
    "grant usage on sequence task_id_seq to task_app",
    "grant create on schema public to task_app",
    "grant create on schema public to public",
    "grant temporary on database {database} to task_app",
    "alter table task disable row level security",
    "alter table task no force row level security",
    "drop policy task_select on task",
    "revoke select on task from task_app",
    "grant update (key) on idempotency_key to task_app",
    "alter table idempotency_key disable row level security",
    "alter table idempotency_key no force row level security",
    "drop policy idempotency_key_update on idempotency_key",
    "alter policy idempotency_key_sweep_delete on idempotency_key using (true)",
    "alter policy idempotency_key_sweep_select on idempotency_key to task_app",
    "alter role task_app set statement_timeout = 0",
)


@pytest.mark.evidence("leftover-access")
def test_what_was_added_or_taken_by_hand_is_put_right(own_database: TaskDatabase) -> None:
    name = urlsplit(own_database.owner).path[1:]
    executes(own_database.superuser, "create role passer_by")
    before = state_of(own_database)
    for stray in STRAY:
        executes(own_database.superuser, stray.format(database=name))
        assert state_of(own_database) != before, f"changed nothing: {stray}"
        migrate(own_database.owner)
        assert state_of(own_database) == before, stray
    executes(own_database.superuser, "drop role passer_by")


@pytest.mark.evidence("forgotten-table")
def test_a_table_without_a_policy_file_is_unreachable(own_database: TaskDatabase) -> None:
    executes(
        own_database.owner,
        "create table forgotten (secret text)",
        "grant all on forgotten to task_app, public",
    )
    migrate(own_database.owner)
    with psycopg.connect(own_database.task_app) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select from forgotten")
        connection.rollback()
        connection.execute("select from task")


def test_a_table_of_somebody_else_is_left_alone(own_database: TaskDatabase) -> None:
    executes(
        own_database.superuser,
        "create table foreign_body (user_id text)",
        "create policy theirs on foreign_body using (true)",
    )
    migrate(own_database.owner)
    executes(own_database.superuser, "drop policy theirs on foreign_body")


def test_a_changed_policy_arrives_when_no_migration_is_pending(
    own_database: TaskDatabase, policies: Path
) -> None:
    file = policies / "task.sql"
    file.write_text(file.read_text().replace("create policy task_delete", "create policy renamed"))
    migrate(own_database.owner)
    names = {policy[2] for policy in state_of(own_database)[0] if policy[1] == "task"}
    assert names == {"task_select", "task_insert", "task_update", "renamed"}


@pytest.mark.evidence("half-written-access")
def test_a_failing_policy_file_changes_nothing(own_database: TaskDatabase, policies: Path) -> None:
    before = state_of(own_database)
    (policies / "zz.sql").write_text("drop policy task_select on task; select 1 / 0")
    with pytest.raises(MigrationError, match="division by zero"):
        migrate(own_database.owner)
    assert state_of(own_database) == before


@pytest.mark.evidence("half-written-access")
def test_a_failing_migration_leaves_nothing_behind(
    own_database: TaskDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copytree(migrate_module.MIGRATIONS, tmp_path / "migrations")
    (tmp_path / "migrations/9999.bad.sql").write_text("create table half (); select 1 / 0")
    monkeypatch.setattr(migrate_module, "MIGRATIONS", tmp_path / "migrations")
    before = state_of(own_database)
    with pytest.raises(MigrationError, match="division by zero"):
        migrate(own_database.owner)
    assert state_of(own_database) == before


@pytest.mark.parametrize("pending", [False, True])
def test_a_lock_held_elsewhere_is_not_waited_for_for_ever(
    own_database: TaskDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pending: bool
) -> None:
    monkeypatch.setattr(migrate_module, "MIGRATION_LOCK_TIMEOUT", 0.1)
    if pending:
        shutil.copytree(migrate_module.MIGRATIONS, tmp_path / "migrations")
        (tmp_path / "migrations/9999.wide.sql").write_text("alter table task add column wide int")
        monkeypatch.setattr(migrate_module, "MIGRATIONS", tmp_path / "migrations")
    before = state_of(own_database)
    with psycopg.connect(own_database.owner) as other:
        other.execute("lock table task in access share mode")
        with pytest.raises(MigrationError, match="try again") as refusal:
            migrate(own_database.owner)
    assert "\n" not in str(refusal.value)
    assert state_of(own_database) == before


def test_two_migrations_at_once_both_succeed(cluster: Cluster) -> None:
    with cluster.empty_database() as empty, ThreadPoolExecutor() as both:
        outcomes = list(both.map(lambda _: migrates(empty), range(2)))
        assert [outcome.code for outcome in outcomes] == [0, 0], outcomes
        assert sum("create-task" in outcome.out for outcome in outcomes) == 1


def test_while_one_migrates_another_waits_its_turn(
    own_database: TaskDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate_module, "TURN_TIMEOUT", 0.1)
    with psycopg.connect(own_database.owner) as one:
        one.execute("select pg_advisory_xact_lock(hashtext('task-api migrate'))")
        with pytest.raises(MigrationError, match="try again"):
            migrate(own_database.owner)
    migrate(own_database.owner)


def test_who_waits_for_its_turn_stays_in_no_transaction(own_database: TaskDatabase) -> None:
    """`create index concurrently` waits for all of a transaction that was busy when it looked."""
    begun: set[datetime] = set()
    waits = (
        "select xact_start from pg_stat_activity"
        " where datname = current_database() and pid not in (%s, %s) and xact_start is not null"
    )
    with (
        ThreadPoolExecutor(1) as pool,
        psycopg.connect(own_database.superuser, autocommit=True) as observer,
        psycopg.connect(own_database.owner) as one,
    ):
        one.execute("select pg_advisory_xact_lock(hashtext('task-api migrate'))")
        both = [observer.info.backend_pid, one.info.backend_pid]
        waiting = pool.submit(migrate, own_database.owner)
        deadline = time.monotonic() + 10
        while len(begun) <= 2 and time.monotonic() < deadline:
            begun |= {start for (start,) in observer.execute(waits, both)}
        one.rollback()
        waiting.result()
    assert len(begun) > 2


# What somebody may have set for the owner's sessions: by SQL, in the environment, in the URL.
PATHS: dict[str, tuple[tuple[str, ...], dict[str, str], str]] = {
    "of the role": (("alter role {owner} in database {name} set search_path = aside",), {}, ""),
    "of the database": (("alter database {name} set search_path = aside, public",), {}, ""),
    "nothing": (("alter database {name} set search_path = ''",), {}, ""),
    "a schema of the owner's name": (("create schema {owner} authorization {owner}",), {}, ""),
    "PGOPTIONS": ((), {"PGOPTIONS": "-csearch_path=aside"}, ""),
    "of the URL": ((), {}, "options=-csearch_path%3Daside"),
    "pg_catalog behind": (("alter database {name} set search_path = public, pg_catalog",), {}, ""),
}


@pytest.mark.evidence("search-path")
@pytest.mark.parametrize(("statements", "settings", "query"), PATHS.values(), ids=PATHS)
def test_whatever_the_search_path_the_tables_are_in_public(
    cluster: Cluster, statements: tuple[str, ...], settings: dict[str, str], query: str
) -> None:
    with cluster.empty_database() as empty:
        name = urlsplit(empty.owner).path[1:]
        executes(empty.superuser, f"create schema aside authorization {OWNER}")
        for statement in statements:
            executes(empty.superuser, statement.format(owner=OWNER, name=name))
        url = with_query(empty.owner, query)
        outcome = run("migrate", MIGRATION_DATABASE_URL=url, **settings)
        assert outcome.out.splitlines() == [f"applied {n}" for n in MIGRATED + WRITTEN_ANEW]
        assert (outcome.code, outcome.err) == (0, "")
        with psycopg.connect(empty.superuser) as connection:
            elsewhere = connection.execute(
                "select oid::regclass from pg_class where relnamespace in"
                " (select oid from pg_namespace where nspname in ('aside', %s))",
                [OWNER],
            ).fetchall()
        assert elsewhere == []
        assert set(TABLES) <= {relation for relation, *_ in state_of(empty)[1]}
        second = run("migrate", MIGRATION_DATABASE_URL=url, **settings)
        assert second.out.splitlines() == [f"applied {n}" for n in WRITTEN_ANEW]
        assert run("sweep", MIGRATION_DATABASE_URL=url, **settings).out == "swept 0\n"
        audit = run("audit", MIGRATION_DATABASE_URL=url, DATABASE_URL=empty.task_app)
        assert audit.code == 0, audit.out


@pytest.mark.evidence("search-path")
def test_no_operator_of_somebody_elses_gets_into_a_policy(cluster: Cluster) -> None:
    with cluster.empty_database() as empty:
        name = urlsplit(empty.owner).path[1:]
        executes(
            empty.superuser,
            "create function public.agrees(text, text) returns boolean language sql return true",
            "create operator public.= (function = public.agrees, leftarg = text, rightarg = text)",
            f"alter database {name} set search_path = public, pg_catalog",
        )
        migrate(empty.owner)
        executes(empty.superuser, "insert into task (user_id, title) values ('bob', 'Buy milk')")
        with psycopg.connect(empty.direct) as connection:
            connection.execute("select set_config('app.user_id', 'alice', true)")
            assert connection.execute("select title from task").fetchall() == []


def test_what_was_set_for_the_role_in_this_database_alone_is_taken_away(
    own_database: TaskDatabase,
) -> None:
    name = urlsplit(own_database.owner).path[1:]
    before = state_of(own_database)
    for setting in ("search_path = aside", "statement_timeout = 0"):
        executes(own_database.superuser, f"alter role task_app in database {name} set {setting}")
        assert state_of(own_database) != before
        migrate(own_database.owner)
        assert state_of(own_database) == before


def admits(url: str, password: str) -> bool:
    """Whether the server lets this password in, once it has read its rules anew."""
    for _ in range(50):
        try:
            psycopg.connect(url, password=password).close()
        except psycopg.OperationalError:
            return False
        time.sleep(0.02)
    return True


@contextlib.contextmanager
def passwords_demanded(database: TaskDatabase) -> Iterator[None]:
    """task_app needs its password in this database."""
    name = urlsplit(database.superuser).path[1:]
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        row = connection.execute("show hba_file").fetchone()
        assert row is not None
        file = Path(row[0])
        rules = file.read_text()
        file.write_text(f"local {name} task_app scram-sha-256\n{rules}")
        connection.execute("select pg_reload_conf()")
        try:
            yield
        finally:
            file.write_text(rules)
            connection.execute("select pg_reload_conf()")


@pytest.fixture
def database_here(own_cluster: Cluster) -> Iterator[TaskDatabase]:
    """In a server whose log and rules are in files here."""
    with own_cluster.database() as database:
        yield database


@pytest.mark.evidence("password-leaks")
def test_the_password_is_set_and_never_logged(database_here: TaskDatabase) -> None:
    (folder,) = parse_qs(urlsplit(database_here.superuser).query)["host"]
    name = urlsplit(database_here.superuser).path[1:]
    executes(database_here.superuser, f"alter database {name} set log_statement = 'ddl'")
    outcome = migrates(database_here, TASK_APP_PASSWORD=AWKWARD)
    assert outcome.code == 0, outcome
    assert AWKWARD not in outcome.out + outcome.err
    with psycopg.connect(database_here.superuser) as connection:
        kept = connection.execute(
            "select rolpassword from pg_authid where rolname = 'task_app'"
        ).fetchone()
    assert kept is not None
    assert kept[0].startswith("SCRAM-SHA-256$")

    log = (Path(folder) / "log").read_text()
    assert "alter" in log, "nothing was logged, so nothing is tested"
    assert "brien" not in log
    with passwords_demanded(database_here):
        assert not admits(database_here.direct, "wrong")
        assert admits(database_here.direct, AWKWARD)

        # The command says so too, without the password.
        url = database_here.task_app.replace("task_app@", "task_app:hush-hush@")
        secret = "a secret of the tests, longer than 32 bytes"
        for command, variable in (
            ("serve", "DATABASE_URL"),
            ("migrate", "MIGRATION_DATABASE_URL"),
        ):
            line = run(command, **{variable: url, "BETTER_AUTH_SECRET": secret}).refusal()
            assert f"check {variable}" in line
            assert "hush-hush" not in line

    migrate(database_here.owner)
    assert kept[0] in str(state_of(database_here)), "without a password set, the old one stays"


def test_a_name_that_needs_quoting_is_quoted(own_cluster: Cluster) -> None:
    name = 'Weird "Näme %41'
    with psycopg.connect(own_cluster.superuser, autocommit=True) as connection:
        connection.execute(
            SQL("create database {} owner {}").format(*map(Identifier, (name, OWNER)))
        )
        try:
            url = own_cluster.url(f"{OWNER}:{quote(AWKWARD, safe='')}", quote(name))
            assert migrate(url) == MIGRATED + WRITTEN_ANEW
            assert migrate(url) == WRITTEN_ANEW
        finally:
            connection.execute(SQL("drop database {}").format(Identifier(name)))


def test_an_owner_who_may_not_make_roles_is_told_so(
    cluster: Cluster, without_task_app: None
) -> None:
    with cluster.empty_database() as empty:
        executes(empty.superuser, f"alter role {OWNER} nocreaterole")
        try:
            line = migrates(empty).refusal()
        finally:
            executes(empty.superuser, f"alter role {OWNER} createrole")
    assert "with CREATEROLE" in line
    assert "neondb_owner" in line


@pytest.mark.evidence("role-powers")
@pytest.mark.parametrize(
    "power", ["superuser", "bypassrls", "createdb", "createrole", "replication", "inherit"]
)
def test_a_task_app_with_more_power_is_refused(
    own_database: TaskDatabase, policies: Path, power: str
) -> None:
    executes(own_database.superuser, f"alter role task_app {power}")
    try:
        with pytest.raises(MigrationError) as refusal:
            migrate(own_database.owner)
    finally:
        executes(own_database.superuser, f"alter role task_app no{power}")
    assert power.upper() in str(refusal.value)
    assert str(refusal.value).endswith(f"alter role task_app no{power}")


def test_a_superuser_may_be_the_owner(cluster: Cluster) -> None:
    with cluster.empty_database() as empty:
        assert migrate(empty.superuser) == MIGRATED + WRITTEN_ANEW
        with psycopg.connect(empty.task_app) as connection:
            for table in TABLES:
                row = connection.execute("select row_security_active(%s)", [table]).fetchone()
                assert row == (True,)


def rolls_back(database: TaskDatabase, *names: str) -> None:
    backend = yoyo.get_backend(database.owner.replace("postgresql://", "postgresql+psycopg://"))
    files = yoyo.read_migrations(str(migrate_module.MIGRATIONS))
    backend.rollback_migrations(
        backend.to_rollback(files.filter(lambda migration: migration.id in names))
    )
    backend.connection.close()


def test_the_migrations_can_be_rolled_back_and_applied_again(own_database: TaskDatabase) -> None:
    before = state_of(own_database)
    rolls_back(own_database, *MIGRATED)
    with psycopg.connect(own_database.superuser) as connection:
        left = connection.execute(
            "select to_regclass('task'), to_regclass('idempotency_key'), to_regproc('task_touch')"
        ).fetchone()
    assert left == (None, None, None)
    migrate(own_database.owner)
    assert state_of(own_database) == before


@pytest.fixture
def first_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """As the program was with its first migration alone, until it is undone."""
    for name, kept in (("MIGRATIONS", ("0001.",)), ("POLICIES", ("00_roles.", "task."))):
        copy = tmp_path / name
        copy.mkdir()
        for file in getattr(migrate_module, name).iterdir():
            if file.name.startswith(kept):
                shutil.copy(file, copy)
        monkeypatch.setattr(migrate_module, name, copy)
    shape = (migrate_module.MIGRATIONS / f"{MIGRATED[0]}.sql").read_text()

    def of_then(columns: re.Match[str]) -> str:
        known = [name for name in columns[1].split(", ") if re.search(rf"(?m)^ +{name} ", shape)]
        return f"({', '.join(known)}) on"

    policies = migrate_module.POLICIES / "task.sql"
    policies.write_text(re.sub(r"\((.*)\) on", of_then, policies.read_text()))
    return monkeypatch


def test_a_database_of_the_first_version_goes_forward_and_back(
    cluster: Cluster, own_database: TaskDatabase, first_version: pytest.MonkeyPatch
) -> None:
    with cluster.empty_database() as database:
        assert migrate(database.owner) == [MIGRATED[0], "00_roles.sql", "task.sql"]
        first = state_of(database)
        executes(
            database.superuser, "insert into task (user_id, title) values ('alice', 'Buy milk')"
        )

        first_version.undo()
        assert migrate(database.owner) == [*MIGRATED[1:], *WRITTEN_ANEW]
        assert state_of(database) == state_of(own_database)

        rolls_back(database, *MIGRATED[1:])
        assert state_of(database) == first
        with psycopg.connect(database.superuser) as connection:
            tasks = connection.execute("select user_id, title from task").fetchall()
        assert tasks == [("alice", "Buy milk")]


@pytest.mark.parametrize("command", ["migrate", "sweep"])
def test_whoever_does_not_own_the_tables_is_told_so_at_once(
    database: TaskDatabase, command: str
) -> None:
    begun = time.monotonic()
    line = run(command, MIGRATION_DATABASE_URL=database.direct).refusal()
    assert time.monotonic() - begun < 5  # yoyo would wait for ten seconds
    assert "role task_app does not own table" in line
    assert "as the owner of the database" in line


def test_the_table_of_each_policy_file_has_to_be_the_owner_s(
    own_database: TaskDatabase, policies: Path
) -> None:
    executes(own_database.superuser, "create table note (user_id text)")
    assert migrates(own_database).code == 0
    (policies / "note.sql").write_text("grant select on note to task_app;")
    with pytest.raises(MigrationError, match="role task_owner does not own table note; connect"):
        migrate(own_database.owner)


def test_whoever_may_not_make_tables_is_told_so_at_once(
    cluster: Cluster, database: TaskDatabase
) -> None:
    with cluster.empty_database() as empty:
        line = run("migrate", MIGRATION_DATABASE_URL=empty.direct).refusal()
    assert "role task_app may not make tables" in line
    assert "as the owner of the database" in line


@pytest.mark.parametrize("host", [f"{'a' * 70}.example", "a..b", "\udcff"])
def test_a_host_that_is_none_is_one_line(host: str) -> None:
    line = run("migrate", MIGRATION_DATABASE_URL=f"postgresql://o:hush-hush@{host}/d").refusal()
    assert "MIGRATION_DATABASE_URL" in line
    assert "hush-hush" not in line


LACKING = "task_app has no password, and the server asks for one; set TASK_APP_PASSWORD"
PERHAPS = "if it has none yet, set TASK_APP_PASSWORD"


def is_warned(url: str) -> str:
    """What `migrate` says on stderr, which does not make it fail."""
    outcome = run("migrate", MIGRATION_DATABASE_URL=url)
    assert outcome.code == 0, outcome
    assert "applied task.sql" in outcome.out
    return outcome.err


def test_a_task_app_without_the_password_it_needs_is_noticed(database_here: TaskDatabase) -> None:
    assert is_warned(database_here.owner) == "", "nobody asks for a password"
    executes(database_here.superuser, "alter role task_app password null")
    with passwords_demanded(database_here):
        assert not admits(database_here.direct, "anything")
        assert LACKING in is_warned(database_here.superuser)
        assert PERHAPS in is_warned(database_here.owner), "who may not read pg_authid cannot know"
        given = migrates(database_here, TASK_APP_PASSWORD=AWKWARD)
        assert (given.code, given.err) == (0, "")
        assert is_warned(database_here.superuser) == "", "it has one"
    executes(database_here.superuser, "alter role task_app password null")


def test_a_task_app_made_just_now_has_no_password(own_cluster: Cluster, own_task_app: None) -> None:
    with own_cluster.empty_database() as empty, passwords_demanded(empty):
        (line,) = is_warned(empty.owner).splitlines()
        assert line.startswith("task-api: ")
        assert LACKING in line


@pytest.fixture
def own_task_app(own_cluster: Cluster, database_here: TaskDatabase) -> Iterator[None]:
    """For one test there is no such role on the server of this machine."""
    yield from renamed(own_cluster)
