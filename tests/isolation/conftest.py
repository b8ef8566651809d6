"""Two people and the walls between them: both, the filters alone, the policies alone."""

from collections.abc import Iterator

import psycopg
import pytest

from api.settings import Settings
from tests.cluster import Cluster, TaskDatabase
from tests.people import SECRET, People
from tests.server import serving


@pytest.fixture(scope="session")
def unguarded(cluster: Cluster) -> Iterator[str]:
    """The address of an API whose database has row security switched off by the owner."""
    with cluster.database() as database:
        settings = Settings(database_url=database.task_app, better_auth_secret=SECRET)
        with serving(settings) as address:
            # after the start: with it off, the gate would not have let the server through
            with psycopg.connect(database.owner) as owner:
                owner.execute("alter table task disable row level security")
            with psycopg.connect(database.task_app) as task_app:
                (active,) = task_app.execute("select row_security_active('task')").fetchone() or ()
                assert active is False
            yield address


@pytest.fixture(params=["both walls", "the filters alone"])
def people(request: pytest.FixtureRequest) -> Iterator[People]:
    fixture = "server" if request.param == "both walls" else "unguarded"
    people = People(request.getfixturevalue(fixture))
    yield people
    people.leave()


@pytest.fixture
def task_app(database: TaskDatabase) -> Iterator[psycopg.Connection]:
    """A plain connection as the serving role: no filter but the policies."""
    with psycopg.connect(database.task_app) as connection:
        yield connection
        connection.rollback()
