"""Connections beside the API's: the one whom nothing binds, and writers as the serving role."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.cluster import TaskDatabase


@pytest.fixture
def as_superuser(database: TaskDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        yield connection
