"""Whatever the role, the database, the environment or the URL presets: migrate writes the same,
and the audit finds the same."""

import contextlib
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg
import pytest

from api.commands import migrate as migrate_module
from api.commands.audit import evidence
from api.commands.audit.auditor import audit
from api.commands.audit.report import Finding, Level, Report
from api.commands.migrate import migrate
from tests.cluster import OWNER, Cluster, TaskDatabase, with_query
from tests.forked import Outcome
from tests.program import run

# By name, and the version that knows it.
PRESETS: Final = {
    "search_path = ''": 0,
    "search_path = public, pg_catalog": 0,
    "search_path = nowhere": 0,
    "quote_all_identifiers = on": 0,
    "standard_conforming_strings = off": 0,
    "escape_string_warning = off": 0,
    "backslash_quote = off": 0,
    "transform_null_equals = on": 0,
    "array_nulls = off": 0,
    "bytea_output = escape": 0,
    "datestyle = 'German, DMY'": 0,
    "intervalstyle = sql_standard": 0,
    "timezone = 'Asia/Kathmandu'": 0,
    "extra_float_digits = -15": 0,
    "client_encoding = latin1": 0,
    "client_min_messages = error": 0,
    "check_function_bodies = off": 0,
    "row_security = off": 0,
    "default_transaction_read_only = on": 0,
    "default_transaction_isolation = serializable": 0,
    "default_transaction_deferrable = on": 0,
    "statement_timeout = 1": 0,
    "lock_timeout = 1": 0,
    "idle_in_transaction_session_timeout = 20": 0,
    "idle_session_timeout = 200": 0,
    "transaction_timeout = 20": 170000,
    "plan_cache_mode = force_custom_plan": 0,
    "xmloption = document": 0,
}
# All that is printed in one way or another, by the settings above.
EXTRA: Final = r"""
    create policy extra on task for select to task_app
        using (title <> 'a\b' and created_at < timestamptz '2026-03-01 12:00+00'
               and created_at - updated_at < interval '1 month 2 days 3 hours'
               and '\x00ff'::bytea = title::bytea and '0.1234567890123'::float8 < id::float8)"""
# An operator that looks at another setting. Of functions and types there could be such, too.
FOREIGN: Final = """
    create function public.agrees(text, text) returns boolean language sql stable
        return $1 operator(pg_catalog.=) $2 or current_setting('app.is_admin', true) is not null;
    create operator public.= (function = public.agrees, leftarg = text, rightarg = text)"""


@pytest.fixture(params=PRESETS)
def preset(request: pytest.FixtureRequest, database: TaskDatabase) -> str:
    with psycopg.connect(database.superuser) as connection:
        if connection.info.server_version < PRESETS[request.param]:
            pytest.skip("this version of PostgreSQL does not know it")
    found: str = request.param
    return found


# What an operator's own session says who works in spite of what is preset.
SANE: Final = (
    "-cdefault_transaction_read_only=off -cstatement_timeout=0 -clock_timeout=0"
    " -csearch_path=public,pg_temp -cstandard_conforming_strings=on"
)


def executes(database: TaskDatabase, *statements: str, options: str = SANE) -> None:
    with psycopg.connect(database.superuser, autocommit=True, options=options) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def name_of(database: TaskDatabase) -> str:
    return urlsplit(database.superuser).path[1:]


def audits(database: TaskDatabase, *arguments: str) -> Outcome:
    return run(
        "audit",
        *arguments,
        MIGRATION_DATABASE_URL=database.owner,
        DATABASE_URL=database.direct,
    )


def drift(outcome: Outcome) -> dict[str, str]:
    assert outcome.code == 1, outcome
    report = json.loads(outcome.out)
    assert report["not_checked"] == {}
    return {f["object"]: f["detail"] for f in report["findings"] if f["id"] == "drift"}


def audited(database: TaskDatabase) -> Report:
    """What the command reports, without the start of a program."""
    report = audit(database.owner, database.direct)
    assert report.not_checked == {}
    return report


@contextlib.contextmanager
def setting(database: TaskDatabase, whose: str, preset: str) -> Iterator[None]:
    """For their sessions, until the block ends."""
    executes(database, f"alter role {whose} set {preset}")
    try:
        yield
    finally:
        executes(database, f"alter role {whose} reset {preset.partition(' ')[0]}")


@pytest.fixture(scope="module")
def clean(cluster: Cluster) -> Iterator[TaskDatabase]:
    with cluster.database() as database:
        yield database


@pytest.fixture(scope="module")
def drifted(cluster: Cluster) -> Iterator[TaskDatabase]:
    with cluster.database() as database:
        executes(database, EXTRA)
        yield database


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Not that the server is an old one, or what else is preset for the reviewer alone."""
    return [finding for finding in findings if finding.level == Level.ERROR]


@pytest.fixture(scope="module")
def printed(drifted: TaskDatabase) -> list[Finding]:
    """What is said of the extra policy, where nothing is preset."""
    return audited(drifted).findings


@pytest.mark.evidence("preset-parsing")
def test_whatever_is_preset_nothing_has_drifted_and_what_has_is_printed_alike(
    clean: TaskDatabase, drifted: TaskDatabase, printed: list[Finding], preset: str
) -> None:
    assert [f.object for f in printed if f.id == "drift"] == ["policy extra on task"]
    # the reviewer's own: what is preset for the server's sessions is judged as such
    for database, findings in ((clean, []), (drifted, errors(printed))):
        with setting(database, f"{OWNER} in database {name_of(database)}", preset):
            assert errors(audited(database).findings) == findings


@pytest.mark.parametrize(
    "preset",
    ["search_path = ''", "quote_all_identifiers = on", "standard_conforming_strings = off"],
)
def test_what_is_preset_for_all_roles_is_no_drift_either(
    own_database: TaskDatabase, printed: list[Finding], preset: str
) -> None:
    expected = {f.object: f.detail for f in printed if f.id == "drift"}
    with setting(own_database, "all", preset):
        ours = audits(own_database)
        assert (ours.code, ours.err) == (0, ""), ours.out
        executes(own_database, EXTRA)
        assert drift(audits(own_database, "--format", "json")) == expected
        migrate(own_database.owner)
        assert audits(own_database).code == 0


@pytest.fixture
def policies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The policy files, and one more, which says what may be read in two ways."""
    copy = tmp_path / "policies"
    shutil.copytree(migrate_module.POLICIES, copy)
    (copy / "more.sql").write_text(
        r"create policy more on task to task_app using (title <> 'a\b' and description = null);"
    )
    monkeypatch.setattr(migrate_module, "POLICIES", copy)
    return copy


@pytest.fixture(scope="module")
def migrated(database: TaskDatabase) -> dict[str, str]:
    return evidence.manifest() | {
        "policy more on task": "permissive for all to task_app using"
        r" ((title <> 'a\b'::text) AND (description = NULL::text))"
    }


@pytest.mark.evidence("preset-parsing")
@pytest.mark.usefixtures("policies")
def test_whatever_is_preset_migrate_writes_the_same(
    cluster: Cluster, migrated: dict[str, str], preset: str
) -> None:
    with cluster.empty_database() as empty:
        executes(empty, f"alter database {name_of(empty)} set {preset}")
        for _ in range(2):
            migrate(empty.owner)
            executes(empty, f"alter role {OWNER} in database {name_of(empty)} set {preset}")
        executes(
            empty,
            f"alter database {name_of(empty)} reset all",
            f"alter role {OWNER} in database {name_of(empty)} reset all",
        )
        with psycopg.connect(empty.owner) as connection:
            assert evidence.facts(connection) == migrated


@pytest.mark.evidence("search-path")
@pytest.mark.parametrize("where", ["database", "PGOPTIONS", "URL"])
def test_no_operator_in_front_of_postgresql_s_own_gets_into_a_policy(
    cluster: Cluster, database: TaskDatabase, where: str
) -> None:
    with cluster.empty_database() as empty:
        executes(empty, FOREIGN)
        url, settings = empty.owner, {}
        if where == "database":
            path = "search_path = public, pg_catalog"
            executes(empty, f"alter database {name_of(empty)} set {path}")
        elif where == "URL":
            url = with_query(url, "options=-csearch_path%3Dpublic,pg_catalog")
        else:
            settings = {"PGOPTIONS": "-csearch_path=public,pg_catalog"}
        done = run("migrate", MIGRATION_DATABASE_URL=url, **settings)
        assert (done.code, done.err) == (0, ""), done
        with psycopg.connect(empty.superuser) as connection:
            bound = connection.execute(
                "select classid::regclass, objid from pg_depend"
                " where refclassid = 'pg_operator'::regclass and refobjid >= 16384"
                " and classid <> 'pg_operator'::regclass"
            ).fetchall()
        assert bound == []
        executes(empty, f"alter database {name_of(empty)} reset all")
        audit = audits(empty, "--format", "json")
        assert set(drift(audit)) == {"execute on function agrees(text, text) to public"}


@pytest.mark.evidence("search-path")
def test_the_audit_names_the_policy_that_is_bound_to_another_operator(
    own_database: TaskDatabase,
) -> None:
    executes(
        own_database,
        FOREIGN,
        f"alter database {name_of(own_database)} set search_path = public, pg_catalog",
    )
    executes(
        own_database,
        "alter policy task_select on task"
        " using (user_id = (select current_setting('app.user_id', true)))",
        options="",
    )
    outcome = audits(own_database, "--format", "json")
    assert outcome.code == 1, outcome
    errors = [f for f in json.loads(outcome.out)["findings"] if f["level"] == "error"]
    assert {"drift", "names_taken"} <= {f["id"] for f in errors}
    policies = {f["object"] for f in errors if "policy" in f["object"]}
    assert policies == {"policy task_select on task", "public.task, policy task_select"}
    migrate(own_database.owner)
    again = audits(own_database, "--format", "json")
    assert not [o for o in drift(again) if o.startswith("policy")]
