"""SARIF 2.1.0 report for code scanning (OASIS Standard, 27 March 2020)."""

import json
from typing import Any, Final

from api.commands.audit.report import Check, Finding, Level, Report

_SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
# By check: the file to look at, where it is not the check's own.
_SOURCES: Final = {
    "probe": "api/commands/audit/probes.py",
    "provision": "api/commands/audit/probes.py",
    "drift": "db/audit/evidence/manifest.txt",
}
_LEVELS: Final = {Level.ERROR: "error", Level.WARN: "warning"}


def render(report: Report) -> str:
    """A SARIF log with one run: a rule for each check, a result for each finding."""
    checks = [checked.check for checked in report.checked]
    rules = [_rule(check) for check in checks]
    rules.append({"id": "probe", "shortDescription": {"text": "A live attempt went wrong."}})
    return json.dumps(
        {
            "$schema": _SCHEMA,
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {"driver": {"name": "task-api audit", "rules": rules}},
                    "invocations": [
                        {
                            "executionSuccessful": not report.not_checked,
                            "toolExecutionNotifications": [
                                {
                                    "descriptor": {"id": name},
                                    "level": "error",
                                    "message": {"text": f"NOT CHECKED: {name}: {reason}"},
                                }
                                for name, reason in report.not_checked.items()
                            ],
                        }
                    ],
                    "results": [
                        *map(_result, report.findings),
                        *(_result(w.finding) | _suppressed(w.reason) for w in report.waived),
                    ],
                }
            ],
        },
        indent=2,
        ensure_ascii=False,
    )


def _rule(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.page},
        "defaultConfiguration": {"level": _LEVELS[check.level]},
    }


def _result(finding: Finding) -> dict[str, Any]:
    source = _SOURCES.get(finding.id, f"db/audit/{finding.id}.sql")
    return {
        "ruleId": finding.id,
        "level": _LEVELS[finding.level],
        "partialFingerprints": {"checkObject/v1": finding.key},
        "message": {
            "text": f"{finding.object}: {finding.detail}\n{finding.exploit}\nMend: {finding.mend}"
        },
        "locations": [
            {
                # code scanning requires a file; the weakness is in the database
                "physicalLocation": {"artifactLocation": {"uri": source}},
                "logicalLocations": [{"fullyQualifiedName": finding.object}],
            }
        ],
    }


def _suppressed(reason: str) -> dict[str, Any]:
    """The suppression of a waived result (section 3.35): external and accepted."""
    return {
        "suppressions": [{"kind": "external", "status": "accepted", "justification": reason}],
    }
