"""Statements that evade a filter check: they seem to be filtered, or contain raw SQL.

By name: how the expression is built, and which check refuses it. `BOTH`: the guard refuses the
expression, and the second opinion its compiled SQL. `GUARD`: the guard alone, for the reason given.
`OPINION`: the second opinion alone.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Boolean,
    Column,
    CompoundSelect,
    Computed,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    Select,
    Sequence,
    String,
    Table,
    Text,
    TypeDecorator,
    any_,
    bindparam,
    case,
    cast,
    collate,
    column,
    exists,
    extract,
    func,
    lateral,
    literal,
    literal_column,
    null,
    or_,
    quoted_name,
    select,
    table,
    text,
    true,
    tuple_,
    type_coerce,
    union_all,
    values,
)
from sqlalchemy import (
    Enum as EnumType,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql.operators import OVERLAP
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import (
    aliased,
    column_property,
    joinedload,
    query_expression,
    registry,
    relationship,
    with_expression,
    with_loader_criteria,
)
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import (
    AsBoolean,
    BinaryExpression,
    ColumnElement,
    ExpressionClauseList,
    UnaryExpression,
)
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import UserDefinedType
from sqlmodel import col, delete, insert, update

from api.database.statement import CALLER
from api.idempotency.models import IdempotencyKey
from api.tasks.models import Task

TASK: Final[Table] = Task.__table__  # type: ignore[attr-defined]
C: Final = TASK.c
KEYS: Final[Table] = IdempotencyKey.__table__  # type: ignore[attr-defined]
MY_KEYS: Final = KEYS.c.user_id == CALLER
MINE: Final = C.user_id == CALLER
OTHER: Final = TASK.alias("other")
MY_TITLES: Final = select(C.title).where(MINE)
MY_ROWS: Final = select(C.user_id, C.title).where(MINE)
# What makes an operator equal to the known one, whatever is rendered.
LIKE_OVERLAP: Final[dict[str, Any]] = {
    "opstring": OVERLAP.opstring,
    "precedence": OVERLAP.precedence,
    "is_comparison": OVERLAP.is_comparison,
}
ALL: Final = "(select string_agg(title, '') from task)"
ALL_TITLES: Final = select(func.string_agg(OTHER.c.title, literal_column("''"))).scalar_subquery()
CREATION: Final = postgresql.insert(TASK).values(user_id=CALLER, title="x")


class By(Enum):
    """Who refuses it."""

    BOTH = "both"
    GUARD = "guard"
    OPINION = "opinion"


Expression = Callable[[], Any]


def sql(text: str) -> Any:
    """Where SQLAlchemy says that it takes a number."""
    return text


def called(name: str) -> Expression:
    return lambda: MY_TITLES.add_columns(getattr(func, name)("x"))


def raw(name: str) -> Any:
    return quoted_name(name, quote=False)


def with_columns(*columns: Any) -> Table:
    return Table("task", MetaData(), *columns)


def owned(*columns: Any, **user_id: Any) -> Table:
    return with_columns(Column("user_id", Text, **user_id), Column("id", BigInteger), *columns)


def mine(of: Any, *columns: Any) -> Any:
    return select(*columns).where(of.c.user_id == CALLER)


def by_name(of: Any) -> Any:
    return mine(of, *of.c)


# --- types with SQL of their own ---


class RawType(UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return f"text) || {ALL} || cast('' as text"


class ShowsAll(TypeDecorator[str]):
    impl = Text
    cache_ok = True

    def column_expression(self, column: Any) -> Any:
        return ALL_TITLES


class BindsAll(TypeDecorator[str]):
    impl = Text
    cache_ok = True

    def bind_expression(self, bindparam: Any) -> Any:
        return ALL_TITLES


class OwnText(Text):
    """No more than Text; and who says so tomorrow?"""


class CompiledText(Text):
    pass


@compiles(CompiledText)
def _type(*_: Any, **__: Any) -> str:
    return f"text) || {ALL} || cast('' as text"


# --- elements with SQL of their own ---


class AllTitles(ColumnElement[str]):
    inherit_cache = True
    type = Text()


@compiles(AllTitles)
def _element(*_: Any, **__: Any) -> str:
    return ALL


class AllTitlesFunction(FunctionElement[str]):
    inherit_cache = True
    name = "lower"
    type = Text()


@compiles(AllTitlesFunction)
def _function(*_: Any, **__: Any) -> str:
    return ALL


class OwnTable(Table):
    pass


@compiles(OwnTable)
def _table(*_: Any, **__: Any) -> str:
    return "task as task, task as t(user_id, id)"


class OwnParameter(BindParameter[Any]):
    inherit_cache = True


@compiles(OwnParameter)
def _parameter(*_: Any, **__: Any) -> str:
    return ALL


class OwnSelect(Select[Any]):
    inherit_cache = True


@compiles(OwnSelect)
def _select(*_: Any, **__: Any) -> str:
    return "select title from task"


class OwnName(str):
    """A name that prints what it likes."""

    __slots__ = ()


# --- what the ORM adds ---


def mapped(of: Table, **properties: Any) -> Any:
    entity = type("Entity", (), {})
    registry().map_imperatively(
        entity, of, primary_key=[of.c.user_id, of.c.id], properties=properties
    )
    return entity


def titled() -> Table:
    return owned(Column("title", Text))


def mapped_mine(**properties: Any) -> Any:
    entity = mapped(titled(), **properties)
    return select(entity).where(entity.user_id == CALLER)


def with_relationship() -> Any:
    of = titled()
    notes = Table("idempotency_key", of.metadata, Column("user_id", Text), Column("id", BigInteger))
    entity, note = type("Entity", (), {}), type("Note", (), {})
    models = registry(metadata=of.metadata)
    models.map_imperatively(note, notes, primary_key=[notes.c.id])
    joined = relationship(
        note, primaryjoin=of.c.id == notes.c.id, foreign_keys=[notes.c.id], lazy="joined"
    )
    models.map_imperatively(entity, of, primary_key=[of.c.id], properties={"notes": joined})
    return select(entity).where(entity.user_id == CALLER)  # type: ignore[attr-defined]


def of_expression() -> Any:
    entity = mapped(titled(), shown=query_expression())
    mine = select(entity).where(entity.user_id == CALLER)
    return mine.options(with_expression(entity.shown, ALL_TITLES))


def hybrid() -> Any:
    entity = mapped(titled())
    entity.shown = hybrid_property(lambda _: literal_column(ALL))
    return select(entity.shown).where(entity.user_id == CALLER)


def unary(**given: Any) -> Any:
    return MY_TITLES.where(UnaryExpression(C.title, **given))


def negated() -> Any:
    negation: Any = operators.custom_op(") or (true) or ('' =")
    return MY_TITLES.where(~BinaryExpression(C.title, literal("x"), operators.eq, negate=negation))


def other_typeclause() -> Any:
    made = cast(C.title, Text)
    made.typeclause = cast(C.title, RawType()).typeclause
    return MY_TITLES.add_columns(made)


def put_in_afterwards() -> Any:
    made: Any = C.completed == C.completed
    made.right = or_(C.completed, C.id == C.id)
    return MY_TITLES.where(made)


def recursive() -> Any:
    first = MY_TITLES.cte("mine", recursive=True)
    return select(first.union_all(select(first.c.title)).c.title)


EVASIONS: Final[dict[str, tuple[Expression, By]]] = {
    "extract-field": (
        lambda: select(extract(f"year from now()), {ALL}, extract(year", C.created_at)).where(MINE),
        By.BOTH,
    ),
    # functions
    **{
        f"function-{name}": (called(name), By.BOTH)
        for name in (
            *("set_config", "current_setting", "query_to_xml", "table_to_xml", "ts_stat"),
            *("pg_read_file", "pg_ls_dir", "lo_get", "lo_export", "dblink", "pg_sleep"),
            *("pg_advisory_lock", "pg_notify", "database_to_xml", "setval"),
            *("generate_series", "pg_logical_emit_message"),
        )
    },
    "function-current-user": (lambda: MY_TITLES.add_columns(func.current_user()), By.BOTH),
    "function-of-a-schema": (
        lambda: MY_TITLES.add_columns(func.hidden.lower(C.title)),
        By.BOTH,
    ),
    "function-as-a-source": (
        lambda: select(func.ts_stat("select title from task").table_valued("word").c.word, CALLER),
        By.BOTH,
    ),
    "function-with-names-of-its-own": (
        lambda: select(
            func.lower(CALLER).table_valued(column("x", Text)).render_derived(with_types=True)
        ),
        By.BOTH,
    ),
    "function-as-a-column": (
        lambda: select(func.lower(CALLER).column_valued("x")),
        By.BOTH,
    ),
    "function-within-group": (
        lambda: MY_TITLES.with_only_columns(func.mode().within_group(C.title)),
        By.BOTH,
    ),
    "function-as-comparison": (
        lambda: MY_TITLES.where(func.pg_sleep(C.title, C.title).as_comparison(1, 2)),
        By.BOTH,
    ),
    "function-of-a-sequence": (
        lambda: MY_TITLES.add_columns(Sequence("task_id_seq").next_value()),
        By.BOTH,
    ),
    "function-filtered-by-text": (
        lambda: MY_TITLES.with_only_columns(func.count().filter(text(f"{ALL} is null"))),
        By.BOTH,
    ),
    # types
    "type-length": (
        lambda: MY_TITLES.add_columns(
            cast(C.title, String(length=sql(f"1)) || {ALL} || cast('' as varchar(1")))
        ),
        By.BOTH,
    ),
    "type-length-of-an-array": (
        lambda: MY_TITLES.add_columns(
            cast(C.title, ARRAY(String(length=sql(f"1))::text || {ALL} || cast('' as char(1"))))
        ),
        By.BOTH,
    ),
    "type-precision": (
        lambda: MY_TITLES.add_columns(
            cast(C.id, Numeric(precision=sql(f"1)) || {ALL} || cast('' as char(1")))
        ),
        By.BOTH,
    ),
    "type-second-precision": (
        lambda: MY_TITLES.add_columns(cast(C.title, Interval(second_precision=6))),
        By.GUARD,  # no SQL but a number: refused as an attribute nobody has looked at
    ),
    "type-fields": (
        lambda: MY_TITLES.add_columns(
            cast(C.title, postgresql.INTERVAL(fields=f"year) || {ALL} || cast('' as text"))
        ),
        By.BOTH,
    ),
    "type-collation": (
        lambda: MY_TITLES.add_columns(cast(C.title, Text(collation="C"))),
        By.BOTH,
    ),
    "type-user-defined": (lambda: MY_TITLES.add_columns(cast(C.title, RawType())), By.BOTH),
    "type-column-expression": (
        lambda: by_name(owned(Column("title", ShowsAll))),
        By.BOTH,
    ),
    "type-bind-expression": (
        lambda: MY_TITLES.where(C.title == bindparam("x", type_=BindsAll)),
        By.BOTH,
    ),
    "type-coerced": (lambda: select(type_coerce(C.title, ShowsAll)).where(MINE), By.BOTH),
    "type-of-a-unary-expression": (
        lambda: select(UnaryExpression(C.id, operator=operators.neg, type_=ShowsAll())).where(MINE),
        By.BOTH,
    ),
    "type-of-a-clause": (other_typeclause, By.BOTH),
    "type-of-an-insert": (
        lambda: insert(owned(Column("title", BindsAll))).values(user_id=CALLER, title="x"),
        By.BOTH,
    ),
    "type-of-a-variant": (
        lambda: MY_TITLES.add_columns(cast(C.title, Text().with_variant(RawType(), "postgresql"))),
        By.BOTH,
    ),
    "type-compiled": (lambda: MY_TITLES.add_columns(cast(C.title, CompiledText())), By.BOTH),
    "type-of-a-subclass": (
        lambda: MY_TITLES.add_columns(cast(C.title, OwnText())),
        By.GUARD,  # renders as Text does, today
    ),
    "type-name": (
        lambda: MY_TITLES.add_columns(
            cast(C.title, EnumType("x", name=raw(f"text) || {ALL} || cast('' as text")))
        ),
        By.BOTH,
    ),
    "type-regclass": (lambda: MY_TITLES.add_columns(cast(C.title, postgresql.REGCLASS)), By.BOTH),
    "type-binary": (lambda: MY_TITLES.add_columns(cast(C.title, LargeBinary)), By.BOTH),
    # names
    "name-of-a-column": (
        lambda: MY_TITLES.add_columns(column(raw(ALL))),
        By.BOTH,
    ),
    "name-of-a-table-s-column": (
        lambda: by_name(owned(Column(raw(f"id, {ALL}"), Text))),
        By.BOTH,
    ),
    "name-of-a-label": (lambda: select(C.title.label(raw(f"x, {ALL}"))).where(MINE), By.BOTH),
    "name-of-a-function": (
        lambda: MY_TITLES.add_columns(getattr(func, raw(f"concat({ALL}), lower"))(C.title)),
        By.BOTH,
    ),
    "name-of-a-table": (
        lambda: by_name(Table(raw("hidden.task"), MetaData(), Column("user_id", Text))),
        By.BOTH,
    ),
    "name-of-a-schema": (
        lambda: by_name(
            Table("task", MetaData(), Column("user_id", Text), schema=raw("another.hidden"))
        ),
        By.BOTH,
    ),
    "schema": (
        lambda: by_name(table("task", column("user_id"), schema="hidden")),
        By.BOTH,
    ),
    "name-of-a-cte": (
        lambda: MY_TITLES.add_cte(MY_ROWS.cte(raw("x as (delete from task), y"))),
        By.BOTH,
    ),
    "name-of-a-subquery": (
        lambda: select(MY_ROWS.subquery(raw("x, task")).c.user_id),
        By.BOTH,
    ),
    "name-of-an-alias": (lambda: by_name(TASK.alias(raw("x, task"))), By.BOTH),
    "name-of-a-lock": (
        lambda: MY_TITLES.with_for_update(of=table(raw("task nowait for update of task"))),
        By.BOTH,
    ),
    "name-of-a-collation": (
        lambda: select(collate(C.title, raw(f'"C" || {ALL}'))).where(MINE),
        By.BOTH,
    ),
    "name-of-a-collation-in-order": (
        lambda: MY_TITLES.order_by(C.title.collate("C")),
        By.BOTH,
    ),
    "name-of-a-constraint": (
        lambda: CREATION.on_conflict_do_nothing(
            constraint=raw("task_pkey do update set title = 'x' --")
        ),
        By.BOTH,
    ),
    "name-of-a-parameter": (
        lambda: MY_TITLES.where(C.title == bindparam("x)s) or (true) --")),
        By.GUARD,  # SQLAlchemy replaces it by a number, today
    ),
    "name-of-a-returned-column": (
        lambda: update(TASK).where(MINE).values(title="x").returning(C.id.label(raw(f"x, {ALL}"))),
        By.BOTH,
    ),
    "name-that-is-a-value-since-postgresql-16": (
        lambda: MY_TITLES.add_columns(column("system_user")),
        By.BOTH,
    ),
    "name-that-is-a-value": (
        lambda: MY_TITLES.add_columns(column(raw("session_user"))),
        By.BOTH,
    ),
    "name-of-another-class": (
        lambda: MY_TITLES.add_columns(C.id.label(OwnName("x"))),
        By.GUARD,  # quoted, as every string is
    ),
    "name-that-is-no-word": (
        lambda: select(C.title.label("no word")).where(MINE),
        By.GUARD,  # quoted
    ),
    # tables
    "key-that-is-not-the-name": (
        lambda: by_name(with_columns(Column("title", Text, key="user_id"))),
        By.BOTH,
    ),
    "key-of-an-insert": (
        lambda: insert(
            with_columns(Column("title", Text, key="user_id"), Column("user_id", Text, key="x"))
        ).values(user_id=CALLER, x="bob"),
        By.BOTH,
    ),
    "key-of-a-table-clause": (
        lambda: (
            update(with_columns(Column("user_id", Text), Column("title", Text, key="x")))
            .where(column("user_id") == CALLER)
            .values(x="y")
        ),
        By.GUARD,  # filtered, and by which column has to be looked up
    ),
    "key-of-a-column-of-no-table": (
        lambda: update(TASK).where(MINE).values({Column("title", Text, key="user_id"): "bob"}),
        By.BOTH,
    ),
    "keys-of-columns-of-no-table": (
        lambda: insert(TASK).values(
            {Column("user_id", Text, key="title"): CALLER, Column("x", Text, key="user_id"): "bob"}
        ),
        By.BOTH,
    ),
    "key-that-is-several-columns": (
        lambda: (
            update(TASK).where(MINE).values({tuple_(C.user_id, C.title): MY_ROWS.scalar_subquery()})
        ),
        By.BOTH,
    ),
    "default": (
        lambda: insert(owned(Column("title", Text, default=text(ALL)))).values(user_id=CALLER),
        By.BOTH,
    ),
    "default-of-a-function": (
        lambda: insert(owned(Column("title", Text, default=func.pg_read_file("x")))).values(
            user_id=CALLER
        ),
        By.BOTH,
    ),
    "default-of-a-sequence": (
        lambda: insert(owned(Column("n", BigInteger, Sequence("s")))).values(user_id=CALLER),
        By.BOTH,
    ),
    "default-of-user-id": (
        lambda: insert(owned(default=text("'bob'"))).values({"id": 1}),
        By.BOTH,
    ),
    "onupdate": (
        lambda: (
            update(of := owned(Column("title", Text, onupdate=text(ALL))))
            .where(of.c.user_id == CALLER)
            .values(id=1)
        ),
        By.BOTH,
    ),
    "onupdate-of-user-id": (
        lambda: (
            update(of := owned(onupdate=text("'bob'"))).where(of.c.user_id == CALLER).values(id=1)
        ),
        By.BOTH,
    ),
    "computed": (
        lambda: by_name(owned(Column("title", Text, Computed(ALL)))),
        By.GUARD,  # SQL of a migration, which a select does not show
    ),
    "table-of-a-subclass": (
        lambda: by_name(OwnTable("task", MetaData(), Column("user_id", Text))),
        By.BOTH,
    ),
    "table-of-another-name": (
        lambda: by_name(table("pg_stat_activity", column("user_id"))),
        By.OPINION,  # the guard knows no names of tables
    ),
    "table-sample": (lambda: by_name(TASK.tablesample(func.bernoulli(10))), By.BOTH),
    "table-of-values": (
        lambda: select(values(column("user_id"), name="v").data([("x",)]).c.user_id, CALLER),
        By.GUARD,
    ),
    "only": (lambda: MY_TITLES.with_hint(TASK, "ONLY"), By.BOTH),
    # elements
    "element-compiled": (lambda: MY_TITLES.add_columns(AllTitles()), By.BOTH),
    "function-compiled": (lambda: MY_TITLES.add_columns(AllTitlesFunction()), By.BOTH),
    "parameter-compiled": (
        lambda: MY_TITLES.where(C.title == OwnParameter("x", type_=Text())),
        By.BOTH,
    ),
    "select-compiled": (lambda: OwnSelect(C.title).where(MINE), By.BOTH),
    "parameter-in-the-sql": (
        lambda: MY_TITLES.where(C.title == bindparam("x", ALL, Text, literal_execute=True)),
        By.BOTH,
    ),
    "parameter-that-is-a-list": (lambda: MY_TITLES.where(C.title.in_(["x"])), By.BOTH),
    "parameter-that-is-called": (
        lambda: MY_TITLES.where(C.title == bindparam("x", callable_=lambda: "x")),
        By.GUARD,  # a value; who knows whose
    ),
    "modifier": (
        lambda: unary(modifier=operators.custom_op(f"is null or {ALL} is not null")),
        By.BOTH,
    ),
    "operator": (
        lambda: unary(operator=operators.custom_op(f"{ALL} is not null or true or ''=")),
        By.BOTH,
    ),
    "negation": (negated, By.BOTH),
    # equal to a known one, but rendered as it says itself
    "operator-equal-to-another": (
        lambda: MY_TITLES.where(C.tags.operate(operators.custom_op(**LIKE_OVERLAP), C.tags)),
        By.GUARD,
    ),
    "operator-of-one-s-own": (lambda: MY_TITLES.where(C.title.op("= '') or ('x' =")("x")), By.BOTH),
    "operator-that-is-a-condition": (
        lambda: MY_TITLES.where(C.title.bool_op("= '') or ('x' =")("x")),
        By.BOTH,
    ),
    "operator-of-a-schema": (
        lambda: MY_TITLES.where(C.title.op("OPERATOR(hidden.=)")("x")),
        By.BOTH,
    ),
    "operator-of-a-pattern": (lambda: MY_TITLES.where(C.title.match("x")), By.BOTH),
    "operator-of-an-array": (
        lambda: MY_TITLES.add_columns(postgresql.array([C.title])[1]),
        By.BOTH,
    ),
    "constant-with-more": (lambda: MY_TITLES.add_columns(literal_column(f"1, {ALL}")), By.BOTH),
    "constant-with-a-mark": (
        lambda: MY_TITLES.add_columns(literal_column("'%(caller)s'")),
        By.GUARD,  # a text that SQLAlchemy changes
    ),
    "constant-with-an-escape": (
        lambda: MY_TITLES.add_columns(literal_column(f"'\\' || {ALL} || '")),
        By.BOTH,
    ),
    "text-in-a-case": (lambda: MY_TITLES.add_columns(case((text(f"{ALL} is null"), 1))), By.BOTH),
    "text-in-a-tuple": (
        lambda: MY_TITLES.where(tuple_(C.id, text(ALL)) == tuple_(C.id, C.title)),
        By.BOTH,
    ),
    "text-in-a-window": (
        lambda: MY_TITLES.add_columns(func.sum(C.id).over(order_by=text(ALL))),
        By.BOTH,
    ),
    "text-with-a-cte": (
        lambda: select(MY_ROWS.cte("x").prefix_with("materialized").c.title),
        By.GUARD,
    ),
    "text-after-a-cte": (
        lambda: select(MY_ROWS.cte("x").suffix_with(", y as (select * from task)").c.title),
        By.BOTH,
    ),
    "text-as-a-group": (lambda: MY_TITLES.group_by(text(f"title, {ALL}")), By.BOTH),
    "text-of-an-update": (lambda: update(TASK).where(MINE).values(title=text(ALL)), By.BOTH),
    "text-of-an-insert": (lambda: CREATION.values(description=text(ALL)), By.BOTH),
    "text-as-a-conflict": (
        lambda: CREATION.on_conflict_do_nothing(
            index_elements=[text("id) do update set title = '' --")]
        ),
        By.BOTH,
    ),
    "update-on-conflict-of-one-s-own": (
        lambda: CREATION.on_conflict_do_update(
            index_elements=["user_id"], set_={"title": "x"}, where=MINE
        ),
        By.BOTH,
    ),
    # the shape
    "lateral": (lambda: select(lateral(MY_ROWS, "x").c.title), By.BOTH),
    "recursive": (recursive, By.BOTH),
    "nested-cte": (
        lambda: select(MY_ROWS.cte("x", nesting=True).c.title),
        By.GUARD,  # filtered; but scopes of names are not for the guard to compute
    ),
    "correlated-away": (
        lambda: select(exists().where(OTHER.c.title != "").correlate(OTHER), CALLER),
        By.BOTH,
    ),
    "filter-of-the-outer-query": (
        lambda: MY_TITLES.where(exists(select(OTHER.c.id)).where(C.user_id == CALLER)),
        By.BOTH,
    ),
    "filter-in-the-join": (
        lambda: (
            select(C.title, OTHER.c.title)
            .outerjoin_from(TASK, OTHER, OTHER.c.user_id == CALLER)
            .where(OTHER.c.user_id == CALLER)
        ),
        By.BOTH,
    ),
    "full-join": (
        lambda: (
            select(C.title, OTHER.c.title)
            .join_from(TASK, OTHER, MINE & (OTHER.c.user_id == CALLER), full=True)
            .where(CALLER == CALLER)
        ),
        By.BOTH,
    ),
    "filter-of-another-column-of-that-name": (
        lambda: (
            select(C.title)
            .select_from(TASK, MY_ROWS.subquery("x"))
            .where(column("user_id") == CALLER)
        ),
        By.BOTH,
    ),
    "filter-by-having": (
        lambda: select(C.user_id, func.count()).group_by(C.user_id).having(MINE),
        By.BOTH,
    ),
    "filter-of-a-conjunction-in-a-negation": (
        lambda: select(C.title).where(~(MINE & (C.title == "x"))),
        By.BOTH,
    ),
    "filter-in-a-case": (
        lambda: select(C.title).where(case((MINE, true()), else_=true())),
        By.BOTH,
    ),
    "filter-by-a-cast": (
        lambda: select(C.title).where(cast(C.user_id, Text) == cast(CALLER, Text)),
        By.BOTH,
    ),
    "filter-of-another-case": (
        lambda: select(C.title).where(func.lower(C.user_id) == func.lower(CALLER)),
        By.BOTH,
    ),
    "filter-by-a-pattern": (lambda: select(C.title).where(C.user_id.like(CALLER)), By.BOTH),
    "union-with-everything": (lambda: union_all(MY_TITLES, select(C.title)), By.BOTH),
    "intersection-with-everything": (
        lambda: CompoundSelect._create_intersect(MY_TITLES, select(C.title)),  # noqa: SLF001
        By.BOTH,
    ),
    "cte-that-changes-everything": (
        lambda: MY_TITLES.add_cte(update(TASK).values(title="x").cte("x")),
        By.BOTH,
    ),
    "delete-from-a-cte-of-the-table-s-name": (lambda: delete(MY_ROWS.cte("task")), By.BOTH),
    "update-of-a-cte-of-the-table-s-name": (
        lambda: update(MY_ROWS.cte("task")).values(title="x"),
        By.BOTH,
    ),
    "update-of-a-join": (
        lambda: (
            update(TASK.join(KEYS, KEYS.c.key == C.title)).where(MINE, MY_KEYS).values(title="x")
        ),
        By.BOTH,
    ),
    "or-that-is-a-condition-s": (
        lambda: MY_TITLES.where(
            AsBoolean(  # type: ignore[no-untyped-call]
                or_(C.completed, C.id == C.id), operators.is_true, operators.is_false
            )
        ),
        By.BOTH,
    ),
    "or-without-parentheses": (
        lambda: MY_TITLES.where(
            ExpressionClauseList._construct_for_list(  # noqa: SLF001
                operators.or_, Boolean(), C.title == "x", C.id == C.id, group=False
            )
        ),
        By.BOTH,
    ),
    "or-put-in-afterwards": (put_in_afterwards, By.BOTH),
    "cte-that-hides-the-table": (
        lambda: select(select(OTHER.c.title).cte("task").c.title, CALLER),
        By.BOTH,
    ),
    "update-from-everything": (
        lambda: update(TASK).where(MINE, C.id == OTHER.c.id).values(title=OTHER.c.title),
        By.BOTH,
    ),
    "delete-using-everything": (lambda: delete(TASK).where(MINE, OTHER.c.title == "x"), By.BOTH),
    "insert-from-everything": (
        lambda: insert(TASK).from_select(["user_id", "title"], select(CALLER, OTHER.c.title)),
        By.BOTH,
    ),
    "insert-by-another-table-s-column": (
        lambda: insert(TASK).values({titled().c.user_id: CALLER, "title": "x"}),
        By.GUARD,  # taken by its name, today
    ),
    "execution-options": (
        lambda: MY_TITLES.execution_options(schema_translate_map={None: "hidden"}),
        By.GUARD,  # heeded only by SQLAlchemy's own connections
    ),
    "insert-of-two": (
        lambda: insert(TASK).values(
            [{"user_id": CALLER, "title": "x"}, {"user_id": "bob", "title": "x"}]
        ),
        By.BOTH,
    ),
    "scalar-subquery-as-a-value": (lambda: CREATION.values(description=ALL_TITLES), By.BOTH),
    "returning-everything": (lambda: CREATION.returning(ALL_TITLES), By.BOTH),
    # the ORM
    "loader-criteria": (
        lambda: (
            select(Task)
            .where(col(Task.user_id) == CALLER)
            .options(
                with_loader_criteria(
                    Task, exists(select(OTHER.c.id)), track_closure_variables=False
                )
            )
        ),
        By.BOTH,
    ),
    "expression-of-an-option": (of_expression, By.BOTH),
    "loader-option": (
        lambda: mapped_mine().options(joinedload("*")),
        By.GUARD,  # nothing to load, today
    ),
    "column-property-that-is-asked-for": (
        lambda: select((e := mapped(titled(), shown=column_property(ALL_TITLES))).shown).where(
            e.user_id == CALLER
        ),
        By.BOTH,
    ),
    "hybrid-property": (hybrid, By.BOTH),
    "model-of-another-name": (
        lambda: select(col(aliased(Task).title)).where(MINE),
        By.BOTH,
    ),
    "null-of-a-raw-name": (lambda: MY_TITLES.add_columns(null().label(raw(f"x, {ALL}"))), By.BOTH),
    # Core makes the SQL, so these would not be in it: refused, lest somebody miss them.
    "column-property": (
        lambda: mapped_mine(shown=column_property(ALL_TITLES)),
        By.BOTH,
    ),
    "default-expression": (
        lambda: mapped_mine(shown=query_expression(ALL_TITLES)),
        By.BOTH,
    ),
    "joined-relationship": (with_relationship, By.BOTH),
}

OWN: Final = OTHER.c.user_id == CALLER

# What the next statements of the product may look like.
GOOD: Final[dict[str, Expression]] = {
    "model": lambda: select(Task).where(col(Task.user_id) == CALLER),
    "model-of-another-name": lambda: by_name(TASK.alias()),
    "join": lambda: (
        select(C.title, KEYS.c.key)
        .join(KEYS, (KEYS.c.user_id == C.user_id) & (KEYS.c.key == C.title))
        .where(MINE, MY_KEYS)
    ),
    "outer-join": lambda: (
        select(C.title, KEYS.c.key)
        .outerjoin_from(TASK, KEYS, KEYS.c.user_id == C.user_id)
        .where(MINE, MY_KEYS)
    ),
    "join-with-itself": lambda: (
        select(C.title, OTHER.c.title).join_from(TASK, OTHER, OTHER.c.id > C.id).where(MINE, OWN)
    ),
    "update-in-a-cte": lambda: select(
        update(TASK).where(MINE, C.id == bindparam("id")).values(title="x").returning(C.id).cte("x")
    ),
    "update-by-another-table": lambda: (
        update(TASK).where(MINE, MY_KEYS, KEYS.c.key == C.title).values(description=KEYS.c.body)
    ),
    "update-by-a-subquery": lambda: (
        update(TASK).where(MINE, exists(select(KEYS.c.key)).where(MY_KEYS)).values(title="x")
    ),
    "delete-by-a-subquery": lambda: delete(TASK).where(
        MINE, C.id == select(func.min(OTHER.c.id)).where(OWN).scalar_subquery()
    ),
    "insert-of-a-default": lambda: CREATION.on_conflict_do_nothing().returning(C.id),
    "aggregate": lambda: (
        select(C.completed, func.count(), func.max(C.updated_at))
        .where(MINE)
        .group_by(C.completed)
        .having(func.count() > literal_column("1"))
        .order_by(func.count().desc())
    ),
    "aggregate-of-some": lambda: select(func.count().filter(C.completed).label("done")).where(MINE),
    "keyset": lambda: (
        select(C.id)
        .where(MINE, tuple_(C.title, C.id) > tuple_(bindparam("at", type_=Text), bindparam("id")))
        .order_by(C.title, C.id)
        .limit(bindparam("limit", type_=BigInteger))
    ),
    "window": lambda: select(
        C.id, func.sum(C.version).over(partition_by=C.completed, order_by=C.id).label("sum")
    ).where(MINE),
    "exists-of-another": lambda: select(C.title).where(
        MINE, exists(select(KEYS.c.key)).where(MY_KEYS, KEYS.c.key == C.title, MINE)
    ),
    "in-a-subquery": lambda: select(C.title).where(MINE, C.id.in_(select(OTHER.c.id).where(OWN))),
    "coalesce": lambda: select(func.coalesce(C.description, C.title)).where(MINE),
    "case": lambda: select(case((C.completed, literal_column("'done'")), else_=C.title)).where(
        MINE
    ),
    "subquery": lambda: select(MY_ROWS.subquery().c.title).distinct(),
    "cte-of-a-cte": lambda: select(select((x := MY_ROWS.cte()).c.title).cte().c.title).add_cte(x),
    "union": lambda: union_all(MY_TITLES, select(KEYS.c.key).where(MY_KEYS)).limit(1),
    "lock": lambda: MY_TITLES.with_for_update(skip_locked=True),
    "array": lambda: MY_TITLES.where(C.id == any_(bindparam("ids", type_=ARRAY(BigInteger)))),
    "ors-in-their-place": lambda: MY_TITLES.where(
        or_(C.completed, C.title == "x"), ~or_(C.completed, C.id == C.id), C.completed
    ).add_columns(case((or_(C.completed, C.id == C.id), C.title)).label("x")),
    "nulls-last": lambda: MY_TITLES.order_by(C.description.desc().nulls_last()),
    "json": lambda: select(func.row_to_json(MY_ROWS.subquery("x").table_valued())),
}
