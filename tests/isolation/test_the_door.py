"""The door to the database stays shut for a role that could see past the policies."""

import pytest

from api.db import Database, RowSecurityInactive
from tests.cluster import TaskDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_it_opens_for_task_app(database: TaskDatabase) -> None:
    async with Database.connect(database.task_app) as door:
        await door.ping()


async def test_it_does_not_open_for_a_superuser(database: TaskDatabase) -> None:
    with pytest.raises(RowSecurityInactive):
        async with Database.connect(database.superuser):
            pytest.fail("it opened")
