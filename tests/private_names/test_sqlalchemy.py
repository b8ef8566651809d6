"""SQLAlchemy: how api/database/parts.py and api/database/statement.py look into a statement."""

from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, bindparam, select, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import annotation, base, elements, selectable
from sqlalchemy.sql.expression import ColumnClause
from sqlmodel import col
from sqlmodel import select as select_models

from api.database.allowed import CLASSES
from api.database.parts import DIALECT
from api.tasks.models import Task

# ruff: noqa: SLF001 - these names are what is asked for

ROWS = Table("task", MetaData(), Column("id", BigInteger), Column("user_id", Text))

ID: Any = col(Task.id)


def _name(kind: Any) -> str:
    return f"{kind.__module__}.{kind.__name__}"


@pytest.mark.parametrize("kind", sorted(CLASSES, key=_name), ids=_name)  # workers agree on it
def test_a_part_still_declares_the_attributes_that_become_sql(kind: Any) -> None:
    declared = [name for name, _ in kind._traverse_internals]
    assert {*CLASSES[kind].split()} <= {*declared}


def test_what_a_select_reads_is_still_known_before_it_is_compiled() -> None:
    other = ROWS.alias("other")
    joined: Any = select(ROWS.c.id).join(other, ROWS.c.id == other.c.id).where(other.c.id == 1)
    state = joined._compile_state_factory(joined, DIALECT.statement_compiler(DIALECT, None))
    assert type(state) is selectable.SelectState
    join: Any
    (join,) = state._get_display_froms()
    assert (join.left, join.right) == (ROWS, other)


def test_a_statement_of_models_is_still_compiled_without_the_orm_once_it_is_freed() -> None:
    statement: Any = select_models(Task.id)
    assert statement._propagate_attrs, "or there is nothing to be freed of"
    statement._propagate_attrs = {}
    state = statement._compile_state_factory(statement, DIALECT.statement_compiler(DIALECT, None))
    assert type(state) is selectable.SelectState


def test_an_annotated_column_still_leads_to_its_own_and_to_its_model() -> None:
    column: Any = ID.expression
    assert isinstance(column, annotation.Annotated)
    assert annotation.annotated_classes[Column] is type(column)
    table: Any = Task
    assert column._deannotate() is table.__table__.c.id
    assert column._annotations["parententity"].mapper.class_ is Task


def test_a_column_still_names_its_table_and_a_change_its_values() -> None:
    caller: Any = bindparam("caller", type_=Text)
    changed: Any = update(ROWS).values(user_id=caller)
    assert [*ROWS.c.id._from_objects] == [ROWS]
    ((key, value),) = changed._values.items()
    assert getattr(key, "name", key) == "user_id"
    assert value is caller
    assert changed.is_update


def test_execution_options_are_still_where_the_guard_looks() -> None:
    statement: Any = select(ROWS.c.id)
    assert isinstance(statement, base.Executable)
    assert not statement._execution_options
    assert statement.execution_options(task_api=1)._execution_options == {"task_api": 1}


def test_a_part_that_somebody_else_renders_is_still_told_by_its_dispatch() -> None:
    class Mine(ColumnClause[Any]):
        inherit_cache = True

    @compiles(Mine)
    def render(*_: Any, **__: Any) -> str:
        return "true) or (true"

    def dispatch(part: Any) -> str:
        name: str = part._compiler_dispatch.__qualname__
        return name

    usual = "Visitable._generate_compiler_dispatch.<locals>._compiler_dispatch"
    assert dispatch(ROWS.c.id) == dispatch(ROWS) == dispatch(ROWS.c.id.type) == usual
    assert dispatch(Mine("x")) != usual
    assert dispatch(ID.expression) == "Annotated._compiler_dispatch"


def test_limits_and_unions_and_names_made_up_still_have_classes_of_their_own() -> None:
    limited: Any = select(ROWS.c.id).limit(1)
    assert type(limited._limit_clause) is selectable._OffsetLimitParam
    union: Any = select(ROWS.c.id).union_all(select(ROWS.c.id))
    assert type(union.keyword) is selectable._CompoundSelectKeyword
    assert type(ROWS.alias().name) is elements._anonymous_label
    assert issubclass(elements._anonymous_label, elements._truncated_label)


def test_parameters_are_still_given_in_the_order_of_their_numbers() -> None:
    statement = select(ROWS.c.id).where(
        ROWS.c.user_id == bindparam("caller"), ROWS.c.id == bindparam("id")
    )
    compiled: Any = statement.compile(dialect=DIALECT)
    assert compiled.positiontup == ["caller", "id"]
    assert str(compiled).index("$1") < str(compiled).index("$2")
