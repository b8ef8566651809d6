"""Attempts on the live database as the serving role. All are rolled back."""

import secrets
from collections.abc import Iterator
from typing import Any, Final, LiteralString

import psycopg

from api.audit.report import ROLE, Probe

Statements = dict[str, LiteralString]

_NONE: Final = "0 rows"
_ONE: Final = "1 row"
_REFUSED: Final = "refused (42501)"

# By what must happen. `me` and `them` have one task each; `theirs` is the id of the other's.
_AS_NOBODY: Final[dict[str, Statements]] = {
    _NONE: {
        "select": "select 1 from task limit 10",
        "blind update": "update task set title = 'x'",
        "blind delete": "delete from task",
    },
    _REFUSED: {"insert": "insert into task (user_id, title) values (%(them)s, 'x')"},
}
_AS_ME: Final[dict[str, Statements]] = {
    _ONE: {
        "select, everything": "select 1 from task limit 10",
        "select, own": "select 1 from task where user_id = %(me)s limit 10",
        "insert, own": "insert into task (user_id, title) values (%(me)s, 'x')",
        "update, own": "update task set title = 'x' where user_id = %(me)s",
        "blind update": "update task set title = 'x'",
        "delete, own": "delete from task where user_id = %(me)s",
        "blind delete": "delete from task",
    },
    _NONE: {
        "select, foreign": "select 1 from task where user_id = %(them)s limit 10",
        "select for update, foreign": "select 1 from task where id = %(theirs)s for update",
        "update, foreign": "update task set title = 'x' where user_id = %(them)s",
        "update returning, foreign": "update task set title = 'x'"
        " where id = %(theirs)s returning 1",
        "delete, foreign": "delete from task where user_id = %(them)s",
        "delete returning, foreign": "delete from task where id = %(theirs)s returning 1",
    },
    _REFUSED: {
        "insert, foreign": "insert into task (user_id, title) values (%(them)s, 'x')",
        "insert on conflict do nothing, foreign": "insert into task (user_id, title)"
        " values (%(them)s, 'x') on conflict do nothing",
        "insert on conflict do update, foreign": "insert into task (user_id, title)"
        " values (%(them)s, 'x') on conflict (user_id, id) do update set title = 'x'",
        "insert an id": "insert into task (user_id, id, title) overriding system value"
        " values (%(me)s, 1, 'x')",
        "insert a date": "insert into task (user_id, title, created_at)"
        " values (%(me)s, 'x', now())",
        "give away": "update task set user_id = %(them)s where user_id = %(me)s",
        "change the id": "update task set id = default where user_id = %(me)s",
        "change the date": "update task set created_at = now() where user_id = %(me)s",
        "change the version": "update task set version = 9 where user_id = %(me)s",
        "truncate": "truncate task",
    },
}
_WITHOUT_ROW_SECURITY: Final[dict[str, Statements]] = {
    _REFUSED: {"select, row_security = off": "select 1 from task limit 10"}
}
_EMPTY: Final[dict[str, Statements]] = {
    "refused (23514)": {"insert as nobody": "insert into task (user_id, title) values ('', 'x')"}
}

_TASK: Final = "insert into task (user_id, title) values (%(caller)s, 'audit') returning id"


def probe(connection: psycopg.Connection[Any]) -> tuple[Probe, ...]:
    """Every attempt, on a connection as the serving role that has not said yet who it is.

    Nothing stays but gaps in the sequence of ids. Raises `psycopg.Error` when not even one's own
    task can be made, without which the rest would prove nothing.
    """
    me, them = (f"audit-{secrets.token_hex(8)}" for _ in range(2))
    values: dict[str, Any] = {"me": me, "them": them, "theirs": None}
    with connection.transaction(force_rollback=True):
        (role,) = connection.execute("select current_user::text").fetchone() or ("?",)
        # only a session that never said who it is has NULL for app.user_id
        nobody = [*_tried(connection, _AS_NOBODY, "no identity", values)]
        for caller in (me, them):
            _say(connection, caller)
            row = connection.execute(_TASK, {"caller": caller}).fetchone()
            values["theirs"] = row and row[0]
        _say(connection, me)
        somebody = [*_tried(connection, _AS_ME, "", values)]
        _say(connection, "")
        empty = [*_tried(connection, _AS_NOBODY | _EMPTY, "empty identity", values)]
        connection.execute("set local row_security = off")
        unguarded = [*_tried(connection, _WITHOUT_ROW_SECURITY, "", values)]
    connects = Probe("the server connects as", "select current_user", ROLE, role)
    return (connects, *nobody, *somebody, *empty, *unguarded)


def _say(connection: psycopg.Connection[Any], caller: str) -> None:
    connection.execute("select set_config('app.user_id', %s, true)", [caller])


def _tried(
    connection: psycopg.Connection[Any],
    attempts: dict[str, Statements],
    circumstance: str,
    values: dict[str, Any],
) -> Iterator[Probe]:
    for expected, statements in attempts.items():
        for name, statement in statements.items():
            try:
                with connection.transaction(force_rollback=True):
                    count = connection.execute(statement, values).rowcount
                got = "done" if count < 0 else f"{count} row{'s' * (count != 1)}"
            except psycopg.Error as error:
                got = f"refused ({error.sqlstate})"
            yield Probe(", ".join(filter(None, [name, circumstance])), statement, expected, got)
