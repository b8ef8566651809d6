"""Checks every part of a SQLAlchemy statement against the allow-list in `allowed`."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from types import BuiltinFunctionType, FunctionType
from typing import Any, Final

from sqlalchemy import BindParameter, types
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.orm import ColumnProperty
from sqlalchemy.sql import annotation, base, elements, expression, operators, schema
from sqlalchemy.sql.visitors import Visitable

from api.database.allowed import (
    CLASSES,
    ENUMS,
    FUNCTIONS,
    MEMOS,
    NAMES,
    NOT_RENDERED,
    OPERATORS,
    TYPES,
)

# ruff: noqa: SLF001 - SQLAlchemy has no public names for what its parts are made of

_CONTAINERS: Final = (tuple, list, Mapping, expression.ColumnCollection)
# A plain name, or a template that SQLAlchemy replaces by a unique one.
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}|%\([0-9a-f]+ [A-Za-z_][A-Za-z0-9_]*\)s")
# A literal constant, without the marks of SQLAlchemy's templates.
_CONSTANT: Final = re.compile(r"[0-9]+|'[^'\\%\[]*'|\*")
# The ORM's, which does not compile (`statement.Statement`), and values, which are parameters.
_UNCHECKED: Final = frozenset({"_annotations", "_propagate_attrs", "value"})
# The method that renders a part, unless `@compiles` has replaced it.
_DISPATCH: Final = "Visitable._generate_compiler_dispatch.<locals>._compiler_dispatch"
_ANNOTATED_DISPATCH: Final = "Annotated._compiler_dispatch"

DIALECT: Final = asyncpg.dialect()  # type: ignore[no-untyped-call]


class Unfiltered(TypeError):
    """A statement reaches a table without `user_id == CALLER`, or cannot be proven not to."""


def parts(expression: object) -> dict[int, tuple[Any, list[Any]]]:
    """All parts of an expression, by `id()`: each part, and the parts directly in it.

    Raises `Unfiltered` when one of them is not allowed.
    """
    found: dict[int, tuple[Any, list[Any]]] = {}
    waiting: list[Any] = [expression]
    while waiting:
        part = waiting.pop()
        if id(part) not in found:
            inner = [*_inner(part)]
            found[id(part)] = part, inner
            waiting += inner
    return found


def _inner(part: Any) -> Iterator[Any]:
    kind: Any = type(part)
    for name, allowed in _attributes(kind):
        try:
            value = getattr(part, name)
        except AttributeError:
            raise _refused(part, f"has lost its {name}") from None
        if allowed:
            yield from _parts_in(part, name, value)
        elif not _is_nothing(value):
            raise _refused(
                part,
                f"has {name.strip('_')}, which is unknown: see CLASSES in api/database/allowed.py",
            )
    _check_attributes(part, kind)


@cache
def _attributes(kind: Any) -> tuple[tuple[str, bool], ...]:
    """The attributes that SQLAlchemy declares of a class, and whether each may have a value."""
    known: Any = kind if kind in CLASSES else None
    if known is None and issubclass(kind, annotation.Annotated):
        known = next((c for c in CLASSES if annotation.annotated_classes.get(c) is kind), None)
    if known is None:
        raise Unfiltered(
            f"{kind.__module__}.{kind.__qualname__} is not allowed in a statement: "
            "see CLASSES in api/database/allowed.py"
        )
    declared = [name for name, _ in kind._traverse_internals]
    allowed = CLASSES[known].split()
    if missing := {*allowed} - {*declared}:
        raise Unfiltered(f"{kind.__name__} has other attributes than it had: {sorted(missing)}")
    return tuple((name, name in allowed) for name in declared if name not in _UNCHECKED)


def _parts_in(part: Any, name: str, value: Any) -> Iterator[Any]:
    """The parts in an attribute's value. Raises `Unfiltered` for what is not allowed in it."""
    kind = type(value)
    if value is None or kind is bool or kind in ENUMS:
        return
    if kind in NAMES:
        literal = name == "name" and getattr(part, "is_literal", False)
        if not (_CONSTANT if literal else _NAME).fullmatch(value):
            raise _refused(part, f"has SQL as text: {value}")
        if kind is not str and value.quote is False:
            raise _refused(part, f"has a name that is not quoted: {value}")
    elif kind in (FunctionType, BuiltinFunctionType, operators.custom_op):
        # the very object: custom ones are equal though they may be rendered in other ways
        if not any(value is known for known in OPERATORS):
            raise _refused(
                part,
                f"has the operator {value.__name__}, which is not allowed: "
                "see OPERATORS in api/database/allowed.py",
            )
    elif isinstance(value, types.TypeEngine):
        _check_type(value)
    elif isinstance(value, Mapping):
        for inner in (*value.keys(), *value.values()):
            yield from _parts_in(part, "", inner)
    elif isinstance(value, _CONTAINERS):
        for inner in value:
            yield from _parts_in(part, "", inner)
    elif isinstance(value, Visitable) or kind in CLASSES:
        yield value
    else:
        raise _refused(part, f"has {kind.__module__}.{kind.__qualname__}, which is not allowed")


def _is_nothing(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_is_nothing, value.values()))
    return (
        value is None
        or value is False
        or (isinstance(value, (tuple, list)) and all(map(_is_nothing, value)))
    )


def _check_attributes(part: Any, kind: type) -> None:
    """Check what else is rendered as SQL, by class."""
    _check_dispatch(part)
    _check_operands(part)
    if isinstance(part, elements.ColumnElement):
        _check_type(part.type)  # a type may change how a column is rendered
    if kind is elements.Cast:
        _check_type(part.typeclause.type)
    if kind is elements.ColumnClause and part.table is None and not part.is_literal:
        raise _refused(part, f"is {part.name} of no table, which may be a word of SQL's own")
    if isinstance(part, base.Executable) and not _is_nothing(part._execution_options):
        raise _refused(part, "has execution options")
    if issubclass(kind, annotation.Annotated):
        _check_model(part._annotations.get("parententity"))
    if kind in FUNCTIONS and not (type(part.name) is str and part.name in FUNCTIONS[kind]):
        raise _refused(
            part,
            f"is {part.name}(), which is not among the functions: see FUNCTIONS in "
            "api/database/allowed.py",
        )
    if isinstance(part, BindParameter) and part.expanding:
        raise _refused(part, "is a list of any length: use any_() and an array")
    if isinstance(part, expression.TableClause):
        for column in part.c:
            if column.key != column.name:
                raise _refused(part, f"has a column {column.name} called {column.key}")
            _check_column(column)


def _check_operands(part: Any) -> None:
    """Check that operands have the parentheses that SQLAlchemy gives them when it makes a part."""
    operands: tuple[Any, ...] = ()
    operation = getattr(part, "operator", None)
    if isinstance(part, elements.BinaryExpression):
        operands = part.left, part.right
    elif isinstance(part, elements.UnaryExpression):
        operands, operation = (part.element,), part.operator or part.modifier
    elif isinstance(part, (elements.ClauseList, elements.ExpressionClauseList)):
        operands = tuple(part.clauses)
        if not part.group and operation is not operators.comma_op:
            raise _refused(part, "is never put in parentheses")
    if any(operand.self_group(against=operation) is not operand for operand in operands):
        raise _refused(part, "lacks parentheses")


def _check_model(entity: Any) -> None:
    """Check that a model is its table's columns: Core renders nothing else that the ORM may add."""
    for mapped in entity.mapper.iterate_properties if entity is not None else ():
        if type(mapped) is not ColumnProperty or [*map(type, mapped.columns)] != [schema.Column]:
            raise Unfiltered(f"{entity} has {mapped}, which is no column of its table")


def _check_column(column: Any) -> None:
    if type(column) is schema.Column and any(
        value is not None
        for value in (column.default, column.onupdate, column.server_onupdate, column.computed)
    ):
        raise _refused(column, f"{column.name} has a value of its own")


def _check_dispatch(part: Any) -> None:
    dispatch = part._compiler_dispatch.__qualname__
    if dispatch == _ANNOTATED_DISPATCH:
        dispatch = part._deannotate()._compiler_dispatch.__qualname__
    if dispatch != _DISPATCH:
        raise _refused(part, "is rendered in another way than SQLAlchemy's")


def _check_type(found: types.TypeEngine[Any]) -> None:
    kind = type(found)
    if kind not in TYPES:
        raise Unfiltered(
            f"type {kind.__module__}.{kind.__qualname__} is not allowed: "
            "see TYPES in api/database/allowed.py"
        )
    allowed = TYPES[kind].split()
    for name, value in vars(found).items():
        if name in allowed:
            for inner in value if isinstance(value, (list, tuple)) else (value,):
                if isinstance(inner, types.TypeEngine):
                    _check_type(inner)
                elif type(inner) is not bool:
                    raise _refused(found, f"has {name}")
        elif name not in MEMOS and not _is_nothing(value):
            raise _refused(found, f"has {name}")
    if kind not in NOT_RENDERED:
        _check_dispatch(found)
        _check_dispatch(found.dialect_impl(DIALECT))


def _refused(part: object, why: str) -> Unfiltered:
    kind = type(part)
    return Unfiltered(f"{kind.__module__}.{kind.__qualname__} {why}")
