"""JSON report."""

import json
from dataclasses import asdict
from typing import Any

from api.commands.audit.report import Finding, Report


def render(report: Report) -> str:
    """One JSON object: findings, waived ones, what was not checked, probes, matrix, policies."""
    return json.dumps(
        {
            "database": report.database,
            "server_version": report.server_version,
            "findings": [_finding(finding) for finding in report.findings],
            "waived": [_finding(w.finding) | {"reason": w.reason} for w in report.waived],
            "not_checked": report.not_checked,
            "checks": [checked.check.id for checked in report.checked],
            "probes": [asdict(probe) | {"passed": probe.passed} for probe in report.probes],
            "matrix": [asdict(access) for access in report.matrix],
            "policies": [asdict(policy) for policy in report.policies],
        },
        indent=2,
        ensure_ascii=False,
    )


def _finding(finding: Finding) -> dict[str, Any]:
    return {"key": finding.key} | asdict(finding)
