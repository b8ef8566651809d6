"""yoyo: what api/commands/migrate.py needs of its backend."""

from pathlib import Path
from typing import Any

import psycopg
import yoyo
from psycopg.conninfo import conninfo_to_dict
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI

from tests.cluster import TaskDatabase


class Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]
    """Notes its connections."""

    made: list[psycopg.Connection]

    def init_connection(self, connection: Any) -> None:
        self.made = [*getattr(self, "made", []), connection]
        connection.execute("set statement_timeout = '7s'")


def test_a_backend_still_tells_of_each_connection_and_takes_libpqs_parameters(
    own_database: TaskDatabase, tmp_path: Path
) -> None:
    (tmp_path / "0001.create-note.sql").write_text(
        "create table note as select current_setting('statement_timeout') as timeout"
    )
    names = ("scheme", "username", "password", "hostname", "port", "database")
    parameters = conninfo_to_dict(own_database.owner, application_name="yoyo's")
    backend = Backend(
        DatabaseURI(**dict.fromkeys(names), args=parameters), yoyo.default_migration_table
    )
    backend.init_database()
    pending = backend.to_apply(yoyo.read_migrations(str(tmp_path)))
    assert [migration.id for migration in pending] == ["0001.create-note"]
    backend.apply_migrations(pending)
    assert backend.connection in backend.made
    backend.connection.close()

    with psycopg.connect(own_database.owner) as connection:
        assert connection.execute("select timeout from note").fetchall() == [("7s",)]
        applied = connection.execute("select migration_id from public._yoyo_migration").fetchall()
        assert ("0001.create-note",) in applied
        assert connection.execute("select to_regclass('public.yoyo_lock')").fetchone() != (None,)
    assert parameters["application_name"] == "yoyo's"
