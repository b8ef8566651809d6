"""The audit, audited: each known weakness is planted on a scratch database and must turn it red."""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg

from api.commands.audit.auditor import report
from api.commands.audit.checks import FOLDER
from api.commands.audit.probes import give, probe
from api.commands.audit.report import Probe
from api.commands.embedded import postgres
from api.commands.migrate import migrate

WEAKNESSES: Final = FOLDER / "weaknesses"
_HEAD: Final = re.compile(
    r"-- (?P<sentence>.+)\n-- turns red: (?P<ids>[a-z_ ]+)\n"
    r"(?:-- needs: (?:PostgreSQL (?P<version>\d+)|extension (?P<extension>\w+))\n)?"
)
# The server the weaknesses are planted on may itself be old enough to be warned of.
_ITS_OWN: Final = {"server_version"}


@dataclass(frozen=True)
class Weakness:
    """A way in, as db/audit/weaknesses/<name>.sql opens it, and the findings it must cause."""

    name: str
    sentence: str
    expected: frozenset[str]
    sql: str
    version: int = 0  # of PostgreSQL, without which it cannot be planted
    extension: str | None = None

    def lacks(self, connection: psycopg.Connection[Any]) -> str | None:
        """What it needs and this server does not have."""
        if connection.info.server_version < self.version * 10_000:
            return f"PostgreSQL {self.version}"
        known = "select from pg_catalog.pg_available_extensions where name = %s"
        if self.extension and connection.execute(known, [self.extension]).fetchone() is None:
            return f"extension {self.extension}"
        return None


@dataclass(frozen=True)
class Planted:
    """A weakness, and the findings it did cause."""

    weakness: Weakness
    got: frozenset[str]
    lacking: str | None = None  # why it could not be planted here

    @property
    def caught(self) -> bool:
        """Red for this reason, and for no other."""
        return self.lacking is not None or self.got == self.weakness.expected


def weaknesses() -> list[Weakness]:
    """Every known weakness, in the order of its name."""
    found = []
    for file in sorted(WEAKNESSES.glob("*.sql")):
        text = file.read_text()
        head = _HEAD.match(text)
        if head is None:
            raise ValueError(f"{file.name} does not begin with a sentence and what turns red")
        ids = frozenset(head["ids"].split())
        version = int(head["version"] or 0)
        found.append(Weakness(file.stem, head["sentence"], ids, text, version, head["extension"]))
    return found


def self_test() -> Iterator[Planted]:
    """Plant each weakness in turn, on an embedded PostgreSQL that is thrown away afterwards."""
    with tempfile.TemporaryDirectory(prefix="task-api-audit-") as folder:
        Path(folder).chmod(0o755)  # the server may have a user of its own
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
    """Open the way in, audit, and take everything back."""
    with (
        psycopg.connect(superuser_url) as connection,
        connection.transaction(force_rollback=True),
    ):
        if lacking := weakness.lacks(connection):
            return Planted(weakness, frozenset(), lacking)
        # so that seeing everything and seeing nothing differ
        give(connection, "carol")
        connection.execute(weakness.sql.encode())
        found = _findings(connection)
    return Planted(weakness, frozenset(found - _ITS_OWN))


def _findings(connection: psycopg.Connection[Any]) -> set[str]:
    probes: tuple[Probe, ...] = ()
    reason = None
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("set local session authorization task_app")
            probes = probe(connection)
    except psycopg.Error:
        reason = "the serving role cannot even make rows of its own"
    outcome = report(connection, probes, reason)
    return {finding.id for finding in outcome.findings} | set(outcome.not_checked)
