"""`count`, `export` and `erase` reach one person's rows, whichever wall is gone."""

import json

import psycopg
import pytest

from api.auth.authenticator import named_by_operator
from api.commands.personal_data import count, erase, export
from api.database.session import Database
from api.settings import DatabaseSettings
from tests.cluster import TaskDatabase
from tests.isolation.conftest import without_row_security
from tests.isolation.guarded import TABLES

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("walls", ["both walls", "the filters alone"])
async def test_of_two_people_it_reaches_one(own_database: TaskDatabase, walls: str) -> None:
    with psycopg.connect(own_database.superuser, autocommit=True) as connection:
        for table in TABLES:
            table.given(connection, "alice")
            table.given(connection, "bob")
        alice = named_by_operator("alice")
        async with Database.connect(DatabaseSettings(database_url=own_database.task_app)) as door:
            # after the start: with it off, the gate would not have let anybody through
            if walls == "the filters alone":
                without_row_security(connection)
            lines = b"".join([page async for page in export(door, alice)]).splitlines()
            assert len(lines) == len(TABLES)
            assert b"bob" not in b"".join(lines)
            assert json.loads(lines[0])["task"]["user_id"] == "alice"

            assert [*(await count(door, alice)).values()] == [1] * len(TABLES)
            # the task leaves another tombstone
            assert sorted((await erase(door, alice)).values()) == [1, 1, 1, 2]
        for table in TABLES:
            left = connection.execute(table.sql("select user_id from {table}")).fetchall()
            assert left == [("bob",)]
