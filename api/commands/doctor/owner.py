"""Checks of MIGRATION_DATABASE_URL: a direct connection as the owner, to the same database."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from api.commands.doctor.configuration import misread
from api.commands.doctor.finding import (
    CHECK_TIMEOUT,
    MISREAD,
    Finding,
    divided,
    fail,
    ok,
    reason,
    skip,
)
from api.commands.doctor.serving import IDENTITY, Serving
from api.database import ca_paths, gate
from api.database.presets import CLIENT_ENCODING
from api.settings import MigrationSettings, SettingsError, load

_FACTS: Final = """
select current_user::text as role, current_database() as database, pg_backend_pid() as pid,
       r.rolsuper or r.rolcreaterole as makes_roles,
       case when c.oid is null
            then has_schema_privilege('public', 'create')
              or pg_has_role(d.datdba, 'usage') else pg_has_role(c.relowner, 'usage')
       end as owns, c.oid is null as is_empty,
       current_setting('server_encoding') as encoding
  from pg_catalog.pg_roles r
  join pg_catalog.pg_database d on d.datname = current_database()
  left join pg_catalog.pg_namespace n on n.nspname = 'public'
  left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = 'task'
 where r.rolname = current_user
"""


class Owner:
    """Checks of `MIGRATION_DATABASE_URL`, which only `migrate`, `sweep` and `audit` need."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    async def findings(self) -> AsyncIterator[Finding]:
        """Whether `migrate` can work there, and whether it is the database of `DATABASE_URL`."""
        try:
            url = load(MigrationSettings).migration_database_url.get_secret_value()
        except SettingsError as error:
            if misread("MIGRATION_DATABASE_URL"):
                yield fail("connection", *MISREAD)
            else:
                yield skip("connection", str(error).partition("; ")[0])
            return
        ca_paths.find()
        started = time.perf_counter()
        try:
            async with (
                asyncio.timeout(CHECK_TIMEOUT),
                await psycopg.AsyncConnection.connect(
                    url, autocommit=True, row_factory=dict_row, client_encoding=CLIENT_ENCODING
                ) as connection,
            ):
                took = (time.perf_counter() - started) * 1000
                facts = await _row(connection, _FACTS)
                identity = (await _row(connection, IDENTITY))["identity"]
                direct = connection.info.backend_pid == facts["pid"]
        except Exception as error:  # drivers raise many kinds for a bad URL
            yield fail(
                "connection", reason(error, url), "Check MIGRATION_DATABASE_URL, and that it is up."
            )
            return
        yield ok("connection", f"database {facts['database']}: {took:.0f} ms to connect")
        if direct:
            yield ok("direct", "yes")
        else:
            yield fail(
                "direct",
                "there is a pooler in between",
                "Migrations hold locks of the session: give the server's own address.",
            )
        for finding in (*_owns(facts), self._same(identity)):
            yield finding

    def _same(self, identity: str) -> Finding:
        if self._serving.identity is None:
            return skip("same database", "DATABASE_URL leads nowhere yet")
        if identity != self._serving.identity:
            return fail(
                "same database",
                "this is not the database that DATABASE_URL leads to",
                "What is migrated here is not what the server serves: mend one of the two.",
            )
        return ok("same database", "as DATABASE_URL's")


async def _row(connection: psycopg.AsyncConnection[dict[str, Any]], sql: str) -> dict[str, Any]:
    cursor = await connection.execute(sql.encode())
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - a session has a role and a database
    return row


def _owns(facts: dict[str, Any]) -> Iterator[Finding]:
    role = facts["role"]
    if wrong := gate.wrong_encoding(facts["encoding"]):
        yield fail("encoding", *divided(wrong))
    remedy = "Connect MIGRATION_DATABASE_URL as the owner of the database (on Neon: neondb_owner)."
    if not facts["owns"]:
        what = "may not make tables here" if facts["is_empty"] else "does not own table task"
        yield fail("owner", f"{role} {what}", remedy)
    else:
        yield ok("owner", role)
    if not facts["makes_roles"]:
        yield fail("roles", f"{role} may not make roles", "Give it CREATEROLE, for task_app.")
    else:
        yield ok("roles", f"{role} may make them")
