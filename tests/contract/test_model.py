"""The models are the tables, column for column, as PostgreSQL itself writes both."""

from typing import Any

import psycopg
import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable, Table

from api import main as _every_model  # noqa: F401 - each room has its models
from api.tasks.models import Task
from tests.cluster import TaskDatabase

# SQLAlchemy writes every default in quotes: '1'.
COLUMNS = r"""
    select attname, format_type(atttypid, atttypmod), attnotnull, attcollation::regcollation::text,
           regexp_replace(pg_get_expr(adbin, adrelid), '^''(\d+)''::bigint$', '\1'),
           attidentity, attgenerated,
           seqtypid::regtype::text, seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle
      from pg_attribute
      left join pg_attrdef on adrelid = attrelid and adnum = attnum
      left join pg_sequence
             on seqrelid = pg_get_serial_sequence(attrelid::regclass::text, attname)::regclass
     where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
     order by attnum
"""
KEY = """
    select pg_get_constraintdef(oid) from pg_constraint
     where conrelid = to_regclass(%s) and contype = 'p'
"""


def shape(connection: psycopg.Connection, table: str) -> list[tuple[Any, ...]]:
    """The columns of the table and its key."""
    return [row for query in (COLUMNS, KEY) for row in connection.execute(query, [table])]


@pytest.mark.parametrize("table", Task.metadata.sorted_tables, ids=lambda table: table.name)
def test_a_table_made_of_the_model_is_the_table_that_the_migrations_make(
    table: Table, database: TaskDatabase
) -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    with psycopg.connect(database.owner) as connection:
        migrated = shape(connection, table.name)
        connection.execute("create schema of_the_model")
        connection.execute("set local search_path = of_the_model")
        connection.execute(str(CreateTable(table).compile(dialect=dialect)).encode())
        assert shape(connection, table.name) == migrated
        connection.rollback()
    assert len(migrated) == len(table.columns) + 1
