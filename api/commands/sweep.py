"""`task-api sweep`: deletes expired idempotency keys, and tombstones older than SYNC_RETENTION."""

import argparse
from typing import Final

import psycopg

from api.commands.console import CommandError
from api.commands.migrate import MigrationError, begin, connected, refuse_ahead
from api.settings import MIN_RETENTION, MigrationSettings, load

_BATCH: Final = 100  # rows to delete in one transaction; each may hold a megabyte
# the age that policy idempotency_key_sweep_delete requires
_DELETE: Final = """
delete from idempotency_key where ctid = any(array(
    select ctid from idempotency_key
     where created_at < now() - interval '24 hours' order by created_at limit %s))
"""
_FORGOTTEN: Final = """
select user_id, max(seq) from task_tombstone
 where deleted_at < now() - make_interval(days => %s) group by user_id
"""
_RAISE_FLOOR: Final = "update sync_head set floor = greatest(floor, %s) where user_id = %s"
_FORGET: Final = """
delete from task_tombstone
 where user_id = %s and seq <= %s and deleted_at < now() - make_interval(days => %s)
"""


def run(_: argparse.Namespace) -> None:
    """`task-api sweep`: sweep the database at MIGRATION_DATABASE_URL, and print the count."""
    settings = load(MigrationSettings)
    url = settings.migration_database_url.get_secret_value()
    try:
        print(f"swept {sweep(url, settings.sync_retention)}")
    except MigrationError as error:
        raise CommandError(error) from None


def sweep(url: str, retention: int = MIN_RETENTION) -> int:
    """Delete the expired idempotency keys of all users, and their tombstones older than `retention`
    in days. Returns their number.

    Each batch is a transaction, and stays deleted if a later one fails. Raises `MigrationError`,
    also when a newer version has migrated the database: it may keep keys for longer.
    """
    total, found = 0, 1
    with connected(url) as connection:
        refuse_ahead(connection)
        while found:
            found = connection.execute(_DELETE, [_BATCH]).rowcount
            connection.commit()
            begin(connection)
            total += found
        for user_id, seq in connection.execute(_FORGOTTEN, [retention]).fetchall():
            total += _forget(connection, user_id, seq, retention)
            begin(connection)
    return total


def _forget(connection: psycopg.Connection, user_id: str, seq: int, retention: int) -> int:
    """Delete a user's old tombstones up to this number, in one transaction with their floor: so
    nobody is told what has changed since without them."""
    connection.execute(_RAISE_FLOOR, [seq, user_id])
    forgotten = connection.execute(_FORGET, [user_id, seq, retention]).rowcount
    connection.commit()
    return forgotten
