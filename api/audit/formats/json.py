"""A report for programs."""

import json
from dataclasses import asdict

from api.audit.report import Report


def render(report: Report) -> str:
    """One JSON object: findings, what was not checked, probes, matrix, policies."""
    return json.dumps(
        {
            "database": report.database,
            "server_version": report.server_version,
            "findings": [asdict(finding) for finding in report.findings],
            "not_checked": report.not_checked,
            "checks": [checked.check.id for checked in (*report.checks, report.drift)],
            "probes": [asdict(probe) | {"passed": probe.passed} for probe in report.probes],
            "matrix": [asdict(access) for access in report.matrix],
            "policies": [asdict(policy) for policy in report.policies],
        },
        indent=2,
        ensure_ascii=False,
    )
