"""A PostgreSQL of the suite's own, and databases in it, made the way an operator makes them."""

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

import psycopg
from pytest_postgresql.janitor import DatabaseJanitor

from api.migrate import migrate

# The owner may make roles and is no superuser, as on any managed PostgreSQL.
OWNER: Final = "task_owner"

_numbers = itertools.count(1)


@dataclass(frozen=True)
class TaskDatabase:
    """One migrated database, by the URLs of those who may connect to it."""

    superuser: str
    owner: str
    task_app: str


@dataclass(frozen=True)
class Cluster:
    """The server, by the URL of its superuser."""

    superuser: str

    def url(self, role: str, database: str) -> str:
        parts = urlsplit(self.superuser)
        return parts._replace(netloc=f"{role}@", path=f"/{database}").geturl()

    @contextlib.contextmanager
    def empty_database(self) -> Iterator[TaskDatabase]:
        """A database that the owner owns and has not migrated yet."""
        name = f"tasks_{next(_numbers)}"
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            connection.execute(
                f"do $$ begin create role {OWNER} login createrole nosuperuser;"
                " exception when duplicate_object then null; end $$"
            )
        (socket_directory,) = parse_qs(urlsplit(self.superuser).query)["host"]
        janitor = DatabaseJanitor(user="postgres", host=socket_directory, port=5432, dbname=name)
        with janitor:
            with psycopg.connect(self.superuser, autocommit=True) as connection:
                connection.execute(f"alter database {name} owner to {OWNER}")
            yield TaskDatabase(
                superuser=self.url("postgres", name),
                owner=self.url(OWNER, name),
                task_app=self.url("task_app", name),
            )

    @contextlib.contextmanager
    def database(self) -> Iterator[TaskDatabase]:
        """A database that the owner has migrated."""
        with self.empty_database() as database:
            migrate(database.owner)
            yield database
