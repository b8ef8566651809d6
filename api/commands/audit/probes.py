"""Probes: statements tried on the live database as the serving role, all rolled back."""

import secrets
from typing import Any, Final, LiteralString

import psycopg

from api.commands.audit.report import ROLE, Probe

Words = dict[str, LiteralString]
Attempts = dict[str, Words]  # by what must happen, then by name

_NONE: Final = "0 rows"
_ONE: Final = "1 row"
_REFUSED: Final = "refused (42501)"

# The tables with users' rows, as the SQL fragments that the statements are formatted with. `key`
# is the key next to user_id; `values` follow user_id in an inserted row; `mine` are the values of
# the row that exists before the probes.
# The head comes first: with a task a user has one.
_TABLES: Final[dict[str, Words]] = {
    "sync_head": {
        "table": "sync_head",
        "key": "user_id",
        "columns": "user_id, seq",
        "values": "1",
        "mine": "0",
        "change": "seq = 9",
    },
    "task_tombstone": {
        "table": "task_tombstone",
        "key": "task_id",
        "columns": "user_id, task_id, seq",
        "values": "8, 1",
        "mine": "hashtext(%(me)s), 1",
        "change": "seq = 9",
    },
    "task": {
        "table": "task",
        "key": "id",
        "columns": "user_id, title",
        "values": "'x'",
        "mine": "'audit'",
        "change": "title = 'x'",
    },
    "idempotency_key": {
        "table": "idempotency_key",
        "key": "key",
        "columns": "user_id, key, fingerprint",
        "values": "'x', 'x'",
        "mine": "%(me)s, 'audit'",
        "change": "body = 'x'",
    },
}
TABLES: Final = frozenset(_TABLES)
_MINE: Final = "insert into {table} ({columns}) values (%(me)s, {mine}) returning {key}"

# `me` and `them` have one row each in each table; `theirs` is the key of `them`'s row.
_NO_IDENTITY: Final[Attempts] = {
    _NONE: {
        "select": "select 1 from {table} limit 10",
        "blind update": "update {table} set {change}",
        "blind delete": "delete from {table}",
    },
    _REFUSED: {"insert": "insert into {table} ({columns}) values (%(them)s, {values})"},
}
_AS_ME: Final[Attempts] = {
    _ONE: {
        "select, everything": "select 1 from {table} limit 10",
        "select, own": "select 1 from {table} where user_id = %(me)s limit 10",
        "update, own": "update {table} set {change} where user_id = %(me)s",
        "blind update": "update {table} set {change}",
        "delete, own": "delete from {table} where user_id = %(me)s",
        "blind delete": "delete from {table}",
    },
    _NONE: {
        "select, foreign": "select 1 from {table} where user_id = %(them)s limit 10",
        "select for update, foreign": "select 1 from {table} where {key} = %(theirs)s for update",
        "update, foreign": "update {table} set {change} where user_id = %(them)s",
        "update returning, foreign": "update {table} set {change} where {key} = %(theirs)s"
        " returning 1",
        "delete, foreign": "delete from {table} where user_id = %(them)s",
        "delete returning, foreign": "delete from {table} where {key} = %(theirs)s returning 1",
    },
    _REFUSED: {
        "insert, foreign": "insert into {table} ({columns}) values (%(them)s, {values})",
        "insert on conflict do nothing, foreign": "insert into {table} ({columns})"
        " values (%(them)s, {values}) on conflict do nothing",
        "insert on conflict do update, foreign": "insert into {table} ({columns})"
        " values (%(them)s, {values}) on conflict (user_id, {key}) do update set {change}",
        "give away": "update {table} set user_id = %(them)s where user_id = %(me)s",
        "change the key": "update {table} set {key} = default where user_id = %(me)s",
        "truncate": "truncate {table}",
    },
}
_INSERT: Final[Words] = {
    "insert, own": "insert into {table} ({columns}) values (%(me)s, {values})",
}
_DATED: Final[Words] = {
    "insert a date": "insert into {table} ({columns}, created_at) values (%(me)s, {values}, now())",
    "change the date": "update {table} set created_at = now() where user_id = %(me)s",
}
_ALONE: Final[dict[str, Attempts]] = {
    "sync_head": {
        _REFUSED: {
            "change the generation": "update sync_head set generation = default"
            " where user_id = %(me)s",
            "change the floor": "update sync_head set floor = 9 where user_id = %(me)s",
        },
        # a user has one
        "refused (23505)": _INSERT,
    },
    "task_tombstone": {
        _ONE: _INSERT,
        _REFUSED: {
            "insert a date": "insert into task_tombstone (user_id, task_id, seq, deleted_at)"
            " values (%(me)s, 8, 1, now())",
            "change the date": "update task_tombstone set deleted_at = now()"
            " where user_id = %(me)s",
        },
    },
    "task": {
        _ONE: _INSERT,
        _REFUSED: {
            **_DATED,
            "insert an id": "insert into task (user_id, id, title) overriding system value"
            " values (%(me)s, 1, 'x')",
            "change the version": "update task set version = 9 where user_id = %(me)s",
            "say when it was completed": "update task set completed_at = now()"
            " where user_id = %(me)s",
            "change the uid": "update task set uid = default where user_id = %(me)s",
            "change the number": "update task set seq = 9 where user_id = %(me)s",
        },
    },
    "idempotency_key": {
        _ONE: {
            **_INSERT,
            # two users may use the same key
            "insert, the other's key": "insert into idempotency_key (user_id, key, fingerprint)"
            " values (%(me)s, %(theirs)s, 'x') on conflict do nothing",
        },
        _REFUSED: {
            **_DATED,
            "insert on conflict do nothing, the other's row": "insert into idempotency_key"
            " (user_id, key, fingerprint) values (%(them)s, %(theirs)s, 'x')"
            " on conflict do nothing",
            "insert an answer": "insert into idempotency_key (user_id, key, fingerprint, body)"
            " values (%(me)s, 'x', 'x', 'x')",
            "change the request": "update idempotency_key set fingerprint = 'x'"
            " where user_id = %(me)s",
        },
    },
}
_WITHOUT_ROW_SECURITY: Final[Attempts] = {
    _REFUSED: {"select, row_security = off": "select 1 from {table} limit 10"}
}
_EMPTY: Final[Attempts] = {
    "refused (23514)": {"insert as nobody": "insert into {table} ({columns}) values ('', {values})"}
}


# A session that took the role with SET ROLE can RESET it.
_CONNECTS_AS: Final = """
select concat_ws(', a mask of ', current_user::text,
                 case when session_user <> current_user then session_user::text end)
"""


def probe(connection: psycopg.Connection[Any]) -> tuple[Probe, ...]:
    """Run every probe, on a connection as the serving role that has not set a user id yet.

    `evidence.provision` reports guarded tables that have no probes here. Only gaps in the sequence
    of ids remain. Raises `psycopg.Error` if a user cannot insert own rows, without which the
    probes would prove nothing.
    """
    me, them = (f"audit-{secrets.token_hex(8)}" for _ in range(2))
    values = {table: {"me": me, "them": them, "theirs": None} for table in _TABLES}

    def tried(attempts: Attempts, circumstance: str, *tables: str) -> list[Probe]:
        return [
            _tried(connection, statement.format(**_TABLES[table]), values[table], expected, said)
            for table in tables or _TABLES
            for expected, statements in attempts.items()
            for name, statement in statements.items()
            for said in [", ".join(filter(None, [table, name, circumstance]))]
        ]

    with connection.transaction(force_rollback=True):
        (role,) = connection.execute(_CONNECTS_AS).fetchone() or ("?",)
        # app.user_id is NULL only in a session that never set it
        nobody = tried(_NO_IDENTITY, "no identity")
        for caller in (me, them):
            _set_identity(connection, caller)
            for table, key in give(connection, caller).items():
                values[table]["theirs"] = key
        _set_identity(connection, me)
        somebody = [
            done
            for table in _TABLES
            for attempts in (_AS_ME, _ALONE.get(table, {}))
            for done in tried(attempts, "", table)
        ]
        _set_identity(connection, "")
        empty = tried(_NO_IDENTITY | _EMPTY, "empty identity")
        connection.execute("set local row_security = off")
        unguarded = tried(_WITHOUT_ROW_SECURITY, "")
    connects = Probe("the server connects as", "select current_user, session_user", ROLE, role)
    return (connects, *nobody, *somebody, *empty, *unguarded)


def give(connection: psycopg.Connection[Any], caller: str) -> dict[str, Any]:
    """Insert a row of this user into each table. Returns its key by table."""
    return {
        table: (connection.execute(_MINE.format(**words), {"me": caller}).fetchone() or (None,))[0]
        for table, words in _TABLES.items()
    }


def _set_identity(connection: psycopg.Connection[Any], caller: str) -> None:
    connection.execute("select set_config('app.user_id', %s, true)", [caller])


def _tried(
    connection: psycopg.Connection[Any],
    statement: LiteralString,
    values: dict[str, Any],
    expected: str,
    name: str,
) -> Probe:
    try:
        with connection.transaction(force_rollback=True):
            count = connection.execute(statement, values).rowcount
        got = "done" if count < 0 else f"{count} row{'s' * (count != 1)}"
    except psycopg.Error as error:
        got = f"refused ({error.sqlstate})"
    return Probe(name, statement, expected, got)
