"""A PostgreSQL of a test's own. Each fault is a block: when it ends, what was broken is mended."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, LiteralString
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]
import psycopg
from psycopg import sql

from api.commands.embedded import postgres
from tests.cluster import Cluster, TaskDatabase
from tests.initialized import FOLLOWED, started
from tests.postgres import binaries, pg_ctl, run
from tests.scratch import scratch

_SOCKET: Final = ".s.PGSQL.5432"
_PASSWORD: Final = "local all task_app scram-sha-256\n"


@dataclass(frozen=True)
class Postgres:
    """A server that can be stopped, starved and cut off, and the migrated database in it."""

    folder: Path
    superuser: str  # of the database `postgres`, which no test breaks
    database: TaskDatabase

    @property
    def socket(self) -> Path:
        return self.folder / _SOCKET

    def runs(self, statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """The rows of this statement, run as the superuser in the migrated database."""
        with psycopg.connect(self.database.superuser, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    # away

    def stops(self, how: str = "fast") -> None:
        self._pg_ctl("stop", "-m", how)

    def starts(self) -> None:
        """Returns as soon as it takes connections."""
        self._pg_ctl("start", "-l", self.folder / "log", "-o", f"-h '' -k {self.folder}")

    @contextlib.contextmanager
    def away(self, how: str = "fast") -> Iterator[None]:
        """Stopped, `fast` or `immediate` (which is a crash)."""
        self.stops(how)
        try:
            yield
        finally:
            self.starts()

    @contextlib.contextmanager
    def deaf(self) -> Iterator[None]:
        """It takes connections, and says nothing."""
        pid = int((self.folder / "postmaster.pid").read_text().split()[0])
        postmaster = psutil.Process(pid)
        postmaster.suspend()
        everybody = [postmaster, *postmaster.children()]
        try:
            for process in everybody[1:]:
                process.suspend()
            yield
        finally:
            for process in everybody:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()

    # connections

    def kills_backends(self) -> int:
        """End every connection of task_app; how many there were."""
        killed = self.runs(
            "select pid, pg_terminate_backend(pid) from pg_stat_activity where usename = 'task_app'"
        )
        pids = [pid for pid, _ in killed]
        living = "select 1 from pg_stat_activity where pid = any(%s)"
        eventually(lambda: not self.runs(living, pids))
        return len(pids)

    def kills_one_backend(self) -> int:
        """End one that is at work if there is any; how many that were."""
        rows = self.runs(
            "select pg_terminate_backend(pid) from (select pid from pg_stat_activity"
            " where usename = 'task_app' order by state = 'idle', random() limit 1) one"
        )
        return len(rows)

    def backends(self) -> int:
        """How many connections task_app has."""
        ((number,),) = self.runs("select count(*) from pg_stat_activity where usename = 'task_app'")
        return int(number)

    @contextlib.contextmanager
    def crowded(self, limit: int) -> Iterator[None]:
        """No more connections than this for task_app."""
        with self._role("connection limit", limit, -1):
            yield

    @contextlib.contextmanager
    def closed(self) -> Iterator[None]:
        """task_app may not connect."""
        self.runs("alter role task_app nologin")
        try:
            yield
        finally:
            self.runs("alter role task_app login")

    @contextlib.contextmanager
    def asking_for_passwords(self, password: str) -> Iterator[str]:
        """task_app needs this one. Yields the URL with it."""
        rules = self.folder / "pg_hba.conf"
        before = rules.read_text()
        self.changes_password(password)
        parts = urlsplit(self.database.task_app)
        try:
            rules.write_text(_PASSWORD + before)
            self._reloads(lambda: not self._lets_in(self.database.task_app))
            yield parts._replace(netloc=f"task_app:{password}@").geturl()
        finally:
            rules.write_text(before)
            self._reloads(lambda: self._lets_in(self.database.task_app))

    def changes_password(self, password: str) -> None:
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            statement = sql.SQL("alter role task_app password {}").format(sql.Literal(password))
            connection.execute(statement)

    # what it can do

    @contextlib.contextmanager
    def read_only(self) -> Iterator[None]:
        """Nobody can write, as on a standby."""
        self._sets_read_only("on")
        try:
            yield
        finally:
            self._sets_read_only("off")

    @contextlib.contextmanager
    def waiting_for(self, timeout: str, *, statement: str | None = None) -> Iterator[None]:
        """How long task_app waits for a lock, and for a statement, on new connections."""
        with (
            self._role("set lock_timeout =", timeout, "2s"),
            self._role("set statement_timeout =", statement or timeout, "5s"),
        ):
            yield

    @contextlib.contextmanager
    def small_disk(self) -> Iterator[Path | None]:
        """Tasks are kept on a disk of half a megabyte; None where nobody may mount one."""
        with _mounted("512k", self.folder.stat()) as disk:
            if disk is None:
                yield None
                return
            self.runs("truncate task")
            try:
                with psycopg.connect(self.superuser, autocommit=True) as connection:
                    place = sql.Literal(str(disk))
                    connection.execute(sql.SQL("create tablespace small location {}").format(place))
                self.runs("alter table task set tablespace small")
                yield disk
            finally:
                self.runs("alter table task set tablespace pg_default")
                self.runs("checkpoint")  # what was moved is deleted with it
                self.runs("drop tablespace small")
                self.runs("checkpoint")  # after a crash nobody looks for it

    # another server beside it

    @contextlib.contextmanager
    def standby(self) -> Iterator["Postgres"]:
        """A second server that follows this one, and takes no writes until it is promoted."""
        with scratch() as parent:
            owner = self.folder.stat()
            os.chown(parent, owner.st_uid, owner.st_gid)
            parent.chmod(0o711)
            folder = parent / "standby"
            host = ("-h", self.folder, "-U", "postgres")
            run(binaries() / "pg_basebackup", *host, "-D", folder, "-R", "-c", "fast")
            (folder / f"{_SOCKET}.lock").unlink()  # it came along
            with postgres(folder, binaries()) as url:
                name = urlsplit(self.database.superuser).path[1:]
                cluster = Cluster(url)
                roles = ("postgres", "task_owner", "task_app")
                yield Postgres(folder, url, TaskDatabase(*(cluster.url(r, name) for r in roles)))

    def is_promoted(self) -> None:
        """The standby takes writes from now on."""
        self._pg_ctl("promote")

    def _pg_ctl(self, *arguments: str | Path) -> None:
        pg_ctl(binaries(), self.folder, *arguments)

    @contextlib.contextmanager
    def _role(self, what: LiteralString, given: object, before: object) -> Iterator[None]:
        statement = sql.SQL("alter role task_app {} {}")
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            connection.execute(statement.format(sql.SQL(what), sql.Literal(given)))
            try:
                yield
            finally:
                connection.execute(statement.format(sql.SQL(what), sql.Literal(before)))

    def _sets_read_only(self, value: LiteralString) -> None:
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            statement = sql.SQL("alter system set default_transaction_read_only = {}")
            connection.execute(statement.format(sql.SQL(value)))
        self._reloads(lambda: self.runs("show default_transaction_read_only") == [(value,)])

    def _reloads(self, is_done: Callable[[], bool]) -> None:
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            connection.execute("select pg_reload_conf()")
        eventually(is_done)

    @staticmethod
    def _lets_in(url: str) -> bool:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            return False
        return True


class Address:
    """A host that an operator points at one server or another."""

    def __init__(self, folder: Path, postgres: Postgres) -> None:
        self._folder = folder
        self.points_at(postgres)
        self.task_app = _elsewhere(postgres.database.task_app, folder)

    def points_at(self, postgres: Postgres) -> None:
        new = self._folder / "new"
        new.symlink_to(postgres.socket)
        new.rename(self._folder / _SOCKET)


def eventually(is_so: Callable[[], bool], within: float = 5) -> None:
    """Returns as soon as it is so; fails when it is not within so many seconds."""
    deadline = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


@contextlib.contextmanager
def postgres_of_its_own() -> Iterator[Postgres]:
    with scratch() as parent:
        folder = parent / "postgres"
        with started(folder, FOLLOWED) as cluster, cluster.database() as database:
            yield Postgres(folder, cluster.superuser, database)


@contextlib.contextmanager
def address(postgres: Postgres) -> Iterator[Address]:
    with scratch() as folder:
        yield Address(folder, postgres)


@contextlib.contextmanager
def _mounted(size: str, owner: os.stat_result) -> Iterator[Path | None]:
    """A disk of this size; None where nobody may mount one."""
    with scratch() as parent:
        parent.chmod(0o711)
        disk = parent / "disk"
        disk.mkdir()
        options = f"size={size},uid={owner.st_uid},gid={owner.st_gid},mode=0700"
        mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
        try:
            subprocess.run(mount, capture_output=True, check=True)
        except (FileNotFoundError, subprocess.CalledProcessError):
            yield None
            return
        try:
            yield disk
        finally:
            subprocess.run(["umount", "--lazy", disk], check=True)


def _elsewhere(url: str, folder: Path) -> str:
    return urlsplit(url)._replace(query=f"host={folder}").geturl()
