"""Text report for a terminal."""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from api.commands.audit.report import Finding, Level, Report, Waived

_COMMANDS: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")


def render(report: Report, *, colour: bool = False) -> str:
    """Findings, waived ones, what was not checked, probes, matrix, and the verdict."""
    paint = _Paint(colour)
    lines = [
        f"Audit of database {report.database}, PostgreSQL {report.server_version}",
        *_findings(report.findings, paint),
        *_waived(report.waived, paint),
        *_not_checked(report, paint),
        *_probes(report, paint),
        *_matrix(report, paint),
        "",
        verdict(report, paint),
    ]
    return "\n".join(lines)


class _Paint:
    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, text: str, code: int) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def bad(self, text: str) -> str:
        return self(text, 31)

    def doubtful(self, text: str) -> str:
        return self(text, 33)

    def good(self, text: str) -> str:
        return self(text, 32)

    def heading(self, text: str) -> str:
        return self(text, 1)


def _findings(findings: list[Finding], paint: _Paint) -> Iterator[str]:
    if findings:
        yield from ("", paint.heading("FINDINGS"))
    for finding in findings:
        error = finding.level is Level.ERROR
        level = paint.bad("error") if error else paint.doubtful("warn ")
        yield f"  {level}  {finding.id}: {finding.object}"
        for name, value in (
            ("", finding.detail),
            ("exploit", finding.exploit),
            ("mend", finding.mend),
            ("key", finding.key),
        ):
            first, *rest = value.splitlines() or [""]
            yield f"         {name:8}{first}"
            yield from (f"         {'':8}{line}" for line in rest)


def _waived(waived: list[Waived], paint: _Paint) -> Iterator[str]:
    if waived:
        yield from ("", paint.heading("WAIVED"))
    for one in waived:
        finding = one.finding
        yield f"  {paint.doubtful('waived')} {finding.level:5}  {finding.id}: {finding.object}"
        for name, value in (("reason", one.reason), ("key", finding.key)):
            yield f"         {name:8}{value}"


def _not_checked(report: Report, paint: _Paint) -> Iterator[str]:
    if report.not_checked:
        yield from ("", paint.heading("NOT CHECKED"))
    for name, reason in report.not_checked.items():
        yield f"  {paint.bad(name)}: {reason}"


def _probes(report: Report, paint: _Paint) -> Iterator[str]:
    if report.probes:
        yield from ("", paint.heading("PROBES, as the serving role, rolled back"))
    width = max((len(probe.name) for probe in report.probes), default=0)
    for probe in report.probes:
        mark = paint.good("ok   ") if probe.passed else paint.bad("WRONG")
        yield f"  {mark}  {probe.name:{width}}  expected {probe.expected}, got {probe.got}"


def _matrix(report: Report, paint: _Paint) -> Iterator[str]:
    rows = [("role", "relation", *_COMMANDS)]
    writes = []
    for (role, relation), accesses in groupby(report.matrix, lambda a: (a.role, a.relation)):
        by_command = {access.command: access for access in accesses}
        rows.append((role, relation, *(by_command[command].reach for command in _COMMANDS)))
        writes += [
            f"  {role} may {access.command.lower()} {relation} ({', '.join(access.columns)})"
            for access in by_command.values()
            if access.columns
        ]
    yield from ("", paint.heading("MATRIX"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        yield ("  " + "  ".join(cells)).rstrip()
    yield from writes


def verdict(report: Report, paint: _Paint | None = None) -> str:
    """The audit in one line."""
    paint = paint or _Paint(False)
    errors = sum(finding.level is Level.ERROR for finding in report.findings)
    warnings = len(report.findings) - errors
    counts = (
        f"{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}, "
        f"{len(report.not_checked)} not checked; "
        f"{len(report.checked)} checks, {len(report.probes)} probes"
    )
    waived = len(report.waived)
    if waived:
        counts = f"{counts}; {waived} waived"
    if errors:
        return paint.bad(f"USERS ARE NOT KEPT APART: {counts}")
    if report.not_checked:
        return paint.bad(f"NOT PROVEN: {counts}")
    if waived:
        return paint.doubtful(f"USERS ARE KEPT APART, BUT FOR WHAT IS WAIVED: {counts}")
    return paint.good(f"USERS ARE KEPT APART: {counts}")
