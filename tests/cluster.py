"""A PostgreSQL cluster for the suite, with databases created and migrated as an operator does."""

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from pytest_postgresql.janitor import DatabaseJanitor

from api.commands.migrate import migrate

# The owner may make roles and is no superuser, as on any managed PostgreSQL.
OWNER: Final = "task_owner"

_numbers = itertools.count(1)


def with_query(url: str, query: str) -> str:
    """The URL, with these parameters as well."""
    return f"{url}{'&' if '?' in url else '?'}{query}" if query else url


@dataclass(frozen=True)
class TaskDatabase:
    """One migrated database, by the URLs of those who may connect to it."""

    superuser: str
    owner: str
    task_app: str

    @property
    def direct(self) -> str:
        """task_app's, with no pooler in between."""
        return self.of("task_app")

    def of(self, role: str) -> str:
        """Another role's, who has been given the password that everybody has."""
        return self.owner.replace(OWNER, role, 1)

    @contextlib.contextmanager
    def shut(self) -> Iterator[None]:
        """Nobody is, or can be, connected as task_app until the block ends."""
        with psycopg.connect(self.superuser, autocommit=True) as superuser:
            superuser.execute("alter role task_app nologin")
            try:
                superuser.execute(
                    "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                    " where usename = 'task_app' and datname = current_database()"
                )
                yield
            finally:
                superuser.execute("alter role task_app login")

    @property
    def password(self) -> str:
        """The password that everybody has, if any, as SQL writes it."""
        return sql.Literal(unquote(urlsplit(self.owner).password or "")).as_string()


@dataclass(frozen=True)
class Cluster:
    """The server, by the URL of a superuser; his password, if there is one, is everybody's."""

    superuser: str
    pooler: str | None = None  # the URL by which task_app connects, if not the same way

    def url(self, role: str, database: str) -> str:
        """`role` may come with a password of its own."""
        at = self.pooler if self.pooler and role == "task_app" else self.superuser
        parts = urlsplit(at)
        login = f"{role}:{self._password}" if self._password and ":" not in role else role
        host = parts.netloc.rpartition("@")[2]
        return parts._replace(netloc=f"{login}@{host}", path=f"/{database}").geturl()

    @property
    def _password(self) -> str:
        return urlsplit(self.superuser).password or ""

    @contextlib.contextmanager
    def empty_database(self) -> Iterator[TaskDatabase]:
        """A database that the owner owns and has not migrated yet."""
        name = f"tasks_{next(_numbers)}"
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            connection.execute(
                f"do $$ begin create role {OWNER} login createrole nosuperuser;"
                " exception when duplicate_object then null; end $$"
            )
            if self._password:
                password = sql.Literal(unquote(self._password))
                connection.execute(sql.SQL("alter role task_owner password {}").format(password))
            # the janitor would have it written to the log page by page; so its files are copied
            connection.execute(f"create database {name} owner {OWNER} strategy file_copy")
        there = conninfo_to_dict(self.superuser)
        janitor = DatabaseJanitor(
            user=str(there["user"]),
            password=unquote(self._password),
            host=str(there["host"]),
            port=int(there.get("port") or 5432),
            dbname=name,
        )
        try:
            yield TaskDatabase(
                superuser=urlsplit(self.superuser)._replace(path=f"/{name}").geturl(),
                owner=self.url(OWNER, name),
                task_app=self.url("task_app", name),
            )
        finally:
            janitor.drop()

    @contextlib.contextmanager
    def database(self) -> Iterator[TaskDatabase]:
        """A database that the owner has migrated."""
        with self.empty_database() as database:
            migrate(database.owner, unquote(self._password) or None)
            yield database
