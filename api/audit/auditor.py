"""One audit: every check, the drift, the probes and the matrix of one live database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg

from api import authorities, presets
from api.audit import checks, evidence
from api.audit.probes import probe
from api.audit.report import Probe, Report
from api.presets import CLIENT_ENCODING
from api.reasons import one_line

# Said in a transaction and not in the connection's parameters, which a pooler would refuse.
_LIMITS: Final = {"statement_timeout": "10s", "lock_timeout": "2s"}

_SUBJECT: Final = checks.Subject()


class AuditError(Exception):
    """The catalog could not be read at all. The message is one line."""


def audit(catalog_url: str, serving_url: str | None) -> Report:
    """What the catalog says, read over `catalog_url`, and what happens over `serving_url`.

    Nothing is changed in the database. Raises `AuditError`.
    """
    authorities.find()
    try:
        with _connected(catalog_url, read_only=True) as connection:
            probes, reason = _probed(serving_url)
            return report(connection, probes, reason)
    except (psycopg.Error, UnicodeError) as error:
        raise AuditError(_sentence(error, catalog_url)) from None


def report(
    connection: psycopg.Connection[Any],
    probes: tuple[Probe, ...],
    probes_not_checked: str | None,
    subject: checks.Subject = _SUBJECT,
) -> Report:
    """What the catalog says over an open connection, with probes that have been made."""
    subject.introduce(connection)
    (database,) = connection.execute("select current_database()").fetchone() or ("?",)
    return Report(
        database=database,
        server_version=connection.info.parameter_status("server_version") or "?",
        checks=(
            *(checks.run(check, connection) for check in checks.checks()),
            evidence.provision(connection),
        ),
        drift=evidence.drift(connection),
        probes=probes,
        probes_not_checked=probes_not_checked,
        matrix=evidence.matrix(connection),
        policies=evidence.policies(connection),
        ahead=evidence.ahead(connection),
    )


def _probed(url: str | None) -> tuple[tuple[Probe, ...], str | None]:
    if url is None:
        return (), "DATABASE_URL is not set, so nothing was tried as the serving role"
    try:
        with _connected(url, read_only=False) as connection:
            return probe(connection), None
    except (psycopg.Error, UnicodeError) as error:
        return (), _sentence(error, url)


@contextmanager
def _connected(url: str, *, read_only: bool) -> Iterator[psycopg.Connection[Any]]:
    """A transaction of which nothing remains, in a session like any other."""
    with psycopg.connect(
        url, autocommit=True, connect_timeout=10, client_encoding=CLIENT_ENCODING
    ) as connection:
        presets.begin(connection, read_only=read_only, **_LIMITS)
        try:
            yield connection
        finally:
            connection.rollback()


def _sentence(error: psycopg.Error | UnicodeError, url: str) -> str:
    if isinstance(error, UnicodeError):
        return "the URL cannot be read"
    return one_line(error.diag.message_primary or str(error), url)
