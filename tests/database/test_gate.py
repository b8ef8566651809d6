"""The gate: no server for a role that could see past the policies."""

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.rows import dict_row

from api.commands.migrate import migrate
from api.database import gate
from api.database.gate import NEEDED, CannotServe
from api.database.session import Database
from api.settings import DatabaseSettings
from tests.cluster import OWNER, Cluster, TaskDatabase, with_query
from tests.isolation.guarded import NAMES
from tests.needed import needed
from tests.people import SECRET
from tests.program import run

each_table = pytest.mark.parametrize("table", NAMES)


@pytest.fixture(scope="module")
def guarded(cluster: Cluster) -> Iterator[TaskDatabase]:
    """A database of this file, whose tests put back what they change."""
    with cluster.database() as database:
        yield database


@pytest.fixture
def role(guarded: TaskDatabase) -> Iterator[str]:
    """A role of its own, as somebody makes it by hand."""
    with psycopg.connect(guarded.superuser, autocommit=True) as connection:
        connection.execute(f"create role passer_by login password {guarded.password}")
        yield guarded.of("passer_by")
        connection.execute("drop owned by passer_by")
        connection.execute("drop role passer_by")


def as_superuser(database: TaskDatabase, statement: str) -> None:
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        connection.execute(statement)


def refusal_of(url: str) -> str | None:
    """What the gate says to the role at this URL; None when it may pass."""

    async def knock() -> str | None:
        try:
            async with Database.connect(DatabaseSettings(database_url=url)):
                return None
        except CannotServe as refusal:
            return str(refusal)

    return asyncio.run(knock())


def refusal_of_serve(url: str) -> str:
    """What `serve` says to the role at this URL, which the gate refuses."""
    assert refusal_of(url) is not None, "it would serve"
    return run("serve", DATABASE_URL=url, BETTER_AUTH_SECRET=SECRET).refusal()


def serve_refuses(url: str, role: str) -> str:
    line = refusal_of_serve(url)
    assert f"role {role}" in line
    assert "as task_app" in line
    assert "neondb_owner" in line
    return line


def test_task_app_passes(guarded: TaskDatabase) -> None:
    assert refusal_of(guarded.task_app) is None


@pytest.mark.evidence("bypassing-role")
def test_a_superuser_is_refused(guarded: TaskDatabase) -> None:
    assert "is a superuser" in serve_refuses(guarded.superuser, "postgres")


@pytest.mark.evidence("bypassing-role")
def test_a_role_with_bypassrls_is_refused(guarded: TaskDatabase, role: str) -> None:
    as_superuser(guarded, "alter role passer_by bypassrls")
    as_superuser(guarded, f"grant select on {', '.join(NAMES)} to passer_by")
    assert "has BYPASSRLS" in serve_refuses(role, "passer_by")


@pytest.mark.evidence("bypassing-role")
@each_table
def test_an_owner_passes_not_even_with_force(guarded: TaskDatabase, table: str) -> None:
    assert "has CREATEROLE" in serve_refuses(guarded.owner, OWNER)
    as_superuser(guarded, f"alter table {table} no force row level security")
    try:
        line = serve_refuses(guarded.owner, OWNER)
        assert f"owns table {table} without FORCE" in line
        assert refusal_of(guarded.task_app) is None, "it binds whoever does not own the table"
    finally:
        as_superuser(guarded, f"alter table {table} force row level security")


@pytest.mark.evidence("role-change")
def test_a_member_of_the_owner_is_refused_as_the_owner_is(guarded: TaskDatabase, role: str) -> None:
    as_superuser(guarded, f"grant {OWNER} to passer_by")
    as_superuser(guarded, "alter table task no force row level security")
    try:
        assert "role passer_by owns" in str(refusal_of(role))
    finally:
        as_superuser(guarded, "alter table task force row level security")


@pytest.mark.evidence("role-change")
def test_a_role_that_can_become_one_who_bypasses_is_refused(
    guarded: TaskDatabase, role: str
) -> None:
    as_superuser(guarded, "create role all_seeing nologin bypassrls")
    try:
        as_superuser(guarded, "grant all_seeing to passer_by")
        assert "can become all_seeing" in serve_refuses(role, "passer_by")
    finally:
        as_superuser(guarded, "drop role all_seeing")


@pytest.mark.evidence("not-migrated")
@each_table
def test_row_security_switched_off_is_refused(guarded: TaskDatabase, table: str) -> None:
    as_superuser(guarded, f"alter table {table} disable row level security")
    try:
        line = refusal_of_serve(guarded.task_app)
    finally:
        as_superuser(guarded, f"alter table {table} enable row level security")
    assert f"row security is off on table {table}" in line
    assert "task-api migrate" in line


@each_table
def test_a_role_without_privileges_is_refused(guarded: TaskDatabase, role: str, table: str) -> None:
    others = ", ".join({*NAMES} - {table})
    as_superuser(guarded, f"grant select on {others} to passer_by")
    assert f"may not read table {table}" in serve_refuses(role, "passer_by")


def privileges() -> list[tuple[str, str]]:
    """What is needed, and its table."""
    lines = [line.rpartition(" on ") for line in NEEDED.read_text().splitlines()]
    return [(privilege, table) for privilege, _, table in lines]


@pytest.mark.evidence("missing-privilege")
def test_the_privileges_that_are_asked_for_are_those_the_statements_need(
    guarded: TaskDatabase,
) -> None:
    with psycopg.connect(guarded.superuser) as connection:
        needs = needed(connection)
    assert needs == NEEDED.read_text().splitlines()  # else: make manifest


@pytest.mark.evidence("missing-privilege")
def test_each_privilege_that_is_missing_is_refused_and_named(own_database: TaskDatabase) -> None:
    everything = privileges()
    assert len(everything) > 20
    for table in {table for _, table in everything}:
        mine = [privilege for privilege, other in everything if other == table]
        for missing in mine:
            as_superuser(own_database, f"revoke all on {table} from task_app")
            rest = ", ".join(privilege for privilege in mine if privilege != missing)
            as_superuser(own_database, f"grant {rest} on {table} to task_app")
            with psycopg.connect(own_database.direct, row_factory=dict_row) as connection:
                row = connection.execute(gate.SQL).fetchone()
            assert row is not None
            assert gate.verdict(row) is None
            assert f"lacks {missing} on table {table}. Run task-api" in str(gate.lacking(row))
        as_superuser(own_database, f"grant {', '.join(mine)} on {table} to task_app")
    assert refusal_of(own_database.task_app) is None, "column by column is as good as the table"


def test_the_server_does_not_start_without_a_privilege(own_database: TaskDatabase) -> None:
    as_superuser(own_database, "revoke update (completed) on task from task_app")
    line = refusal_of_serve(own_database.task_app)
    assert "role task_app lacks update (completed) on table task" in line
    assert line.endswith("Run task-api migrate as the owner.")
    migrate(own_database.owner)
    assert refusal_of(own_database.task_app) is None


@pytest.mark.evidence("search-path")
@each_table
def test_a_table_of_the_same_name_that_is_found_first_is_refused(
    own_database: TaskDatabase, table: str
) -> None:
    name = urlsplit(own_database.superuser).path[1:]
    as_superuser(own_database, f"create schema aside; create table aside.{table} (like {table})")
    as_superuser(own_database, f"grant usage on schema aside to task_app;"
                               f" grant all on aside.{table} to task_app")  # fmt: skip
    preset = f"alter role task_app in database {name} set search_path = aside, public"
    as_superuser(own_database, preset)
    url = own_database.direct
    line = refusal_of_serve(url)
    assert f"finds one in schema aside where it looks for table public.{table}" in line
    migrate(own_database.owner)
    assert refusal_of(url) is None
    as_superuser(own_database, "grant usage on schema aside to task_app")
    assert "in schema aside" in str(
        refusal_of(with_query(url, "options=-csearch_path%3Daside,public"))
    )


@pytest.mark.evidence("search-path")
@pytest.mark.parametrize(
    "query", ["options=-csearch_path%3Daside", "options=--search_path%3Daside"]
)
def test_a_search_path_that_hides_public_is_refused(guarded: TaskDatabase, query: str) -> None:
    line = run(
        "serve", DATABASE_URL=with_query(guarded.direct, query), BETTER_AUTH_SECRET=SECRET
    ).refusal()
    assert "finds nothing where it looks for table public.task" in line
    assert "Set no search_path in DATABASE_URL" in line


MASKS = {
    "in the URL": ("", "{superuser}", "options=--role%3Dtask_app"),
    "in its options": ("", "{superuser}", "options=-crole%3Dtask_app"),
    "of a superuser's": (
        "alter role passer_by superuser; alter role passer_by set role = task_app",
        "{passer_by}",
        "",
    ),
    "of a member's": (
        "grant task_app to passer_by; alter role passer_by in database {name} set role = task_app",
        "{passer_by}",
        "",
    ),
}


@pytest.mark.evidence("masked-role")
@pytest.mark.parametrize(("statement", "url", "query"), MASKS.values(), ids=MASKS)
def test_whoever_puts_on_task_app_as_a_mask_is_refused(
    guarded: TaskDatabase, role: str, statement: str, url: str, query: str
) -> None:
    name = urlsplit(guarded.superuser).path[1:]
    if statement:
        as_superuser(guarded, statement.format(name=name))
    url = with_query(url.format(superuser=guarded.superuser, passer_by=role), query)
    behind = "postgres" if query else "passer_by"
    line = serve_refuses(url, "task_app")
    assert f"role task_app is a mask of {behind}, who connected and can take it off" in line


@pytest.mark.evidence("extra-power")
@pytest.mark.parametrize("power", ["createrole", "createdb", "replication"])
def test_task_app_with_more_power_is_refused(guarded: TaskDatabase, power: str) -> None:
    as_superuser(guarded, f"alter role task_app {power}")
    try:
        assert f"has {power.upper()}, by which" in serve_refuses(guarded.direct, "task_app")
    finally:
        as_superuser(guarded, f"alter role task_app no{power}")


def asked(url: str) -> dict[str, Any]:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        row = connection.execute(gate.SQL).fetchone()
    assert row is not None
    return row


@pytest.mark.evidence("extra-power")
def test_a_member_of_a_predefined_role_is_refused_unless_it_is_harmless(
    guarded: TaskDatabase,
) -> None:
    """All there are, so that what a later version brings is refused until somebody has looked."""
    with psycopg.connect(guarded.superuser) as connection:
        predefined = {
            name
            for (name,) in connection.execute(
                "select rolname from pg_roles where oid < 16384 and not rolsuper"
            )
        }
    assert len(predefined) >= 12
    harmless = set()
    for name in sorted(predefined - {"pg_database_owner"}):
        as_superuser(guarded, f"grant {name} to task_app")
        try:
            refusal = gate.verdict(asked(guarded.direct))
        finally:
            as_superuser(guarded, f"revoke {name} from task_app")
        if refusal is None:
            harmless.add(name)
        else:
            assert f"role task_app is a member of {name}, which has powers" in refusal
    assert harmless <= {"pg_checkpoint", "pg_use_reserved_connections"}


GRANTS = {
    "through another": "grant pg_read_all_data to between; grant between to task_app",
    "of one that makes roles": "alter role between createrole; grant between to task_app",
    "neither inherited nor to be set": "grant pg_write_all_data to task_app"
    " with inherit false, set false",
    "to administer alone": "grant pg_execute_server_program to task_app"
    " with inherit false, set false, admin true",
}


@pytest.mark.evidence("extra-power")
@pytest.mark.parametrize("grants", GRANTS.values(), ids=GRANTS)
def test_however_it_is_a_member_it_is_refused(guarded: TaskDatabase, grants: str) -> None:
    if "inherit" in grants and asked(guarded.direct) and version(guarded) < 160000:
        grants = grants.partition(" with ")[0]
    as_superuser(guarded, "create role between nologin")
    try:
        as_superuser(guarded, grants)
        assert "task_app is a member of" in serve_refuses(guarded.direct, "task_app")
    finally:
        as_superuser(guarded, "drop role between")
        for name in ("pg_write_all_data", "pg_execute_server_program"):
            as_superuser(guarded, f"revoke {name} from task_app")


def version(database: TaskDatabase) -> int:
    with psycopg.connect(database.superuser) as connection:
        return connection.info.server_version


LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


@pytest.mark.evidence("no-limits")
@pytest.mark.parametrize("limit", LIMITS)
def test_a_session_without_a_limit_is_refused(own_database: TaskDatabase, limit: str) -> None:
    name = urlsplit(own_database.superuser).path[1:]
    preset = f"alter role task_app in database {name} set {limit} = 0"
    as_superuser(own_database, preset)
    line = refusal_of_serve(own_database.direct)
    assert f"role task_app has no {limit}. Set none in DATABASE_URL. Run task-api" in line
    migrate(own_database.owner)
    assert refusal_of(own_database.direct) is None
    line = str(refusal_of(with_query(own_database.direct, f"options=-c{limit}%3D0")))
    assert f"has no {limit}" in line


@pytest.mark.evidence("no-limits")
def test_a_role_that_has_nothing_but_the_privileges_has_no_limits(
    guarded: TaskDatabase, role: str
) -> None:
    as_superuser(guarded, "create policy passing on task to passer_by using (true)")
    try:
        for line in NEEDED.read_text().splitlines():
            as_superuser(guarded, f"grant {line} to passer_by")
        assert f"role passer_by has no {', '.join(LIMITS)}" in serve_refuses(role, "passer_by")
    finally:
        as_superuser(guarded, "drop policy passing on task")


PRESETS = {
    "search_path = public, pg_catalog": "looks in schema public before pg_catalog",
    "row_security = off": "begins its session with row_security = off",
    "session_replication_role = replica": "with session_replication_role = replica",
    "app.user_id = alice": "with a person in app.user_id",
}


@pytest.mark.evidence("session-presets")
@pytest.mark.parametrize("preset", PRESETS)
def test_a_session_that_begins_otherwise_is_refused(
    own_database: TaskDatabase, preset: str
) -> None:
    name = urlsplit(own_database.superuser).path[1:]
    as_superuser(own_database, f"alter role task_app in database {name} set {preset}")
    line = refusal_of_serve(own_database.direct)
    assert PRESETS[preset] in line
    assert "alice" not in line
    as_superuser(own_database, f"alter role task_app in database {name} reset all")
    assert refusal_of(own_database.direct) is None


def test_an_operator_of_somebody_elses_does_not_deceive_the_gate(
    own_database: TaskDatabase,
) -> None:
    name = urlsplit(own_database.superuser).path[1:]
    for one in ("text", "name", "oid"):
        as_superuser(
            own_database,
            f"create function public.never({one}, {one}) returns boolean"
            " language sql return false;"
            f" create operator public.= (function = never, leftarg = {one}, rightarg = {one})",
        )
    as_superuser(
        own_database,
        f"alter role task_app in database {name} set search_path = public, pg_catalog",
    )
    assert str(refusal_of(own_database.direct)) != "None"


@pytest.mark.evidence("forgotten-table")
def test_a_table_that_is_granted_without_row_security_is_refused(
    own_database: TaskDatabase,
) -> None:
    as_superuser(own_database, 'create table "A note" (user_id text, body text)')
    assert refusal_of(own_database.direct) is None
    as_superuser(own_database, 'grant update (body) on "A note" to task_app')
    assert 'row security is off on table "A note"' in str(refusal_of(own_database.direct))
    as_superuser(own_database, 'alter table "A note" enable row level security')
    assert refusal_of(own_database.direct) is None


def test_a_database_of_the_version_before_is_refused(own_database: TaskDatabase) -> None:
    as_superuser(own_database, "drop table idempotency_key")
    line = refusal_of_serve(own_database.task_app)
    assert "no table idempotency_key" in line
    assert "task-api migrate" in line


@pytest.mark.evidence("not-migrated")
def test_a_database_not_migrated_is_refused(cluster: Cluster) -> None:
    with cluster.empty_database() as empty:
        line = refusal_of_serve(empty.owner)
    assert "no table task" in line
    assert "task-api migrate" in line
