"""`task-api audit`: options, output and exit status."""

import argparse
import os
import sys
from collections.abc import Callable
from typing import Final

from api.commands.audit.auditor import AuditError, audit
from api.commands.audit.checks import checks
from api.commands.audit.evidence import DRIFT, PROVISION
from api.commands.audit.formats import html, json, sarif, text
from api.commands.audit.report import Level, Report
from api.commands.audit.target import target
from api.commands.audit.waivers import read
from api.commands.console import CommandError
from api.settings import AuditSettings, load

FORMATS: Final[dict[str, Callable[[Report], str]]] = {
    "text": text.render,
    "json": json.render,
    "sarif": sarif.render,
    "html": html.render,
}


def run(options: argparse.Namespace) -> int:
    """Audit, explain a check, or run the self-test. 0: clean. 1: findings. 2: incomplete."""
    if options.explain:
        return _explain(options.explain)
    if options.self_test:
        return _self_test()
    audited = target(vars(options), options.config)
    waivers = read(options.waive) if options.waive else None
    settings = load(AuditSettings)
    serving = settings.database_url
    try:
        report = audit(
            settings.migration_database_url.get_secret_value(),
            serving.get_secret_value() if serving else None,
            audited,
            waivers.reasons if waivers else {},
            settings.timeouts(),
        )
    except AuditError as error:
        raise CommandError(f"{error}; check MIGRATION_DATABASE_URL") from None
    if options.format == "text" and sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        print(text.render(report, colour=True))
    else:
        print(FORMATS[options.format](report))
    if waivers:
        waivers.refuse_unused(report)
    return report.exit_code(Level(options.fail_on))


def _explain(name: str) -> int:
    known = {check.id: check for check in (*checks(), DRIFT, PROVISION)}
    if name not in known:
        raise CommandError(f"there is no check of that name; there are {', '.join(known)}")
    print(known[name].page, known[name].sql, sep="\n\n")
    return 0


def _self_test() -> int:
    from api.commands.audit.selftest import self_test
    from api.commands.embedded import EmbeddedError

    missed = total = left_out = 0
    try:
        for total, planted in enumerate(self_test()):  # noqa: B007 - the first plants nothing
            if planted.lacking:
                print("LEFT OUT", planted.weakness.name, f"needs {planted.lacking}", sep="  ")
                left_out += 1
                continue
            for name, message in planted.failed.items():
                print("FAILED", planted.weakness.name, f"{name}: {message}", sep="  ")
            mark = "red   " if planted.got else "clean "
            print(
                mark if planted.caught else "MISSED",
                planted.weakness.name,
                *sorted(planted.got),
                sep="  ",
            )
            missed += not planted.caught
    except EmbeddedError as error:
        raise CommandError(error) from None
    if left_out:
        print(f"{left_out} left out, which this server does not have what they need for")
    print(f"{total - left_out} weaknesses planted, {missed} not caught for that reason alone")
    return 1 if missed else 0
