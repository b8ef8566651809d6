"""Findings of `task-api doctor`: a level, a message and a remedy."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import psycopg

from api.reasons import one_line

CHECK_TIMEOUT: Final = 5.0  # seconds for each query or request
CLOSE_TIMEOUT: Final = 1.0  # seconds to close a connection
LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}
MISREAD: Final = (
    "the URL has an @ where it can have none, so its password would be read as something else",
    "Write special characters in it as %2F (/), %3F (?), %23 (#), %40 (@), %25 (%).",
)


class Level(StrEnum):
    """The result of a check."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. Each text is one line and holds no secret."""

    level: Level
    about: str
    said: str
    remedy: str = ""


def ok(about: str, said: str) -> Finding:
    """The check passed."""
    return Finding(Level.OK, about, said)


def warn(about: str, said: str, remedy: str) -> Finding:
    """It works, and should be improved."""
    return Finding(Level.WARN, about, said, remedy)


def fail(about: str, said: str, remedy: str) -> Finding:
    """It does not work, or is not safe."""
    return Finding(Level.FAIL, about, said, remedy)


def skip(about: str, said: str) -> Finding:
    """It could not be checked."""
    return Finding(Level.SKIP, about, said)


def reason(error: Exception, url: str) -> str:
    """Why a request to `url` failed, in one line that quotes nothing of the URL."""
    if isinstance(error, TimeoutError):
        return f"no answer within {CHECK_TIMEOUT:g} s"
    # only messages of a server or the system: others may quote the URL with its password
    says = isinstance(error, OSError | psycopg.OperationalError)
    says = says or getattr(error, "sqlstate", None) is not None
    return one_line(str(error), url) if says else type(error).__name__


def seconds(skew: float) -> str:
    """A clock skew in words."""
    return f"{abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} this machine's"


def sentence(words: str) -> str:
    """Capitalize and end with a full stop."""
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."


def divided(refusal: str) -> tuple[str, str]:
    """Split a message into what is wrong and the remedy."""
    what, _, remedy = refusal.partition(". ")
    return what, remedy
