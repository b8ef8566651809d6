"""Why Redis cannot be used is said without what was sent: its messages may quote a command."""

import socket

import pytest
from redis.exceptions import (
    AuthenticationError,
    NoPermissionError,
    ReadOnlyError,
    ResponseError,
)
from redis.exceptions import ConnectionError as Unconnected

from api.http.shared_counters import cause

PRIVATE = "hush-hush"


def because(error: Exception, of: Exception) -> Exception:
    error.__context__ = of
    return error


@pytest.mark.evidence("password-leaks")
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            AuthenticationError("AUTH <password> called without any password configured for"),
            "AuthenticationError: it has no password, and the URL has one",
        ),
        (
            AuthenticationError("Client sent AUTH, but no password is set"),
            "AuthenticationError: it has no password, and the URL has one",
        ),
        (
            AuthenticationError("Authentication required."),
            "AuthenticationError: it wants a password, and the URL has none",
        ),
        (
            ResponseError(f"unknown command 'AUTH', with args beginning with: '{PRIVATE}'"),
            "ResponseError",
        ),
        (ResponseError(f"MISCONF {PRIVATE}"), "ResponseError: MISCONF"),
        (ResponseError(PRIVATE.upper()), "ResponseError: HUSH"),
        (NoPermissionError(f"no permissions to access 'user/{PRIVATE}'"), "NoPermissionError"),
        (ReadOnlyError(PRIVATE), "ReadOnlyError"),
        (Unconnected(PRIVATE), "ConnectionError"),
        (
            because(Unconnected(PRIVATE), ConnectionRefusedError(111, PRIVATE)),
            "ConnectionError: Connection refused",
        ),
        (
            because(Unconnected(PRIVATE), socket.gaierror(-2, "Name or service not known")),
            "ConnectionError: Name or service not known",
        ),
        (because(Unconnected(PRIVATE), OSError(PRIVATE)), "ConnectionError"),
        (TimeoutError(PRIVATE), "TimeoutError: no answer in time"),
        (ValueError(PRIVATE), "ValueError"),
    ],
)
def test_a_cause_quotes_nothing_that_was_sent(error: Exception, said: str) -> None:
    assert cause(error) == said
