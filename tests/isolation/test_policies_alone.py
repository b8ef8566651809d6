"""The policies alone: plain SQL as task_app, without any filter.

Blind statements (no where, no returning) matter most: with either of them the SELECT policy
would hide what a broken UPDATE or DELETE policy let through.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, LiteralString

import psycopg
import pytest
from psycopg.errors import CheckViolation, InsufficientPrivilege

from tests.cluster import Cluster, TaskDatabase
from tests.isolation.guarded import (
    IDEMPOTENCY_KEY,
    SYNC_HEAD,
    TABLES,
    TASK,
    TASK_TOMBSTONE,
    Table,
    each_table,
)

Rows = list[tuple[Any, ...]]
Everything = Callable[[Table], Rows]
PEOPLE: Final = ["alice", "bob", "carol"]


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Iterator[TaskDatabase]:
    """Nobody else's: a blind statement meets every row there is."""
    with cluster.database() as database:
        yield database


@pytest.fixture
def superuser(database: TaskDatabase) -> Iterator[psycopg.Connection]:
    """The one whom nothing binds."""
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        yield connection


@pytest.fixture
def keys(
    superuser: psycopg.Connection, task_app: psycopg.Connection
) -> Iterator[dict[Table, dict[str, Any]]]:
    """A row of alice's and one of bob's in each table: their keys, by table and owner."""
    yield {
        table: {owner: table.given(superuser, owner) for owner in ("alice", "bob")}
        for table in TABLES
    }
    task_app.rollback()  # lets go of rows that a failed test still holds
    for table in reversed(TABLES):
        superuser.execute(table.sql("delete from {table} where user_id = any (%s)"), [PEOPLE])


@pytest.fixture
def everything(superuser: psycopg.Connection, keys: dict[Table, dict[str, Any]]) -> Everything:
    """What is really in a table."""
    return lambda table: superuser.execute(
        table.sql("select * from {table} where user_id = any (%s) order by user_id, {key}"),
        [PEOPLE],
    ).fetchall()


def says_to_be(connection: psycopg.Connection, user_id: str | None) -> None:
    if user_id is not None:
        connection.execute("select set_config('app.user_id', %s, true)", [user_id])


def test_the_suite_runs_as_task_app(task_app: psycopg.Connection) -> None:
    assert task_app.execute(
        "select current_user::text, session_user::text,"
        " rolsuper, rolbypassrls, rolinherit, rolcreaterole, rolcreatedb, rolreplication"
        " from pg_roles where rolname = current_user"
    ).fetchone() == ("task_app", "task_app", False, False, False, False, False, False)


@each_table
def test_row_security_is_active_for_task_app_and_for_the_owner(
    task_app: psycopg.Connection,
    as_owner: psycopg.Connection,
    keys: dict[Table, dict[str, Any]],
    table: Table,
) -> None:
    for connection in (task_app, as_owner):
        active = connection.execute("select row_security_active(%s)", [table.name]).fetchone()
        assert active == (True,)
    # FORCE: the owner is bound too
    assert as_owner.execute(table.sql("select count(*) from {table}")).fetchone() == (0,)


@each_table
def test_alice_selects_her_own(
    task_app: psycopg.Connection, keys: dict[Table, dict[str, Any]], table: Table
) -> None:
    says_to_be(task_app, "alice")
    assert task_app.execute(table.sql("select user_id, {key} from {table}")).fetchall() == [
        ("alice", keys[table]["alice"])
    ]
    assert task_app.execute(table.sql("select count(*) from {table}")).fetchone() == (1,)


@pytest.mark.evidence("cached-plans")
@each_table
def test_a_plan_made_for_alice_is_as_good_for_bob_and_for_nobody(
    task_app: psycopg.Connection, keys: dict[Table, dict[str, Any]], table: Table
) -> None:
    for person, whose in (("alice", [("alice",)]), ("bob", [("bob",)]), ("", [])):
        says_to_be(task_app, person)
        seen = task_app.execute(table.sql("select user_id from {table}"), prepare=True)
        assert seen.fetchall() == whose


@pytest.mark.evidence("no-identity")
@pytest.mark.parametrize("nobody", [None, ""], ids=["no identity", "an empty identity"])
@pytest.mark.parametrize(
    "statement",
    ["select user_id from {table}", "update {table} set {change}", "delete from {table}"],
)
@each_table
def test_nobody_reaches_nothing(
    task_app: psycopg.Connection,
    everything: Everything,
    nobody: str | None,
    statement: LiteralString,
    table: Table,
) -> None:
    before = everything(table)
    says_to_be(task_app, nobody)
    assert task_app.execute(table.sql(statement)).rowcount == 0
    task_app.commit()
    assert everything(table) == before


@pytest.mark.evidence("no-identity")
@pytest.mark.parametrize("nobody", [None, ""], ids=["no identity", "an empty identity"])
@pytest.mark.parametrize("owner", ["alice", ""])
@each_table
def test_nobody_inserts_nothing(
    task_app: psycopg.Connection, nobody: str | None, owner: str, table: Table
) -> None:
    says_to_be(task_app, nobody)
    with pytest.raises((InsufficientPrivilege, CheckViolation)):
        task_app.execute(
            table.sql("insert into {table} ({columns}) values ({values})"), {"owner": owner}
        )


@pytest.mark.evidence("last-identity")
@each_table
def test_a_session_that_served_alice_starts_afresh_as_nobody(
    task_app: psycopg.Connection, keys: dict[Table, dict[str, Any]], table: Table
) -> None:
    count = table.sql("select count(*) from {table}")
    says_to_be(task_app, "alice")
    assert task_app.execute(count).fetchone() == (1,)
    task_app.commit()
    assert task_app.execute("select current_setting('app.user_id', true)").fetchone() == ("",)
    assert task_app.execute(count).fetchone() == (0,)


@pytest.mark.evidence("forgotten-filter")
@each_table
def test_bobs_blind_update_changes_only_his_own(
    task_app: psycopg.Connection,
    superuser: psycopg.Connection,
    everything: Everything,
    table: Table,
) -> None:
    hers, _ = everything(table)
    says_to_be(task_app, "bob")
    assert task_app.execute(table.sql("update {table} set {change}")).rowcount == 1
    task_app.commit()
    assert everything(table)[0] == hers
    taken = superuser.execute(table.sql("select user_id from {table} where {change}")).fetchall()
    assert taken == [("bob",)]


@pytest.mark.evidence("forgotten-filter")
@each_table
def test_bobs_blind_delete_removes_only_his_own(
    task_app: psycopg.Connection, everything: Everything, table: Table
) -> None:
    hers, _ = everything(table)
    says_to_be(task_app, "bob")
    assert task_app.execute(table.sql("delete from {table}")).rowcount == 1
    task_app.commit()
    assert everything(table) == [hers]


@pytest.mark.evidence("by-id", "idempotency-keys")
@pytest.mark.parametrize(
    "statement",
    [
        "update {table} set {change} where {key} = %(hers)s",
        "update {table} set {change} where user_id = 'alice' and {key} = %(hers)s returning *",
        "delete from {table} where {key} = %(hers)s",
        "delete from {table} where user_id = 'alice' returning *",
        "select * from {table} where user_id = 'alice'",
        "select * from {table} where {key} = %(hers)s for update",
        "with gone as (delete from {table} where user_id = 'alice' returning *) select * from gone",
    ],
)
@each_table
def test_bob_reaches_nothing_of_alices_by_name(
    task_app: psycopg.Connection,
    everything: Everything,
    keys: dict[Table, dict[str, Any]],
    statement: LiteralString,
    table: Table,
) -> None:
    before = everything(table)
    says_to_be(task_app, "bob")
    cursor = task_app.execute(table.sql(statement), {"hers": keys[table]["alice"]})
    assert cursor.rowcount == 0
    task_app.commit()
    assert everything(table) == before


WITHHELD: Final[dict[str, LiteralString]] = {
    "insert as alice": "insert into {table} ({columns}) values ({hers})",
    "insert as alice or do nothing": "insert into {table} ({columns}) values ({hers})"
    " on conflict do nothing",
    "insert or update hers": "insert into {table} ({columns}) values ({hers})"
    " on conflict (user_id, {key}) do update set {change}",
    "insert or give away": "insert into {table} ({columns}) values ({his})"
    " on conflict (user_id, {key}) do update set user_id = 'alice'",
    "insert what is given": "insert into {table} ({columns}, {made}) values ({his}, default)",
    "give away": "update {table} set user_id = 'alice'",
    "change what was given": "update {table} set {made} = default",
    "copy in": "copy {table} ({columns}) from program 'true'",
    "truncate": "truncate {table}",
    "switch it off": "alter table {table} disable row level security",
    "drop a policy": "drop policy {table}_select on {table}",
    "add a policy": "create policy mine on {table} to task_app using (true)",
    "drop it": "drop table {table}",
    "put a trigger": "create trigger t before insert on {table} for each row"
    " execute function task_touch()",
    "hide it": "create temporary table {table} (user_id text)",
    "look around it": "set local row_security = off; select * from {table}",
}
WITHHELD_OF: Final[dict[Table, dict[str, LiteralString]]] = {
    TASK: {
        "insert an id": "insert into task (user_id, id, title) overriding system value"
        " values ('bob', 1, 'x')",
        "insert a version": "insert into task (user_id, title, version) values ('bob', 'x', 9)",
        "take an id": "update task set id = default",
        "change its date": "update task set updated_at = now()",
        "change its version": "update task set version = 1",
        "say when it was completed": "update task set completed_at = now()",
        "create it completed long ago": "insert into task (user_id, title, completed_at)"
        " values ('bob', 'x', now() - interval '1 year')",
        "say when it is due but not by a day": "update task set due_at = now()",
        "create what another follows": "insert into task (user_id, title, next_id)"
        " values ('bob', 'x', 1)",
        "give its series another day": "update task set repeat_anchor = now()",
        "give it another uid": "update task set uid = gen_random_uuid()",
        "give it another number": "update task set seq = 1",
        "insert a number": "insert into task (user_id, title, seq) values ('bob', 'x', 9)",
    },
    SYNC_HEAD: {
        "void the numbers": "update sync_head set generation = gen_random_uuid()",
        "forget deletions": "update sync_head set floor = 9",
    },
    TASK_TOMBSTONE: {
        "take an id": "update task_tombstone set task_id = 1",
        "keep it for longer": "update task_tombstone set deleted_at = now()",
    },
    IDEMPOTENCY_KEY: {
        "insert an answer": "insert into idempotency_key (user_id, key, fingerprint, status, body)"
        " values ('bob', 'another', 'x', 201, 'x')",
        "take a key": "update idempotency_key set key = 'another'",
        "change what was asked": "update idempotency_key set fingerprint = 'x'",
        "insert or change what was asked": "insert into idempotency_key"
        " (user_id, key, fingerprint) values ('bob', 'bob', 'x')"
        " on conflict (user_id, key) do update set fingerprint = excluded.fingerprint",
    },
}
WITHHELD_ELSEWHERE: Final[dict[str, LiteralString]] = {
    "create a table": "create table elsewhere (id int)",
    "become the owner": "set role task_owner",
    "read the passwords": "select * from pg_authid",
    "read the migrations": "select * from _yoyo_migration",
    "read a file": "select pg_read_file('PG_VERSION')",
}
ALL_WITHHELD: Final = WITHHELD_ELSEWHERE | {
    f"{table.name}, {name}": table.sql(statement)
    for table in TABLES
    for name, statement in (WITHHELD | WITHHELD_OF[table]).items()
}


@pytest.mark.evidence(
    "another-name",
    "generated-columns",
    "idempotency-keys",
    "policies-changed",
    "role-change",
    "ungoverned-commands",
    "shadow-objects",
    "other-objects",
)
@pytest.mark.parametrize("name", ALL_WITHHELD)
def test_withheld_from_bob(task_app: psycopg.Connection, everything: Everything, name: str) -> None:
    before = [everything(table) for table in TABLES]
    says_to_be(task_app, "bob")
    with pytest.raises(InsufficientPrivilege):
        task_app.execute(ALL_WITHHELD[name])
    task_app.rollback()
    assert [everything(table) for table in TABLES] == before


@pytest.mark.evidence("collisions", "idempotency-keys")
def test_bob_may_use_the_key_that_alice_uses(
    task_app: psycopg.Connection, superuser: psycopg.Connection, everything: Everything
) -> None:
    hers, _ = everything(IDEMPOTENCY_KEY)
    says_to_be(task_app, "bob")
    claim = (
        "insert into idempotency_key (user_id, key, fingerprint) values ('bob', 'alice', 'his')"
        " on conflict do nothing"
    )
    assert [task_app.execute(claim).rowcount for _ in range(2)] == [1, 0]
    task_app.commit()
    assert everything(IDEMPOTENCY_KEY)[0] == hers


@pytest.fixture
def expired(superuser: psycopg.Connection, keys: dict[Table, dict[str, Any]]) -> None:
    """Beside alice's and bob's keys, which now are almost a day old, one of each that is older."""
    superuser.execute(
        "insert into idempotency_key (user_id, key, fingerprint, created_at)"
        " select user_id, 'expired', 'x', now() - interval '24 hours 1 second'"
        " from unnest(array['alice', 'bob']) user_id"
    )
    superuser.execute(
        "update idempotency_key set created_at = now() - interval '23 hours 59 minutes'"
        " where user_id = any (%s) and key <> 'expired'",
        [PEOPLE],
    )


@pytest.mark.evidence("stored-responses")
@pytest.mark.usefixtures("expired")
def test_the_owner_sees_of_the_keys_what_has_expired(as_owner: psycopg.Connection) -> None:
    seen = as_owner.execute("select user_id, key from idempotency_key order by 1").fetchall()
    assert seen == [("alice", "expired"), ("bob", "expired")]


@pytest.mark.evidence("stored-responses")
@pytest.mark.usefixtures("expired")
def test_the_owners_blind_delete_removes_what_has_expired(
    as_owner: psycopg.Connection, everything: Everything
) -> None:
    valid = [row for row in everything(IDEMPOTENCY_KEY) if "expired" not in row]
    assert as_owner.execute("delete from idempotency_key").rowcount == 2
    assert everything(IDEMPOTENCY_KEY) == valid


@pytest.mark.evidence("stored-responses")
@pytest.mark.usefixtures("expired")
@pytest.mark.parametrize("somebody", [None, "alice"])
def test_the_owner_writes_nothing_for_anybody(
    as_owner: psycopg.Connection, everything: Everything, somebody: str | None
) -> None:
    before = everything(IDEMPOTENCY_KEY)
    with as_owner.transaction():
        says_to_be(as_owner, somebody)
        assert as_owner.execute("update idempotency_key set body = 'Taken'").rowcount == 0
        with pytest.raises(InsufficientPrivilege, match="row-level security policy"):
            as_owner.execute(IDEMPOTENCY_KEY.sql("insert into {table} ({columns}) values ({hers})"))
    assert everything(IDEMPOTENCY_KEY) == before


@pytest.mark.evidence("stored-responses")
@pytest.mark.usefixtures("expired")
def test_what_has_expired_of_alices_is_not_bobs_to_reach(
    task_app: psycopg.Connection, everything: Everything
) -> None:
    hers = [row for row in everything(IDEMPOTENCY_KEY) if row[0] == "alice"]
    says_to_be(task_app, "bob")
    assert task_app.execute("select distinct user_id from idempotency_key").fetchall() == [("bob",)]
    assert task_app.execute("update idempotency_key set body = 'Taken'").rowcount == 2
    assert task_app.execute("delete from idempotency_key").rowcount == 2
    task_app.commit()
    assert everything(IDEMPOTENCY_KEY) == hers


@pytest.mark.evidence("one-heavy-request")
def test_the_limits_of_the_role_are_on_every_connection(task_app: psycopg.Connection) -> None:
    limits = [
        task_app.execute("select current_setting(%s)", [name]).fetchone()
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    ]
    assert limits == [("5s",), ("2s",), ("10s",)]
