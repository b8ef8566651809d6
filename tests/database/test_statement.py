"""No statement on a table is about everybody, whatever its form; and none takes another's name."""

import inspect
import re
from collections.abc import Callable
from itertools import combinations, product
from typing import Any

import pytest
from sqlalchemy import (
    CTE,
    ClauseElement,
    Table,
    bindparam,
    column,
    exists,
    func,
    lambda_stmt,
    lateral,
    literal_column,
    or_,
    table,
    text,
    true,
    union_all,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import aliased
from sqlalchemy.schema import DropTable
from sqlmodel import col, delete, insert, select, update

from api.database.resource import ID
from api.database.statement import CALLER, Statement, Unfiltered
from api.tasks import queries
from api.tasks.models import Task
from api.tasks.schemas import MAX_PAGE, Sort
from tests.every_statement import every_statement
from tests.needed import query_modules
from tests.sorts import ByDescription

TASK: Table = Task.__table__  # type: ignore[attr-defined]
C = TASK.c
NOTES = table("notes", column("user_id"), column("id"))
NAMELESS = table("nameless", column("title"))
OTHER = TASK.alias("other")
MINE = col(Task.user_id) == CALLER

TITLES = select(C.title)
MY_TITLES = select(C.title).where(MINE)
MY_ROWS = select(C.user_id, C.title).where(MINE).subquery("mine")
ANY_TITLE = TITLES.limit(1).scalar_subquery()
OTHERS_TITLE = select(OTHER.c.title).limit(1).scalar_subquery()
CREATION = insert(TASK).values(user_id=CALLER, title="x")
UPSERT = postgresql.insert(TASK).values(user_id=CALLER, title="x")
RAW = text("select user_id, title from task").columns(column("user_id"), column("title"))

RAW_TITLE: Any = text("(select title from task limit 1)")


def recursive() -> CTE:
    mine = select(C.title).where(MINE).cte("mine", recursive=True)
    return mine.union_all(TITLES)


Expression = Callable[[], Any]

UNFILTERED: dict[str, Expression] = {
    # no condition, or one that need not hold
    "select": lambda: select(Task),
    "select-core": lambda: TASK.select(),
    "select-count": lambda: select(func.count()).select_from(Task),
    "select-by-id": lambda: select(Task).where(col(Task.id) == 1, C.title == CALLER),
    "select-or": lambda: select(Task).where(or_(MINE, col(Task.id) == 1)),
    "select-or-true": lambda: select(Task).where(MINE | true()),
    "select-not": lambda: select(Task).where(~MINE),
    "select-not-equal": lambda: select(Task).where(col(Task.user_id) != CALLER),
    "select-at-least": lambda: select(Task).where(col(Task.user_id) >= CALLER),
    "select-another-column": lambda: select(Task).where(col(Task.title) == CALLER),
    "select-namesake-parameter": lambda: select(Task).where(C.user_id == bindparam("caller")),
    "select-named-user": lambda: select(Task).where(C.user_id == "alice", C.title == CALLER),
    "select-having": lambda: select(C.user_id).group_by(C.user_id).having(MINE),
    "select-whole-row": lambda: select(func.row_to_json(TASK.table_valued()), CALLER),
    "select-table-without-owner": lambda: select(NAMELESS.c.title).where(C.user_id == CALLER),
    # another name for the table
    "alias": lambda: select(OTHER.c.title).where(C.user_id == CALLER),
    "alias-of-model": lambda: select(aliased(Task)).where(MINE),
    "sample": lambda: select(TASK.tablesample(10).c.title, CALLER),
    "lateral": lambda: select(lateral(TITLES).c.title, CALLER),
    # a second source beside a filtered one
    "product": lambda: select(C.title, OTHER.c.title).where(MINE),
    "product-with-another-table": lambda: select(C.title, NOTES.c.id).where(MINE),
    "filter-on-the-other": lambda: select(C.title, MY_ROWS.c.title).where(
        MY_ROWS.c.user_id == CALLER
    ),
    "join": lambda: select(C.title).join(OTHER, OTHER.c.id == C.id).where(MINE),
    "outer-join": lambda: select(OTHER.c.title).outerjoin_from(OTHER, TASK, MINE),
    # somewhere inside
    "subquery": lambda: select(TITLES.subquery().c.title, CALLER),
    "subquery-filtered-outside": lambda: select(Task.__table__.select().subquery().c.title).where(  # type: ignore[attr-defined]
        MINE
    ),
    "cte": lambda: select(TITLES.cte("everybody").c.title, CALLER),
    "cte-recursive": lambda: select(recursive().c.title),
    "cte-unused": lambda: MY_TITLES.add_cte(delete(TASK).cte("gone")),
    "cte-unused-of-insert": lambda: CREATION.add_cte(delete(TASK).cte("gone")),
    "cte-deleting": lambda: select(delete(TASK).returning(C.title).cte("gone").c.title, CALLER),
    "scalar": lambda: select(ANY_TITLE, CALLER),
    "exists": lambda: select(exists().where(C.id == 1), CALLER),
    "exists-in-where": lambda: MY_TITLES.where(exists(select(OTHER.c.id))),
    "exists-correlated": lambda: MY_TITLES.where(exists().where(OTHER.c.id == C.id)),
    "in": lambda: MY_TITLES.where(C.id.in_(select(OTHER.c.id))),
    "limit": lambda: MY_TITLES.limit(select(func.count()).select_from(TASK).scalar_subquery()),
    "order-by": lambda: MY_TITLES.order_by(OTHERS_TITLE),
    "group-by": lambda: MY_TITLES.group_by(OTHERS_TITLE),
    "distinct-on": lambda: MY_TITLES.ext(postgresql.distinct_on(OTHERS_TITLE)),
    "window": lambda: select(func.count().over(order_by=ANY_TITLE), CALLER),
    "aggregate-filter": lambda: select(func.count().filter(exists(TITLES)), CALLER),
    "table-function": lambda: select(func.json_each(ANY_TITLE).table_valued("key").c.key, CALLER),
    "union": lambda: union_all(MY_TITLES, TITLES),
    "except": lambda: MY_TITLES.except_(TITLES),
    "union-in-subquery": lambda: select(union_all(MY_TITLES, TITLES).subquery().c.title),
    # update
    "update": lambda: update(Task).values(title=CALLER),
    "update-or": lambda: update(Task).where(MINE | (C.id == 1)).values(title="x"),
    "update-from-alias": lambda: update(Task).where(MINE, OTHER.c.id == 5).values(title="x"),
    "update-to-alias": lambda: update(Task).where(MINE).values(title=OTHER.c.title),
    "update-from-whole-row": lambda: (
        update(Task).where(MINE, func.row_to_json(OTHER.table_valued()) == CALLER).values(title="x")
    ),
    "update-from-table": lambda: update(Task).where(MINE, NOTES.c.id == C.id).values(title="x"),
    "update-to-subquery": lambda: update(Task).where(MINE).values(title=ANY_TITLE),
    "update-in-order": lambda: update(Task).where(MINE).ordered_values((C.title, ANY_TITLE)),
    "update-returning-alias": lambda: (
        update(Task).where(MINE).values(title="x").returning(OTHER.c.title)
    ),
    "update-gives-away": lambda: update(Task).where(MINE).values(user_id="bob"),
    "update-gives-away-by-column": lambda: update(TASK).where(MINE).values({C.user_id: "bob"}),
    "update-gives-away-in-order": lambda: (
        update(Task).where(MINE).ordered_values((C.user_id, "bob"))
    ),
    # delete
    "delete": lambda: delete(Task),
    "delete-by-id": lambda: delete(Task).where(C.id == 1, C.title == CALLER),
    "delete-using-alias": lambda: delete(Task).where(MINE, OTHER.c.id == 5),
    "delete-returning-alias": lambda: delete(Task).where(MINE).returning(OTHER.c.title),
    "delete-in-subquery": lambda: delete(Task).where(MINE, C.id.in_(select(OTHER.c.id))),
    # insert
    "insert": lambda: insert(Task),
    "insert-for-nobody": lambda: insert(Task).values(title=CALLER),
    "insert-for-bob": lambda: insert(Task).values(user_id="bob", title=CALLER),
    "insert-for-namesake": lambda: insert(Task).values(user_id=bindparam("caller")),
    "insert-for-two": lambda: insert(TASK).values({C.user_id: CALLER, "user_id": "bob"}),
    "insert-changed-mind": lambda: CREATION.values(user_id="bob"),
    "insert-many": lambda: insert(Task).values(
        [{"user_id": CALLER, "title": "x"}, {"user_id": "bob", "title": "x"}]
    ),
    "insert-many-tuples": lambda: insert(TASK).values([("bob", 1, CALLER)]),
    "insert-from-select": lambda: insert(Task).from_select(["user_id", "title"], MY_ROWS.select()),
    "insert-of-another-title": lambda: insert(Task).values(user_id=CALLER, title=ANY_TITLE),
    "insert-returning": lambda: CREATION.returning(ANY_TITLE),
    "insert-on-conflict-update": lambda: UPSERT.on_conflict_do_update(
        index_elements=["id"], set_={"title": "x"}
    ),
    "insert-on-conflict-update-of-a-constraint": lambda: UPSERT.on_conflict_do_update(
        constraint="task_pkey", set_={"title": "x"}
    ),
    "insert-on-conflict-nothing-for-bob": lambda: UPSERT.values(
        user_id="bob"
    ).on_conflict_do_nothing(),
    "insert-on-conflict-nothing-for-nobody": lambda: (
        postgresql.insert(TASK).values(title=CALLER).on_conflict_do_nothing()
    ),
    "insert-on-conflict-nothing-with-a-target": lambda: UPSERT.on_conflict_do_nothing(
        index_elements=[text("id) do update set title = 'x' --")]
    ),
    "insert-on-conflict-nothing-with-a-condition": lambda: UPSERT.on_conflict_do_nothing(
        index_elements=["id"], index_where=text("exists (select from task)")
    ),
    # SQL as text, which nobody reads
    "text": lambda: text("select * from task where :caller = :caller"),
    "text-with-columns": lambda: RAW,
    "text-as-subquery": lambda: select(RAW.subquery().c.title, CALLER),
    "text-as-cte": lambda: select(RAW.cte("raw").c.title, CALLER),
    "text-as-column": lambda: select(RAW_TITLE, CALLER),
    "text-as-literal": lambda: select(literal_column("(select title from task limit 1)"), CALLER),
    "text-as-source": lambda: select(column("title"), CALLER).select_from(text("task")),
    "text-as-condition": lambda: MY_TITLES.where(text("true) or (true")),
    "text-as-operator": lambda: MY_TITLES.where(
        literal_column("1").op(") or (1 =")(literal_column("1"))
    ),
    "text-as-order": lambda: MY_TITLES.order_by(text("(select 1 from task)")),
    "text-before": lambda: MY_TITLES.prefix_with("(select title from task limit 1),"),
    "text-after": lambda: MY_TITLES.suffix_with("union all select title from task"),
    "text-as-hint": lambda: MY_TITLES.with_statement_hint("union all select title from task"),
    "text-before-insert": lambda: CREATION.prefix_with("x"),
    "text-for-model": lambda: select(Task).from_statement(text("select * from task")),
    # no statement on rows, or about nobody
    "ddl": lambda: DropTable(TASK),
    "lambda": lambda: lambda_stmt(lambda: TASK.select()),
    "function": lambda: func.table_to_xml("task"),
    "select-function": lambda: select(func.query_to_xml("select * from task", True, True, "")),
    "select-becoming-another": lambda: select(func.set_config("app.user_id", "bob", True)),
    "select-constant": lambda: select(literal_column("1")),
    "condition": lambda: MINE,
}

FILTERED: dict[str, Expression] = {
    "select": lambda: select(Task).where(MINE),
    "select-core": lambda: TASK.select().where(C.user_id == CALLER),
    "select-nested-and": lambda: select(Task).where((C.id == 1) & ((C.id == 2) & MINE)),
    "select-from-subquery": lambda: select(MY_ROWS.c.title),
    "select-two-tables": lambda: select(C.title, NOTES.c.id).where(MINE, NOTES.c.user_id == CALLER),
    "union": lambda: union_all(MY_TITLES, MY_TITLES),
    "exists": lambda: select(exists(MY_TITLES)),
    "update": lambda: update(Task).where(MINE).values(title="x").returning(C.id),
    "update-from-subquery": lambda: (
        update(Task).where(MINE, C.title.in_(select(MY_ROWS.c.title))).values(title="x")
    ),
    "update-from-filtered-table": lambda: (
        update(Task).where(MINE, NOTES.c.user_id == CALLER, NOTES.c.id == C.id).values(title="x")
    ),
    "delete": lambda: delete(Task).where(MINE, C.id == 1),
    "insert": lambda: CREATION,
    # whose row is in the way, is the database's to say: unique_across_owners in db/audit/
    "insert-on-conflict-nothing": lambda: UPSERT.on_conflict_do_nothing(),
    "insert-model": lambda: insert(Task).values(user_id=CALLER, title="x").returning(C.id),
}


@pytest.mark.evidence("collisions", "forgotten-filter", "sql-injection")
@pytest.mark.parametrize("expression", UNFILTERED.values(), ids=UNFILTERED)
def test_a_statement_that_could_reach_others_is_refused(expression: Expression) -> None:
    made: ClauseElement = expression()
    with pytest.raises(Unfiltered):
        Statement(made)


@pytest.mark.parametrize("expression", FILTERED.values(), ids=FILTERED)
def test_a_statement_about_the_caller_is_compiled(expression: Expression) -> None:
    sql = Statement(expression()).sql
    assert "user_id" in sql
    assert "$1" in sql


def test_the_refusal_names_the_statement_and_the_table() -> None:
    with pytest.raises(Unfiltered, match="delete on task without user_id == CALLER"):
        Statement(delete(Task))
    with pytest.raises(Unfiltered, match="select on other without user_id == CALLER"):
        Statement(select(OTHER.c.title))


RENAME = Statement(
    update(Task)
    .where(MINE, C.id == bindparam("id"))
    .values(title=bindparam("title"))
    .returning(C.id)
)


@pytest.mark.evidence("sql-injection")
def test_values_are_bound_in_the_order_of_the_statement() -> None:
    arguments = RENAME.arguments("alice", {"id": 7, "title": "Buy milk"})
    assert " ".join(RENAME.sql.split()) == (
        "UPDATE task SET title=$1::VARCHAR "
        "WHERE task.user_id = $2::VARCHAR AND task.id = $3::BIGINT RETURNING task.id"
    )
    assert arguments == ["Buy milk", "alice", 7]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"id": 7},
        {"id": 7, "title": "x", "more": 1},
        {"id": 7, "title": "x", "caller": "bob"},
        {"id": 7, "caller": "bob"},
        {"id": 7, "title": "x", "user_id": "bob"},
    ],
    ids=["none", "missing", "unknown", "caller", "caller-for-another", "user_id"],
)
def test_other_values_than_the_statements_own_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="given to a statement of"):
        RENAME.arguments("alice", values)


# What queries of a list are made of. A filter is one condition more, joined by AND: so none of
# them, each, and all. Those that are not made here are looked at when they are.
def test_few_statements_serve_all_sets_of_filters() -> None:
    """Or anybody could have thousands of them compiled and kept."""
    names = sorted(queries.FILTERS)
    sets = [frozenset(some) for n in range(len(names) + 1) for some in combinations(names, n)]
    assert len({queries.tasks(Sort.NEWEST, filters, "after") for filters in sets}) == 32
    assert len({queries.count(filters) for filters in sets}) == 32
    few = [filters for filters in sets if not 2 < len(filters) < len(names)]
    for sort in Sort:
        assert len({queries.tasks(sort, filters, "after") for filters in few}) <= 32


def test_a_parameter_with_a_default_of_none_may_be_left_out_and_no_other() -> None:
    parameter = bindparam("note", None, type_=C.title.type)
    statement = Statement(
        select(C.id).where(MINE, or_(parameter.is_(None), C.title == parameter), C.id == ID)
    )
    assert sorted(statement.arguments("alice", {"id": 7}), key=str) == [7, None, "alice"]
    given = statement.arguments("alice", {"id": 7, "note": "x"})
    assert sorted(given, key=str) == [7, "alice", "x"]
    refused: list[dict[str, object]] = [{}, {"note": "x"}, {"id": 7, "other": "x"}]
    for wrong in [*refused, {"id": 7, "caller": "bob"}]:
        with pytest.raises(TypeError):
            statement.arguments("alice", wrong)


ALONE = [frozenset({name}) for name in queries.FILTERS]
NONE_AND_ALL = [frozenset[str](), frozenset(queries.FILTERS)]
STARTS = ("top", "after", "before")
BESIDE_NULL = ("after null", "before null")
ON_DEMAND: dict[str, list[tuple[Any, ...]]] = {
    "tasks.count": [(filters,) for filters in NONE_AND_ALL + ALONE],
    "tasks.tasks": [
        *product(Sort, NONE_AND_ALL, STARTS),
        *product([Sort.NEWEST], ALONE, STARTS),
        *product(ByDescription, NONE_AND_ALL, (*STARTS, *BESIDE_NULL)),
    ],
    "tasks.page": [*product(Sort, NONE_AND_ALL, STARTS, [1, MAX_PAGE])],
}


# Whatever is a statement or makes some, of every feature: `tasks.GET` and so on.
QUERIES = {
    f"{module.__name__.split('.')[1]}.{name}": found
    for module in query_modules()
    for name, found in vars(module).items()
    if isinstance(found, Statement)
    or (
        getattr(found, "__module__", "") == module.__name__
        and inspect.signature(found).return_annotation is Statement
        and not name.startswith("_")
    )
}
TABLES = [*Task.metadata.tables]


def made_by(name: str) -> list[Statement]:
    """The statement of that name, or those that the function of that name makes."""
    found = QUERIES[name]
    return [found] if isinstance(found, Statement) else [found(*on) for on in ON_DEMAND[name]]


def test_every_query_is_looked_at() -> None:
    assert {*QUERIES} >= {
        *("tasks.tasks", "tasks.page", "tasks.count", "tasks.GET", "tasks.DELETE_COMPLETED"),
        *("idempotency.CLAIM_KEY", "idempotency.STORED_RESPONSE", "idempotency.ERASE_KEPT_ANSWERS"),
    }
    sql = {statement.sql for name in QUERIES for statement in made_by(name)}
    assert {made.sql for made in every_statement("none") if made.at_import} <= sql


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_names_the_caller(name: str) -> None:
    for statement in made_by(name):
        with pytest.raises(TypeError, match="'caller'"):
            statement.arguments("alice", {"nothing": f"{name} takes"})


@pytest.mark.evidence("cursors")
@pytest.mark.parametrize("name", QUERIES)
def test_every_table_is_filtered_in_the_sql_of_every_query(name: str) -> None:
    for statement in made_by(name):
        sql = " ".join(statement.sql.split())
        names = statement._parameters  # noqa: SLF001
        caller = rf"\${names.index('caller') + 1}::VARCHAR"
        inserted = re.findall(r"INTO (\w+)", sql)
        assert re.findall(rf"INTO (\w+) \(user_id, [\w, ]+\) VALUES \({caller},", sql) == inserted
        reached = re.findall(rf"(?:FROM|UPDATE|JOIN|USING) ({'|'.join(TABLES)})\b", sql)
        alone_or_and = r"(?= AND |\)| ORDER BY | RETURNING |$)"
        filtered = re.findall(rf"WHERE (\w+)\.user_id = {caller}{alone_or_and}", sql)
        assert sorted(filtered) == sorted(reached), sql
        assert inserted or reached
