"""Checks that SQL is filtered by the caller, with PostgreSQL's own parser and an allow-list.

It shares no code with the guard in `api.database.statement`: that one checks the SQLAlchemy
expression, this one the SQL compiled from it.
"""

from collections.abc import Iterator
from typing import Any, Final

from pglast import ast, enums, parse_sql
from pglast.parser import ParseError

from api.commands.migrate import POLICIES

GUARDED: Final = frozenset(file.stem for file in POLICIES.glob("[!0]*.sql"))
FUNCTIONS: Final = frozenset(
    (
        *("count", "first_value", "length", "lower", "max", "min", "now", "octet_length", "right"),
        *("row_to_json", "string_agg", "sum", "timezone", "to_char", "unnest"),
    )
)
OPERATORS: Final = frozenset(
    ("+", "-", "*", "=", "<>", "<", "<=", ">", ">=", "||", "~", "!~", "@>", "&&")
)
TYPES: Final = frozenset(
    (
        *("bool", "date", "int2", "int4", "int8", "interval", "text", "time", "timestamp"),
        *("timestamptz", "uuid", "varchar"),
    )
)
_KINDS: Final = {
    *(enums.A_Expr_Kind.AEXPR_OP, enums.A_Expr_Kind.AEXPR_OP_ANY, enums.A_Expr_Kind.AEXPR_OP_ALL),
    *(enums.A_Expr_Kind.AEXPR_IN, enums.A_Expr_Kind.AEXPR_DISTINCT),
    enums.A_Expr_Kind.AEXPR_NOT_DISTINCT,
}
_LEVELS: Final = (ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt)
# Whatever else a statement consists of is refused.
_NODES: Final = {
    *_LEVELS,
    *(ast.A_ArrayExpr, ast.A_Const, ast.A_Expr, ast.A_Star, ast.Alias, ast.BitString),
    *(ast.BoolExpr, ast.Boolean, ast.BooleanTest, ast.CaseExpr, ast.CaseWhen, ast.CoalesceExpr),
    *(ast.ColumnRef, ast.CommonTableExpr, ast.Float, ast.FuncCall, ast.Integer, ast.JoinExpr),
    *(ast.LockingClause, ast.NullTest, ast.OnConflictClause, ast.ParamRef, ast.RangeSubselect),
    *(ast.RangeVar, ast.ResTarget, ast.RowExpr, ast.SortBy, ast.String),
    *(ast.SubLink, ast.TypeCast, ast.TypeName, ast.WindowDef, ast.WithClause),
}


def complaints(sql: str, caller: int) -> list[str]:
    """Why the statement may reach others than the user in its parameter of that number."""
    try:
        statements = parse_sql(sql)
    except ParseError as error:
        return [f"is no SQL: {error}"]
    if len(statements) != 1:
        return [f"is {len(statements)} statements"]
    return [*_judged(statements[0].stmt, caller, frozenset())]


def _judged(node: Any, caller: int, ctes: frozenset[str]) -> Iterator[str]:
    """What is wrong with it, and with all that is in it. `ctes`: the names known here."""
    if isinstance(node, tuple):
        for inner in node:
            yield from _judged(inner, caller, ctes)
        return
    if not isinstance(node, ast.Node):
        return
    if type(node) not in _NODES:
        yield f"has {type(node).__name__}"
        return
    yield from _wrong(node)
    if isinstance(node, _LEVELS):
        if node.withClause is not None:
            yield from _wrong(node.withClause)
            for cte in node.withClause.ctes:
                yield from _judged(cte, caller, ctes)
                ctes |= {cte.ctename}
        yield from _unfiltered(node, caller, ctes)
    for name in node:
        if name != "withClause":
            yield from _judged(getattr(node, name), caller, ctes)


def _unfiltered(level: Any, caller: int, ctes: frozenset[str]) -> Iterator[str]:
    """The relations of one query level without its conjunct."""
    if isinstance(level, ast.InsertStmt):
        yield from _given_away(level, caller)
        return
    sources = _sources(level)
    relations = [*_relations(sources)]
    changed = getattr(level, "relation", None)  # never a CTE, whatever its name
    conjuncts = [*_conjuncts(level.whereClause)]
    for relation in relations:
        if relation.relname in ctes and not relation.schemaname and relation is not changed:
            continue
        if relation.relname not in GUARDED or relation.schemaname or relation.catalogname:
            yield f"reaches {relation.relname}, which is not a guarded table"
        name = relation.alias.aliasname if relation.alias else relation.relname
        alone = sources == (relation,)
        if not any(_is_filter(condition, name, alone, caller) for condition in conjuncts):
            yield f"reaches {relation.relname} without user_id = ${caller}"


def _sources(level: Any) -> tuple[Any, ...]:
    if isinstance(level, ast.SelectStmt):
        return level.fromClause or ()
    more = level.fromClause if isinstance(level, ast.UpdateStmt) else level.usingClause
    return (level.relation, *(more or ()))


def _relations(sources: tuple[Any, ...]) -> Iterator[ast.RangeVar]:
    for source in sources:
        if isinstance(source, ast.RangeVar):
            yield source
        elif isinstance(source, ast.JoinExpr):
            yield from _relations((source.larg, source.rarg))


def _conjuncts(condition: Any) -> Iterator[Any]:
    if isinstance(condition, ast.BoolExpr) and condition.boolop == enums.BoolExprType.AND_EXPR:
        for one in condition.args:
            yield from _conjuncts(one)
    else:
        yield condition


def _is_filter(condition: Any, name: str, alone: bool, caller: int) -> bool:
    """`name.user_id = $caller`; without the name where there is but one relation."""
    return (
        isinstance(condition, ast.A_Expr)
        and condition.kind == enums.A_Expr_Kind.AEXPR_OP
        and _words(condition.name) == ("=",)
        and isinstance(condition.lexpr, ast.ColumnRef)
        and _words(condition.lexpr.fields)
        in ([(name, "user_id"), ("user_id",)] if alone else [(name, "user_id")])
        and _is_caller(condition.rexpr, caller)
    )


def _is_caller(value: Any, caller: int) -> bool:
    if isinstance(value, ast.TypeCast) and _words(value.typeName.names)[-1] in ("varchar", "text"):
        value = value.arg
    return isinstance(value, ast.ParamRef) and value.number == caller


def _given_away(level: Any, caller: int) -> Iterator[str]:
    if level.relation.relname not in GUARDED or level.relation.schemaname:
        yield f"inserts into {level.relation.relname}, which is not a guarded table"
    columns = [column.name for column in level.cols or ()]
    rows = getattr(level.selectStmt, "valuesLists", None) or ()
    if columns.count("user_id") != 1 or not rows:
        yield "inserts a row without user_id"
    elif not all(_is_caller(row[columns.index("user_id")], caller) for row in rows):
        yield f"inserts a row whose user_id is not ${caller}"


def _wrong(node: Any) -> Iterator[str]:
    """What is wrong with the node itself, whatever is in it."""
    match node:
        case ast.SelectStmt() if node.intoClause is not None:
            yield "makes a table"
        case ast.WithClause() if node.recursive:
            yield "is recursive"
        case ast.RangeVar() if not node.inh:
            yield "reaches ONLY a table"
        case ast.RangeSubselect() if node.lateral:
            yield "is lateral"
        case ast.UpdateStmt() if any(target.name == "user_id" for target in node.targetList):
            yield "changes user_id"
        case ast.OnConflictClause() if (
            node.action != enums.OnConflictAction.ONCONFLICT_NOTHING or node.infer is not None
        ):
            yield "has ON CONFLICT with a target or an update"
        case ast.LockingClause() if node.lockedRels is not None:
            yield "locks by name"
        case ast.FuncCall() if _words(node.funcname) not in {(name,) for name in FUNCTIONS}:
            yield f"calls {'.'.join(_words(node.funcname))}"
        case ast.A_Expr() if node.kind not in _KINDS or _words(node.name) not in {
            (name,) for name in OPERATORS
        }:
            yield f"has the operator {'.'.join(_words(node.name))}"
        case ast.SubLink() if node.operName and _words(node.operName) not in {
            (name,) for name in OPERATORS
        }:
            yield f"has the operator {'.'.join(_words(node.operName))}"
        case ast.SortBy() if node.useOp:
            yield f"has the operator {'.'.join(_words(node.useOp))}"
        case ast.RangeVar() | ast.JoinExpr() if node.alias and node.alias.colnames:
            yield f"renames the columns of {node.alias.aliasname}"
        case ast.TypeName() if (
            _words(node.names)[-1] not in TYPES
            or _words(node.names)[:-1] not in ((), ("pg_catalog",))
            or (node.typmods and _words(node.names)[-1] != "interval")
        ):
            yield f"has the type {'.'.join(_words(node.names))}"


def _words(names: tuple[Any, ...] | None) -> tuple[str, ...]:
    return tuple(getattr(name, "sval", "*") for name in names or ())
