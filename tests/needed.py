"""Finds the privileges that the statements need: revokes each, and sees which statements fail."""

import importlib
import pkgutil
from itertools import product
from types import ModuleType
from typing import Final

import psycopg
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

import api
from api.database import guarded_tables
from api.database.gate import NEEDED
from api.database.keyset import Start
from api.database.statement import Statement
from api.tasks import queries
from api.tasks.schemas import Sort

# What may be granted on the guarded tables, less what works on whole tables.
_GRANTABLE: Final = """
    with guarded as (
        select oid, relname from pg_class where oid in (select unnest(%s::regclass[])))
    select 'delete on ' || relname from guarded
     union all
    select format('%%s (%%s) on %%s', privilege, attname, relname)
      from guarded join pg_attribute on attrelid = guarded.oid
     cross join unnest(array['select', 'insert', 'update']) privilege
     where attnum > 0 and not attisdropped
     order by 1
"""
# What fires every trigger. `explain` fires none.
_WRITES: Final = (
    "select set_config('app.user_id', 'alice', true)",
    "delete from sync_head",
    "insert into task (user_id, title, uid) values ('alice', 'x', gen_random_uuid())",
    "update task set title = 'y'",
    "delete from task",
)


def query_modules() -> list[ModuleType]:
    """Every `queries` there is: each package of `api` has the statements on its tables."""
    found = pkgutil.walk_packages(api.__path__, "api.")
    return [importlib.import_module(one.name) for one in found if one.name.endswith(".queries")]


def statements() -> list[Statement]:
    """Every statement of the tables; of the lists, those with all filters at once."""
    alone = [
        value
        for table in query_modules()
        for value in vars(table).values()
        if isinstance(value, Statement)
    ]
    filters = frozenset(queries.FILTERS)
    starts: tuple[Start, ...] = ("top", "after", "before")
    lists = [queries.tasks(sort, filters, start) for sort, start in product(Sort, starts)]
    assert len(alone) > 10
    return [*alone, *lists, queries.count(filters)]


def needed(superuser: psycopg.Connection) -> list[str]:
    """The privileges, as `needed.txt` has them. All that this does is undone."""
    superuser.prepare_threshold = None  # with one, psycopg ends all of ours at a rollback, too
    tables = guarded_tables.tables(superuser)
    grantable = [privilege for (privilege,) in superuser.execute(_GRANTABLE, [tables])]
    with superuser.transaction(force_rollback=True):
        superuser.execute("set local plan_cache_mode = force_generic_plan")
        superuser.execute("revoke all on all tables in schema public from task_app")
        for privilege in grantable:
            superuser.execute(f"grant {privilege} to task_app".encode())
        asked = []
        for number, statement in enumerate(statements()):
            superuser.execute(f"prepare needed_{number} as {statement.sql}".encode())
            values = superuser.execute(
                "select cardinality(parameter_types) from pg_prepared_statements where name = %s",
                [f"needed_{number}"],
            ).fetchone()
            nulls = sql.SQL(", ").join([sql.NULL] * (values or (0,))[0])
            name = sql.Identifier(f"needed_{number}")
            asked.append(sql.SQL("explain execute {} ({})").format(name, nulls))
        asked += [sql.SQL("{}").format(sql.SQL(write)) for write in _WRITES]
        assert _all_may_run(superuser, asked), "with every privilege, nothing is refused"
        found = []
        for privilege in grantable:
            with superuser.transaction(force_rollback=True):
                superuser.execute(f"revoke {privilege} from task_app".encode())
                if not _all_may_run(superuser, asked):
                    found.append(privilege)
        for number in range(len(statements())):
            superuser.execute(sql.SQL("deallocate {}").format(sql.Identifier(f"needed_{number}")))
    return found


def _all_may_run(superuser: psycopg.Connection, asked: list[sql.Composed]) -> bool:
    try:
        with superuser.transaction(force_rollback=True):
            superuser.execute("set local role task_app")
            for explain in asked:
                superuser.execute(explain)
    except InsufficientPrivilege:
        return False
    return True


def write_needed(superuser: psycopg.Connection) -> None:
    """Record them."""
    NEEDED.write_text("".join(f"{privilege}\n" for privilege in needed(superuser)))
