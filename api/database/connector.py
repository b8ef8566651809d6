"""One connection, from the URL that libpq reads too, with whatever may stand in between."""

import asyncio
import logging
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final, final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from api.database.pipeline import Connection
from api.reasons import key_log_fault, one_line

# What libpq knows (PostgreSQL manual, section 32.1.2) and asyncpg would send on as a setting of
# the server, which refuses it; client_encoding it would heed, and both of us speak UTF-8.
_LIBPQ_ONLY: Final = {
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "fallback_application_name",
    "gssdelegation",
    "gssencmode",
    "hostaddr",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "load_balance_hosts",
    "max_protocol_version",
    "min_protocol_version",
    "require_auth",
    "requirepeer",
    "sslcertmode",
    "sslcompression",
    "sslcrldir",
    "sslsni",
    "tcp_user_timeout",
}
_TLS_FILES: Final = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
_OF_FILES: Final = (
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
    ssl.SSLError,
)
_PROBE: Final = "task_api_probe"

_log = logging.getLogger(__name__)


class CannotConnect(Exception):
    """There is no connection to be had as the URL asks for it.

    The message is one line without a secret: nothing has been run, so it quotes no row. `sqlstate`
    is the server's, if it said one.
    """

    def __init__(self, reason: str, sqlstate: str = "") -> None:
        super().__init__(reason)
        self.sqlstate: Final = sqlstate


@final
class Connector:
    """Opens connections to the database at `url`, and finds out what stands in between.

    A pooler that gives each transaction another server connection (PgBouncer's transaction mode)
    loses what was prepared on the last one, unless it keeps account of that, as PgBouncer does
    from 1.21 on with max_prepared_statements. Behind one that does not, each statement is prepared
    anew and without a name, in the round trip in which it is run.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._url = url
        self._query = {k: v for k, v in parse_qsl(parts.query) if k not in _LIBPQ_ONLY}
        self._by_system = self._query.get("sslrootcert") == "system"
        self._tls: ssl.SSLContext | None = None
        query = dict(self._query)
        if self._by_system:
            del query["sslrootcert"]
        self._dsn = urlunsplit(parts._replace(query=urlencode(query)))
        self._keeping = True

    async def __call__(self, timeout: float) -> Connection:  # noqa: ASYNC109
        """A connection in no transaction.

        Raises `CannotConnect`, whatever went wrong, and `TimeoutError`.
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
                    error = error.__cause__  # what the server said before it hung up
                reason = one_line(self._reason(error), self._url)
                raise CannotConnect(reason, getattr(error, "sqlstate", None) or "") from None
        connection.pipeline.keeps_statements = kept
        if kept is not self._keeping:
            _log.info("a pooler %s prepared statements", "keeps" if kept else "loses")
            self._keeping = kept  # another pooler may come to stand there
        return connection

    @property
    def keeps_statements(self) -> bool:
        """Whether what was prepared on the last connection is there in its next transaction."""
        return self._keeping

    async def _open(self) -> Connection:
        if self._by_system and self._tls is None:
            self._tls = _verifying(self._query)
        connection: Connection = await asyncpg.connect(
            self._dsn,
            ssl=self._tls,
            connection_class=Connection,
            statement_cache_size=0,  # all statements go through the pipeline
            timeout=None,
        )
        return connection

    def _reason(self, error: Exception) -> str:
        """What the server, the system or the driver says; what others say may quote a file."""
        name = type(error).__name__
        match error:
            case asyncpg.PostgresError():
                return f"{name} ({error.sqlstate or 'no SQLSTATE'}): {error.args[0]}"
            case asyncpg.InterfaceError() | asyncpg.InternalClientError():
                return f"{name}: {error}"
            case ssl.SSLCertVerificationError():
                reason = error.verify_message.rstrip(".")
                return f"the server's certificate is refused: {reason}"
            case OSError() if isinstance(error, _OF_FILES) and (file := _unusable(self._query)):
                return file
            case OSError(filename=str(path)):  # the driver looks for ~/.pgpass and ~/.postgresql
                return f"{name}: {error.strerror}: {path}; is HOME a folder that can be entered?"
            case ssl.SSLError():
                return f"TLS failed: {error.reason or error.strerror}"
            case ConnectionError() if "rejected SSL upgrade" in str(error):
                return "the server speaks no TLS, and sslmode asks for it"
            case OSError():
                return f"{name}: {error.strerror or error}"
            case _:
                return f"the URL, or a PG variable of the environment, cannot be read ({name})"


def _unusable(query: Mapping[str, str]) -> str:
    """Which file that TLS needs cannot be used, and why; the system does not say which."""
    for name in _TLS_FILES:
        path = query.get(name) or os.environ.get(f"PG{name.upper()}")
        if path and path != "system":
            try:
                Path(path).open("rb").close()
            except OSError as error:
                return f"{name}: {path} cannot be read: {error.strerror}"
    return key_log_fault()


def _verifying(query: Mapping[str, str]) -> ssl.SSLContext:
    """libpq's sslrootcert=system: the authorities that the system trusts, and verify-full.

    SSL_CERT_FILE and SSL_CERT_DIR name others, as for any program that uses OpenSSL.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["postgresql"])  # sslnegotiation=direct wants it
    if "sslcert" in query:
        context.load_cert_chain(query["sslcert"], query.get("sslkey"), query.get("sslpassword"))
    return context


async def _statements_are_kept(connection: asyncpg.Connection) -> bool:
    """Whether a statement that is prepared in one transaction is there in the next."""
    # By the simple protocol, which prepares nothing; the answer is in the number of rows. PgBouncer
    # invents the key by which a client cancels, and so the process id that is half of it
    # (pgbouncer/pgbouncer#1296): only a server itself says the truth there.
    pid = int(connection.get_server_pid())
    if await _finds(connection, f"from pg_backend_pid() as pid where pid = {pid}"):
        return True
    await connection.execute("begin")
    try:
        await connection.prepare("select 1", name=_PROBE)
    except asyncpg.DuplicatePreparedStatementError:  # of another connection of ours
        await connection.execute("rollback")
        return False
    # Who keeps account of them has to give them names of its own.
    found = f"from pg_prepared_statements where name = '{_PROBE}'"
    return not await _finds(connection, found, first="rollback;")


async def _finds(connection: asyncpg.Connection, what: str, *, first: str = "") -> bool:
    found: str = await connection.execute(f"{first} select {what}")
    return found != "SELECT 0"
