"""Settings that the owner's and the audit's sessions make for themselves before anything else.

The role, database, server, PGOPTIONS or URL may preset others, which would change what names mean
(CVE-2018-1058) or how text is parsed or printed, or let no statement run.
"""

from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql

# Names without a schema are looked up in pg_catalog, then in public, and created in public: a
# pg_catalog that is not listed is searched first, and one that is listed first would be where
# objects are created.
SEARCH_PATH: Final = "public, pg_temp"
# pg_catalog only: everything else is printed with its schema.
BARE_PATH: Final = "pg_catalog, pg_temp"
# Otherwise PGCLIENTENCODING, the role or the database may choose another.
CLIENT_ENCODING: Final = "utf8"

_RESET: Final = {
    # whether statements run, and for how long
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
    """Begin a transaction with these settings, on a connection in autocommit mode.

    They end with it, so that none stays on a pooler's connection. All is one message: some presets
    end a transaction before a second message comes.
    """
    access = "read only" if read_only else "read write"
    begins = sql.SQL("begin isolation level read committed, not deferrable, ") + sql.SQL(access)
    _execute(connection, begins + sql.SQL("; ") + _settings(connection, "set local", limits))


def set_for_session(connection: psycopg.Connection[Any], **limits: str) -> None:
    """The same settings for all transactions of a connection in autocommit mode."""
    _execute(connection, _settings(connection, "set", limits))


def _execute(connection: psycopg.Connection[Any], settings: sql.Composed) -> None:
    """Execute the settings. Retries: a preset statement_timeout may cancel them."""
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
    """The SET commands. statement_timeout is first: a preset one may be too short."""
    version = connection.info.server_version
    known = {name: value for name, value in _RESET.items() if version >= _SINCE.get(name, 0)}
    return sql.SQL("; ").join(
        sql.SQL(command + " {} to {}").format(
            sql.Identifier(name), sql.SQL(", ").join(map(sql.Literal, value.split(", ")))
        )
        for name, value in [("statement_timeout", "0"), *known.items(), *limits.items()]
    )
