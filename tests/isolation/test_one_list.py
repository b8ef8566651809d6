"""The catalog says which tables are guarded; whoever has to provide for each has forgotten none.

When one of these fails, a table is new: its message says what to write, and where.
"""

import json
from collections.abc import Callable
from typing import Final

import psycopg
import pytest
from sqlmodel import SQLModel

from api.commands import personal_data
from api.commands.audit import probes
from api.commands.migrate import POLICIES
from api.database import guarded_tables
from tests.cluster import TaskDatabase
from tests.isolation import guarded as words
from tests.isolation.test_policies_alone import WITHHELD_OF
from tests.program import run

PLACES: Final[dict[str, Callable[[], set[str]]]] = {
    "its file in db/policies/": lambda: {file.stem for file in POLICIES.glob("[!0]*.sql")},
    "its words in _TABLES of api/commands/audit/probes.py": lambda: {*probes.TABLES},
    "its PERSONAL_ROWS in KINDS of api/commands/personal_data.py": lambda: {*personal_data.TABLES},
    "its model in models.py of its package in api/": lambda: {*SQLModel.metadata.tables},
    "its words in TABLES of tests/isolation/guarded.py": lambda: {*words.NAMES},
    "what of it is withheld in tests/isolation/test_policies_alone.py": lambda: {
        table.name for table in WITHHELD_OF
    },
}


@pytest.mark.evidence("forgotten-table")
@pytest.mark.parametrize("place", PLACES)
def test_each_guarded_table_is_provided_for(as_owner: psycopg.Connection, place: str) -> None:
    tables = {*guarded_tables.tables(as_owner)}
    assert tables
    forgotten, gone = tables - PLACES[place](), PLACES[place]() - tables
    assert not forgotten, f"{', '.join(sorted(forgotten))}: write {place}"
    assert not gone, f"{', '.join(sorted(gone))}: take away {place}, or grant it"


def test_the_catalog_knows_a_table_by_any_privilege_on_it(own_database: TaskDatabase) -> None:
    with psycopg.connect(own_database.superuser, autocommit=True) as superuser:
        before = guarded_tables.tables(superuser)
        superuser.execute("create schema aside; grant usage on schema aside to task_app")
        for number, (privilege, place) in enumerate(
            [
                ("select", "public"),
                ("delete", "public"),
                ("trigger", "public"),
                ("insert (body)", "public"),
                ("references (body)", "aside"),
            ]
        ):
            name = f"note_{number}"
            superuser.execute(f"create table {place}.{name} (user_id text, body text)".encode())
            assert guarded_tables.tables(superuser) == before
            superuser.execute(f"grant {privilege} on {place}.{name} to task_app".encode())
            known = name if place == "public" else f"{place}.{name}"
            assert {*guarded_tables.tables(superuser)} == {*before, known}
            superuser.execute(f"drop table {place}.{name}".encode())
        superuser.execute("create table note (user_id text); grant select on note to public")
        assert "note" in guarded_tables.tables(superuser), (
            "whatever everybody has task_app has, too"
        )


@pytest.mark.evidence("forgotten-table")
def test_the_audit_names_a_table_that_is_not_provided_for(own_database: TaskDatabase) -> None:
    with psycopg.connect(own_database.owner, autocommit=True) as owner:
        owner.execute("""
            create table memo_of_a_test (
                user_id text not null check (user_id <> ''), id bigint, primary key (user_id, id));
            alter table memo_of_a_test enable row level security;
            alter table memo_of_a_test force row level security;
            create policy memo_select on memo_of_a_test for select to task_app
                using (user_id = (select current_setting('app.user_id', true)));
            grant select on memo_of_a_test to task_app""")
    urls = {"MIGRATION_DATABASE_URL": own_database.owner, "DATABASE_URL": own_database.task_app}
    outcome = run("audit", "--format", "json", **urls)
    assert outcome.code == 1
    found = [f for f in json.loads(outcome.out)["findings"] if f["id"] == "provision"]
    assert {(f["object"], f["level"]) for f in found} == {("memo_of_a_test", "error")}
    assert {f["mend"] for f in found} == {
        "-- write its words in api/commands/audit/probes.py",
        "-- write its kind in api/commands/personal_data.py",
    }
