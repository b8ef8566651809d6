"""All that is kept of one person: given out, or removed. For the operator, by the users' door."""

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

_PAGE: Final = 250  # rows to give out at once, or fewer long ones

KINDS: Final = (queries.PERSONAL_ROWS, idempotency_queries.PERSONAL_ROWS)
TABLES: Final = frozenset(kind.table for kind in KINDS)


def run_export(options: argparse.Namespace) -> None:
    """`task-api export`."""

    async def write(database: Database, user: User) -> None:
        async for page in export(database, user):
            sys.stdout.buffer.write(page)
        sys.stdout.buffer.flush()

    try:
        asyncio.run(_about(options.user_id, write))
    except BrokenPipeError:
        raise
    except OSError as error:
        write_no_more()
        raise CommandError(f"the export cannot be written: {error.strerror}") from None


def run_erase(options: argparse.Namespace) -> None:
    """`task-api erase`."""

    async def say(database: Database, user: User) -> None:
        erased = await erase(database, user)
        kinds = (f"{count} {kind.replace('_', ' ')}s" for kind, count in erased.items())
        print(f"erased {', '.join(kinds)}")

    asyncio.run(_about(options.user_id, say))


async def _about(user_id: str, work: Callable[[Database, User], Awaitable[None]]) -> None:
    """Do it as this person, by the door and behind the gate that requests pass."""
    try:
        user = named_by_operator(user_id)
    except ValueError as error:
        raise CommandError(error) from None
    failure = "not finished, for the database failed: {}; check DATABASE_URL, and try again"
    with explained("refusing: {}", failure):
        async with Database.connect(load(DatabaseSettings), ahead=False) as database:
            await work(database, user)


async def export(database: Database, user: User) -> AsyncIterator[bytes]:
    """JSON, a line for each row, some lines at a time.

    A page is a transaction of its own: who reads slowly holds none open. What is changed meanwhile
    may come as it was or as it is. Raises what `Database.transaction` raises.
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
    """Remove it for good; how many rows of each kind there were.

    A batch is a transaction of its own, and stays erased if a later one fails. Raises what
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
