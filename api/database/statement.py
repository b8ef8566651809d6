"""Guarded SQL statements: SQLModel expressions that filter by the caller, compiled once."""

from collections.abc import Callable, Iterator
from typing import Any, Final, final

from sqlalchemy import (
    BindParameter,
    Numeric,
    Text,
    bindparam,
    cast,
    column,
    delete,
    func,
    insert,
    quoted_name,
    select,
    table,
    text,
    update,
)
from sqlalchemy.sql import operators, selectable
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList, ColumnElement
from sqlalchemy.sql.expression import CTE, Alias, ClauseElement, Join, Subquery, TableClause

from api.database.allowed import CHANGES, INSERTS, SELECTS, STATEMENTS
from api.database.parts import DIALECT, parts
from api.database.parts import Unfiltered as Unfiltered

# ruff: noqa: SLF001 - SQLAlchemy has no public names for some of what is checked here

# The caller's user id. `session.Transaction` binds it, and nothing else can.
CALLER: Final[BindParameter[str]] = bindparam("caller", type_=Text)

_Parts = dict[int, tuple[Any, list[Any]]]


@final
class Statement:
    """SQL with `$1`-style parameters and the order in which their values are bound.

    Raises `Unfiltered` when some part of the statement reads, changes or removes rows of a table
    without `user_id == CALLER` among the conditions that must all hold, gives a row to anybody but
    `CALLER`, or is not in the allow-list (`allowed`). SQLAlchemy's Core alone compiles it, so that
    the ORM's configuration adds nothing: the expression loses what would call the ORM.

    A parameter whose default is None may be left out, and is NULL then.
    """

    __slots__ = ("_given", "_optional", "_parameters", "sql")

    def __init__(self, expression: ClauseElement) -> None:
        if type(expression) not in STATEMENTS:
            raise Unfiltered(f"{type(expression).__name__} is no kind of statement known here")
        found = parts(expression)
        for part, _ in found.values():
            if type(part) in STATEMENTS:
                part._propagate_attrs = {}
        for part, _ in found.values():
            if type(part) in INSERTS | CHANGES:
                _require_table(part)
            if type(part) in INSERTS:
                _require_owner(part)
            if type(part) in CHANGES:
                _refuse_owner(part)
            if type(part) in SELECTS | INSERTS | CHANGES:
                _require_filter(part, found)
        compiled: Any = expression.compile(dialect=DIALECT)
        self.sql: Final = str(compiled)
        self._parameters: tuple[str, ...] = tuple(compiled.positiontup or ())
        if CALLER.key not in self._parameters:
            raise Unfiltered("the statement is about nobody")
        self._given = {*self._parameters} - {CALLER.key}
        self._optional = {
            name: None
            for name, bind in compiled.binds.items()
            if bind.value is None and not bind.required
        }

    def arguments(self, caller: str, values: dict[str, object]) -> list[object]:
        """The values in the statement's order.

        Raises `TypeError` when `values` are not exactly the statement's parameters less `caller`,
        and less those that may be left out.
        """
        if self._optional:
            values = {**self._optional, **values}
        if values.keys() != self._given:
            raise TypeError(f"{sorted(values)} given to a statement of {sorted(self._parameters)}")
        return [caller if name == CALLER.key else values[name] for name in self._parameters]


def _require_table(part: Any) -> None:
    """Require that the target of a write is a table and its own columns.

    PostgreSQL would take a CTE's name for a table's, and SQLAlchemy names a column of no table by
    its key.
    """
    table = _bare(part.table)
    named = _bare(table.element) if type(table) is Alias else table
    if not isinstance(named, TableClause):
        raise Unfiltered(f"{part.__visit_name__} of {type(table).__name__}, which is no table")
    for key in (None if part.is_delete else part._values) or ():
        if type(key) is not str and not any(_bare(key) is its for its in (*table.c, *named.c)):
            raise Unfiltered(f"{part.__visit_name__} of {key}, which is no column of {named}")


def _owners(part: Any) -> list[Any]:
    """The values given to user_id."""
    values = (part._values or {}).items()
    return [value for key, value in values if getattr(key, "name", key) == "user_id"]


def _require_owner(part: Any) -> None:
    owners = _owners(part)
    if len(owners) != 1 or owners[0] is not CALLER:
        raise Unfiltered(f"insert into {part.table} without user_id=CALLER")


def _refuse_owner(part: Any) -> None:
    if part.is_update and _owners(part):
        raise Unfiltered(f"update of {part.table} changes user_id")


def _require_filter(part: Any, found: _Parts) -> None:
    inserts = type(part) in INSERTS
    where = None if inserts else part.whereclause
    for source in _sources(part, found):
        if inserts and source is _bare(part.table):
            continue
        if type(source) in (Subquery, CTE):
            continue  # its parts are checked themselves
        table = _bare(source.element) if type(source) is Alias else source
        if not isinstance(table, TableClause) or not any(
            _is_filter(condition, source) for condition in _conjuncts(where)
        ):
            name = getattr(source, "description", source)
            raise Unfiltered(f"{part.__visit_name__} on {name} without user_id == CALLER")


def _sources(part: Any, found: _Parts) -> Iterator[Any]:
    """What rows are read from. An update or delete reads any table whose column it names."""
    if type(part) in SELECTS:
        compiler = DIALECT.statement_compiler(DIALECT, None)
        state = part._compile_state_factory(part, compiler)
        if type(state) is not selectable.SelectState:
            raise Unfiltered(f"{type(state).__qualname__} says what a select reads")
        waiting = [*state._get_display_froms()]
    else:
        waiting = [part.table, *_named(part, found)]
    while waiting:
        source = _bare(waiting.pop())
        if type(source) is Join:
            waiting += source.left, source.right
        else:
            yield source


def _named(part: Any, found: _Parts) -> Iterator[Any]:
    """The sources of the columns in a statement, without those of nested statements."""
    visited, waiting = {id(part)}, [*found[id(part)][1]]
    while waiting:
        inner = waiting.pop()
        if id(inner) in visited or type(inner) in STATEMENTS:
            continue
        visited.add(id(inner))
        if isinstance(inner, ColumnElement):
            yield from inner._from_objects
        waiting += found[id(inner)][1]


def _bare(part: Any) -> Any:
    """The part without the ORM's annotations."""
    return part._deannotate()


def _conjuncts(condition: Any) -> Iterator[Any]:
    if type(condition) is BooleanClauseList and condition.operator is operators.and_:
        for clause in condition.clauses:
            yield from _conjuncts(clause)
    else:
        yield condition


def _is_filter(condition: Any, table: Any) -> bool:
    return (
        "user_id" in table.c
        and type(condition) is BinaryExpression
        and condition.operator is operators.eq
        and _bare(condition.left) is _bare(table.c.user_id)
        and condition.right is CALLER
    )


def self_test(guard: Callable[[ClauseElement], object]) -> None:
    """Try known bad statements on a guard, each bad in one way only.

    Raises `RuntimeError` when the guard accepts one: then nothing that it accepts can be trusted.
    """
    rows = table("task", column("user_id"), column("title"))
    mine, title = rows.c.user_id == CALLER, rows.c.title
    other = rows.alias("other")
    precision: Any = "1)) or (true"
    unquoted = quoted_name("title from task --", quote=False)
    known_to_be_bad: dict[str, ClauseElement] = {
        "no filter": select(title, CALLER),
        "a filter that need not hold": select(title).where(mine | (title == "x")),
        "a second table": select(title, other.c.title).where(mine),
        "a delete of everything": delete(rows).where(title == CALLER),
        "a new owner": update(rows).where(mine).values(user_id="x"),
        "a row for another": insert(rows).values(user_id="x", title=CALLER),
        "SQL as text": select(title).where(mine, text("true) or (true")),
        "SQL as a name": select(title.label(unquoted)).where(mine),
        "SQL as a type": select(title).where(mine, cast(title, Numeric(precision)) == "x"),
        "SQL as an operator": select(title).where(mine, title.op("= title) or (title =")("x")),
        "a function nobody has looked at": select(func.query_to_xml(title)).where(mine),
    }
    for name, expression in known_to_be_bad.items():
        try:
            guard(expression)
        except Unfiltered:
            continue
        raise RuntimeError(f"the guard of statements accepts {name}")


self_test(Statement)
