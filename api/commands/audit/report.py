"""The audit report: findings of checks, drift and probes, and the access matrix."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Final, Literal

ROLE: Final = "task_app"  # the serving role, which is audited
# Whitespace and control characters, percent-encoded in keys (RFC 3986), and the % itself.
_UNSAFE: Final = re.compile(r"[\s\x00-\x1f\x7f%]")


class Level(StrEnum):
    """Severity: an error breaks isolation, a warning weakens it."""

    ERROR = "error"
    WARN = "warn"


@dataclass(frozen=True)
class Finding:
    """One weakness: where, who can exploit it and how, and the SQL that fixes it."""

    id: str
    level: Level
    object: str
    detail: str
    exploit: str
    mend: str

    @property
    def key(self) -> str:
        """`check:object`, stable between runs; whitespace and % are percent-encoded."""
        return f"{self.id}:{_UNSAFE.sub(_percent_encoded, self.object)}"


def _percent_encoded(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


@dataclass(frozen=True)
class Waived:
    """An accepted finding, and the reason."""

    finding: Finding
    reason: str


@dataclass(frozen=True)
class Check:
    """The check in db/audit/<id>.sql. `page` is the file's leading comment."""

    id: str
    level: Level
    title: str
    page: str
    sql: str


@dataclass(frozen=True)
class Checked:
    """A check that was run: its findings, or the reason why it could not run."""

    check: Check
    findings: tuple[Finding, ...] = ()
    not_checked: str | None = None


@dataclass(frozen=True)
class Probe:
    """One statement run as the serving role, with the expected and the actual result."""

    name: str
    statement: str
    expected: str
    got: str

    @property
    def passed(self) -> bool:
        return self.expected == self.got


Reach = Literal["DENIED", "OWN ROWS", "ALL ROWS"]


@dataclass(frozen=True)
class Access:
    """What a role can do to a relation by one command; for writes, to which columns."""

    role: str
    relation: str
    command: Literal["SELECT", "INSERT", "UPDATE", "DELETE"]
    reach: Reach
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Policy:
    """A policy of the live database, as SQL."""

    relation: str
    name: str
    sql: str


@dataclass(frozen=True)
class Report:
    """Everything one audit found."""

    database: str
    server_version: str
    checks: tuple[Checked, ...]
    drift: Checked | None  # None for a foreign database, which has no manifest
    probes: tuple[Probe, ...]
    probes_not_checked: str | None
    matrix: tuple[Access, ...]
    policies: tuple[Policy, ...]
    ahead: str | None = None  # a migration of the database that this program does not know
    role: str = ROLE
    not_tried: Mapping[str, str] = field(default_factory=dict)  # probe or table -> reason
    waivers: Mapping[str, str] = field(default_factory=dict)  # key -> reason

    @property
    def checked(self) -> tuple[Checked, ...]:
        """Every check, and the drift."""
        return self.checks if self.drift is None else (*self.checks, self.drift)

    @property
    def findings(self) -> list[Finding]:
        """Findings that are not waived, errors first; failed probes are included."""
        return [finding for finding in self._found if finding.key not in self.waivers]

    @property
    def waived(self) -> list[Waived]:
        """Findings that are waived, errors first."""
        return [
            Waived(finding, self.waivers[finding.key])
            for finding in self._found
            if finding.key in self.waivers
        ]

    @property
    def _found(self) -> list[Finding]:
        found = [finding for checked in self.checked for finding in checked.findings]
        found += [
            Finding(
                id="probe",
                level=Level.ERROR,
                object=probe.name,
                detail=f"expected {probe.expected}, got {probe.got}",
                exploit=f"Whoever can run SQL as {self.role}: {probe.statement}",
                mend="-- task-api migrate writes the policies and grants afresh"
                if self.drift
                else "-- mend the policies and grants that let it through",
            )
            for probe in self.probes
            if not probe.passed
        ]
        if self.ahead:
            found = [_by_newer_version(finding) for finding in found]
        return sorted(found, key=lambda finding: finding.level is not Level.ERROR)

    @property
    def not_checked(self) -> dict[str, str]:
        """What could not be checked -> reason. It never passes and cannot be waived."""
        reasons = {c.check.id: c.not_checked for c in self.checked if c.not_checked}
        if self.probes_not_checked:
            reasons["probe"] = self.probes_not_checked
        return reasons | {f"probe: {name}": reason for name, reason in self.not_tried.items()}

    @property
    def unfinished(self) -> set[str]:
        """Ids of incomplete checks, which could have more findings."""
        return {name.partition(":")[0] for name in self.not_checked}

    def exit_code(self, fail_on: Level = Level.ERROR) -> int:
        """0: clean; 1: findings of this level or worse; 2: something could not be checked."""
        if any(fail_on is Level.WARN or f.level is Level.ERROR for f in self.findings):
            return 1
        return 2 if self.not_checked else 0


def _by_newer_version(finding: Finding) -> Finding:
    """The remedy is `migrate` of the newer version: this program's refuses."""
    mend = finding.mend.replace("task-api migrate", "task-api migrate of the newer version")
    return Finding(**asdict(finding) | {"mend": mend})
