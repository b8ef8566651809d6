"""`task-api migrate`: applies pending yoyo migrations, then every policy file, as the owner."""

import argparse
import getpass
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
import yoyo
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI

from api.commands.console import CommandError
from api.database import ca_paths, gate, migrations, presets, serving_role
from api.database.presets import CLIENT_ENCODING
from api.reasons import one_line
from api.settings import MigrationSettings, RoleSettings, load

MIGRATIONS: Final = migrations.FOLDER
POLICIES: Final = Path(__file__).parent.parent.parent / "db" / "policies"
MIGRATION_LOCK_TIMEOUT: Final = 5.0  # seconds
TURN_TIMEOUT: Final = 60.0  # seconds; to wait for it holds nothing up
TURN_INTERVAL: Final = 0.05  # seconds
_TURN: Final = "select pg_try_advisory_xact_lock(hashtext('task-api migrate'))"
_AS_OWNER: Final = (
    "connect MIGRATION_DATABASE_URL as the owner of the database, with CREATEROLE "
    "(on Neon: neondb_owner)"
)
_CANNOT_BE_READ: Final = (
    "MIGRATION_DATABASE_URL cannot be read; write special characters as %40 (@), %25 (%)"
)
_CANNOT_SIGN_IN: Final = (
    "task_app has no password, and the server asks for one; "
    "set TASK_APP_PASSWORD and run migrate again"
)
_MAY_NOT_SIGN_IN: Final = (
    "TASK_APP_PASSWORD is not set, so task_app keeps the password it has, and the server asks for "
    "one; if it has none yet, set TASK_APP_PASSWORD and run migrate again"
)
_BOOKKEEPING: Final = ("_yoyo_migration", "yoyo_lock")
# A table that `migrate` changes and another role owns; or a missing right to create tables.
_NOT_OWNED: Final = """
select concat('role ', current_user, ' does not own table ', c.relname)
  from pg_catalog.pg_class c
 where c.relnamespace = to_regnamespace('public')
   and c.relname = any(%s)
   and not pg_has_role(c.relowner, 'usage')
union all
select concat('role ', current_user, ' may not make tables in schema public')
 where to_regclass('public.task') is null and not has_schema_privilege('public', 'create')
"""


class MigrationError(Exception):
    """Migrating failed; no file is partly applied. The message is one line and says what to do."""


def run(_: argparse.Namespace) -> None:
    """`task-api migrate`: migrate the database at MIGRATION_DATABASE_URL, and print the files."""
    settings = load(MigrationSettings)
    password = settings.task_app_password
    try:
        for applied in migrate(
            settings.migration_database_url.get_secret_value(),
            password.get_secret_value() if password else None,
            settings.timeouts(),
            warn=lambda what: print(f"task-api: {what}", file=sys.stderr),
        ):
            print(f"applied {applied}")
    except MigrationError as error:
        raise CommandError(error) from None


def migrate(
    url: str,
    task_app_password: str | None = None,
    timeouts: Mapping[str, str] | None = None,
    warn: Callable[[str], None] | None = None,
) -> list[str]:
    """Migrate the database at `url`. Returns the names of the files that were applied.

    `timeouts`: of the serving role, by PostgreSQL's names, instead of those in 00_roles.sql.
    Calls `warn` with one line if task_app cannot sign in because it has no password.
    Raises `MigrationError`, also when a newer version has migrated the database: its grants would
    be revoked.
    """
    with connected(url) as connection:
        _wait_for_turn(connection)
        refuse_ahead(connection)
        is_new = not serving_role.exists(connection)
        # Ends the portal of the last query: its snapshot would keep `create index concurrently`.
        connection.execute("select")
        applied = [
            *_apply_migrations(url),
            *_apply_policies(connection, task_app_password or "", timeouts or {}),
        ]
        lacks_password = is_new or serving_role.lacks_password(connection)
    unsure = not task_app_password and lacks_password is not False
    if warn and unsure and serving_role.needs_password(url):
        warn(_CANNOT_SIGN_IN if lacks_password else _MAY_NOT_SIGN_IN)
    return applied


def _wait_for_turn(connection: psycopg.Connection) -> None:
    """One migration at a time. PostgreSQL releases the lock with the connection.

    It asks again and again, each time in a new transaction: the other's `create index concurrently`
    waits for the end of any that has a snapshot when it looks.
    """
    deadline = time.monotonic() + TURN_TIMEOUT
    while connection.execute(_TURN).fetchone() != (True,):
        if time.monotonic() > deadline:
            raise psycopg.errors.LockNotAvailable
        connection.rollback()
        time.sleep(TURN_INTERVAL)
        begin(connection)


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection]:
    """A connection as the owner in a transaction, with schema public and a lock timeout.

    Raises `MigrationError`, also when the encoding of the database is not UTF8.
    """
    ca_paths.find()
    try:
        with psycopg.connect(url, autocommit=True, client_encoding=CLIENT_ENCODING) as connection:
            begin(connection)
            _refuse_other_encodings(connection)
            _require_owner(connection)
            yield connection
    except psycopg.errors.LockNotAvailable:
        raise MigrationError(
            "another transaction holds what is to change; nothing was changed, try again"
        ) from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise MigrationError(f"{error.diag.message_primary}; {_AS_OWNER}") from None
    except psycopg.ProgrammingError as error:
        # without a SQLSTATE it is about the URL, and may quote the password
        raise MigrationError(error.diag.message_primary or _CANNOT_BE_READ) from None
    except UnicodeError:
        raise MigrationError(_CANNOT_BE_READ) from None
    except psycopg.Error as error:
        reason = error.diag.message_primary or f"{error}; check MIGRATION_DATABASE_URL"
        raise MigrationError(one_line(reason, url)) from None


def _require_owner(connection: psycopg.Connection) -> None:
    """Fail at once: yoyo tries for ten seconds to lock a table of another owner, whose policies
    would also hide all rows from `sweep`."""
    tables = [file.stem for file in _policy_files()]  # each has its table's name
    if row := connection.execute(_NOT_OWNED, [[*tables, *_BOOKKEEPING]]).fetchone():
        raise MigrationError(f"{row[0]}; {_AS_OWNER}")


def _refuse_other_encodings(connection: psycopg.Connection) -> None:
    (encoding,) = connection.execute("show server_encoding").fetchone() or (None,)
    if reason := gate.wrong_encoding(encoding):
        raise MigrationError(reason)


def refuse_ahead(connection: psycopg.Connection) -> None:
    """Raises `MigrationError` when the database has migrations that this program does not know.

    Reads yoyo's table and not `migrations.APPLIED`, which is unchanged by a rollback.
    """
    row = connection.execute("select to_regclass('public._yoyo_migration')").fetchone()
    if row != (None,) and (unknown := unknown_migrations(connection)):
        raise MigrationError(
            f"the database is ahead of this program, which does not know {', '.join(unknown)}; "
            "nothing was changed; use the version of task-api that migrated it, or a newer one"
        )


def unknown_migrations(connection: psycopg.Connection) -> list[str]:
    """Migrations in yoyo's table that this program does not know."""
    rows = connection.execute("select migration_id from public._yoyo_migration").fetchall()
    return sorted({name for (name,) in rows} - migrations.names(MIGRATIONS))


def begin(connection: psycopg.Connection) -> None:
    """Begin a transaction as the owner, on a connection in autocommit mode."""
    presets.begin(connection, read_only=False, lock_timeout=f"{MIGRATION_LOCK_TIMEOUT:g}s")


class _Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]
    def init_connection(self, connection: psycopg.Connection) -> None:
        """Called for each of the several connections that yoyo opens."""
        presets.set_for_session(connection, lock_timeout=f"{MIGRATION_LOCK_TIMEOUT:g}s")


def _apply_migrations(url: str) -> list[str]:
    try:
        getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name, which yoyo records
        os.environ["LOGNAME"] = "task-api"
    # yoyo's URL parser does not decode %20 in a database's name
    parameters = conninfo_to_dict(url, client_encoding=CLIENT_ENCODING)
    names = ("scheme", "username", "password", "hostname", "port", "database")
    uri = DatabaseURI(**dict.fromkeys(names), args=parameters)
    backend = _Backend(uri, yoyo.default_migration_table)
    try:
        backend.init_database()
        pending = backend.to_apply(yoyo.read_migrations(str(MIGRATIONS)))
        backend.apply_migrations(pending)
        return [migration.id for migration in pending]
    finally:
        backend.connection.close()


def _apply_policies(
    connection: psycopg.Connection, task_app_password: str, timeouts: Mapping[str, str]
) -> list[str]:
    """Apply all policy files every time, in one transaction: they are state, not history."""
    given = {"task_app_password": task_app_password}
    given |= {name: timeouts.get(name, "") for name in RoleSettings.model_fields}
    for name, value in given.items():
        connection.execute("select set_config('app.' || %s, %s, true)", [name, value])
    files = _policy_files()
    for file in files:
        connection.execute(file.read_bytes())
    _record_applied(connection)
    return [file.name for file in files]


def _policy_files() -> list[Path]:
    return sorted(POLICIES.glob("*.sql"))


def _record_applied(connection: psycopg.Connection) -> None:
    """Write `migrations.APPLIED`, for the server, which may not read yoyo's tables."""
    row = connection.execute('select max(migration_id collate "C") from _yoyo_migration').fetchone()
    name = row[0] if row else None
    connection.execute(sql.SQL("comment on table task is {}").format(sql.Literal(name)))
