"""Nobody's statement looks through anybody else's rows to find its own."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from api import queries
from api.statement import Statement
from tests.cluster import Cluster, TaskDatabase
from tests.plans import plan

_DONE = {"completed": True}
STATEMENTS: dict[str, tuple[Statement, dict[str, Any]]] = {
    "list": (queries.LIST, {"limit": 20, "offset": 0}),
    "list those completed": (queries.LIST_BY_COMPLETED, {"limit": 20, "offset": 0} | _DONE),
    "get": (queries.GET, {"id": 1_000}),
    "complete": (queries.COMPLETE, {"id": 1_000} | _DONE),
    "update": (
        queries.UPDATE,
        {"id": 1_000, "title": "Buy bread", "description": None, "has_description": True} | _DONE,
    ),
    "delete": (queries.DELETE, {"id": 1_000}),
}


def filled(database: TaskDatabase) -> TaskDatabase:
    """Five hundred people with forty tasks each, in turn, so that every page is everybody's."""
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        connection.execute(
            "insert into task (user_id, title, completed)"
            " select 'user-' || n % 500, 'Buy milk', n / 500 % 2 = 0"
            "   from generate_series(1, 20000) as n"
        )
        connection.execute("vacuum analyze task")
    return database


@pytest.fixture(scope="module")
def crowd(cluster: Cluster) -> Iterator[TaskDatabase]:
    with cluster.database() as database:
        yield filled(database)


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_goes_to_its_persons_rows_and_to_no_others(
    crowd: TaskDatabase, name: str
) -> None:
    statement, values = STATEMENTS[name]
    found = plan(crowd.task_app, "user-0", statement, values)
    assert found.entries
    assert all("user_id = " in entry for entry in found.entries), found.entries
    assert found.removed == 0


def test_what_goes_through_all_rows_would_be_seen(own_database: TaskDatabase) -> None:
    with psycopg.connect(filled(own_database).superuser, autocommit=True) as connection:
        connection.execute("alter table task drop constraint task_pkey")
        connection.execute("drop index task_user_id_completed_id")
    found = plan(own_database.task_app, "user-0", *STATEMENTS["get"])
    assert found.entries == ["Seq Scan"]
    assert found.removed > 10_000
