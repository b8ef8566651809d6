"""Waivers: a file of keys of accepted findings, each with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from api.commands.audit.report import Report
from api.settings import SettingsError


@dataclass(frozen=True)
class Waivers:
    """Reasons and line numbers, by key."""

    file: Path
    reasons: Mapping[str, str]
    lines: Mapping[str, int]

    def refuse_unused(self, report: Report) -> None:
        """Raises `SettingsError` for the first key without a finding.

        Except those of incomplete checks, whose findings are unknown.
        """
        found = {waived.finding.key for waived in report.waived}
        for key, line in self.lines.items():
            if key not in found and key.partition(":")[0] not in report.unfinished:
                raise _wrong(self.file, line, f"nothing is found under {key}; take the line out")


def read(file: Path) -> Waivers:
    """Read a file of waivers: lines of `key reason`; empty lines and lines with # are skipped.

    Raises `SettingsError`, which names the line, for a missing reason, a bad key, or a duplicate.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingsError(f"--waive {file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"--waive {file} is not UTF-8") from None
    reasons: dict[str, str] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        key, *reason = line.split() or ["#"]
        if key.startswith("#"):
            continue
        check, _, where = key.partition(":")
        if not (check and where):
            raise _wrong(file, number, f"{key} is no key, such as grant_truncate:public.task")
        if not reason:
            raise _wrong(file, number, f"{key} is waived without a reason")
        if key in lines:
            raise _wrong(file, number, f"{key} is waived on line {lines[key]} already")
        reasons[key], lines[key] = " ".join(reason), number
    return Waivers(file, reasons, lines)


def _wrong(file: Path, line: int, what: str) -> SettingsError:
    return SettingsError(f"--waive {file}, line {line}: {what}")
