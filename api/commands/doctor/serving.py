"""Checks of DATABASE_URL: connects as the server does, with the serving role."""

import asyncio
import contextlib
import ipaddress
import ssl
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from api import postgres_url
from api.commands.audit.checks import checks
from api.commands.doctor.configuration import database_url, misread
from api.commands.doctor.finding import (
    CHECK_TIMEOUT,
    CLOSE_TIMEOUT,
    MISREAD,
    Finding,
    divided,
    fail,
    ok,
    reason,
    seconds,
    sentence,
    skip,
    warn,
)
from api.database import gate
from api.database.connector import CannotConnect, Connector
from api.database.migrations import are_ahead, are_behind, newest
from api.database.pipeline import Connection

_ROLE: Final = "task_app"
_MAX_SKEW: Final = 10.0  # seconds
_MIN_SERVER_VERSION: Final = 150_000  # server_version_num
_LIMITS: Final = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
_VERSION: Final = next(check for check in checks() if check.id == "server_version")
# Identifies the database and server behind any URL.
IDENTITY: Final = """
select concat_ws(' ', oid, pg_postmaster_start_time()) as identity
  from pg_catalog.pg_database where datname = current_database()
"""
_FACTS: Final = """
select current_database() as database, pg_backend_pid() as pid,
       current_setting('server_version') as version,
       current_setting('server_version_num')::integer as number,
       pg_is_in_recovery() as standby,
       current_setting('default_transaction_read_only') = 'on' as read_only,
       current_setting('statement_timeout') as statement_timeout,
       current_setting('lock_timeout') as lock_timeout,
       current_setting('idle_in_transaction_session_timeout')
           as idle_in_transaction_session_timeout
"""
_REMEDIES: Final = {
    "28": "Mend the role or its password: task-api migrate sets it to TASK_APP_PASSWORD.",
    "3D": "Mend the name of the database in DATABASE_URL, or make it.",
    "53": "Allow more connections, or lower POOL_SIZE.",
}


class Serving:
    """Checks of `DATABASE_URL`. `identity`: of its database, once connected."""

    def __init__(self) -> None:
        self.identity: str | None = None

    async def findings(self) -> AsyncIterator[Finding]:
        """Checks in order: connection, privileges, row security, migrations, limits, TLS, clock."""
        if (url := database_url()) is None:
            if misread("DATABASE_URL"):
                yield fail("connection", *MISREAD)
            else:
                yield skip("connection", "there is no DATABASE_URL to try")
            return
        hosts = ",".join(postgres_url.hosts(postgres_url.read(url)))
        started = time.perf_counter()
        connect = Connector(url)
        ignored: list[warnings.WarningMessage] = []
        try:
            with warnings.catch_warnings(record=True, action="always") as ignored:
                connection = await connect(CHECK_TIMEOUT)
        except (CannotConnect, TimeoutError) as error:
            for finding in _password_file(ignored):
                yield finding
            yield fail("connection", reason(error, url), _remedy(error))
            return
        took = (time.perf_counter() - started) * 1000
        for finding in _password_file(ignored):
            yield finding
        try:
            async for finding in self._findings(connection, hosts, took):
                yield finding
            yield _statements(connect.keeps_statements)
        except Exception as error:
            yield fail("connection", f"it broke: {reason(error, url)}", _remedy(error))
        finally:
            with contextlib.suppress(Exception):  # all findings are made
                await connection.close(timeout=CLOSE_TIMEOUT)

    async def _findings(self, connection: Any, hosts: str, took: float) -> AsyncIterator[Finding]:
        started = time.perf_counter()
        async with asyncio.timeout(CHECK_TIMEOUT):
            await connection.execute("select")
        ping = (time.perf_counter() - started) * 1000
        facts = await _row(connection, _FACTS)
        yield ok(
            "connection",
            f"database {facts['database']}: {took:.0f} ms to connect, {ping:.1f} ms there and back",
        )
        self.identity = (await _row(connection, IDENTITY))["identity"]
        yield _writable(facts)
        yield await _version(connection, facts)
        row = await _row(connection, gate.SQL)
        for finding in (_encoding(row), *_kept_apart(row), _privileges(row)):
            yield finding
        yield _migrations(row["applied"])
        yield _limits(facts)
        yield _tls(connection)
        yield _pooler(facts["pid"] != connection.get_server_pid(), hosts)
        yield await _clock(connection)


def _password_file(ignored: list[warnings.WarningMessage]) -> Iterator[Finding]:
    """The driver's warnings that it ignores the password file."""
    for warning in ignored:
        remedy = "It is not read: give PGPASSFILE a file that only its user may read (0600)."
        yield warn("password file", str(warning.message), remedy)


async def _row(connection: Any, sql: str) -> Any:
    """The first row of a query, or None."""
    async with asyncio.timeout(CHECK_TIMEOUT):
        rows = await connection.pipeline.read(sql)
    return rows[0] if rows else None


def _remedy(error: Exception) -> str:
    state = getattr(error, "sqlstate", None) or ""
    if state[:2] in _REMEDIES:
        return _REMEDIES[state[:2]]
    if state:
        return "Do what the server says, or the proxy in front of it; Neon's has a console."
    return "Check DATABASE_URL, and that the server is up."


def _writable(facts: Any) -> Finding:
    if facts["standby"]:
        return fail("writable", "this server is a standby", "Give DATABASE_URL of the primary.")
    if facts["read_only"]:
        return fail(
            "writable",
            "transactions here are read-only",
            "Reset default_transaction_read_only for the role or the database.",
        )
    return ok("writable", "yes")


async def _version(connection: Any, facts: Any) -> Finding:
    said = f"PostgreSQL {facts['version']}"
    known = await _row(connection, _VERSION.sql)
    if known is None:
        return ok("server version", said)
    remedy = sentence(known["mend"].removeprefix("-- "))
    report = fail if facts["number"] < _MIN_SERVER_VERSION else warn
    return report("server version", f"{said} {known['detail']}", remedy)


def _kept_apart(row: Any) -> Iterator[Finding]:
    role, verdict = row["role"], gate.verdict(row)
    if role == _ROLE:
        yield ok("role", role)
    else:
        yield warn(
            "role",
            f"{role}, and not {_ROLE}, whom the grants and limits are for",
            f"Connect DATABASE_URL as {_ROLE}.",
        )
    if verdict is None:
        yield ok("row security", f"in force for {role}")
    else:
        yield fail("row security", *divided(verdict))


def _encoding(row: Any) -> Finding:
    if garbling := gate.garbling(row):
        return fail("encoding", *divided(garbling))
    return ok("encoding", row["encoding"])


def _privileges(row: Any) -> Finding:
    if not row["is_there"]:
        return skip("privileges", f"there is no table {row['table']}")
    if lacking := gate.lacking(row):
        return fail("privileges", *divided(lacking))
    return ok("privileges", f"{row['role']} has all that the statements need")


def _migrations(applied: str | None) -> Finding:
    if are_behind(applied):
        return fail(
            "migrations",
            f"{applied or 'none, or by an older version,'} applied; this program has {newest()}",
            "Run task-api migrate.",
        )
    if are_ahead(applied):
        return ok(
            "migrations",
            f"{applied}, ahead of this program's {newest()}: it serves, and does not migrate",
        )
    return ok("migrations", f"all applied, up to {applied}")


def _limits(facts: Any) -> Finding:
    said = ", ".join(f"{name} {facts[name]}" for name in _LIMITS)
    if any(facts[name] == "0" for name in _LIMITS):
        return fail(
            "limits",
            f"{said}; 0 is none",
            f"Run task-api migrate, which gives {_ROLE} its limits; a pooler may reset them.",
        )
    return ok("limits", said)


def _tls(connection: Connection) -> Finding:
    transport = connection.transport
    secured: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    if secured is None:
        if is_local(transport.get_extra_info("peername")):
            return ok("TLS", "none, and the connection does not leave this machine")
        return warn(
            "TLS",
            "none: the password and everybody's tasks travel in the open",
            "Add sslmode=verify-full to DATABASE_URL.",
        )
    remedy = (
        "Use sslmode=verify-full in DATABASE_URL; with sslrootcert=system "
        "where the certificate is a public authority's, as Neon's is."
    )
    if secured.context.verify_mode is not ssl.CERT_REQUIRED:
        said = "but whose certificate it is was not verified: anybody in between can be the server"
        return warn("TLS", f"{secured.version()}, {said}", remedy)
    if not secured.context.check_hostname:
        said = "certificate verified, but not that it is for this host"
        return warn("TLS", f"{secured.version()}, {said}", remedy)
    return ok("TLS", f"{secured.version()}, certificate verified for this host")


def is_local(peer: object) -> bool:
    """Whether a peer is on a Unix socket or a loopback address."""
    return not isinstance(peer, tuple) or ipaddress.ip_address(peer[0]).is_loopback


def _pooler(found: bool, hosts: str) -> Finding:
    if "-pooler." in hosts:
        return ok("pooler", "yes: Neon's, by the name of the host")
    return ok(
        "pooler",
        "yes: the server at the other end is not the one that was greeted"
        if found
        else "none: connected to the server itself",
    )


def _statements(kept: bool) -> Finding:
    if kept:
        return ok("prepared statements", "kept")
    return warn(
        "prepared statements",
        "not kept: the pooler loses them, so each statement is prepared each time",
        "PgBouncer keeps them from 1.21 on, with max_prepared_statements.",
    )


async def _clock(connection: Any) -> Finding:
    before = time.time()
    row = await _row(connection, "select extract(epoch from clock_timestamp())::float8 as now")
    skew = row["now"] - (before + time.time()) / 2
    if abs(skew) > _MAX_SKEW:
        return warn("clock", seconds(skew), "Set both clocks by NTP: its dates are in the answers.")
    return ok("clock", seconds(skew))
