"""Self-test of the audit: it must find each known weakness, planted in a scratch database."""

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg
from psycopg.errors import InsufficientPrivilege, IntegrityError, InvalidParameterValue

from api.commands.audit.auditor import report
from api.commands.audit.checks import FOLDER
from api.commands.audit.probes import give, probe
from api.commands.audit.report import Probe
from api.commands.embedded import postgres
from api.commands.migrate import migrate

WEAKNESSES: Final = FOLDER / "weaknesses"
_HEADER: Final = re.compile(
    r"-- (?P<sentence>.+)\n-- turns red: (?P<ids>[a-z_ ]+)\n"
    r"(?:-- needs: (?:PostgreSQL (?P<version>\d+)|extension (?P<extension>\w+))\n)?"
)
# The embedded server may itself be old enough for a warning.
_ITS_OWN: Final = {"server_version"}
# Errors by which a weakness may deny the serving role its own rows, or the role itself: then no
# probe can run, which counts as a finding of `probe`. Other errors are bugs of the probes.
_REFUSALS: Final = (InsufficientPrivilege, IntegrityError, InvalidParameterValue)


@dataclass(frozen=True)
class Weakness:
    """A weakness made by db/audit/weaknesses/<name>.sql, and the findings that it must cause."""

    name: str
    sentence: str
    expected: frozenset[str]
    sql: str
    version: int = 0  # of PostgreSQL that it needs
    extension: str | None = None

    def lacks(self, connection: psycopg.Connection[Any]) -> str | None:
        """What it needs and this server lacks, or None."""
        if connection.info.server_version < self.version * 10_000:
            return f"PostgreSQL {self.version}"
        known = "select from pg_catalog.pg_available_extensions where name = %s"
        if self.extension and connection.execute(known, [self.extension]).fetchone() is None:
            return f"extension {self.extension}"
        return None


@dataclass(frozen=True)
class Planted:
    """A planted weakness, the findings it caused, and checks that failed -> error."""

    weakness: Weakness
    got: frozenset[str] = frozenset()
    failed: Mapping[str, str] = field(default_factory=dict)
    lacking: str | None = None  # why it could not be planted here

    @property
    def caught(self) -> bool:
        """Whether the audit found exactly the expected findings."""
        found = not self.failed and self.got == self.weakness.expected
        return self.lacking is not None or found


def weaknesses() -> list[Weakness]:
    """Every known weakness, sorted by name."""
    found = []
    for file in sorted(WEAKNESSES.glob("*.sql")):
        text = file.read_text()
        header = _HEADER.match(text)
        if header is None:
            raise ValueError(f"{file.name} does not begin with a sentence and what turns red")
        ids = frozenset(header["ids"].split())
        version = int(header["version"] or 0)
        found.append(
            Weakness(file.stem, header["sentence"], ids, text, version, header["extension"])
        )
    return found


def self_test() -> Iterator[Planted]:
    """Plant each weakness in turn, in a temporary embedded PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="task-api-audit-") as folder:
        Path(folder).chmod(0o755)  # the server may run as another user
        with postgres(Path(folder) / "postgres") as superuser:
            with psycopg.connect(superuser, autocommit=True) as connection:
                connection.execute("create role task_owner login createrole")
                connection.execute("create database tasks owner task_owner")
            there = urlsplit(superuser)._replace(path="/tasks")
            migrate(there._replace(netloc="task_owner@").geturl())
            for weakness in [
                Weakness("nothing", "nothing is planted", frozenset(), ""),
                *weaknesses(),
            ]:
                yield plant(weakness, there.geturl())


def plant(weakness: Weakness, superuser_url: str) -> Planted:
    """Plant the weakness, audit, and roll back."""
    with (
        psycopg.connect(superuser_url) as connection,
        connection.transaction(force_rollback=True),
    ):
        if lacking := weakness.lacks(connection):
            return Planted(weakness, lacking=lacking)
        # a foreign row, so that ALL ROWS and OWN ROWS differ
        give(connection, "carol")
        try:
            with connection.transaction():
                connection.execute(weakness.sql.encode())
        except psycopg.Error as error:
            return Planted(weakness, failed={"planting it": _message(error)})
        return _audited(weakness, connection)


def _audited(weakness: Weakness, connection: psycopg.Connection[Any]) -> Planted:
    probes: tuple[Probe, ...] = ()
    got: set[str] = set()
    failed: dict[str, str] = {}
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("set local session authorization task_app")
            probes = probe(connection)
    except _REFUSALS:
        got.add("probe")
    except psycopg.Error as error:
        failed["probe"] = _message(error)
    outcome = report(connection, probes, None)
    got |= {finding.id for finding in outcome.findings} - _ITS_OWN
    return Planted(weakness, frozenset(got), failed | outcome.not_checked)


def _message(error: psycopg.Error) -> str:
    return error.diag.message_primary or type(error).__name__
