"""Which settings there are, and what is wrong with them."""

import difflib
import os
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

from api.commands.doctor.finding import Finding, fail, ok, sentence, warn
from api.reasons import is_misread
from api.settings import (
    AuthSettings,
    DatabaseSettings,
    MigrationSettings,
    Settings,
    complaints,
)

_KNOWN: Final = tuple(
    dict.fromkeys(
        name.upper() for kind in (Settings, MigrationSettings) for name in kind.model_fields
    )
)
_ALIKE: Final = 0.85  # how much a name must look like a setting's to be taken for a slip


async def configuration() -> AsyncIterator[Finding]:
    """What is set, less the secrets; what is refused; what looks like a slip of the pen."""
    given = _given()
    wrong = _refused(given)
    for name in _KNOWN:
        if name in wrong:
            yield _failed(name, wrong.pop(name))
        elif name in given:
            yield ok(name, shown(name, given[name]))
    for said in wrong.values():
        yield _failed("together", said)
    for name in sorted(given.keys() - {*_KNOWN}):
        if alike := difflib.get_close_matches(name, _KNOWN, 1, _ALIKE):
            yield warn(name, "is set, and nothing here reads it", f"Is it meant to be {alike[0]}?")


def _failed(name: str, said: str) -> Finding:
    said, _, remedy = said.partition("; ")
    return fail(name, said, sentence(remedy or "the server does not start until that is mended"))


def database_url() -> str | None:
    """DATABASE_URL, if it is a good one, whatever the other settings are."""
    if "DATABASE_URL" in dict(complaints(DatabaseSettings)):
        return None
    return _given()["DATABASE_URL"]


def _given() -> dict[str, str]:
    """What the environment says; empty is not set."""
    return {name.upper(): value for name, value in os.environ.items() if value}


def shown(name: str, value: str) -> str:
    """The value of a setting, without what is secret in it."""
    if name.endswith(("SECRET", "PASSWORD")):
        return "is set, and not shown"
    if "://" not in value or name == "CORS_ORIGINS":
        return value if value.isprintable() else ascii(value)
    parts = urlsplit(value)
    place = parts.netloc.rpartition("@")[2]
    if is_misread(value):
        return "is set, and not shown"
    if name.endswith("DATABASE_URL"):
        host = place or "a socket"
        return (
            f"{parts.username or 'nobody'} at {host}, database {parts.path[1:] or 'of that name'}"
        )
    return f"{parts.scheme}://{place}{parts.path}"


def _refused(given: dict[str, str]) -> dict[str, str]:
    """What is wrong, by the name of the setting; what is wrong with several, by ''."""
    # of all together nothing is said before each is good
    kinds = [AuthSettings, Settings, *[MigrationSettings] * ("MIGRATION_DATABASE_URL" in given)]
    return {name: said for kind in kinds for name, said in complaints(kind)}
