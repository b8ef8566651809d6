"""What db/policies/ says is what stands in a migrated database: no more, no less, nothing else.

The migrations and the files are applied once more, to a schema public that has nothing yet, so that
PostgreSQL itself writes both sides in one spelling. All of it is rolled back.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, LiteralString

import psycopg
import pytest

from api.commands.migrate import MIGRATIONS, POLICIES
from tests.cluster import OWNER, TaskDatabase

# What files write. A grant is what somebody else than the owner has.
WRITTEN: Final[dict[str, LiteralString]] = {
    "row security": """
        select relname, relrowsecurity, relforcerowsecurity from pg_class
         where relnamespace = 'public'::regnamespace and (relrowsecurity or relforcerowsecurity)""",
    "policy": """
        select tablename, policyname, permissive, roles::text, cmd, qual, with_check
          from pg_policies where schemaname = 'public'""",
    "grant on a table": """
        select relname, grantee::regrole::text, privilege_type, is_grantable
          from pg_class, aclexplode(relacl)
         where relnamespace = 'public'::regnamespace and grantee <> relowner""",
    "grant on a column": """
        select relname, attname, grantee::regrole::text, privilege_type, is_grantable
          from pg_class join pg_attribute on attrelid = pg_class.oid, aclexplode(attacl)
         where relnamespace = 'public'::regnamespace""",
    "grant on a function": """
        select proname, grantee::regrole::text, privilege_type, is_grantable
          from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
         where pronamespace = 'public'::regnamespace and grantee <> proowner""",
    # that everybody may look into it is PostgreSQL's own default
    "grant on the schema": """
        select nspname, grantee::regrole::text, privilege_type, is_grantable
          from pg_namespace, aclexplode(nspacl)
         where nspname = 'public' and grantee <> nspowner
           and (grantee, privilege_type) <> (0, 'USAGE')""",
    "setting of the role": """
        select setdatabase <> 0, unnest(setconfig) from pg_db_role_setting
         where setrole = 'task_app'::regrole
           and setdatabase in (0, (select oid from pg_database
                                    where datname = current_database()))""",
}
# Whatever names the role in this database, of whatever kind.
MENTIONS: Final = """
    select classid, objid, objsubid, pg_describe_object(classid, objid, objsubid) from pg_shdepend
     where refclassid = 'pg_authid'::regclass and refobjid = 'task_app'::regrole
       and dbid = (select oid from pg_database where datname = current_database())
"""

ME: Final = "(select current_setting('app.user_id', true))"
# What somebody did by hand, and the kinds of difference that it makes.
DRIFT: Final[dict[str, tuple[LiteralString, set[str]]]] = {
    "a policy is gone": (
        "drop policy task_delete on task",
        {"missing policy", "missing mention of the role"},
    ),
    "a policy more": (
        "create policy also on task for select to task_app using (completed)",
        {"extra policy", "extra mention of the role"},
    ),
    "a policy for a person of another name": (
        "create policy backfill on task to task_owner using (true)",
        {"extra policy"},
    ),
    "a policy on another table": (
        "create table note (user_id text);"
        " create policy note_select on note for select to task_app using (true)",
        {"extra policy", "extra mention of the role"},
    ),
    "a policy that lets more through": (
        "alter policy task_select on task using (true)",
        {"missing policy", "extra policy"},
    ),
    "a check that lets more through": (
        "alter policy task_update on task with check (true)",
        {"missing policy", "extra policy"},
    ),
    "a setting of another name": (
        "alter policy task_delete on task"
        " using (user_id = (select current_setting('app.user', true)))",
        {"missing policy", "extra policy"},
    ),
    "a policy for everybody": (
        "alter policy task_select on task to public",
        {"missing policy", "extra policy", "missing mention of the role"},
    ),
    "a policy under another name": (
        "alter policy task_select on task rename to select_task",
        {
            "missing policy",
            "extra policy",
            "missing mention of the role",
            "extra mention of the role",
        },
    ),
    "a sweep of everything": (
        "alter policy idempotency_key_sweep_delete on idempotency_key using (true)",
        {"missing policy", "extra policy"},
    ),
    "a sweep by the server": (
        "alter policy idempotency_key_sweep_select on idempotency_key to task_app",
        {"missing policy", "extra policy", "extra mention of the role"},
    ),
    "a sweep by another": (
        "alter policy idempotency_key_sweep_select on idempotency_key to postgres",
        {"missing policy", "extra policy"},
    ),
    "a policy for every command": (
        "drop policy task_select on task; create policy task_select on task to task_app"
        f" using (user_id = {ME})",
        {"missing policy", "extra policy"},
    ),
    "a policy that restricts": (
        "drop policy task_select on task; create policy task_select on task as restrictive"
        f" for select to task_app using (user_id = {ME})",
        {"missing policy", "extra policy"},
    ),
    "FORCE is off": (
        "alter table task no force row level security",
        {"missing row security", "extra row security"},
    ),
    "FORCE is off on the second table": (
        "alter table idempotency_key no force row level security",
        {"missing row security", "extra row security"},
    ),
    "row security is off": (
        "alter table task disable row level security",
        {"missing row security", "extra row security"},
    ),
    "a grant is gone": (
        "revoke delete on task from task_app",
        {"missing grant on a table"},
    ),
    "a grant more": ("grant truncate on task to task_app", {"extra grant on a table"}),
    "a grant to everybody": ("grant select on task to public", {"extra grant on a table"}),
    "a grant that can be passed on": (
        "grant select on task to task_app with grant option",
        {"missing grant on a table", "extra grant on a table"},
    ),
    "a withheld column": (
        "grant update (user_id) on task to task_app",
        {"extra grant on a column"},
    ),
    "a withheld column of the second table": (
        "grant update (key) on idempotency_key to task_app",
        {"extra grant on a column"},
    ),
    "a column is gone": (
        "revoke insert (description) on task from task_app",
        {"missing grant on a column"},
    ),
    "a grant on the bookkeeping": (
        "grant select on _yoyo_log to task_app",
        {"extra grant on a table", "extra mention of the role"},
    ),
    "a function for everybody": (
        "grant execute on function task_touch() to public",
        {"extra grant on a function"},
    ),
    "tables may be made": (
        "grant create on schema public to task_app",
        {"extra grant on the schema"},
    ),
    "everybody may make tables": (
        "grant create on schema public to public",
        {"extra grant on the schema"},
    ),
    "another schema may be used": (
        "create schema side; grant usage on schema side to task_app",
        {"extra mention of the role"},
    ),
    "what is made later is granted": (
        "alter default privileges in schema public grant select on tables to task_app",
        {"extra mention of the role"},
    ),
    "statements may take longer": (
        "alter role task_app set statement_timeout = 0",
        {"missing setting of the role", "extra setting of the role"},
    ),
    "row security is refused": (
        "alter role task_app set row_security = off",
        {"extra setting of the role"},
    ),
}


Written = dict[str, set[tuple[Any, ...]]]


def written(connection: psycopg.Connection) -> Written:
    return {what: set(connection.execute(query).fetchall()) for what, query in WRITTEN.items()}


def differences(connection: psycopg.Connection) -> Written:
    """What stands in the database and not in the files (extra), and the other way (missing)."""
    live, mentions = written(connection), set(connection.execute(MENTIONS).fetchall())
    live["mention of the role"] = {(name,) for *_, name in mentions}
    before = [place for *place, _ in mentions]
    connection.execute("alter schema public rename to as_it_was")
    connection.execute("alter role task_app reset all")
    connection.execute("create schema public")
    for file in sorted(MIGRATIONS.glob("*.sql")):
        if not file.name.endswith(".rollback.sql"):  # here in a transaction
            connection.execute(file.read_bytes().replace(b" concurrently", b""))
    for file in sorted(POLICIES.glob("*.sql")):
        connection.execute(file.read_bytes())
    files = written(connection)
    files["mention of the role"] = {
        (name,) for *place, name in connection.execute(MENTIONS) if place not in before
    }
    # two empty sides would be equal for nothing
    assert {what for what, rows in files.items() if not rows} <= {"grant on a function"}
    found = {f"extra {what}": rows - files[what] for what, rows in live.items()}
    found |= {f"missing {what}": rows - live[what] for what, rows in files.items()}
    return {what: rows for what, rows in found.items() if rows}


@pytest.fixture
def by_hand(database: TaskDatabase) -> Iterator[psycopg.Connection]:
    """The owner's connection, in a transaction of which nothing remains."""
    with psycopg.connect(database.superuser) as connection:
        connection.execute(f"set local role {OWNER}")
        connection.execute("set local search_path = public")
        yield connection
        connection.rollback()


def test_the_database_is_as_the_files_say(by_hand: psycopg.Connection) -> None:
    assert differences(by_hand) == {}


@pytest.mark.parametrize(("change", "kinds"), DRIFT.values(), ids=DRIFT)
def test_what_was_changed_by_hand_is_seen(
    by_hand: psycopg.Connection, change: LiteralString, kinds: set[str]
) -> None:
    by_hand.execute(change)
    assert set(differences(by_hand)) == kinds


def test_each_policy_in_the_text_is_a_policy_in_the_database(by_hand: psycopg.Connection) -> None:
    text = "\n".join(file.read_text() for file in POLICIES.glob("*.sql"))
    said = re.findall(r"^create policy (\w+) on (\w+) for (\w+) to (\w+)$", text, re.MULTILINE)
    said = [(*policy, role.replace("current_user", OWNER)) for *policy, role in said]
    assert len(said) == len(re.findall(r"^\s*create policy", text, re.MULTILINE | re.IGNORECASE))
    assert (
        sorted(said)
        == by_hand.execute(
            "select policyname, tablename, lower(cmd), array_to_string(roles, ' ') from pg_policies"
            " order by 1"
        ).fetchall()
    )
