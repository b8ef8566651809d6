"""One thing that was looked at: how it is, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import psycopg

from api.reasons import one_line

TIMEOUT: Final = 5.0  # seconds that anything asked may take to answer
MISREAD: Final = (
    "the URL has an @ where it can have none, so its password would be read as something else",
    "Write special characters in it as %2F (/), %3F (?), %23 (#), %40 (@), %25 (%).",
)


class Level(StrEnum):
    """How it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Finding:
    """In one line each. Never holds a secret."""

    level: Level
    about: str
    said: str
    remedy: str = ""


def ok(about: str, said: str) -> Finding:
    """It will do."""
    return Finding(Level.OK, about, said)


def warn(about: str, said: str, remedy: str) -> Finding:
    """It works, and should be better."""
    return Finding(Level.WARN, about, said, remedy)


def fail(about: str, said: str, remedy: str) -> Finding:
    """It does not work, or is not safe."""
    return Finding(Level.FAIL, about, said, remedy)


def skip(about: str, said: str) -> Finding:
    """It could not be looked at."""
    return Finding(Level.SKIP, about, said)


def reason(error: Exception, url: str) -> str:
    """Why something that was asked of `url` failed, in one line without what was sent."""
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT:g} s"
    # what a server or the system says; else a library may quote the URL, with its password
    says = isinstance(error, OSError | psycopg.OperationalError)
    says = says or getattr(error, "sqlstate", None) is not None
    return one_line(str(error), url) if says else type(error).__name__


def seconds(skew: float) -> str:
    """A difference of clocks."""
    return f"{abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} this machine's"


def sentence(words: str) -> str:
    """Of words that were written to be a part of one."""
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."


def divided(refusal: str) -> tuple[str, str]:
    """What is wrong, and the remedy, of one line that says both."""
    what, _, remedy = refusal.partition(". ")
    return what, remedy
