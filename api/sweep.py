"""The owner's broom: answers that were kept for an Idempotency-Key, and have expired."""

from api.migrate import connected, refuse_ahead


def sweep(url: str) -> int:
    """Delete what has expired, of everybody; how much that was.

    Raises `MigrationError`, also when a newer version has migrated the database: that one may keep
    what this one would delete.
    """
    with connected(url) as connection:
        refuse_ahead(connection)
        # no sooner than policy idempotency_key_sweep_delete lets the owner
        return connection.execute(
            "delete from idempotency_key where created_at < now() - interval '24 hours'"
        ).rowcount
