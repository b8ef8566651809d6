"""Alive and ready: what a balancer asks, and what people meet while the database is away."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from api.commands.migrate import migrate
from api.http import readiness
from tests.cluster import Cluster, TaskDatabase
from tests.faults.cluster import eventually
from tests.people import People, Person
from tests.problems import problem
from tests.server import people_of

FRONT_END = "https://app.example.com"
# the second argument: wait for it to be so, a second at most
DISCONNECT = "select pg_terminate_backend(pid, 1000) from pg_stat_activity where datname = '{}'"


@pytest.fixture
def own_people(own_database: TaskDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[People]:
    """The people of an API whose database a test may break, and which is looked at each time."""
    monkeypatch.setattr(readiness, "MAX_AGE", 0)
    with people_of(own_database, cors_origins=FRONT_END) as people:
        yield people


@pytest.fixture
def operator(cluster: Cluster, own_database: TaskDatabase) -> Iterator[Callable[[str], None]]:
    """Runs SQL as the superuser, outside the test's own database; `{}` is that one's name."""
    name = own_database.task_app.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(cluster.superuser, autocommit=True) as connection:

        def run(sql: str) -> None:
            connection.execute(sql.format(name).encode())

        yield run


def test_a_healthy_server_is_alive_and_ready_to_anybody(stranger: Person) -> None:
    for address in ("/livez", "/readyz"):
        answer = stranger.http.get(address)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("gone", "back"),
    [
        pytest.param(
            "alter database {} allow_connections false",
            "alter database {} allow_connections true",
            id="closed to everybody",
        ),
        pytest.param(
            "alter role task_app nologin", "alter role task_app login", id="closed to task_app"
        ),
    ],
)
def test_while_the_database_is_away_people_are_asked_to_come_back(
    own_people: People, operator: Callable[[str], None], gone: str, back: str
) -> None:
    alice, balancer = own_people.person("alice"), own_people.stranger()
    task = alice.creates()

    operator(gone)
    operator(DISCONNECT)
    try:
        for answer in (
            balancer.http.get("/readyz", headers={"Origin": FRONT_END}),
            alice.http.get("/api/tasks", headers={"Origin": FRONT_END}),
            alice.http.post("/api/tasks", json={"title": "x"}, headers={"Origin": FRONT_END}),
        ):
            problem(answer, 503, "unavailable")
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.headers["Access-Control-Allow-Origin"] == FRONT_END
        assert balancer.http.get("/livez").status_code == 200
    finally:
        operator(back)

    # at once, unless a pooler that was turned away takes a moment to try again
    eventually(lambda: balancer.http.get("/readyz").status_code == 200)
    assert alice.lists() == [task]


def test_a_connection_that_broke_in_the_meantime_is_not_noticed(
    own_people: People, operator: Callable[[str], None]
) -> None:
    alice = own_people.person("alice")
    task = alice.creates()
    for _ in range(3):
        operator(DISCONNECT)
        assert alice.lists() == [task]


@pytest.mark.evidence("readyz-guards", "not-migrated")
@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        pytest.param("alter table task disable row level security", "", id="row security is off"),
        pytest.param("alter table task rename to t", "alter table t rename to task", id="no table"),
        pytest.param("revoke select on task from task_app", "", id="no access"),
        pytest.param(
            "alter table task owner to task_app; alter table task no force row level security",
            "alter table task owner to task_owner",
            id="the server owns it",
        ),
    ],
)
def test_a_server_that_cannot_keep_people_apart_is_not_ready_until_the_owner_migrates(
    own_people: People, own_database: TaskDatabase, broken: str, mended: str
) -> None:
    balancer = own_people.stranger()
    with psycopg.connect(own_database.superuser, autocommit=True) as connection:
        assert balancer.http.get("/readyz").status_code == 200
        connection.execute(broken.encode())
        answer = balancer.http.get("/readyz")
        problem(answer, 503, "unavailable")
        assert "Retry-After" in answer.headers
        assert balancer.http.get("/livez").status_code == 200
        connection.execute(mended.encode())
    migrate(own_database.owner)
    assert balancer.http.get("/readyz").status_code == 200
