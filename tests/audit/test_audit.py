"""`task-api audit` as a reviewer uses it: what it says, what it exits with, what it leaves out."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from sarif_pydantic import Sarif

import api
from api.cli import main
from api.commands.audit import evidence, selftest
from api.commands.audit.checks import checks
from api.commands.audit.formats import sarif, text
from api.commands.audit.report import Check, Checked, Finding, Level, Report
from api.commands.embedded import postgres
from api.commands.migrate import migrate
from tests.cluster import Cluster, TaskDatabase, with_query
from tests.isolation.guarded import NAMES, TABLES
from tests.postgres import binaries


@dataclass
class Said:
    status: int
    out: str
    err: str


Audit = Callable[..., Said]


@pytest.fixture
def audit(
    database: TaskDatabase, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Audit:
    """The command, on the shared database unless told otherwise, and on this PostgreSQL."""
    monkeypatch.setattr(selftest, "postgres", partial(postgres, binaries=binaries()))

    def run(*arguments: str, on: TaskDatabase = database, **environment: str) -> Said:
        urls = {"MIGRATION_DATABASE_URL": on.owner, "DATABASE_URL": on.task_app}
        for name, value in (urls | environment).items():
            monkeypatch.setenv(name, value)
        status = main(["audit", *arguments])
        captured = capsys.readouterr()
        return Said(status, captured.out, captured.err)

    return run


def rows(url: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        count = "select count(*) from {table}"
        return [connection.execute(table.sql(count)).fetchone() for table in TABLES]


def weaken(database: TaskDatabase, statement: str) -> None:
    with psycopg.connect(database.superuser) as connection:
        connection.execute(statement.encode())


@pytest.mark.evidence("audit-changes")
def test_a_migrated_database_is_clean_and_stays_as_it_was(
    audit: Audit, database: TaskDatabase
) -> None:
    before = rows(database.superuser)
    said = audit()
    assert said.status == 0, said.out
    assert "USERS ARE KEPT APART: 0 errors" in said.out
    assert "WRONG" not in said.out
    assert rows(database.superuser) == before


def test_any_role_that_can_connect_may_ask(audit: Audit, database: TaskDatabase) -> None:
    assert audit(MIGRATION_DATABASE_URL=database.task_app).status == 0


@pytest.mark.parametrize("table", NAMES)
def test_a_weakness_is_an_error_with_its_evidence(
    audit: Audit, own_database: TaskDatabase, table: str
) -> None:
    weaken(own_database, f"alter policy {table}_select on {table} using (true)")
    said = audit(on=own_database)
    assert said.status == 1
    assert "USERS ARE NOT KEPT APART" in said.out
    assert f"policy_always_true: public.{table}, policy {table}_select" in said.out
    assert re.search(rf"WRONG +{table}, select, everything +expected 1 row, got 2 rows", said.out)
    assert re.search(rf"task_app +{table} +ALL ROWS +OWN ROWS +OWN ROWS +OWN ROWS", said.out)
    assert "+ permissive for select to task_app using true" in said.out


def test_a_warning_fails_only_when_asked_to(audit: Audit, own_database: TaskDatabase) -> None:
    weaken(own_database, "alter role task_app inherit")
    try:
        # the role's state is more than a warning: it is not what the policy files say
        assert audit(on=own_database).status == 1
    finally:
        weaken(own_database, "alter role task_app noinherit")
    (slow,) = [w for w in selftest.weaknesses() if w.name == "owner_column_not_leading"]
    weaken(own_database, slow.sql)
    said = audit(on=own_database)
    assert (said.status, "owner_column_not_leading" in said.out) == (0, True)
    assert audit("--fail-on", "warn", on=own_database).status == 1


@pytest.mark.evidence("unchecked-is-clean")
def test_what_could_not_be_tried_is_not_checked_and_never_a_pass(audit: Audit) -> None:
    said = audit(DATABASE_URL="")
    assert said.status == 2
    assert "NOT CHECKED" in said.out
    assert "DATABASE_URL is not set" in said.out
    assert "USERS ARE KEPT APART" not in said.out


@pytest.mark.evidence("unchecked-is-clean")
@pytest.mark.parametrize("table", NAMES)
def test_a_serving_role_that_can_do_nothing_proves_nothing(
    audit: Audit, own_database: TaskDatabase, table: str
) -> None:
    weaken(own_database, f"revoke all on {table} from task_app")
    said = audit(on=own_database)
    assert f"permission denied for table {table}" in said.out
    assert "NOT CHECKED" in said.out
    assert said.status == 1  # the grants have drifted


def test_a_server_that_connects_as_somebody_else_is_found_out(
    audit: Audit, database: TaskDatabase
) -> None:
    said = audit(DATABASE_URL=database.superuser)
    assert said.status == 1
    assert "expected task_app, got postgres" in said.out


def test_a_server_that_wears_task_app_as_a_mask_is_found_out(
    audit: Audit, database: TaskDatabase
) -> None:
    said = audit(DATABASE_URL=with_query(database.superuser, "options=-crole%3Dtask_app"))
    assert said.status == 1
    assert "expected task_app, got task_app, a mask of postgres" in said.out


@pytest.mark.evidence("unchecked-is-clean")
def test_a_check_that_cannot_run_is_not_checked(
    audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Check("broken", Level.ERROR, "Broken.", "broken", "select 1 / 0")
    monkeypatch.setattr("api.commands.audit.checks.checks", lambda: [broken])
    said = audit()
    assert said.status == 2
    assert "broken: division by zero" in said.out


def test_drift_that_cannot_be_judged_is_not_checked(
    database: TaskDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> dict[str, str]:
        raise psycopg.OperationalError("gone")

    monkeypatch.setattr(evidence, "facts", broken)
    with psycopg.connect(database.owner) as connection:
        assert evidence.drift(connection).not_checked == "OperationalError"


@pytest.mark.parametrize(
    "environment",
    [
        {"MIGRATION_DATABASE_URL": ""},
        {"MIGRATION_DATABASE_URL": "postgresql://alice:hunter2@127.0.0.1:1/tasks"},
    ],
    ids=["not-set", "out-of-reach"],
)
def test_no_catalog_is_one_line_and_could_not_check(
    audit: Audit, environment: dict[str, str]
) -> None:
    said = audit(**environment)
    assert said.status == 2
    assert said.err.startswith("task-api: ")
    assert said.err.count("\n") == 1
    assert "MIGRATION_DATABASE_URL" in said.err
    assert "hunter2" not in said.err
    assert said.out == ""


def test_json_says_the_same(audit: Audit, own_database: TaskDatabase) -> None:
    weaken(own_database, "grant truncate on task to task_app")
    said = audit("--format", "json", on=own_database)
    report = json.loads(said.out)
    assert said.status == 1
    assert {"grant_truncate", "drift", "probe"} <= {f["id"] for f in report["findings"]}
    assert report["not_checked"] == {}
    assert [
        (access["role"], access["relation"])
        for access in report["matrix"]
        if access["reach"] == "OWN ROWS" and access["command"] == "DELETE"
    ] == [("task_app", name) for name in sorted(NAMES)]
    sweeps = {
        f"{table}_sweep_{command}"
        for table, command in (
            *(("idempotency_key", command) for command in ("select", "delete")),
            *(("task_tombstone", command) for command in ("select", "delete")),
            *(("sync_head", command) for command in ("select", "update")),
        )
    }
    commands = ("select", "insert", "update", "delete")
    assert {p["name"] for p in report["policies"]} == sweeps | {
        f"{name}_{command}" for name in NAMES for command in commands
    }


def test_sarif_is_valid(audit: Audit, own_database: TaskDatabase) -> None:
    weaken(own_database, "alter policy task_delete on task using (true)")
    said = audit("--format", "sarif", on=own_database, DATABASE_URL="")
    assert said.status == 1
    (run,) = Sarif.model_validate_json(said.out).runs
    assert run.results is not None
    assert run.tool.driver.rules is not None
    rules = {rule.id for rule in run.tool.driver.rules}
    assert {"policy_always_true", "drift"} <= {result.rule_id for result in run.results} <= rules
    (invocation,) = run.invocations or []
    assert invocation.execution_successful is False  # there were no probes


@pytest.mark.parametrize(
    "check", [*(check.id for check in checks()), "drift", "probe", "provision"]
)
def test_sarif_sends_the_reader_to_a_file_that_there_is(check: str) -> None:
    found = Finding(check, Level.ERROR, "task", "it is weak", "it is read", "mend it")
    drift = evidence.DRIFT
    report = Report("tasks", "18", (Checked(drift, (found,)),), None, (), None, (), ())
    (run,) = json.loads(sarif.render(report))["runs"]
    (location,) = run["results"][0]["locations"]
    named = location["physicalLocation"]["artifactLocation"]["uri"]
    assert Path(api.__file__).parent.parent.joinpath(named).is_file()


@pytest.mark.evidence("audit-leaks")
def test_html_loads_nothing_and_takes_names_for_text(
    audit: Audit, own_database: TaskDatabase
) -> None:
    weaken(own_database, 'create policy "<img src=x>" on task to public using (true)')
    page = audit("--format", "html", on=own_database).out
    assert "&lt;img src=x&gt;" in page
    tags: set[str] = set()
    attributes: set[str] = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.add(tag)
            attributes.update(name for name, _ in attrs)

    Reader().feed(page)
    assert not tags & {"img", "script", "link", "iframe", "object", "form"}
    assert attributes <= {"lang", "charset", "name", "content", "class"}
    assert "url(" not in page.partition("</style>")[0]
    for part in ("Who reaches what", "The policies in force", "create policy task_select on task"):
        assert part in page


@pytest.mark.evidence("audit-leaks")
def test_nothing_of_the_rows_is_in_any_format(audit: Audit, own_database: TaskDatabase) -> None:
    weaken(own_database, "insert into task (user_id, title) values ('alice', 'a secret plan')")
    weaken(
        own_database,
        "insert into idempotency_key (user_id, key, fingerprint, body)"
        " values ('alice', 'x', 'x', 'a secret plan')",
    )
    weaken(own_database, "alter policy task_select on task using (true)")
    weaken(own_database, "alter policy idempotency_key_select on idempotency_key using (true)")
    for name in ("text", "json", "sarif", "html"):
        said = audit("--format", name, on=own_database)
        assert said.status == 1
        assert "secret plan" not in said.out


def test_colour_is_for_terminals(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in audit().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert "\x1b[32mUSERS ARE KEPT APART" in audit().out
    assert "\x1b" not in audit(NO_COLOR="1").out


def test_every_mood_has_its_colour() -> None:
    check = Check("a", Level.WARN, "A.", "a", "select")
    finding = Finding("a", Level.WARN, "x", "", "nobody", "-- nothing")
    report = Report("tasks", "18", (Checked(check, (finding,)),), Checked(check), (), "no", (), ())
    shown = text.render(report, colour=True)
    assert "\x1b[33mwarn " in shown
    assert "\x1b[31mNOT PROVEN" in shown


def test_explain_prints_the_page_and_the_sql(audit: Audit) -> None:
    said = audit("--explain", "role_bypassrls")
    assert said.status == 0
    assert said.out.startswith("role_bypassrls · error\nThe serving role bypasses row security.")
    assert "from pg_catalog.pg_roles" in said.out
    assert audit("--explain", "drift").status == 0


def test_explain_of_nothing_says_what_there_is(audit: Audit) -> None:
    said = audit("--explain", "role_bypasrls")
    assert said.status == 2
    assert "role_bypassrls" in said.err


def test_the_manifest_is_what_a_fresh_database_has(database: TaskDatabase) -> None:
    with psycopg.connect(database.owner) as connection:
        assert evidence.facts(connection) == evidence.manifest()  # else: make manifest


def test_whatever_the_owner_is_called_the_facts_are_the_same(cluster: Cluster) -> None:
    with cluster.empty_database() as empty:
        migrate(empty.superuser)
        with psycopg.connect(empty.superuser) as connection:
            assert evidence.facts(connection) == evidence.manifest()


def test_however_the_server_writes_lengths_of_time_nothing_has_drifted(
    audit: Audit, own_database: TaskDatabase
) -> None:
    for style in ("sql_standard", "iso_8601"):
        weaken(own_database, f"alter role task_owner set intervalstyle = {style}")
        try:
            assert audit(on=own_database).status == 0
        finally:
            weaken(own_database, "alter role task_owner reset intervalstyle")


SWEEP: Final = "policy idempotency_key_sweep_{} on idempotency_key"


@pytest.mark.evidence("stored-responses")
@pytest.mark.parametrize(
    ("command", "change"),
    [
        ("select", "to task_app"),
        ("delete", "to public"),
        ("select", "to task_owner, pg_monitor"),
        ("delete", "to pg_monitor"),
        ("select", "using (true)"),
        ("delete", "using (created_at < now() - interval '23 hours')"),
        ("select", "rename to idempotency_key_sweep"),
    ],
)
def test_a_sweep_of_more_or_by_another_is_drift(
    database: TaskDatabase, command: str, change: str
) -> None:
    sweep = SWEEP.format(command)
    with psycopg.connect(database.superuser) as connection:
        connection.execute(f"alter {sweep} {change}".encode())
        drifted = {finding.object for finding in evidence.drift(connection).findings}
        connection.rollback()
    assert sweep in drifted


@pytest.mark.evidence("ownership")
@pytest.mark.parametrize(
    ("made", "granted"),
    [
        ("view stash.it with (security_invoker) as select title from public.task", "select on"),
        ("view stash.it with (security_invoker) as select 1 as one", "select (one) on"),
        ("table stash.it (one integer)", "insert on"),
        ("sequence stash.it", "usage on"),
    ],
)
def test_what_task_app_is_granted_in_another_schema_is_drift(
    database: TaskDatabase, made: str, granted: str
) -> None:
    with psycopg.connect(database.superuser) as connection:
        connection.execute("create schema stash")
        connection.execute(f"create {made}".encode())
        assert evidence.drift(connection).findings == ()
        kind = "sequence" if "sequence" in made else ""
        connection.execute(f"grant {granted} {kind} stash.it to task_app".encode())
        drifted = {finding.object for finding in evidence.drift(connection).findings}
        connection.rollback()
    assert f"{granted} stash.it to task_app" in drifted


TRIGGER, FUNCTION = "trigger task_touch on task", "trigger function task_touch()"


@pytest.mark.evidence("version-trigger")
@pytest.mark.parametrize(
    ("planted", "named"),
    {
        "drift-trigger-dropped": {TRIGGER, FUNCTION},
        "drift-trigger-never": {TRIGGER},
        "drift-trigger-columns": {TRIGGER},
        "drift-trigger-function": {
            *(TRIGGER, FUNCTION, "trigger function aside.task_touch()"),
        },
        "drift-trigger-body": {FUNCTION},
        "trigger_on_table-disabled": {TRIGGER},
        "trigger_on_table-replica": {TRIGGER},
        "trigger_missing": {TRIGGER},
    }.items(),
)
def test_a_trigger_that_is_not_as_it_was_made_is_drift(
    database: TaskDatabase, planted: str, named: set[str]
) -> None:
    (weakness,) = [w for w in selftest.weaknesses() if w.name == planted]
    with psycopg.connect(database.superuser) as connection:
        connection.execute(weakness.sql.encode())
        found = evidence.drift(connection).findings
        connection.rollback()
    assert {finding.object for finding in found} == named
    # migrate writes policies and grants afresh, and no trigger
    assert {finding.mend for finding in found} == {"-- make it as db/migrations/ does"}


@pytest.mark.evidence("blind-audit")
@pytest.mark.slow
def test_the_self_test_catches_every_weakness_for_no_other_reason(audit: Audit) -> None:
    said = audit("--self-test")
    assert "MISSED" not in said.out
    assert said.status == 0
    left_out = said.out.count("LEFT OUT")  # what a newer PostgreSQL or an extension is needed for
    assert (f"{left_out} left out" in said.out) == (left_out > 0)
    count = len(selftest.weaknesses()) - left_out
    assert count >= 200
    assert f"{count} weaknesses planted, 0 not caught" in said.out


def test_what_cannot_be_planted_here_is_left_out_and_said_to_be(
    audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = selftest.Weakness("a", "a", frozenset({"drift"}), "select", version=99)
    absent = selftest.Weakness("b", "b", frozenset({"drift"}), "select", extension="absent")
    monkeypatch.setattr(selftest, "weaknesses", lambda: [newer, absent])
    said = audit("--self-test")
    assert said.status == 0
    assert "LEFT OUT  a  needs PostgreSQL 99" in said.out
    assert "LEFT OUT  b  needs extension absent" in said.out
    assert "2 left out" in said.out
    assert "0 weaknesses planted, 0 not caught" in said.out


@pytest.mark.evidence("blind-audit")
def test_the_self_test_fails_when_a_check_has_gone_blind(
    audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    (blind,) = [w for w in selftest.weaknesses() if w.name == "grant_truncate"]
    missed = selftest.Weakness(blind.name, blind.sentence, frozenset({"drift"}), blind.sql)
    monkeypatch.setattr(selftest, "weaknesses", lambda: [missed])
    said = audit("--self-test")
    assert said.status == 1
    assert "MISSED  grant_truncate" in said.out


@pytest.mark.evidence("blind-audit")
def test_a_check_that_fails_has_found_nothing(
    audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Check("broken", Level.ERROR, "Broken.", "broken", "select 1 / 0")
    planted = selftest.Weakness("planted", "planted", frozenset({"broken"}), "select")
    monkeypatch.setattr("api.commands.audit.checks.checks", lambda: [broken])
    monkeypatch.setattr(selftest, "weaknesses", lambda: [planted])
    said = audit("--self-test")
    assert said.status == 1
    for name in ("nothing", "planted"):
        assert f"FAILED  {name}  broken: division by zero" in said.out
    assert "1 weaknesses planted, 2 not caught" in said.out


def test_a_probe_that_fails_has_found_nothing(
    audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(connection: psycopg.Connection[Any]) -> None:
        connection.execute("select 1 / 0")

    planted = selftest.Weakness("planted", "planted", frozenset({"probe"}), "select")
    monkeypatch.setattr(selftest, "probe", broken)
    monkeypatch.setattr(selftest, "weaknesses", lambda: [planted])
    said = audit("--self-test")
    assert said.status == 1
    assert "FAILED  planted  probe: division by zero" in said.out


def test_what_cannot_be_planted_at_all_fails(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = selftest.Weakness("planted", "planted", frozenset({"drift"}), "selec")
    monkeypatch.setattr(selftest, "weaknesses", lambda: [planted])
    said = audit("--self-test")
    assert said.status == 1
    assert 'FAILED  planted  planting it: syntax error at or near "selec"' in said.out
    assert "1 weaknesses planted, 1 not caught" in said.out
