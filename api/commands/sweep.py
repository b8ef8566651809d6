"""`task-api sweep`: deletes expired idempotency keys."""

import argparse
from typing import Final

from api.commands.console import CommandError
from api.commands.migrate import MigrationError, begin, connected, refuse_ahead
from api.settings import MigrationSettings, load

_BATCH: Final = 100  # rows to delete in one transaction; each may hold a megabyte
# the age that policy idempotency_key_sweep_delete requires
_DELETE: Final = """
delete from idempotency_key where ctid = any(array(
    select ctid from idempotency_key
     where created_at < now() - interval '24 hours' order by created_at limit %s))
"""


def run(_: argparse.Namespace) -> None:
    """`task-api sweep`: sweep the database at MIGRATION_DATABASE_URL, and print the count."""
    settings = load(MigrationSettings)
    try:
        print(f"swept {sweep(settings.migration_database_url.get_secret_value())}")
    except MigrationError as error:
        raise CommandError(error) from None


def sweep(url: str) -> int:
    """Delete the expired idempotency keys of all users. Returns their number.

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
    return total
