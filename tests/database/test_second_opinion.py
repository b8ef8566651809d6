"""Two that share no code look at every statement: the guard at the expression, and at its SQL one
that reads it with PostgreSQL's own parser. What gets past one is seen by the other."""

import ast
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Text, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.ext.compiler import compiles, deregister
from sqlalchemy.sql.elements import Case, Label
from sqlalchemy.sql.visitors import InternalTraversal

from api.database import parts
from api.database.statement import Statement, Unfiltered, self_test
from tests.database.test_statement import FILTERED, UNFILTERED
from tests.evasions import (
    ALL,
    EVASIONS,
    GOOD,
    MINE,
    MY_TITLES,
    By,
    C,
    Expression,
    raw,
)
from tests.every_statement import ROOT, Made, every_statement
from tests.second_opinion import complaints

# ruff: noqa: S608 - SQL that is parsed, and never run

FILTER = "task.user_id = $1::varchar"
GOOD_SQL = [
    f"select title from task where {FILTER}",
    "select title from task where user_id = $1",
    f"select title from task where id > $2 and ({FILTER} and title <> 'x')",
    "select t.title from task as t join idempotency_key k on k.key = t.title where t.user_id = $1"
    " and k.user_id = $1",
    f"with task as (select id from task where {FILTER}) select id from task",
    f"with x as (delete from task where {FILTER} returning id) select count(*) from x",
    f"select title from task where {FILTER}"
    " and exists (select from task as t where t.user_id = $1)",
    "insert into task (title, user_id) values ('x', $1), ('y', $1) on conflict do nothing",
    f"update task set title = 'x' where {FILTER} returning id",
    f"select title from task where {FILTER} union all select key from idempotency_key"
    " where user_id = $1",
]
BAD_SQL = {
    "select title from task": "without user_id",
    "select title from task where user_id = $2": "without user_id",
    "select title from task where user_id = 'x'": "without user_id",
    f"select title from task where {FILTER} or true": "without user_id",
    f"select title from task where not ({FILTER})": "without user_id",
    "select title from task where task.user_id <> $1": "without user_id",
    "select title from task where task.user_id = any($1)": "without user_id",
    "select title from task where task.user_id operator(hidden.=) $1": "without user_id",
    "select title from task where title = $1": "without user_id",
    "select title from task having task.user_id = $1": "without user_id",
    f"select title from task, task as t where {FILTER}": "without user_id",
    "select title from task, idempotency_key where user_id = $1": "without user_id",
    "select 1 from task, (select $1 as user_id) as x where user_id = $1": "without user_id",
    f"select 1 from task left join task as t on t.user_id = $1 where {FILTER}": "without user_id",
    "select 1 from task as t where exists (select 1 from task where t.user_id = $1)": "without",
    f"select (select title from task as t limit 1) from task where {FILTER}": "without user_id",
    f"select title from task where {FILTER} order by (select 1 from task as t)": "without user_id",
    f"select title from task where {FILTER} limit (select 1 from task as t)": "without user_id",
    f"select title from task where {FILTER} union select title from task": "without user_id",
    "with task as (select id from task) select id from task": "without user_id",
    "with x as (select 1 from y), y as (select 1) select 1 from x": "not a guarded table",
    f"with x as (delete from task) select title from task where {FILTER}": "without user_id",
    "with recursive x as (select 1) select 1 from x": "recursive",
    "select 1 from (with x as (select 1) select 1) as y, x": "not a guarded table",
    "update task set title = 'x'": "without user_id",
    f"update task set title = t.title from task as t where {FILTER}": "without user_id",
    f"update task set user_id = $2 where {FILTER}": "changes user_id",
    f"update task set (user_id, title) = ($2, 'x') where {FILTER}": "changes user_id",
    "delete from task": "without user_id",
    f"delete from task using task as t where {FILTER}": "without user_id",
    "insert into task (title) values ('x')": "without user_id",
    "insert into task values ($1)": "without user_id",
    "insert into task default values": "without user_id",
    "insert into task (user_id) values ($1), ($2)": "is not $1",
    "insert into task (user_id) values ($1 || 'x')": "is not $1",
    "insert into task (user_id) select 'x'": "without user_id",
    "insert into task (user_id) values ($1) on conflict (id) do nothing": "ON CONFLICT",
    "insert into task (user_id) values ($1) on conflict (id) do update set id = 1": "ON CONFLICT",
    "insert into task (user_id) values ($1) returning (select title from task as t)": "without",
    "select 1 from pg_authid": "not a guarded table",
    f"select title from hidden.task where {FILTER}": "not a guarded table",
    f"select title from only task where {FILTER}": "ONLY",
    f"select title into x from task where {FILTER}": "makes a table",
    f"select title from task where {FILTER} for update of task": "locks by name",
    f"select title from task tablesample system (1) where {FILTER}": "RangeTableSample",
    "select set_config('app.user_id', 'bob', true)": "calls set_config",
    "select hidden.lower('x')": "calls hidden.lower",
    "select pg_catalog.pg_read_file('x')": "calls pg_catalog.pg_read_file",
    "select extract(year from now())": "calls pg_catalog.extract",
    "select x from ts_stat('select title from task') as x": "RangeFunction",
    "select session_user": "SQLValueFunction",
    "select xmlforest(1)": "XmlExpr",
    "select 'pg_authid'::regclass": "the type regclass",
    "select 'x'::hidden.text": "the type hidden.text",
    "select 1 operator(hidden.+) 1": "the operator hidden.+",
    f"select title from task where {FILTER} and id operator(hidden.=) any (select 1)": "hidden.=",
    f"select title from task where {FILTER} order by title using operator(hidden.<)": "hidden.<",
    "select t.title from task as t (owner, id, user_id) where t.user_id = $1": "renames",
    "select t.title from (task join idempotency_key as k on true) as t (user_id)"
    " where t.user_id = $1": "renames",
    "select 'x' @@ 'y'": "the operator @@",
    "select 'x' like 'y'": "the operator ~~",
    "select 'x' collate \"C\"": "CollateClause",
    "select 1 from lateral (select 1) as x": "lateral",
    "set app.user_id = 'bob'": "VariableSetStmt",
    "copy task to program 'cat'": "CopyStmt",
    "truncate task": "TruncateStmt",
    "select 1; select 2": "2 statements",
    "": "0 statements",
    "selec": "no SQL",
}


@pytest.mark.parametrize("sql", GOOD_SQL)
def test_sql_about_the_caller_is_not_complained_of(sql: str) -> None:
    assert complaints(sql, 1) == []


@pytest.mark.parametrize("sql", BAD_SQL)
def test_sql_that_could_reach_others_is_complained_of(sql: str) -> None:
    assert any(BAD_SQL[sql] in complaint for complaint in complaints(sql, 1)), complaints(sql, 1)


# --- what both say of an expression ---


def rendered(expression: Any) -> tuple[str, int]:
    """The SQL that SQLAlchemy makes of it when nobody guards, and the caller's number in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a row without an owner SQLAlchemy warns
        compiled = expression.compile(dialect=asyncpg.dialect())  # type: ignore[no-untyped-call]
    names = [*(getattr(compiled, "positiontup", None) or ())]
    return str(compiled), names.index("caller") + 1 if "caller" in names else 0


def refused_by(expression: Expression) -> set[By]:
    found = set()
    try:
        Statement(expression())
    except Unfiltered:
        found.add(By.GUARD)
    if complaints(*rendered(expression())):
        found.add(By.OPINION)
    return found


@pytest.mark.evidence("disguised-statement")
@pytest.mark.parametrize("name", EVASIONS)
def test_an_evasion_is_refused_by_whom_the_table_says(name: str) -> None:
    expression, by = EVASIONS[name]
    assert refused_by(expression) == ({By.GUARD, By.OPINION} if by is By.BOTH else {by})


# Of what the guard refuses, the SQL of these is not complained of.
HARMLESS_SQL = {
    "select-namesake-parameter": "SQLAlchemy gives one value to all parameters of one name",
    "insert-for-namesake": "the same",
    "update-returning-alias": "PostgreSQL refuses it: the alias is in no FROM",
    "delete-returning-alias": "the same",
    "insert-for-two": "of two values for a column SQLAlchemy takes the caller, today",
    "select-constant": "it reaches nothing",
}


@pytest.mark.parametrize("name", UNFILTERED)
def test_what_the_guard_refuses_the_second_opinion_does_too(name: str) -> None:
    assert (complaints(*rendered(UNFILTERED[name]())) == []) == (name in HARMLESS_SQL)


@pytest.mark.parametrize("expression", [*GOOD.values(), *FILTERED.values()])
def test_a_good_statement_is_refused_by_neither(expression: Expression) -> None:
    statement = Statement(expression())
    number = statement._parameters.index("caller") + 1  # noqa: SLF001
    reached = complaints(statement.sql, number)
    assert [one for one in reached if "notes" not in one] == []


def test_a_refused_statement_leaves_nothing_behind() -> None:
    for expression, by in EVASIONS.values():
        if by is not By.OPINION:
            with pytest.raises(Unfiltered):
                Statement(expression())
    for good in GOOD.values():
        Statement(good())


# --- every statement of the program ---


@pytest.fixture(scope="module")
def made() -> tuple[Made, ...]:
    return every_statement()


@pytest.mark.evidence("forgotten-filter")
def test_every_statement_of_the_program_is_about_the_caller(made: tuple[Made, ...]) -> None:
    assert {one.place: complaints(one.sql, one.caller) for one in made} == {
        one.place: [] for one in made
    }
    assert len(made) > 500


def test_no_statement_is_made_that_was_not_looked_at(made: tuple[Made, ...]) -> None:
    """Every place in the sources where one is made has made some."""
    assert {one.place for one in made} == {*places()}


def places() -> Iterator[str]:
    for file in (ROOT / "api").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and "Statement" in ast.unparse(node.func).split("."):
                yield f"{file.relative_to(ROOT)}:{node.lineno}"


@pytest.mark.slow
def test_so_is_every_list_with_every_set_of_filters() -> None:
    made = every_statement("every")
    assert [one for one in made if complaints(one.sql, one.caller)] == []
    assert len(made) > 1500


# --- the guard fails closed ---


def test_a_guard_that_accepts_everything_is_noticed() -> None:
    with pytest.raises(RuntimeError, match="the guard of statements accepts no filter"):
        self_test(lambda _: None)


KINDS_OF_FAULT = 11


@pytest.mark.parametrize("blind", range(KINDS_OF_FAULT))
def test_a_guard_that_is_blind_to_one_kind_is_noticed(blind: int) -> None:
    seen: list[Any] = []

    def guard(expression: Any) -> None:
        seen.append(expression)
        if len(seen) - 1 != blind:
            Statement(expression)

    with pytest.raises(RuntimeError, match="the guard of statements accepts"):
        self_test(guard)


@pytest.mark.evidence("disguised-statement")
def test_the_program_does_not_start_with_a_guard_that_sees_nothing() -> None:
    without = (
        "from api.database import parts; parts.parts = lambda expression: {}; "
        "import api.tasks.queries"
    )
    done = subprocess.run(
        [sys.executable, "-c", without], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "RuntimeError: the guard of statements accepts" in done.stderr
    assert done.returncode == 1


LABELLED = select(C.title.label("x")).where(MINE)


@pytest.fixture
def _another_sqlalchemy() -> Iterator[None]:
    """What is known of SQLAlchemy's classes is looked up anew."""
    parts._attributes.cache_clear()  # noqa: SLF001
    yield
    parts._attributes.cache_clear()  # noqa: SLF001


@pytest.mark.evidence("disguised-statement")
@pytest.mark.usefixtures("_another_sqlalchemy")
def test_an_attribute_that_sqlalchemy_renames_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    internals = [one for one in Label._traverse_internals if one[0] != "_element"]  # noqa: SLF001
    monkeypatch.setattr(Label, "_traverse_internals", internals)
    with pytest.raises(Unfiltered, match="Label has other attributes than it had"):
        Statement(LABELLED)


@pytest.mark.evidence("disguised-statement")
@pytest.mark.usefixtures("_another_sqlalchemy")
def test_an_attribute_that_sqlalchemy_adds_may_have_no_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    more = [*Label._traverse_internals, ("_postfix", InternalTraversal.dp_string)]  # noqa: SLF001
    monkeypatch.setattr(Label, "_traverse_internals", more)
    with pytest.raises(Unfiltered, match="has lost its _postfix"):
        Statement(LABELLED)
    monkeypatch.setattr(Label, "_postfix", None, raising=False)
    Statement(LABELLED)
    monkeypatch.setattr(Label, "_postfix", "x")
    with pytest.raises(Unfiltered, match="Label has postfix"):
        Statement(LABELLED)


@pytest.mark.evidence("disguised-statement")
@pytest.mark.parametrize("kind", [Label, Case, Text, func.lower("x").__class__])
def test_a_class_that_is_rendered_in_another_way_is_refused(kind: Any) -> None:
    expression = MY_TITLES.add_columns(
        func.lower(cast(C.title, Text)).label("x"), literal_column("1").label("y")
    ).where(Case((MINE, literal_column("1"))) == literal_column("1"))
    Statement(expression)
    compiles(kind)(lambda *_, **__: ALL)
    try:
        with pytest.raises(Unfiltered, match="is rendered in another way"):
            Statement(expression)
    finally:
        deregister(kind)
    Statement(expression)


def test_the_refusal_names_the_class() -> None:
    with pytest.raises(Unfiltered, match=r"sqlalchemy\.sql\.elements\.TextClause is not allowed"):
        Statement(EVASIONS["text-in-a-case"][0]())
    with pytest.raises(Unfiltered, match=r"type tests\.evasions\.RawType is not allowed"):
        Statement(EVASIONS["type-user-defined"][0]())
    with pytest.raises(Unfiltered, match=r"Function is set_config\(\), which is not among"):
        Statement(EVASIONS["function-set_config"][0]())
    with pytest.raises(Unfiltered, match="operator like_op, which is not allowed"):
        Statement(EVASIONS["filter-by-a-pattern"][0]())


def test_a_name_that_is_written_as_it_stands_is_refused_however_harmless() -> None:
    with pytest.raises(Unfiltered, match="has a name that is not quoted: words"):
        Statement(MY_TITLES.add_columns(C.title.label(raw("words"))))
    Statement(MY_TITLES.add_columns(C.title.label("words")))


def test_the_refusal_names_the_list_to_add_to() -> None:
    for name, where in {
        "text-in-a-case": "CLASSES",
        "only": "CLASSES",
        "type-user-defined": "TYPES",
        "function-set_config": "FUNCTIONS",
        "filter-by-a-pattern": "OPERATORS",
    }.items():
        with pytest.raises(Unfiltered, match=f"see {where} in api/database/allowed.py"):
            Statement(EVASIONS[name][0]())
