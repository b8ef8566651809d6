"""Database errors, and how driver errors map to them; the only place that knows SQLSTATEs."""

import asyncio
import logging
from collections.abc import Callable
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

# By which errors are counted: classes of SQLSTATEs, and what operators act on: a privilege that is
# missing, connections, lock_timeout, statement_timeout.
_COUNTED_CLASSES: Final = frozenset(
    kind.sqlstate[:2]
    for kind in vars(asyncpg.exceptions).values()
    if isinstance(getattr(kind, "sqlstate", None), str)
)
_COUNTED_ALONE: Final = frozenset({"42501", "53300", _LOCKED, _OVERDUE})
_NO_SQLSTATE: Final = "none"  # of a timeout, of a fault of this program
_UNKNOWN: Final = "other"
LABELS: Final = (*sorted(_COUNTED_CLASSES | _COUNTED_ALONE), _NO_SQLSTATE, _UNKNOWN)
# Called with one of LABELS for each error.
counters: Final[list[Callable[[str], None]]] = []

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


def _report(level: int, kind: str, reason: str, sqlstate: str) -> None:
    """Log and count an error."""
    _log.log(level, "database %s: %s", kind, reason)
    for count in counters:
        count(_label(sqlstate))


def _label(sqlstate: str) -> str:
    if not sqlstate:
        return _NO_SQLSTATE
    if sqlstate in _COUNTED_ALONE:
        return sqlstate
    return sqlstate[:2] if sqlstate[:2] in _COUNTED_CLASSES else _UNKNOWN


def misused(what: str) -> DatabaseError:
    """Log a fault of this program in its use of the database."""
    _report(logging.ERROR, "error", what, "")
    return DatabaseError(what)


def unreachable(reason: str, sqlstate: str = "") -> DatabaseUnavailable:
    """Log that no connection could be had."""
    _report(logging.WARNING, "unavailable", reason, sqlstate)
    return DatabaseUnavailable(reason)


def translated(
    error: Exception, *, committing: bool = False
) -> DatabaseUnavailable | DatabaseError:
    """Translate a driver's error, log it and count it. `committing`: it was raised by a commit."""
    name = type(error).__name__
    if not isinstance(error, asyncpg.PostgresError):
        _report(logging.WARNING, "unavailable", name, "")
        return DatabaseUnavailable(name, retryable=True, in_doubt=committing)
    # The message may quote rows; the class name and SQLSTATE cannot.
    state = str(error.sqlstate)
    kinds = {state, state[:2]}
    name = f"{name} ({state})"
    if kinds & _ABOUT_CONNECTING:
        name = f"{name}: {error.args[0]}"
    ended = (error.severity_en or error.severity) in _ENDING
    if not ended and not kinds & (_TRANSIENT_CLASSES | _TRANSIENT_SQLSTATES):
        _report(logging.ERROR, "error", name, state)
        return DatabaseError(name)
    _report(logging.WARNING, "unavailable", name, state)
    if state == _LOCKED:
        return DatabaseBusy(name)
    if state == _OVERDUE and not committing:
        return StatementTimeout(name)
    return DatabaseUnavailable(
        name,
        retryable=bool(kinds & _RETRY_ON_NEW_CONNECTION),
        in_doubt=committing and _ROLLED_BACK not in kinds and not isinstance(error, NothingSent),
    )
