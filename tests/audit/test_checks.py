"""Each check is seen to fail: a weakness is planted, found, mended, and no longer found.

All of it happens in transactions of a superuser that are rolled back.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest

from api.commands.audit.checks import FOLDER, Subject, checks, run
from api.commands.audit.report import Check, Finding
from api.commands.audit.selftest import weaknesses
from tests.cluster import Cluster, TaskDatabase

CHECKS: Final = {check.id: check for check in checks()}
PLANTS: Final = {weakness.name: weakness for weakness in weaknesses()}
WEAKNESSES: Final = sorted((FOLDER / "weaknesses").glob("*.sql"))

# What is no weakness of the database: the server is as old as it is.
OF_THE_SERVER: Final = "server_version"
# Found by other means than a check.
NOT_CHECKS: Final = {"drift", "probe", "provision"}


ME: Final = "(select current_setting('app.user_id', true))"

# Other ways to be sound, of which nothing is to be said.
SOUND: Final = {
    "more conditions": f"alter policy task_select on task using (user_id = {ME} and not completed)",
    "more conditions before": f"""
        alter policy task_select on task using (completed and user_id = {ME})""",
    "the other way round": f"alter policy task_select on task using ({ME} = user_id)",
    "nullif": f"alter policy task_select on task using (user_id = nullif({ME}, ''))",
    "coalesce with nobody": f"""
        alter policy task_select on task using (user_id = coalesce({ME}, ''))""",
    "a null of another column": f"""
        alter policy task_select on task using (user_id = {ME} and description is null)""",
    "nothing at all": "alter policy task_select on task using (false)",
    "a stable helper": """
        create function app_user() returns text language sql stable
            return nullif(current_setting('app.user_id', true), '');
        alter policy task_select on task using (user_id = (select app_user()))""",
    "a restrictive policy for everybody": f"""
        create policy narrow on task as restrictive using (user_id = {ME})""",
    "a policy of the owner's": "create policy backfill on task to task_owner using (true)",
    "a sweep of the owner's, who is another": """
        alter table idempotency_key owner to postgres;
        alter policy idempotency_key_sweep_select on idempotency_key to postgres;
        alter policy idempotency_key_sweep_delete on idempotency_key to postgres""",
    "a check of more than using": f"""
        alter policy task_update on task with check (user_id = {ME} and not completed)""",
    "a length that is not 0": """
        alter table task drop constraint task_user_id_check;
        alter table task add check (char_length(user_id) between 1 and 255)""",
    "uuids": f"""
        drop policy task_select on task;
        drop policy task_insert on task;
        drop policy task_update on task;
        drop policy task_delete on task;
        drop trigger task_touch on task;
        alter table task drop constraint task_user_id_check;
        alter table task alter user_id type uuid using null::uuid;
        create trigger task_touch before update on task
            for each row when (old.* is distinct from new.*) execute function task_touch();
        create policy task_select on task for select to task_app using (user_id = {ME}::uuid);
        create policy task_insert on task for insert to task_app with check (user_id = {ME}::uuid);
        create policy task_update on task for update to task_app
            using (user_id::text = {ME}) with check (user_id::text = {ME});
        create policy task_delete on task for delete to task_app using (user_id = {ME}::uuid)""",
    "a view of the caller's": """
        create view open_task with (security_invoker) as select * from task;
        grant select on open_task to task_app""",
    "a copy that nobody may read": "create materialized view copy as select * from task",
    "keys with the owner": """
        create table note (
            user_id text   not null check (user_id <> ''),
            id      bigint not null,
            task_id bigint,
            primary key (user_id, id),
            foreign key (user_id, task_id) references task (user_id, id)
        );
        alter table note enable row level security;
        alter table note force row level security""",
    "partitions without grants": """
        create table event (
            user_id text not null check (user_id <> ''),
            day     date not null,
            primary key (user_id, day)
        ) partition by range (day);
        create table event_rest partition of event default;
        alter table event enable row level security;
        alter table event force row level security""",
    "a table of people": """
        create table person (id text primary key);
        alter table task add foreign key (user_id) references person (id)""",
    "a definer that nobody may call": """
        create function titles() returns setof text language sql security definer
            set search_path = '' as 'select title from public.task';
        revoke execute on function titles() from public""",
    "a publication of nobody's": """
        create table holiday (day date primary key);
        create publication calendar for table holiday""",
    "a domain of one's own": """
        create domain words as text check (char_length(value) < 100) default '';
        alter table task add note words""",
    "an extension's operators and operator classes": """
        create extension citext;
        create extension btree_gin;
        create index on task using gin (user_id, title)""",
    "what other roles have": """
        create role reporting bypassrls;
        grant truncate, select on task to reporting;
        grant select on _yoyo_migration to reporting;
        grant task_app to reporting""",
    "other settings": """
        alter role task_app set work_mem = '4MB';
        alter role task_app set row_security = on;
        alter role task_app set app.user_id = ''""",
}


# What some of the weaknesses plant, by the check that names it.
NAMED: Final = {
    "grant_catalog-statistic": "table pg_catalog.pg_statistic",
    "grant_catalog-read-file": "function pg_catalog.pg_read_file(pg_catalog.text)",
    "grant_catalog-information-schema": "view information_schema._pg_user_mappings",
    "grant_catalog-member": "table public.t",
    "grant_other_object": "large object 4711",
    "grant_other_object-mapping": "user mapping for public server elsewhere",
    "grant_other_object-wrapper": "foreign-data wrapper nothing",
    "grant_other_object-schema": "schema stash",
    "builtin_changed": "function to_date(text,text)",
    "builtin_changed-body": "function pg_get_userbyid(oid)",
    "builtin_changed-sql": "function lpad(text,integer)",
    "builtin_changed-member": "function pg_catalog.pl_titles()",
    "builtin_changed-catalog-view": "view pg_tables",
    "builtin_changed-view-options": "view pg_stats",
    "names_taken-better-fit": "operator public.=(text,character varying)",
    "table_not_enabled-through-another": "stash.copy",
    "policy_ignores_caller-cast": "public.task, policy task_select",
    "policy_ignores_caller-collation": "public.task, policy task_select",
    "policy_volatile_helper-restrictive": "public.task, policy narrow",
    "function_definer_public-view": "hidden.f()",
    "function_definer_public-operator": "hidden.f(text,text)",
    "function_definer_public-aggregate": "hidden.f(text,integer)",
    "function_definer_public-matview": "hidden.f()",
    "function_definer_public-member": "public.pl_titles()",
    "view_definer-copy": "stash.shown",
    "view_definer-copy-inherited": "stash.shown",
    "view_definer-sequence": "stash.shown",
    "matview_reachable-copy": "stash.shown",
    "grant_other_table-no-usage": "stash.copy",
    "table_inherited": "stash.copy",
    "role_owns_object": "type public.title",
    "role_owns_object-enum": "type public.mood",
    "role_owns_object-collation": "collation public.mine",
    "role_owns_object-operator-family": "operator family public.mine USING btree",
    "role_owns_object-server": "server elsewhere",
    "trigger_on_table": "public.task, trigger tell",
    "trigger_on_table-body": "public.task, trigger task_touch",
    "trigger_on_table-disabled": "public.task, trigger task_touch",
    "trigger_on_table-partition": "stash.event_0, trigger tell",
    "trigger_definer-partition": "stash.event_0, trigger tell",
    "rule_on_table-partition": "stash.event_0, rule quiet",
    "trigger_missing": "public.task_touch()",
    "event_trigger": "event trigger tidy",
    "expression_on_table": "public.task, constraint task_title_check1",
    "expression_on_table-domain-default": "public.task, the domain of column note",
    "expression_on_table-domain-within": "public.task, the domain of column notes",
    "expression_on_table-range": "public.task, the range of column span",
    "trigger_on_table-function-of-another": "public.task, trigger task_touch",
    "expression_on_table-operator-class": "public.task, index task_user_id_title_idx",
    "publication_unfiltered-filtered": "p",
    "publication_unfiltered-partition": "p",
    "publication_unfiltered-copy": "p",
    "subscription_in_database": "subscription elsewhere",
    "setting_unsafe-role": "role task_app",
    "setting_unsafe-all-roles": "all roles",
}

# What looks like a weakness afterwards to whoever asks when a row was last changed.
TAKEN_BACK: Final = {
    "a grant on a function": (
        "grant execute on function pg_read_file(text) to public",
        "revoke execute on function pg_read_file(text) from public",
    ),
    "a grant on the catalog": (
        "grant select on pg_statistic to public",
        "revoke select on pg_statistic from public",
    ),
    "leakproof": (
        "alter function pg_catalog.to_date(text, text) leakproof",
        "alter function pg_catalog.to_date(text, text) not leakproof",
    ),
    "immutable": (
        "alter function pg_catalog.current_setting(text, boolean) immutable",
        "alter function pg_catalog.current_setting(text, boolean) stable",
    ),
    "security definer": (
        "alter function pg_catalog.query_to_xml(text, boolean, boolean, text) security definer",
        "alter function pg_catalog.query_to_xml(text, boolean, boolean, text) security invoker",
    ),
    "a disabled trigger": (
        "alter table task disable trigger task_touch",
        "alter table task enable trigger task_touch",
    ),
    "a parent": (
        "create table parent (like task); alter table task inherit parent",
        "alter table task no inherit parent; drop table parent",
    ),
    "a default": (
        "alter table task alter description set default pg_notify('x', 'y')::text",
        "alter table task alter description drop default",
    ),
    "an owner": (
        "create type mood as enum ('good'); alter type mood owner to task_app",
        "alter type mood owner to task_owner",
    ),
}


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Iterator[TaskDatabase]:
    """One of its own, without rows that a weakness could stumble over."""
    with cluster.database() as database:
        yield database


@pytest.fixture(scope="module")
def connection(database: TaskDatabase) -> Iterator[psycopg.Connection]:
    """One for all: a new one would have to read the whole catalog first."""
    with psycopg.connect(database.superuser) as connection:
        Subject().introduce(connection)
        connection.commit()
        yield connection


@pytest.fixture
def superuser(connection: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A transaction in which anything can be planted; nothing of it stays."""
    connection.execute("set local lock_timeout = '5s'")
    yield connection
    connection.rollback()


def named(weakness: Path) -> str:
    return weakness.stem


def turns_red(weakness: Path) -> list[str]:
    """What the second line says must be found: the planted one first."""
    _, second, *_ = weakness.read_text().splitlines()
    assert second.startswith("-- turns red: ")
    return second.removeprefix("-- turns red: ").split()


def findings(connection: psycopg.Connection) -> list[Finding]:
    """What the checks find that is the database's own. All of them could be made."""
    found = []
    for check in CHECKS.values():
        checked = run(check, connection)
        assert checked.not_checked is None, f"{check.id}: {checked.not_checked}"
        for finding in checked.findings:
            assert finding.id == check.id
            assert finding.level is check.level
            assert "" not in (finding.object, finding.detail, finding.exploit, finding.mend)
            found += [finding] if check.id != OF_THE_SERVER else []
    return found


@pytest.fixture(scope="module")
def _clean(connection: psycopg.Connection) -> None:
    """The control: without a weakness, nothing is found."""
    assert findings(connection) == []
    connection.rollback()


@pytest.mark.slow
@pytest.mark.usefixtures("_clean")
@pytest.mark.parametrize("weakness", WEAKNESSES, ids=named)
def test_a_weakness_is_found_for_no_other_reason_and_can_be_mended(
    weakness: Path, superuser: psycopg.Connection
) -> None:
    if lacking := PLANTS[weakness.stem].lacks(superuser):
        pytest.skip(f"this server lacks {lacking}")
    superuser.execute(weakness.read_bytes(), prepare=False)
    planted = findings(superuser)
    assert {finding.id for finding in planted} == set(turns_red(weakness)) - NOT_CHECKS

    for finding in planted:
        superuser.execute(finding.mend.encode(), prepare=False)
    undecided = [finding for finding in planted if finding.mend.startswith("--")]
    left = findings(superuser)
    assert [finding for finding in left if finding not in undecided] == []
    # where nothing was mended nothing has changed; else that may have mended the others, too
    assert left == undecided or len(undecided) < len(planted)


# Where the audit was blind, and the checks that see it now.
ROOTS: Final = {
    "copies of rows, in every schema": (
        *("grant_other_table", "view_definer", "matview_reachable", "table_inherited"),
        *("partition_reachable", "function_definer_public"),
    ),
    "grants on what initdb and extensions made": ("grant_catalog",),
    "what has a name of PostgreSQL's own": ("builtin_changed", "function_leakproof", "names_taken"),
    "what calls a definer function": ("function_definer_public",),
    "anything owned, anything granted": (
        *("role_owns_object", "grant_other_object", "grant_parameter"),
        "grant_default_privileges",
    ),
    "what happens by itself": (
        *("trigger_on_table", "trigger_missing", "trigger_definer", "event_trigger"),
        *("rule_on_table", "expression_on_table", "publication_unfiltered"),
        *("subscription_in_database", "setting_unsafe", "drift"),
    ),
}


@pytest.mark.evidence("blind-audit")
@pytest.mark.parametrize("root", ROOTS)
def test_of_each_root_something_is_planted_that_nothing_else_sees(root: str) -> None:
    # drift is there where the manifest is one's own
    alone = {found for found, *others in map(turns_red, WEAKNESSES) if not {*others} - {"drift"}}
    assert {*ROOTS[root]} <= alone


@pytest.mark.evidence(
    "copies",
    "builtins",
    "ownership",
    "replication",
    "automatic-code",
    "version-trigger",
    "unsafe-settings",
)
@pytest.mark.parametrize(("name", "planted"), NAMED.items(), ids=NAMED)
def test_a_finding_names_what_was_planted(
    name: str, planted: str, superuser: psycopg.Connection
) -> None:
    weakness = PLANTS[name]
    superuser.execute(weakness.sql.encode(), prepare=False)
    found = run(CHECKS[name.partition("-")[0]], superuser).findings
    assert planted in {finding.object for finding in found}


@pytest.mark.evidence("builtins")
@pytest.mark.parametrize(("plant", "undo"), TAKEN_BACK.values(), ids=TAKEN_BACK)
def test_what_was_taken_back_is_no_longer_found(
    plant: str, undo: str, superuser: psycopg.Connection
) -> None:
    superuser.execute(plant.encode(), prepare=False)
    assert findings(superuser)
    superuser.execute(undo.encode(), prepare=False)
    assert findings(superuser) == []


def test_built_in_functions_of_a_version_that_is_not_recorded_are_not_checked(
    superuser: psycopg.Connection,
) -> None:
    check = CHECKS["builtin_changed"]
    asked = "current_setting('server_version_num')"
    newer = Check(check.id, check.level, "", "", check.sql.replace(asked, "'190000'"))
    reason = run(newer, superuser).not_checked
    assert reason is not None
    assert "the built-in functions of this version are not recorded" in reason


@pytest.mark.evidence("ownership")
def test_what_it_owns_in_another_database_is_said(
    cluster: Cluster, connection: psycopg.Connection
) -> None:
    with cluster.empty_database() as other:
        with psycopg.connect(other.superuser) as there:
            name = there.info.dbname
            there.execute("create table stash (title text)")
            there.execute("alter table stash owner to task_app")
        found = run(CHECKS["role_owns_object"], connection).findings
        connection.rollback()
        assert [finding.object for finding in found] == [f"database {name}"]


@pytest.mark.usefixtures("_clean")
@pytest.mark.parametrize("change", SOUND.values(), ids=SOUND)
def test_what_is_sound_is_not_reported(change: str, superuser: psycopg.Connection) -> None:
    superuser.execute(change.encode(), prepare=False)
    assert findings(superuser) == []


@pytest.mark.evidence(
    "definer-rights",
    "copies",
    "ownership",
    "partitions",
    "cached-plans",
    "replication",
    "automatic-code",
    "missing-index",
)
def test_a_migrated_database_has_no_weakness_for_the_serving_role_to_see(
    database: TaskDatabase,
) -> None:
    with psycopg.connect(database.task_app) as task_app:
        Subject().introduce(task_app)
        assert findings(task_app) == []


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_check_is_told_whom_it_is_about(check: Check) -> None:
    for name in ("task_app", "user_id"):
        assert name not in check.page + check.sql


def test_the_same_is_found_of_another_role_setting_and_column(
    superuser: psycopg.Connection,
) -> None:
    superuser.execute("""
        create role web login noinherit;
        create schema app;
        grant usage on schema app to web;
        create table app.note ("Owner" text primary key check ("Owner" <> ''), body text);
        alter table app.note enable row level security;
        alter table app.note force row level security;
        create policy mine on app.note for select to web
            using ("Owner" = (select current_setting('who.is-asking', true)));
        create policy all_of_them on app.note for delete to web using ("Owner" <> '');
        grant select, delete on app.note to web""")
    Subject("web", "who.is-asking", "Owner").introduce(superuser)
    found = {(finding.id, finding.object) for finding in findings(superuser)}
    assert ("policy_ignores_caller", "app.note, policy all_of_them") in found
    assert not [at for _, at in found if "mine" in at]


@pytest.mark.evidence("audited-names")
def test_an_operator_in_front_of_a_real_one_is_not_asked(superuser: psycopg.Connection) -> None:
    superuser.execute("""
        grant truncate on task to task_app;
        create function never(name, text) returns boolean return false;
        create operator public.= (function = never, leftarg = name, rightarg = text);
        set local search_path = public, pg_catalog""")
    assert "public.task" in {
        found.object for found in run(CHECKS["grant_truncate"], superuser).findings
    }
    assert superuser.execute("show search_path").fetchone() == ("public, pg_catalog",)


@pytest.mark.evidence("audit-changes")
@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_check_needs_no_privilege_and_writes_nothing(
    check: Check, superuser: psycopg.Connection
) -> None:
    superuser.execute("create role reviewer nosuperuser")
    superuser.execute("set local role reviewer")
    superuser.execute("set transaction read only")
    assert run(check, superuser).not_checked is None


def test_a_check_has_a_weakness_and_a_weakness_has_a_check() -> None:
    planted = {turns_red(weakness)[0] for weakness in WEAKNESSES}
    assert planted == set(CHECKS) - {OF_THE_SERVER} | {"drift"}
    for weakness in WEAKNESSES:
        first, *others = turns_red(weakness)
        assert first == weakness.stem.partition("-")[0]
        assert {first, *others} <= set(CHECKS) | NOT_CHECKS
        assert weakness.read_text().startswith("-- ")


@pytest.mark.parametrize(
    ("version", "mended_in"),
    [
        (140025, "18.7"),
        (150019, "15.20"),
        (150020, None),
        (160015, "16.16"),
        (160016, None),
        (170011, "17.12"),
        (170012, None),
        (180006, "18.7"),
        (180007, None),
        (190000, None),
    ],
)
def test_the_version_is_judged(
    version: int, mended_in: str | None, superuser: psycopg.Connection
) -> None:
    check = CHECKS[OF_THE_SERVER]
    asked = "current_setting('server_version_num')"
    assert check.sql.count(asked) == 1
    told = Check(check.id, check.level, "", "", check.sql.replace(asked, f"'{version}'"))
    found = run(told, superuser).findings
    assert [finding.mend for finding in found] == (
        [f"-- upgrade PostgreSQL to {mended_in} or newer"] if mended_in else []
    )
