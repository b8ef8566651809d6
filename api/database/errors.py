"""Database errors, and how driver errors map to them; the only place that knows SQLSTATEs."""

import asyncio
import logging
from typing import Final

import asyncpg

from api.database.pipeline import NothingSent

# SQLSTATE classes of transient errors, which end by themselves or by an operator's action and do
# not depend on the request: connection, authorization, no such database, rollback, locks,
# resources, intervention, system (PostgreSQL manual, appendix A).
_TRANSIENT_CLASSES: Final = {"08", "28", "3D", "40", "53", "55", "57", "58"}
# Read-only; idle in transaction and transaction too long; a pooler's other server does not know the
# prepared statement; the table has changed since it was prepared.
_TRANSIENT_SQLSTATES: Final = {"25006", "25P03", "25P04", "26000", "0A000"}
# Transient errors that a new connection may avoid.
_RETRY_ON_NEW_CONNECTION: Final = {"08", "40", "57P01", "57P02", "57P05", *_TRANSIENT_SQLSTATES}
_ROLLED_BACK: Final = "40"
_LOCKED: Final = "55P03"  # lock_timeout
_OVERDUE: Final = "57014"  # statement_timeout
# Classes of errors while connecting, which a pooler may do late: their messages name roles and
# databases, never rows.
_ABOUT_CONNECTING: Final = {"28", "3D"}
# Severities that end the connection, whatever failed.
_ENDING: Final = {"FATAL", "PANIC"}
# A TimeoutError is an OSError.
FAILURES: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)

_log = logging.getLogger(__package__)


class DatabaseUnavailable(Exception):
    """The database is temporarily unavailable; the same request may succeed later.

    `retryable`: it may succeed at once on a new connection. `in_doubt`: the connection broke during
    the commit, so the outcome is unknown.
    """

    def __init__(self, reason: str, *, retryable: bool = False, in_doubt: bool = False) -> None:
        super().__init__(reason)
        self.retryable, self.in_doubt = retryable, in_doubt


class DatabaseBusy(DatabaseUnavailable):
    """The statement waited too long for a lock (lock_timeout)."""


class StatementTimeout(DatabaseUnavailable):
    """The statement took too long (statement_timeout)."""


class CommitInterrupted(asyncio.CancelledError):
    """Cancelled during a commit, so the outcome is unknown."""


class DatabaseError(Exception):
    """The database refused a statement: an error in this program or its deployment.

    The message holds the SQLSTATE and no values of rows.
    """


def misused(what: str) -> DatabaseError:
    _log.error("database error: %s", what)
    return DatabaseError(what)


def translated(
    error: Exception, *, committing: bool = False
) -> DatabaseUnavailable | DatabaseError:
    """Translate a driver's error and log it. `committing`: it was raised by a commit."""
    name = type(error).__name__
    if not isinstance(error, asyncpg.PostgresError):
        _log.warning("database unavailable: %s", name)
        return DatabaseUnavailable(name, retryable=True, in_doubt=committing)
    # The message may quote rows; the class name and SQLSTATE cannot.
    state = str(error.sqlstate)
    kinds = {state, state[:2]}
    name = f"{name} ({state})"
    if kinds & _ABOUT_CONNECTING:
        name = f"{name}: {error.args[0]}"
    ended = (error.severity_en or error.severity) in _ENDING
    if not ended and not kinds & (_TRANSIENT_CLASSES | _TRANSIENT_SQLSTATES):
        _log.error("database error: %s", name)
        return DatabaseError(name)
    _log.warning("database unavailable: %s", name)
    if state == _LOCKED:
        return DatabaseBusy(name)
    if state == _OVERDUE and not committing:
        return StatementTimeout(name)
    return DatabaseUnavailable(
        name,
        retryable=bool(kinds & _RETRY_ON_NEW_CONNECTION),
        in_doubt=committing and _ROLLED_BACK not in kinds and not isinstance(error, NothingSent),
    )
