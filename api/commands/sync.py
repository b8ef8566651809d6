"""`task-api sync reset`: every device fetches all tasks afresh."""

import argparse

from api.commands.console import CommandError
from api.commands.migrate import MigrationError, connected, refuse_ahead
from api.settings import MigrationSettings, load


def run_reset(_: argparse.Namespace) -> None:
    """`task-api sync reset`, of the database at MIGRATION_DATABASE_URL."""
    settings = load(MigrationSettings)
    try:
        reset(settings.migration_database_url.get_secret_value())
    except MigrationError as error:
        raise CommandError(error) from None
    print("every device fetches all tasks afresh")


def reset(url: str) -> None:
    """Remove the heads of all users, so that all sync tokens have expired. Raises `MigrationError`.

    The next head of a user has another generation, and goes on with the numbers.
    """
    with connected(url) as connection:
        refuse_ahead(connection)
        connection.execute("truncate sync_head")
        connection.commit()
