"""`task-api audit --manifest none` on schemas of others: what is wrong there, and nothing else."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from psycopg import sql

from api.commands.audit.target import target
from tests.cluster import Cluster, TaskDatabase
from tests.forked import Outcome
from tests.postgres import binaries
from tests.program import TASK_API, environment, run

FOLDER: Final = Path(__file__).parent / "foreign"
_HEAD: Final = re.compile(
    r"(?s)-- role (?P<role>\w+), setting (?P<setting>[\w.]+), owner column (?P<owner>\w+)\n"
    r"(-- template (?P<template>[^\n]+)\n)?-- finds: ?(?P<finds>[^\n]*)\n"
)
# The server may itself be old enough to be warned of.
OF_THE_SERVER: Final = "server_version"


@dataclass(frozen=True)
class Foreign:
    """Another's database, with who serves there."""

    database: TaskDatabase
    role: str
    options: tuple[str, ...]
    finds: frozenset[str]

    def audit(self, *arguments: str, server: str | None = None) -> Outcome:
        """The installed command, with the server's URL as that of the role, or as told."""
        urls = {"MIGRATION_DATABASE_URL": self.database.superuser}
        serving = self.database.of(self.role) if server is None else server
        if serving:
            urls["DATABASE_URL"] = serving
        return run("audit", *self.options, *arguments, **urls)

    def report(self, *arguments: str, server: str | None = None) -> tuple[int, dict[str, Any]]:
        said = self.audit("--format", "json", *arguments, server=server)
        assert said.out, said.err
        return said.code, json.loads(said.out)

    def change(self, statement: str) -> None:
        with psycopg.connect(self.database.superuser) as connection:
            connection.execute(statement.encode())


def found(report: dict[str, Any]) -> set[str]:
    return {finding["id"] for finding in report["findings"]} - {OF_THE_SERVER}


def wrong(report: dict[str, Any]) -> set[str]:
    return {probe["name"] for probe in report["probes"] if not probe["passed"]}


@pytest.fixture
def foreign(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Foreign]:
    """The schema of the file that the test names."""
    text = (FOLDER / f"{request.param}.sql").read_text()
    head = _HEAD.search(text)
    assert head is not None
    roles = re.findall(r"create role (\w+)", text)
    with cluster.empty_database() as database:
        with psycopg.connect(database.superuser) as connection:
            connection.execute(text.encode())
            for role in roles if database.password != "''" else ():
                connection.execute(f"alter role {role} password {database.password}".encode())
        options: tuple[str, ...] = (
            "--manifest",
            "none",
            "--role",
            head["role"],
            "--setting",
            head["setting"],
        )
        options += ("--owner-column", head["owner"])
        if head["template"]:
            options += ("--setting-template", head["template"])
        # authenticated cannot log in: authenticator does, and takes it on
        role = "authenticator" if head["role"] == "authenticated" else head["role"]
        try:
            yield Foreign(database, role, options, frozenset(head["finds"].split()))
        finally:
            with psycopg.connect(database.superuser, autocommit=True) as connection:
                for role in roles:
                    name = sql.Identifier(role)
                    connection.execute(sql.SQL("drop owned by {} cascade").format(name))
                for role in roles:
                    connection.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


def named(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("foreign", names, indirect=True)


@named(*(file.stem for file in sorted(FOLDER.glob("*.sql"))))
def test_what_is_wrong_is_found_and_nothing_else(foreign: Foreign) -> None:
    code, report = foreign.report()
    assert report["not_checked"] == {}
    assert found(report) == foreign.finds, report["findings"]
    assert code == (1 if foreign.finds else 0)


@named("clean", "supabase")
def test_the_matrix_says_whose_rows_in_every_schema(foreign: Foreign) -> None:
    _, report = foreign.report()
    role = foreign.options[3]
    reach = {(a["relation"], a["reach"]) for a in report["matrix"] if a["role"] == role}
    tables = {"shop.orders", "shop.parcel"} if role == "shop_web" else {"todo"}
    assert reach == {(table, "OWN ROWS") for table in tables}


HELPER: Final = "create or replace function auth.uid() returns uuid language sql stable as $$ {} $$"


@pytest.mark.parametrize(
    "body",
    [
        "select coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub',"
        " '00000000-0000-4000-8000-00000000000a')::uuid",
        "select (nullif(current_setting('who', true), '')::jsonb ->> 'sub')::uuid"
        " -- 'request.jwt.claims'",
        "select user_id from public.todo where '' <> current_setting('request.jwt.claims', true)",
    ],
    ids=["a default", "another setting", "a query"],
)
@named("supabase")
def test_a_helper_that_does_more_than_read_the_setting_shows_nothing(
    foreign: Foreign, body: str
) -> None:
    foreign.change(HELPER.format(body))
    code, report = foreign.report()
    assert code != 0
    assert {a["reach"] for a in report["matrix"] if a["role"] == "authenticated"} == {"ALL ROWS"}


@pytest.mark.parametrize("weaker", [("update", "change"), ("delete", "remove")], ids=lambda w: w[0])
@named("supabase")
def test_a_blind_write_shows_what_the_policy_for_select_hides(
    foreign: Foreign, weaker: tuple[str, str]
) -> None:
    command, policy = weaker
    foreign.change(f"alter policy {policy} on todo using (true)")
    if command == "update":
        foreign.change(f"alter policy {policy} on todo with check (true)")
    _, report = foreign.report()
    assert wrong(report) == {
        f"public.todo, blind {command}{circumstance}"
        for circumstance in ("", ", no identity", ", empty identity")
    }


@pytest.mark.parametrize(
    ("change", "attempts"),
    [
        ("alter policy read on todo using (true)", {"select, foreign"}),
        ("alter policy make on todo with check (true)", {"insert, foreign"}),
        (
            "grant update (user_id) on todo to authenticated;"
            " alter policy change on todo with check (true)",
            {"give away"},
        ),
    ],
    ids=["read", "insert", "give-away"],
)
@named("supabase")
def test_each_command_is_tried_on_its_own(
    foreign: Foreign, change: str, attempts: set[str]
) -> None:
    foreign.change(change)
    _, report = foreign.report()
    assert {f"public.todo, {name}" for name in attempts} <= wrong(report)


@pytest.mark.evidence("audit-changes")
@named("clean")
def test_nothing_stays_and_no_row_is_printed(foreign: Foreign) -> None:
    everything = (
        "select (select json_agg(o) from shop.orders o), (select json_agg(p) from shop.parcel p)"
    )
    foreign.change("create policy hole on shop.orders for all to shop_web using (true)")
    foreign.change("insert into shop.orders values (4, 7, 'a secret plan')")
    with psycopg.connect(foreign.database.superuser) as connection:
        before = connection.execute(everything).fetchone()
    for name in ("text", "json", "sarif", "html"):
        said = foreign.audit("--format", name)
        assert said.code == 1
        assert not re.search("secret plan|crimson|emerald", said.out)
    with psycopg.connect(foreign.database.superuser) as connection:
        assert connection.execute(everything).fetchone() == before


@pytest.mark.parametrize("how", ["with inherit true", "with inherit false", "with set false"])
@named("clean")
def test_a_copy_that_the_role_may_read_as_another_is_found(foreign: Foreign, how: str) -> None:
    foreign.change("create role reader")
    foreign.change("create table shop.copy as select * from shop.orders")
    foreign.change("grant select on shop.copy to reader")
    with psycopg.connect(foreign.database.superuser) as connection:
        if connection.info.server_version < 160000:
            how = ""
        connection.execute(f"grant reader to shop_web {how}".encode())
    code, report = foreign.report()
    foreign.change("drop owned by reader")
    foreign.change("drop role reader")
    assert code == 1
    assert {f["object"] for f in report["findings"] if f["id"] == "table_not_enabled"} == {
        "shop.copy"
    }


@pytest.mark.parametrize(
    "policy",
    [
        "customer_id::real = (select nullif(current_setting('shop.customer', true), '')::real)",
        "customer_id::char(1) = (select current_setting('shop.customer', true)::char(1))",
    ],
)
@named("clean")
def test_a_comparison_in_which_two_owners_can_be_one_is_found(
    foreign: Foreign, policy: str
) -> None:
    foreign.change(f"alter policy orders_read on shop.orders using ({policy})")
    _, report = foreign.report()
    assert "policy_ignores_caller" in found(report)


# What cannot be tried is said, and is no pass.


def not_checked(foreign: Foreign, server: str | None = None) -> dict[str, str]:
    code, report = foreign.report(server=server)
    assert code == 2, report["findings"]
    reasons: dict[str, str] = report["not_checked"]
    return reasons


@pytest.mark.evidence("unchecked-is-clean")
@named("clean")
def test_one_owner_is_not_two(foreign: Foreign) -> None:
    foreign.change("delete from shop.parcel where customer_id > 1")
    assert not_checked(foreign) == {
        "probe: shop.parcel": "no rows of two different customer_id",
    }


@named("clean")
def test_a_table_without_the_owner_column_is_not_checked(foreign: Foreign) -> None:
    foreign.change("""
        create table shop.price (item text);
        alter table shop.price enable row level security;
        alter table shop.price force row level security;
        grant select on shop.price to shop_web;
        create policy none on shop.price for select to shop_web using (false)""")
    (reason,) = not_checked(foreign).values()
    assert "no column customer_id" in reason


@pytest.mark.evidence("unchecked-is-clean")
@named("clean")
def test_a_setting_that_names_nobody_proves_nothing(foreign: Foreign) -> None:
    options = (*foreign.options[:4], "--setting", "shop.nobody", *foreign.options[6:])
    said = run(
        "audit", *options, "--format", "json",
        MIGRATION_DATABASE_URL=foreign.database.superuser,
        DATABASE_URL=foreign.database.of("shop_web"),
    )  # fmt: skip
    reasons = json.loads(said.out)["not_checked"]
    assert {*reasons} == {"probe: shop.orders", "probe: shop.parcel"}
    assert "none of the rows they own" in reasons["probe: shop.orders"]


@named("clean")
def test_who_looks_for_owners_must_see_them(foreign: Foreign) -> None:
    foreign.change("alter table shop.orders owner to task_owner")
    foreign.change("alter table shop.parcel owner to task_owner")
    said = run(
        "audit", *foreign.options, "--format", "json",
        MIGRATION_DATABASE_URL=foreign.database.owner,
        DATABASE_URL=foreign.database.of("shop_web"),
    )  # fmt: skip
    assert said.code == 2
    assert "superuser" in json.loads(said.out)["not_checked"]["probe: shop.orders"]


@named("clean")
def test_without_the_server_s_url_the_role_is_taken_on_and_that_is_said(foreign: Foreign) -> None:
    assert not_checked(foreign, server="") == {
        "probe: the server connects as": "DATABASE_URL is not set; postgres took the role shop_web "
        "on instead"
    }


@named("clean", "supabase")
def test_a_server_that_connects_as_a_superuser_is_found_out(foreign: Foreign) -> None:
    _, report = foreign.report(server=foreign.database.superuser)
    assert wrong(report) == {"the server connects as"}


@pytest.mark.evidence("unchecked-is-clean")
@named("clean")
def test_an_attempt_that_a_trigger_ends_is_not_checked(foreign: Foreign) -> None:
    foreign.change("""
        create function shop.frozen() returns trigger language plpgsql as
            'begin raise exception ''closed''; end';
        create trigger frozen before delete on shop.parcel
            for each row execute function shop.frozen()""")
    _, report = foreign.report()  # the trigger is a finding, too
    assert report["not_checked"] == {
        "probe: shop.parcel, blind delete": "the attempt failed (P0001) before it could tell"
    }


@pytest.mark.evidence("audit-changes")
@named("clean")
def test_a_hole_in_a_table_costs_one_row_and_no_more(foreign: Foreign) -> None:
    foreign.change("""
        create table shop.touched (n bigint);
        create sequence shop.touches;
        grant usage on sequence shop.touches to shop_web;
        create function shop.count() returns trigger language plpgsql as
            'begin perform nextval(''shop.touches''); return new; end';
        create trigger counted before update on shop.orders
            for each row execute function shop.count();
        insert into shop.orders select 9, n, 'x' from generate_series(1, 1000) n;
        alter policy orders_update on shop.orders using (true) with check (true)""")
    _, report = foreign.report()
    assert "shop.orders, blind update" in wrong(report)
    with psycopg.connect(foreign.database.superuser) as connection:
        (touches,) = connection.execute("select last_value from shop.touches").fetchone() or (0,)
    assert touches < 20


# The same by a file, and what is no way to ask.


@named("supabase")
def test_a_file_says_the_same(foreign: Foreign, tmp_path: Path) -> None:
    config = tmp_path / "audit.toml"
    config.write_text(
        'manifest = "none"\nrole = "authenticated"\nsetting = "request.jwt.claims"\n'
        """setting_template = '{"sub": "%s"}'\nowner-column = "user_id"\n"""
    )
    urls = {
        "MIGRATION_DATABASE_URL": foreign.database.superuser,
        "DATABASE_URL": foreign.database.of("authenticator"),
    }
    assert run("audit", "--config", str(config), **urls).code == 0
    # an option comes before the file
    assert run("audit", "--config", str(config), "--setting-template", "%s", **urls).code == 2


@pytest.mark.parametrize(
    ("template", "named"),
    [("%s", 'a "b" \\'), ('{"sub": "%s"}', '{"sub": "a \\"b\\" \\\\"}'), ("id=%s", 'id=a "b" \\')],
)
def test_an_owner_cannot_say_more_than_who_they_are(template: str, named: str) -> None:
    options = {"manifest": "none", "setting_template": template}
    assert target(options, None).names('a "b" \\') == named


@pytest.mark.parametrize(
    ("config", "arguments", "words"),
    [
        ('manifest = "ours"', (), "manifest none only"),
        ('role = "web"', (), "manifest none only"),
        ('manifest = "none"\nroles = "web"', (), "not roles"),
        ('manifest = "none"\nrole = 1', (), "role of the audit is a text"),
        ("manifest =", (), "is not TOML"),
        ('manifest = "none"\nsetting_template = "x"', (), "%s once"),
        ('manifest = "none"\nsetting_template = "{%s"', (), "is JSON"),
        (None, (), "cannot be read"),
        ("", ("--role", "web"), "manifest none only"),
        ("", ("--manifest", "none", "--role", ""), "not empty"),
    ],
)
def test_what_is_no_way_to_ask_is_one_line(
    tmp_path: Path, config: str | None, arguments: tuple[str, ...], words: str
) -> None:
    file = tmp_path / "audit.toml"
    if config is not None:
        file.write_text(config)
    said = run("audit", "--config", str(file), *arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("task-api: ")
    assert said.err.count("\n") == 1
    assert words in said.err


def test_the_readme_s_commands_do_what_they_say(own_cluster: Cluster, tmp_path: Path) -> None:
    text = (FOLDER.parents[2] / "db/audit/README.md").read_text()
    chapter = text.partition("## Another database")[2]
    commands, verdict = re.findall(r"(?s)```console\n(.*?)```", chapter)[0].split("...\n")
    # the folder in which `make run` keeps its database
    (tmp_path / ".data").mkdir()
    socket = re.search(r"host=(.+)", own_cluster.superuser)
    assert socket is not None
    (tmp_path / ".data/postgres").symlink_to(socket[1])
    (tmp_path / "db").symlink_to(FOLDER.parents[2] / "db")
    (tmp_path / "tests").symlink_to(FOLDER.parents[2] / "tests")
    there = environment()
    there["PATH"] = os.pathsep.join([str(Path(TASK_API).parent), str(binaries()), there["PATH"]])
    script = re.sub(r"(?m)^[$>] ", "", commands)
    said = subprocess.run(
        ["bash", "-e"], input=script, cwd=tmp_path, env=there, capture_output=True, text=True
    )
    try:
        assert said.returncode == 0, said
        assert verdict.strip().partition(":")[0] in said.stdout
        assert re.sub(r"[0-9]+", "", verdict) in re.sub(r"[0-9]+", "", said.stdout) + "\n"
    finally:
        with psycopg.connect(own_cluster.superuser, autocommit=True) as connection:
            connection.execute("drop database if exists shop")
            connection.execute("drop role if exists shop_web")
