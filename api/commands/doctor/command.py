"""`task-api doctor`: runs the diagnostic checks and prints their findings."""

import argparse
import asyncio
import logging
import os
import sys
from collections import Counter

from api.commands.doctor.configuration import configuration
from api.commands.doctor.finding import Level
from api.commands.doctor.owner import Owner
from api.commands.doctor.rate_limits import rate_limits
from api.commands.doctor.serving import Serving
from api.commands.doctor.tokens import tokens
from api.commands.doctor.wake_ups import wake_ups

_COLOURS = {Level.OK: 32, Level.WARN: 33, Level.FAIL: 31, Level.SKIP: 2}


def run(_: argparse.Namespace) -> int:
    """`task-api doctor`. Returns 1 if a check fails, else 0."""
    return asyncio.run(_examine())


async def _examine() -> int:
    """Print each finding as soon as it is made. Returns 1 if a check fails, else 0."""
    logging.getLogger("api").addHandler(logging.NullHandler())  # the findings say it
    serving = Serving()
    levels: Counter[Level] = Counter()
    for heading, findings in (
        ("Settings", configuration()),
        ("Tokens", tokens()),
        ("Rate limits", rate_limits()),
        ("Wake-ups", wake_ups()),
        ("Database, as DATABASE_URL", serving.findings()),
        ("Database, as MIGRATION_DATABASE_URL", Owner(serving).findings()),
    ):
        print(heading)
        async for finding in findings:
            levels[finding.level] += 1
            print(f"  {_painted(finding.level)}  {finding.about:<24} {finding.said}", flush=True)
            if finding.remedy:
                print(f"  {'':<4}  {'':<24} -> {finding.remedy}", flush=True)
        print()
    counts = (f"{levels[level]} {level}" for level in Level if levels[level])
    print(", ".join(counts))
    return 1 if levels[Level.FAIL] else 0


def _painted(level: Level) -> str:
    text = f"{level:<4}"
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        return f"\x1b[{_COLOURS[level]}m{text}\x1b[0m"
    return text
