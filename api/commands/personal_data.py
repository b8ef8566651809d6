"""`task-api export` and `erase`: a user's personal data, through the same session as requests."""

import argparse
import asyncio
import shlex
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Final, TypeVar

from api.auth.authenticator import User, named_by_operator
from api.commands.console import CommandError, confirmed, explained, log_writer, write_no_more
from api.database import json_rows
from api.database.personal_rows import PersonalRows
from api.database.session import Database, Transaction
from api.idempotency import queries as idempotency_queries
from api.settings import DatabaseSettings, load
from api.sync import queries as sync_queries
from api.tasks import queries

_PAGE: Final = 250  # rows at once, or fewer long ones

T = TypeVar("T")

# The head last: what is erased before it is numbered.
KINDS: Final = (
    queries.PERSONAL_ROWS,
    idempotency_queries.PERSONAL_ROWS,
    sync_queries.TOMBSTONES,
    sync_queries.HEADS,
)
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
    """`task-api erase`: count, ask, erase, and log what was erased."""
    log = log_writer(__name__)
    found = asyncio.run(_run_as(options.user_id, count))
    if options.dry_run:
        print(f"would erase {_listed(found)}")
        return
    if not options.yes:
        _ask(found, options.user_id)
    erased = Counter(dict.fromkeys(found, 0))
    try:
        asyncio.run(_run_as(options.user_id, partial(erase, erased=erased)))
    except BaseException:  # an interrupt, too: what was erased stays erased
        if any(erased.values()):
            log(f"erased {_listed(erased)}, and was interrupted")
        raise
    log(f"erased {_listed(erased)}")  # the log names no user
    print(f"erased {_listed(erased)}")


def _ask(found: dict[str, int], user_id: str) -> None:
    """Ask on the terminal whether to erase. Raises `CommandError` unless the answer is yes."""
    kept = " and ".join(_number(count, kind) for kind, count in found.items())
    if not sys.stdin.isatty():
        options = "--yes --" if user_id.startswith("-") else "--yes"
        raise CommandError(
            f"nothing was erased: there is no terminal to ask on; to erase {kept} of {user_id} "
            f"type: task-api erase {options} {shlex.quote(user_id)}"
        )
    if any(found.values()) and not confirmed(f"Erase {kept} of {user_id}?"):
        raise CommandError("nothing was erased; answer y to erase")


def _number(count: int, kind: str) -> str:
    return f"{count} {kind.replace('_', ' ')}{'' if count == 1 else 's'}"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind.replace('_', ' ')}s" for kind, count in counts.items())


async def _run_as(user_id: str, work: Callable[[Database, User], Awaitable[T]]) -> T:
    """Run `work` as this user, with the session and startup checks that requests have."""
    try:
        user = named_by_operator(user_id)
    except ValueError as error:
        raise CommandError(error) from None
    failure = "not finished, for the database failed: {}; check DATABASE_URL, and try again"
    with explained("refusing: {}", failure):
        async with Database.connect(load(DatabaseSettings), ahead=False) as database:
            return await work(database, user)


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


async def count(database: Database, user: User) -> dict[str, int]:
    """Count a user's rows, by kind. Raises what `Database.transaction` raises."""

    async def numbers(tx: Transaction) -> dict[str, int]:
        rows = {kind.name: await tx.row(kind.total) for kind in KINDS}
        return {name: row["number"] if row else 0 for name, row in rows.items()}

    return await database.run(user, numbers, reads=True)


async def erase(
    database: Database, user: User, erased: Counter[str] | None = None
) -> dict[str, int]:
    """Delete a user's rows permanently. Returns their number by kind.

    Each batch is a transaction of its own, is counted in `erased`, and stays deleted if a later one
    fails. Raises what `Database.transaction` raises.
    """
    erased = Counter() if erased is None else erased
    for kind in KINDS:
        await _erase(database, user, kind, erased)
    return {kind.name: erased[kind.name] for kind in KINDS}


async def _erase(database: Database, user: User, kind: PersonalRows, erased: Counter[str]) -> None:
    async def batch(tx: Transaction) -> tuple[int, int]:
        row = await tx.row(kind.erase, limit=kind.batch)
        assert row is not None  # noqa: S101 - a select without a table has one row
        return row["found"], row["erased"]

    found = 1
    while found:
        found, number = await database.run(user, batch, reads=False)
        erased[kind.name] += number
