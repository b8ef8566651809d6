"""The door to the database stays shut for a role that could see past the policies."""

from collections.abc import Iterator

import psycopg
import pytest

from api.database.gate import RowSecurityInactive
from api.database.session import Database
from api.settings import DatabaseSettings
from tests.cluster import TaskDatabase

pytestmark = pytest.mark.anyio


async def test_it_opens_for_task_app(database: TaskDatabase) -> None:
    async with Database.connect(DatabaseSettings(database_url=database.task_app)) as door:
        await door.check_row_security()


async def test_it_does_not_open_for_a_superuser(database: TaskDatabase) -> None:
    with pytest.raises(RowSecurityInactive):
        async with Database.connect(DatabaseSettings(database_url=database.superuser)):
            pytest.fail("it opened")


@pytest.fixture(params=["superuser", "bypassrls"])
def member(request: pytest.FixtureRequest, database: TaskDatabase) -> Iterator[str]:
    """A role that inherits nothing, and can become one whom no policy binds by SET ROLE."""
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        connection.execute(f"create role all_powerful nologin {request.param}")
        connection.execute(f"create role doorman login noinherit password {database.password}")
        connection.execute("grant all_powerful to doorman")
        connection.execute("grant select on task to doorman")
        yield database.of("doorman")
        connection.execute("drop owned by doorman")
        connection.execute("drop role doorman, all_powerful")


async def test_it_does_not_open_for_one_who_could_become_such(member: str) -> None:
    with pytest.raises(RowSecurityInactive, match="can become all_powerful"):
        async with Database.connect(DatabaseSettings(database_url=member)):
            pytest.fail("it opened")
