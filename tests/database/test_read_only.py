"""A database that takes no writes, as a replica does: people are asked to come back."""

import psycopg

from tests.cluster import TaskDatabase
from tests.server import people_of


def test_a_database_that_takes_no_writes_is_no_fault_of_the_server(
    own_database: TaskDatabase,
) -> None:
    with psycopg.connect(own_database.superuser, autocommit=True) as superuser:
        name = superuser.info.dbname
        superuser.execute(f"alter database {name} set default_transaction_read_only = on".encode())
    with people_of(own_database) as people:
        alice = people.person("alice")
        assert alice.lists() == []
        answer = alice.http.post("/api/tasks", json={"title": "Buy milk"})
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
