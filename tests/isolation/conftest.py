"""Two people and the walls between them: both, the filters alone, the policies alone."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from api.database import guarded_tables
from api.settings import Settings
from tests.cluster import Cluster, TaskDatabase
from tests.people import SECRET, People
from tests.server import serving

Place = tuple[str, TaskDatabase]  # an API's address, and its database


def without_row_security(owner: psycopg.Connection) -> None:
    """The filters alone: no policy on any table of people's rows."""
    tables = guarded_tables.tables(owner)
    assert len(tables) >= 2
    for table in tables:
        disable = sql.SQL("alter table {} disable row level security")
        owner.execute(disable.format(sql.Identifier(table)))


@pytest.fixture(scope="session")
def unguarded(cluster: Cluster) -> Iterator[Place]:
    """An API whose database has row security switched off by the owner."""
    with cluster.database() as database:
        settings = Settings(database_url=database.task_app, better_auth_secret=SECRET)
        with serving(settings) as address:
            # after the start: with it off, the gate would not have let the server through
            with psycopg.connect(database.owner) as owner:
                without_row_security(owner)
            with psycopg.connect(database.task_app) as task_app:
                for table in guarded_tables.tables(task_app):
                    active = task_app.execute("select row_security_active(%s)", [table])
                    assert active.fetchone() == (False,)
            yield address, database


@pytest.fixture(params=["both walls", "the filters alone"])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "both walls":
        return request.getfixturevalue("server"), request.getfixturevalue("database")
    found: Place = request.getfixturevalue("unguarded")
    return found


@pytest.fixture
def people(place: Place) -> Iterator[People]:
    with People(place[0]) as people:
        yield people


@pytest.fixture
def as_superuser(place: Place) -> Iterator[psycopg.Connection]:
    """The one whom nothing binds, in the people's database."""
    with psycopg.connect(place[1].superuser, autocommit=True) as connection:
        yield connection


@pytest.fixture
def task_app(database: TaskDatabase) -> Iterator[psycopg.Connection]:
    """A plain connection as the serving role: no filter but the policies."""
    with psycopg.connect(database.task_app) as connection:
        yield connection
        connection.rollback()
