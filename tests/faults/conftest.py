"""A PostgreSQL for each file, which its tests break and mend, and an API that makes do with it."""

from collections.abc import Iterator

import pytest

from api.settings import Settings
from api.tasks import pagination, queries
from api.tasks.schemas import MAX_PAGE
from tests.faults.cluster import Postgres, postgres_of_its_own
from tests.faults.wire import Wire, wire
from tests.people import SECRET, People, Person
from tests.server import serving

POOL_TIMEOUT = 1.0
REQUEST_TIMEOUT = 2.5


@pytest.fixture(scope="module")
def postgres(_clean_environment: None) -> Iterator[Postgres]:
    with postgres_of_its_own() as postgres:
        yield postgres


@pytest.fixture
def settings(postgres: Postgres) -> Settings:
    return Settings(
        database_url=postgres.database.task_app,
        better_auth_secret=SECRET,
        pool_timeout=POOL_TIMEOUT,
        request_timeout=REQUEST_TIMEOUT,
    )


@pytest.fixture(autouse=True)
def _pages_of_any_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers that are longer than what the kernel takes of one: lists of many megabytes."""
    monkeypatch.setattr(pagination, "MAX_PAGE_BYTES", 2**40)
    monkeypatch.setattr(queries, "SHORT_PAGE", MAX_PAGE)


@pytest.fixture
def people(settings: Settings) -> Iterator[People]:
    """The people of an API of the test's own."""
    with serving(settings) as address, People(address) as people:
        yield people


@pytest.fixture
def balancer(people: People) -> Person:
    """Asks for /readyz, and sends people elsewhere."""
    return people.stranger()


@pytest.fixture
def to_postgres(postgres: Postgres) -> Iterator[Wire]:
    """A wire to it, for an API of the test's own."""
    with wire(postgres) as made:
        yield made


@pytest.fixture
def patient(postgres: Postgres) -> Iterator[None]:
    """Who waits for a lock waits for as long as a test likes."""
    with postgres.waiting_for("30s"):
        yield
