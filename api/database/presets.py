"""What a session of the owner's or of a reviewer's sets for itself before anything else.

The role, the database, the server, PGOPTIONS or the URL may have set it otherwise, and then names
would mean something else (CVE-2018-1058), text would be read or printed in another way, or nothing
would be done at all.
"""

from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql

# What is named without a schema is PostgreSQL's own, else public's, and made in public: pg_catalog
# comes first when it is not named, and named first it would be where things are made.
SEARCH_PATH: Final = "public, pg_temp"
# PostgreSQL's own, and nothing else: whatever is printed has its schema.
BARE_PATH: Final = "pg_catalog, pg_temp"
# Else PGCLIENTENCODING, the role or the database may choose another.
CLIENT_ENCODING: Final = "utf8"

_RESET: Final = {
    # whether anything is done, and for how long
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    # how names, operators and literals are read
    "search_path": SEARCH_PATH,
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    # how they are printed
    "quote_all_identifiers": "off",
    "bytea_output": "hex",
    "datestyle": "iso, mdy",
    "intervalstyle": "postgres",
    "timezone": "utc",
    "extra_float_digits": "1",
    # an error instead of all rows, where a policy should have bound the role
    "row_security": "on",
}
_ATTEMPTS: Final = 10
_SINCE: Final = {"transaction_timeout": 170000}  # server_version_num


def begin(connection: psycopg.Connection[Any], *, read_only: bool, **limits: str) -> None:
    """Begin a transaction with these settings, on a connection that commits by itself.

    They end with it, so that none stays on a connection of a pooler's. All of it is one message:
    some presets end a transaction before a second one comes.
    """
    access = "read only" if read_only else "read write"
    begins = sql.SQL("begin isolation level read committed, not deferrable, ") + sql.SQL(access)
    _say(connection, begins + sql.SQL("; ") + _settings(connection, "set local", limits))


def set_for_session(connection: psycopg.Connection[Any], **limits: str) -> None:
    """The same for all transactions of a connection that commits by itself."""
    _say(connection, _settings(connection, "set", limits))


def _say(connection: psycopg.Connection[Any], settings: sql.Composed) -> None:
    """A preset statement_timeout may be over before it has been said that there is none."""
    for _ in range(_ATTEMPTS - 1):
        try:
            connection.execute(settings)
        except psycopg.errors.QueryCanceled:
            connection.rollback()
        else:
            return
    connection.execute(settings)


def _settings(
    connection: psycopg.Connection[Any], command: LiteralString, limits: dict[str, str]
) -> sql.Composed:
    """The first ends a statement_timeout that is too short for the rest."""
    version = connection.info.server_version
    known = {name: value for name, value in _RESET.items() if version >= _SINCE.get(name, 0)}
    return sql.SQL("; ").join(
        sql.SQL(command + " {} to {}").format(
            sql.Identifier(name), sql.SQL(", ").join(map(sql.Literal, value.split(", ")))
        )
        for name, value in [("statement_timeout", "0"), *known.items(), *limits.items()]
    )
