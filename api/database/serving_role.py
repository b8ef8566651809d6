"""The serving role, task_app: whether it exists, has a password, and needs one."""

import os
from typing import Final

import psycopg

NAME: Final = "task_app"
_NO_FILE: Final = f"{os.devnull}/none"  # not ~/.pgpass
SIGN_IN_TIMEOUT: Final = 5  # seconds to connect as it


def exists(connection: psycopg.Connection) -> bool:
    """Whether the serving role exists."""
    query = "select from pg_catalog.pg_roles where rolname = %s"
    return connection.execute(query, [NAME]).fetchone() is not None


def lacks_password(connection: psycopg.Connection) -> bool | None:
    """Whether it has no password; None if the current role may not know; a superuser may."""
    (may_know,) = connection.execute(
        "select has_column_privilege('pg_catalog.pg_authid', 'rolpassword', 'select')"
    ).fetchone() or (False,)
    if not may_know:
        return None
    query = "select from pg_catalog.pg_authid where rolname = %s and rolpassword is null"
    return connection.execute(query, [NAME]).fetchone() is not None


def needs_password(url: str) -> bool:
    """Whether the server at `url` requests its password, found by connecting without one."""
    try:
        psycopg.connect(
            url, user=NAME, password="", passfile=_NO_FILE, connect_timeout=SIGN_IN_TIMEOUT
        ).close()
    except psycopg.OperationalError as error:
        return error.pgconn is not None and bool(error.pgconn.needs_password)
    return False
