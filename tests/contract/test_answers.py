"""What the server answers is what the document says, for every route and every status."""

import contextlib
from collections.abc import Iterator
from typing import Any, Final

import httpx2
import psycopg
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import TypeAdapter

from api.main import create_app
from api.schemas import TaskRead
from api.settings import Settings
from tests.cluster import Cluster, TaskDatabase
from tests.people import SECRET, People, Person
from tests.server import serving

NOWHERE: Final = "postgresql://task_app@nowhere.invalid/tasks"
DOCUMENT: Final = create_app(Settings(database_url=NOWHERE, better_auth_secret=SECRET)).openapi()
OPERATIONS: Final = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
BODIES: Final[dict[str, dict[str, Any]]] = {
    "createTask": {"title": "Buy bread"},
    "putTask": {"title": "Buy bread"},
    "updateTask": {"description": None},
    "completeTask": {},
}
# What can be done to a request; most routes do not mind most of it.
CHANGES: Final[dict[str, dict[str, Any]]] = {
    "nothing": {},
    "no token": {"headers": {"Authorization": ""}},
    "a body that is not JSON": {"content": b"{", "headers": {"Content-Type": "application/json"}},
    "a body that is no object": {"json": []},
    "a large body": {"json": {"title": "x" * 70_000}},
    "a text": {"content": b"Buy bread", "headers": {"Content-Type": "text/plain"}},
    "a query": {"params": {"colour": "red"}},
}


@contextlib.contextmanager
def people_of(database: TaskDatabase) -> Iterator[People]:
    with serving(Settings(database_url=database.task_app, better_auth_secret=SECRET)) as address:
        people = People(address)
        yield people
        people.leave()


@pytest.fixture(scope="module")
def alice_at_a_faulty_server(cluster: Cluster) -> Iterator[Person]:
    """Its role has lost what it needs: a fault of the deployment."""
    with cluster.database() as database, people_of(database) as people:
        with psycopg.connect(database.superuser) as connection:
            connection.execute("alter table task rename to t")
            connection.execute("revoke select on pg_catalog.pg_roles from public")
        yield people.person("alice")


@pytest.fixture(scope="module")
def alice_without_a_database(cluster: Cluster) -> Iterator[Person]:
    """Its database was dropped."""
    with cluster.database() as database, people_of(database) as people:
        with psycopg.connect(cluster.superuser, autocommit=True) as connection:
            name = database.task_app.partition("?")[0].rpartition("/")[2]
            connection.execute(f"drop database {name} with (force)".encode())
        yield people.person("alice")


def agrees(answer: httpx2.Response, operation: dict[str, Any]) -> int:
    """The answer's status, when the operation's document says all that the answer is."""
    documented = operation["responses"].get(str(answer.status_code))
    assert documented, f"{answer.status_code} is not documented: {answer.text}"
    for name in documented.get("headers", {}):
        assert name == "Link" or name in answer.headers
    if "content" not in documented:
        assert answer.content == b""
        return answer.status_code
    ((media_type, content),) = documented["content"].items()
    assert answer.headers["Content-Type"] == media_type
    schema = {**content["schema"], "components": DOCUMENT["components"]}
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(answer.json())
    return answer.status_code


def requested(person: Person, name: str, task_id: int, **change: Any) -> httpx2.Response:
    method, path, _ = OPERATIONS[name]
    body = {} if "content" in change else {"json": BODIES.get(name)}
    return person.http.request(method, path.format(task_id=task_id), **(body | change))


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_documented_and_every_documented_answer_is_given(
    name: str, alice: Person, alice_at_a_faulty_server: Person, alice_without_a_database: Person
) -> None:
    operation = OPERATIONS[name][2]
    given = {
        agrees(requested(alice, name, alice.creates()["id"], **change), operation)
        for change in CHANGES.values()
    }
    given.add(agrees(requested(alice, name, 2**53 - 1), operation))
    given.add(agrees(requested(alice_at_a_faulty_server, name, 1), operation))
    given.add(agrees(requested(alice_without_a_database, name, 1), operation))
    assert given == {int(status) for status in operation["responses"]}


@pytest.mark.parametrize(
    "name", ["listTasks", "createTask", "getTask", "putTask", "updateTask", "completeTask"]
)
def test_a_task_is_what_the_model_says(name: str, alice: Person) -> None:
    answer = requested(alice, name, alice.creates(description="Two litres")["id"])
    assert answer.is_success
    model: TypeAdapter[Any] = TypeAdapter(list[TaskRead] if name == "listTasks" else TaskRead)
    validated = model.validate_json(answer.content, strict=True)
    tasks = validated if name == "listTasks" else [validated]
    assert [type(task) for task in tasks] == [TaskRead]
    sent = answer.json() if name == "listTasks" else [answer.json()]
    assert [list(task) for task in sent] == [list(TaskRead.model_fields)]


def test_the_next_page_is_documented_and_named(alice: Person) -> None:
    alice.creates()
    alice.creates()
    answer = alice.http.get("/api/tasks", params={"limit": 1})
    assert "Link" in answer.headers
    assert agrees(answer, OPERATIONS["listTasks"][2]) == 200


def test_the_server_serves_this_document(stranger: Person) -> None:
    answer = stranger.http.get("/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == DOCUMENT
