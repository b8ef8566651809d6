"""Runs an audit of a live database: checks, drift, probes and access matrix."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import psycopg

from api.commands.audit import checks, evidence
from api.commands.audit.probes import probe
from api.commands.audit.report import Probe, Report
from api.commands.audit.row_probes import Tried, try_rows
from api.commands.audit.target import OWN, Target
from api.database import ca_paths, presets
from api.database.presets import CLIENT_ENCODING
from api.reasons import one_line

AUDIT_TIMEOUT: Final = 10  # seconds to connect, and of a statement
AUDIT_LOCK_TIMEOUT: Final = 2  # seconds
# Set in the transaction, because a pooler refuses them as connection parameters.
_LIMITS: Final = {
    "statement_timeout": f"{AUDIT_TIMEOUT}s",
    "lock_timeout": f"{AUDIT_LOCK_TIMEOUT}s",
}


class AuditError(Exception):
    """The catalog could not be read. The message is one line."""


def audit(
    catalog_url: str,
    serving_url: str | None,
    target: Target = OWN,
    waivers: Mapping[str, str] | None = None,
    timeouts: Mapping[str, str] | None = None,
) -> Report:
    """Audit a database: check the catalog over `catalog_url`, run the probes over `serving_url`.

    `waivers`: reasons by the key of an accepted finding. `timeouts`: what `migrate` was given for
    the serving role. Everything is rolled back. Raises `AuditError`.
    """
    ca_paths.find()
    try:
        with _connected(catalog_url, read_only=True) as connection:
            if not target.own:
                tried = _with_found_rows(connection, catalog_url, serving_url, target)
                probes, not_tried = tried.probes, tried.not_tried
                return report(connection, probes, None, target, not_tried, waivers)
            probes, reason = _probed(serving_url)
            return report(connection, probes, reason, waivers=waivers, timeouts=timeouts)
    except (psycopg.Error, UnicodeError) as error:
        raise AuditError(_sentence(error, catalog_url)) from None


def report(
    connection: psycopg.Connection[Any],
    probes: tuple[Probe, ...],
    probes_not_checked: str | None,
    target: Target = OWN,
    not_tried: Mapping[str, str] | None = None,
    waivers: Mapping[str, str] | None = None,
    timeouts: Mapping[str, str] | None = None,
) -> Report:
    """The report of the catalog over an open connection, and of probes made before."""
    target.subject.introduce(connection)
    (database,) = connection.execute("select current_database()").fetchone() or ("?",)
    return Report(
        database=database,
        server_version=connection.info.parameter_status("server_version") or "?",
        checks=(
            *(checks.run(check, connection) for check in checks.checks()),
            *((evidence.provision(connection),) if target.own else ()),
        ),
        drift=evidence.drift(connection, timeouts) if target.own else None,
        probes=probes,
        probes_not_checked=probes_not_checked,
        matrix=evidence.matrix(connection),
        policies=evidence.policies(connection),
        ahead=evidence.ahead(connection) if target.own else None,
        role=target.subject.role,
        not_tried=not_tried or {},
        waivers=waivers or {},
    )


def _probed(url: str | None) -> tuple[tuple[Probe, ...], str | None]:
    if url is None:
        return (), "DATABASE_URL is not set, so nothing was tried as the serving role"
    try:
        with _connected(url, read_only=False) as connection:
            return probe(connection), None
    except (psycopg.Error, UnicodeError) as error:
        return (), _sentence(error, url)


def _with_found_rows(
    catalog: psycopg.Connection[Any], catalog_url: str, serving_url: str | None, target: Target
) -> Tried:
    try:
        with _connected(serving_url or catalog_url, read_only=False) as serving:
            return try_rows(catalog, serving, target, connects=serving_url is not None)
    except (psycopg.Error, UnicodeError) as error:
        return Tried((), {"everything": _sentence(error, serving_url or catalog_url)})


@contextmanager
def _connected(url: str, *, read_only: bool) -> Iterator[psycopg.Connection[Any]]:
    """A connection in a transaction that is rolled back, with the presets of every session."""
    with psycopg.connect(
        url, autocommit=True, connect_timeout=AUDIT_TIMEOUT, client_encoding=CLIENT_ENCODING
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
