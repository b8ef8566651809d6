"""Checks of the settings in the environment: values, errors and misspelled names."""

import difflib
import os
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

from api import postgres_url
from api.commands.doctor.finding import Finding, fail, ok, sentence, warn
from api.reasons import is_misread
from api.settings import (
    AuthSettings,
    DatabaseSettings,
    MigrationSettings,
    RoleSettings,
    Settings,
    complaints,
)

_KNOWN: Final = tuple(
    dict.fromkeys(
        name.upper() for kind in (Settings, MigrationSettings) for name in kind.model_fields
    )
)
_MIN_SIMILARITY: Final = 0.85  # similarity to a setting above which a name is a likely typo


async def configuration() -> AsyncIterator[Finding]:
    """The settings without secrets, errors in them, and likely typos in names."""
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
        if similar := difflib.get_close_matches(name, _KNOWN, 1, _MIN_SIMILARITY):
            yield warn(
                name, "is set, and nothing here reads it", f"Is it meant to be {similar[0]}?"
            )


def _failed(name: str, said: str) -> Finding:
    said, _, remedy = said.partition("; ")
    return fail(name, said, sentence(remedy or "the server does not start until that is mended"))


def database_url() -> str | None:
    """DATABASE_URL if it is valid, whatever the other settings are."""
    if "DATABASE_URL" in dict(complaints(DatabaseSettings)):
        return None
    return _given()["DATABASE_URL"].strip()


def misread(name: str) -> bool:
    """Whether a part of this URL's password would be taken for the host or the database."""
    return is_misread(_given().get(name, ""))


def _given() -> dict[str, str]:
    """The environment; an empty variable counts as unset."""
    return {name.upper(): value for name, value in os.environ.items() if value}


def shown(name: str, value: str) -> str:
    """The value of a setting without secrets, for printing."""
    if name.endswith(("SECRET", "PASSWORD")):
        return "is set, and not shown"
    if "://" not in value or name == "CORS_ORIGINS":
        return value if value.isprintable() else ascii(value)
    if name.endswith("DATABASE_URL"):
        return _database(postgres_url.read(value.strip()))
    if is_misread(value):
        return "is set, and not shown"
    parts = urlsplit(value)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _database(options: dict[str, str]) -> str:
    hosts = [f"[{host}]" if ":" in host else host for host in postgres_url.hosts(options)]
    ports = options.get("port", "").split(",")
    ports = ports if len(ports) == len(hosts) else ports[:1] * len(hosts)
    places = [f"{host}:{port}" if port else host for host, port in zip(hosts, ports, strict=True)]
    at = "a socket" if not hosts or hosts[0].startswith("/") else ",".join(places)
    return (
        f"{options.get('user', 'nobody')} at {at}, database {options.get('dbname', 'of that name')}"
    )


def _refused(given: dict[str, str]) -> dict[str, str]:
    """Errors by the name of the setting; errors of several settings together under ''."""
    # settings are checked together only when each is valid
    kinds = [AuthSettings, Settings, RoleSettings]
    kinds += [MigrationSettings] * ("MIGRATION_DATABASE_URL" in given)
    return {name: said for kind in kinds for name, said in complaints(kind)}
