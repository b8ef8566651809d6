"""`task-api export` and `erase`: a user's personal data, through the same session as requests."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from api.auth.authenticator import User, named_by_operator
from api.commands.console import CommandError, explained, write_no_more
from api.database import json_rows
from api.database.personal_rows import PersonalRows
from api.database.session import Database, Transaction
from api.idempotency import queries as idempotency_queries
from api.settings import DatabaseSettings, load
from api.tasks import queries

_PAGE: Final = 250  # rows at once, or fewer long ones

KINDS: Final = (queries.PERSONAL_ROWS, idempotency_queries.PERSONAL_ROWS)
TABLES: Final = frozenset(kind.table for kind in KINDS)


def run_export(options: argparse.Namespace) -> None:
    """`task-api export`."""

    async def write(database: Database, user: User) -> None:
        async for page in export(database, user):
            sys.stdout.buffer.write(page)
        sys.stdout.buffer.flush()

    try:
        asyncio.run(_run_as(options.user_id, write))
    except BrokenPipeError:
        raise
    except OSError as error:
        write_no_more()
        raise CommandError(f"the export cannot be written: {error.strerror}") from None


def run_erase(options: argparse.Namespace) -> None:
    """`task-api erase`."""

    async def print_erased(database: Database, user: User) -> None:
        erased = await erase(database, user)
        kinds = (f"{count} {kind.replace('_', ' ')}s" for kind, count in erased.items())
        print(f"erased {', '.join(kinds)}")

    asyncio.run(_run_as(options.user_id, print_erased))


async def _run_as(user_id: str, work: Callable[[Database, User], Awaitable[None]]) -> None:
    """Run `work` as this user, with the session and startup checks that requests have."""
    try:
        user = named_by_operator(user_id)
    except ValueError as error:
        raise CommandError(error) from None
    failure = "not finished, for the database failed: {}; check DATABASE_URL, and try again"
    with explained("refusing: {}", failure):
        async with Database.connect(load(DatabaseSettings), ahead=False) as database:
            await work(database, user)


async def export(database: Database, user: User) -> AsyncIterator[bytes]:
    """Export a user's rows as JSON lines, some lines at a time.

    Each page is a transaction of its own, so a slow reader holds none open. Concurrent changes may
    or may not be included. Raises what `Database.transaction` raises.
    """
    for kind in KINDS:
        after: object = kind.first
        while after is not None:
            page, after = await _page(database, user, kind, after)
            yield "".join(f'{{"{kind.name}": {line}}}\n' for line in page).encode()


async def _page(
    database: Database, user: User, kind: PersonalRows, after: object
) -> tuple[list[str], object]:
    async def read(tx: Transaction) -> tuple[list[str], object]:
        row = await tx.row(kind.export, after=after, limit=_PAGE)
        assert row is not None  # noqa: S101 - an aggregate has one row
        return json_rows.split(row), row["last"]

    return await database.run(user, read, reads=True)


async def erase(database: Database, user: User) -> dict[str, int]:
    """Delete a user's rows permanently. Returns their number by kind.

    Each batch is a transaction of its own, and stays deleted if a later one fails. Raises what
    `Database.transaction` raises.
    """
    return {kind.name: await _erased(database, user, kind) for kind in KINDS}


async def _erased(database: Database, user: User, kind: PersonalRows) -> int:
    async def batch(tx: Transaction) -> tuple[int, int]:
        row = await tx.row(kind.erase, limit=kind.batch)
        assert row is not None  # noqa: S101 - a select without a table has one row
        return row["found"], row["erased"]

    total, found = 0, 1
    while found:
        found, erased = await database.run(user, batch, reads=False)
        total += erased
    return total
