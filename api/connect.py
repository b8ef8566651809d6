"""One connection, from the URL that libpq reads too, with whatever may stand in between."""

import asyncio
import logging
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final, final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from api.pipeline import Connection

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
_PROBE: Final = "task_api_probe"

_log = logging.getLogger(__name__)


class CannotConnect(OSError):
    """There is no connection to be had as the URL asks for it. The message is one line."""


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
        query = {k: v for k, v in parse_qsl(parts.query) if k not in _LIBPQ_ONLY}
        self._tls: ssl.SSLContext | None = None
        self._roots: Path | None = None
        if query.get("sslrootcert") == "system":
            self._tls = _verifying(query)
            del query["sslrootcert"]
        elif "sslrootcert" in query:
            self._roots = Path(query["sslrootcert"])
        self._dsn = urlunsplit(parts._replace(query=urlencode(query)))
        self._keeping = True

    async def __call__(self, timeout: float) -> Connection:  # noqa: ASYNC109
        """A connection in no transaction.

        Raises `CannotConnect`, `TimeoutError`, and what asyncpg raises.
        """
        async with asyncio.timeout(timeout):
            connection = await self._open()
            try:
                kept = await _statements_are_kept(connection)
            except BaseException:
                connection.terminate()
                raise
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
        if self._roots and not self._roots.is_file():
            raise CannotConnect(f"sslrootcert: there is no file {self._roots}")
        try:
            connection: Connection = await asyncpg.connect(
                self._dsn,
                ssl=self._tls,
                connection_class=Connection,
                statement_cache_size=0,  # all statements go through the pipeline
                timeout=None,
            )
            return connection
        except ssl.SSLCertVerificationError as error:
            reason = error.verify_message.rstrip(".")
            raise CannotConnect(f"the server's certificate is refused: {reason}") from None
        except ssl.SSLError as error:
            raise CannotConnect(f"TLS failed: {error.reason}") from None
        except ConnectionError as error:
            if "rejected SSL upgrade" not in str(error):
                raise
            raise CannotConnect("the server speaks no TLS, and sslmode asks for it") from None


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
