"""One audit: every check, the drift, the probes and the matrix of one live database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import psycopg

from api import authorities
from api.audit import checks, evidence
from api.audit.probes import probe
from api.audit.report import Probe, Report
from api.audit.row_probes import Tried, try_rows
from api.audit.target import OWN, Target
from api.migrate import CLIENT_ENCODING, SEARCH_PATH

# Said on the connection and not in its parameters, which a pooler would refuse.
# intervalstyle: policies are compared as text, and one of them names a length of time.
_LIMITS: Final = {
    "statement_timeout": "10s",
    "lock_timeout": "2s",
    "intervalstyle": "postgres",
}
# search_path: relations of schema public are named without it, whatever the role's own is.
_READ_ONLY: Final = _LIMITS | {
    "default_transaction_read_only": "on",
    "search_path": SEARCH_PATH,
}


class AuditError(Exception):
    """The catalog could not be read at all. The message is one line."""


def audit(catalog_url: str, serving_url: str | None, target: Target = OWN) -> Report:
    """What the catalog says, read over `catalog_url`, and what happens over `serving_url`.

    Nothing is changed in the database. Raises `AuditError`.
    """
    authorities.find()
    try:
        with _connected(catalog_url, _READ_ONLY) as connection:
            if not target.own:
                tried = _with_found_rows(connection, catalog_url, serving_url, target)
                found = report(connection, tried.probes, None, target)
                return replace(found, not_tried=tried.not_tried)
            probes, reason = _probed(serving_url)
            return report(connection, probes, reason)
    except psycopg.Error as error:
        raise AuditError(_sentence(error)) from None


def report(
    connection: psycopg.Connection[Any],
    probes: tuple[Probe, ...],
    probes_not_checked: str | None,
    target: Target = OWN,
) -> Report:
    """What the catalog says over an open connection, with probes that have been made."""
    target.subject.introduce(connection)
    (database,) = connection.execute("select current_database()").fetchone() or ("?",)
    return Report(
        database=database,
        server_version=connection.info.parameter_status("server_version") or "?",
        checks=tuple(checks.run(check, connection) for check in checks.checks()),
        drift=evidence.drift(connection) if target.own else None,
        probes=probes,
        probes_not_checked=probes_not_checked,
        matrix=evidence.matrix(connection),
        policies=evidence.policies(connection),
        ahead=evidence.ahead(connection) if target.own else None,
        role=target.subject.role,
    )


def _probed(url: str | None) -> tuple[tuple[Probe, ...], str | None]:
    if url is None:
        return (), "DATABASE_URL is not set, so nothing was tried as the serving role"
    try:
        with _connected(url, _LIMITS) as connection:
            return probe(connection), None
    except psycopg.Error as error:
        return (), _sentence(error)


def _with_found_rows(
    catalog: psycopg.Connection[Any], catalog_url: str, serving_url: str | None, target: Target
) -> Tried:
    try:
        with _connected(serving_url or catalog_url, _LIMITS) as serving:
            return try_rows(catalog, serving, target, connects=serving_url is not None)
    except psycopg.Error as error:
        return Tried((), {"everything": _sentence(error)})


@contextmanager
def _connected(url: str, settings: dict[str, str]) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(
        url, autocommit=True, connect_timeout=10, client_encoding=CLIENT_ENCODING
    ) as connection:
        for name, value in settings.items():
            connection.execute("select pg_catalog.set_config(%s, %s, false)", [name, value])
        yield connection


def _sentence(error: psycopg.Error) -> str:
    return " ".join((error.diag.message_primary or str(error)).split())
