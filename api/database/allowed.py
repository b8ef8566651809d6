"""The allow-list of SQLAlchemy constructs in statements; a later SQLAlchemy adds nothing to it.

A part is known by its exact class and by the attributes that SQLAlchemy declares of it for its
cache of compiled statements, which include everything that changes the SQL. Only attributes named
here may have a value. Before adding to a list, check how SQLAlchemy renders the addition.
"""

import operator
from collections.abc import Mapping
from typing import Final

from sqlalchemy import BindParameter, types
from sqlalchemy.dialects.postgresql import dml
from sqlalchemy.dialects.postgresql.operators import CONTAINS as CONTAINS
from sqlalchemy.dialects.postgresql.operators import OVERLAP as OVERLAP
from sqlalchemy.sql import (
    elements,
    expression,
    functions,
    operators,
    schema,
    selectable,
    sqltypes,
)
from sqlmodel.sql.expression import Select, SelectOfScalar

# ruff: noqa: SLF001 - SQLAlchemy has no public names for what its parts are made of

_LIST: Final = "_order_by_clauses _limit_clause _offset_clause _independent_ctes"
_SELECT: Final = (
    "_raw_columns _from_obj _setup_joins _where_criteria _having_criteria _group_by_clauses"
    f" _for_update_arg _distinct _label_style {_LIST}"
)
_INSERT: Final = "table _values _post_values_clause _returning _independent_ctes"
_UNARY: Final = "element operator modifier"
_CALL: Final = "clause_expr name type"

SELECTS: Final = frozenset({expression.Select, Select, SelectOfScalar})
INSERTS: Final = frozenset({expression.Insert, dml.Insert})
CHANGES: Final = frozenset({expression.Update, expression.Delete})
STATEMENTS: Final = SELECTS | INSERTS | CHANGES | {expression.CompoundSelect}

CLASSES: Final[Mapping[type, str]] = {
    **dict.fromkeys(SELECTS, _SELECT),
    **dict.fromkeys(INSERTS, _INSERT),
    expression.Update: "table _where_criteria _values _maintain_values_ordering _returning"
    " _independent_ctes",
    expression.Delete: "table _where_criteria _returning _independent_ctes",
    expression.CompoundSelect: f"selects keyword _group_by_clauses {_LIST}",
    dml.OnConflictDoNothing: "",
    selectable.ForUpdateArg: "nowait read skip_locked key_share",
    # relations
    schema.Table: "columns name",
    expression.TableClause: "columns name",
    expression.Alias: "element name",
    expression.Subquery: "element name",
    expression.CTE: "element name",
    expression.Join: "left right onclause isouter full",
    selectable.SelectStatementGrouping: "element",
    # columns and values
    schema.Column: "name type table",
    expression.ColumnClause: "name type table is_literal",
    elements.TableValuedColumn: "name type scalar_alias",
    **dict.fromkeys((BindParameter, selectable._OffsetLimitParam), "key type value"),
    elements.Label: "name type _element",
    elements.Null: "",
    elements.True_: "",
    elements.False_: "",
    # expressions
    elements.AsBoolean: _UNARY,
    elements.BinaryExpression: "left right operator negate type",
    elements.BooleanClauseList: "clauses operator",
    elements.Case: "value whens else_",
    elements.Cast: "clause type",
    elements.ClauseList: "clauses operator",
    elements.CollectionAggregate: _UNARY,
    elements.ExpressionClauseList: "clauses operator",
    elements.FrameClause: "lower_bind upper_bind lower_type upper_type",
    elements.FunctionFilter: "func criterion",
    elements.Grouping: "element type",
    elements.Over: "element order_by partition_by range_ rows groups",
    elements.Tuple: "clauses operator",
    elements.UnaryExpression: _UNARY,
    selectable.Exists: _UNARY,
    selectable.ScalarSelect: "element type",
    **dict.fromkeys(
        (
            *(functions.Function, functions.coalesce, functions.count, functions.max),
            *(functions.min, functions.now, functions.sum),
        ),
        _CALL,
    ),
}

# By class: the allowed names of functions.
FUNCTIONS: Final[Mapping[type, frozenset[str]]] = {
    functions.Function: frozenset(
        (
            *("first_value", "length", "lower", "octet_length", "right", "row_to_json"),
            *("string_agg", "timezone", "to_char", "unnest"),
        )
    ),
    functions.coalesce: frozenset({"coalesce"}),
    functions.count: frozenset({"count"}),
    functions.max: frozenset({"max"}),
    functions.min: frozenset({"min"}),
    functions.now: frozenset({"now"}),
    functions.sum: frozenset({"sum"}),
}

OPERATORS: Final[frozenset[object]] = frozenset(
    (
        *(operator.add, operator.and_, operator.eq, operator.ge, operator.gt, operator.inv),
        *(operator.le, operator.lt, operator.mul, operator.ne, operator.neg, operator.or_),
        *(operator.sub, operators.all_op, operators.any_op, operators.asc_op),
        *(operators.comma_op, operators.concat_op, operators.desc_op, operators.exists),
        *(operators.in_op, operators.is_, operators.is_distinct_from, operators.is_false),
        *(operators.is_not, operators.is_not_distinct_from),
        *(operators.is_true, operators.not_in_op, operators.nulls_first_op),
        *(operators.nulls_last_op, operators.regexp_match_op, operators.not_regexp_match_op),
        *(CONTAINS, OVERLAP),
    )
)

# By class: the attributes that may have a value. None of them holds SQL.
TYPES: Final[Mapping[type, str]] = {
    types.ARRAY: "item_type",
    types.BigInteger: "",
    types.Boolean: "",
    types.Date: "",
    types.DateTime: "timezone",
    types.Integer: "",
    types.Interval: "impl native",
    types.NullType: "",
    types.SmallInteger: "",
    types.String: "",
    types.Text: "",
    types.Time: "",
    types.TupleType: "types",
    types.Uuid: "as_uuid native_uuid",
    sqltypes.TableValueType: "_elements",
}
# Attributes that SQLAlchemy itself sets on a type, as a cache; callers supply none of them.
MEMOS: Final = frozenset(
    ("_create_events", "_expression_adaptations", "_fully_typed", "_type_affinity", "dispatch")
)

ENUMS: Final = frozenset(
    (
        elements.FrameClauseType,
        selectable.SelectLabelStyle,
        selectable._CompoundSelectKeyword,
    )
)
NAMES: Final = frozenset(
    (str, elements.quoted_name, elements._truncated_label, elements._anonymous_label)
)
NOT_RENDERED: Final = frozenset((types.TupleType, sqltypes.TableValueType))
