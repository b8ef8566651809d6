"""Opens PostgreSQL connections from a libpq URL, directly or through a pooler."""

import asyncio
import logging
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final, final
from urllib.parse import urlencode

import asyncpg

from api import postgres_url
from api.database import addresses
from api.database.pipeline import Connection
from api.reasons import key_log_fault, one_line

# Parameters of libpq that asyncpg knows, and those that it sends to the server. What is left out
# it would send as well, and the server would refuse it; client_encoding is always UTF-8.
_DRIVERS: Final = frozenset(
    (
        *("dbname", "gsslib", "krbsrvname", "passfile", "password", "service", "sslcert", "sslcrl"),
        *("sslkey", "ssl_max_protocol_version", "ssl_min_protocol_version", "sslmode"),
        *("sslnegotiation", "sslpassword", "sslrootcert", "target_session_attrs", "user"),
        *("application_name", "options", "replication"),
    )
)
_TLS_FILES: Final = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
_FILE_ERRORS: Final = (
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
    ssl.SSLError,
)
_PROBE: Final = "task_api_probe"

_log = logging.getLogger(__name__)


class CannotConnect(Exception):
    """No connection can be opened with this URL.

    The message is one line without secrets; it quotes no row, for no statement has run. `sqlstate`
    is the server's, or empty.
    """

    def __init__(self, reason: str, sqlstate: str = "") -> None:
        super().__init__(reason)
        self.sqlstate: Final = sqlstate


@final
class Connector:
    """Opens connections to the database at `url`, and detects whether a pooler loses statements.

    A pooler that gives each transaction another server connection (PgBouncer's transaction mode)
    loses prepared statements, unless it tracks them, as PgBouncer does from 1.21 on with
    max_prepared_statements. Behind one that does not, each statement is prepared again, without a
    name, in the round trip that runs it.
    """

    def __init__(self, url: str) -> None:
        """Raises `InvalidURL`."""
        self._url, self._options = url, postgres_url.read(url)
        self._uses_system_ca = self._options.get("sslrootcert") == "system"
        self._tls: ssl.SSLContext | None = None
        query = {name: value for name, value in self._options.items() if name in _DRIVERS}
        if self._uses_system_ca:
            del query["sslrootcert"]
        self._dsn = f"postgresql://?{urlencode(query)}"
        self._keeps_statements = True

    async def __call__(self, timeout: float) -> Connection:  # noqa: ASYNC109
        """Open a connection, in at most `timeout` seconds.

        Raises `CannotConnect` for any failure, and `TimeoutError`.
        """
        async with asyncio.timeout(timeout):
            try:
                connection = await self._open()
                try:
                    kept = await _statements_are_kept(connection)
                except BaseException:
                    connection.terminate()
                    raise
            except Exception as error:
                if isinstance(error.__cause__, asyncpg.PostgresError):
                    error = error.__cause__  # what the server sent before it closed the connection
                reason = one_line(self._reason(error), self._url)
                raise CannotConnect(reason, getattr(error, "sqlstate", None) or "") from None
        connection.pipeline.keeps_statements = kept
        if kept is not self._keeps_statements:
            _log.info("a pooler %s prepared statements", "keeps" if kept else "loses")
            self._keeps_statements = kept  # the pooler may have been replaced
        return connection

    @property
    def keeps_statements(self) -> bool:
        """Whether statements prepared on the last connection exist in its next transaction."""
        return self._keeps_statements

    async def _open(self) -> Connection:
        if self._uses_system_ca and self._tls is None:
            self._tls = _system_ca_context(self._options)
        hosts = addresses.hosts(self._options)
        connection: Connection = await asyncpg.connect(
            self._dsn,
            host=hosts or None,
            port=postgres_url.ports(self._options) or None,
            loop=addresses.loop(hosts),
            ssl=self._tls,
            connection_class=Connection,
            statement_cache_size=0,  # all statements go through the pipeline
            timeout=None,
        )
        return connection

    def _reason(self, error: Exception) -> str:
        """The message of the server, the system or the driver; others may quote a file."""
        name = type(error).__name__
        match error:
            case asyncpg.PostgresError():
                return f"{name} ({error.sqlstate or 'no SQLSTATE'}): {error.args[0]}"
            case asyncpg.InterfaceError() | asyncpg.InternalClientError():
                return f"{name}: {error}"
            case ssl.SSLCertVerificationError():
                reason = error.verify_message.rstrip(".")
                return f"the server's certificate is refused: {reason}"
            case OSError() if isinstance(error, _FILE_ERRORS) and (
                file := _unusable(self._options)
            ):
                return file
            case OSError(filename=str(path)):  # the driver reads ~/.pgpass and ~/.postgresql
                return f"{name}: {error.strerror}: {path}; is HOME a folder that can be entered?"
            case ssl.SSLError():
                return f"TLS failed: {error.reason or error.strerror}"
            case ConnectionError() if "rejected SSL upgrade" in str(error):
                return "the server speaks no TLS, and sslmode asks for it"
            case OSError():
                return f"{name}: {error.strerror or error}"
            case ValueError() if str(error).startswith("could not match "):
                return str(error)
            case _:
                return f"the URL, or a PG variable of the environment, cannot be read ({name})"


def _unusable(query: Mapping[str, str]) -> str:
    """Which TLS file cannot be read, and why; the system's own error does not name it."""
    for name in _TLS_FILES:
        path = query.get(name) or os.environ.get(f"PG{name.upper()}")
        if path and path != "system":
            try:
                Path(path).open("rb").close()
            except OSError as error:
                return f"{name}: {path} cannot be read: {error.strerror}"
    return key_log_fault()


def _system_ca_context(query: Mapping[str, str]) -> ssl.SSLContext:
    """The TLS context of sslrootcert=system: the system's CA certificates, and verify-full.

    SSL_CERT_FILE and SSL_CERT_DIR name others, as for any program that uses OpenSSL.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["postgresql"])  # required by sslnegotiation=direct
    if "sslcert" in query:
        context.load_cert_chain(query["sslcert"], query.get("sslkey"), query.get("sslpassword"))
    return context


async def _statements_are_kept(connection: asyncpg.Connection) -> bool:
    """Whether a statement prepared in one transaction exists in the next."""
    # By the simple protocol, which prepares nothing; the number of rows is the result. PgBouncer
    # makes up the cancel key, and so the process id in it (pgbouncer/pgbouncer#1296): the id is
    # true only without a pooler.
    pid = int(connection.get_server_pid())
    if await _has_rows(connection, f"from pg_backend_pid() as pid where pid = {pid}"):
        return True
    await connection.execute("begin")
    try:
        await connection.prepare("select 1", name=_PROBE)
    except asyncpg.DuplicatePreparedStatementError:  # prepared by another connection of ours
        await connection.execute("rollback")
        return False
    # A pooler that tracks statements gives them names of its own.
    found = f"from pg_prepared_statements where name = '{_PROBE}'"
    return not await _has_rows(connection, found, first="rollback;")


async def _has_rows(connection: asyncpg.Connection, source: str, *, first: str = "") -> bool:
    status: str = await connection.execute(f"{first} select {source}")
    return status != "SELECT 0"
