"""What the server answers is what the document says, for every route and every status."""

import contextlib
import re
import time
from collections.abc import Iterator
from typing import Any, Final

import httpx2
import psycopg
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import TypeAdapter

from api.auth.authenticator import User
from api.http.problems import MEDIA_TYPE
from api.sync.tokens import Token
from api.tasks.schemas import Task
from tests.cluster import Cluster, TaskDatabase
from tests.isolation.guarded import NAMES
from tests.openapi import DOCUMENT
from tests.people import People, Person
from tests.rows import body_of, id_of, makes
from tests.server import people_of

COMPONENTS: Final[dict[str, Any]] = DOCUMENT["components"]
OPERATIONS: Final = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
REQUESTS: Final[dict[str, dict[str, Any]]] = {
    name: {"json": body_of(operation)}
    for name, (_, _, operation) in OPERATIONS.items()
    if "requestBody" in operation
} | {"deleteCompletedTasks": {"params": {"completed": "true"}}}
JSON: Final = {"Content-Type": "application/json"}
ONCE: Final = {"Idempotency-Key": "one-action"}
OF_ANOTHER: Final = {"Idempotency-Key": "another-action"}
# What can be done to a request, in this order; most routes do not mind most of it.
CHANGES: Final[dict[str, dict[str, Any]]] = {
    "an old version": {"headers": {"If-Match": '"0"'}},
    "a first try": {"headers": ONCE},
    "a second try": {"headers": ONCE},
    "a key of another request": {"headers": OF_ANOTHER},
    "nothing": {},
    "no token": {"headers": {"Authorization": ""}},
    "a body that is not JSON": {"content": b"{", "headers": JSON},
    "a body that is no object": {"json": 7},
    "a large body": {"json": [{"title": "x" * 2**20}]},
    "a text": {"content": b"Buy bread", "headers": {"Content-Type": "text/plain"}},
    "a query": {"params": {"colour": "red"}},
    "headers that say nothing": {
        "headers": {"If-Match": "3", "If-None-Match": "3", "Idempotency-Key": '""'}
    },
    "no new version": {"headers": {"If-None-Match": "*"}},
    "a count": {"headers": {"Prefer": "count=exact"}},
    "a count of nothing new": {"headers": {"Prefer": "count=exact", "If-None-Match": "*"}},
}
OF_HTTP: Final = {"connection", "date", "server", "content-type", "content-length"}
FORMATS: Final = FormatChecker()


@pytest.fixture(scope="module")
def alice_at_a_faulty_server(cluster: Cluster) -> Iterator[Person]:
    """Its role has lost what it needs: a fault of the deployment."""
    with cluster.database() as database, people_of(database) as people:
        with psycopg.connect(database.superuser) as connection:
            for number, table in enumerate(NAMES):
                connection.execute(f"alter table {table} rename to t_{number}".encode())
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


@pytest.fixture(scope="module")
def alice_who_asked_too_often(database: TaskDatabase) -> Iterator[Person]:
    """And may ask again tomorrow."""
    with people_of(database, rate_limit="1/day") as people:
        alice = people.person("alice")
        alice.lists()
        yield alice


@pytest.fixture(scope="module")
def alice_at_an_impatient_server(database: TaskDatabase) -> Iterator[Person]:
    with people_of(database, body_timeout=0.2) as people:
        yield people.person("alice")


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """This part of the document, or what it refers to."""
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    found: dict[str, Any] = COMPONENTS[kind][name]
    return found


def valid(value: Any, schema: dict[str, Any]) -> None:
    """Also without the members that a later version may have."""
    closed = {
        name: schema | ({"additionalProperties": False} if "properties" in schema else {})
        for name, schema in COMPONENTS["schemas"].items()
    }
    whole = schema | {"components": COMPONENTS | {"schemas": closed}}
    Draft202012Validator(whole, format_checker=FORMATS).validate(value)


def agrees(answer: httpx2.Response, operation: dict[str, Any]) -> tuple[str, set[str]]:
    """The answer's status, its headers and what is `told` by its problem, when the document says
    all that the answer is."""
    status = str(answer.status_code)
    assert status in operation["responses"], f"{status} is not documented: {answer.text}"
    documented = resolved(operation["responses"][status])
    headers = {name: resolved(header) for name, header in documented["headers"].items()}
    assert set(answer.headers) - OF_HTTP <= {name.lower() for name in headers}
    for name, header in headers.items():
        assert name in answer.headers or not header["required"], f"{name} is missing"
        if text := answer.headers.get(name):
            valid(int(text) if header["schema"]["type"] == "integer" else text, header["schema"])
    said = {name for name in headers if name in answer.headers}
    if "content" not in documented:
        assert answer.content == b""
        return status, said
    ((media_type, content),) = documented["content"].items()
    assert answer.headers["Content-Type"] == media_type
    valid(answer.json(), content["schema"])
    return status, said | (told(answer.json()) if media_type == MEDIA_TYPE else set())


def told(problem: dict[str, Any]) -> set[str]:
    """Which kind of problem it is, and whether it has the task as it is now."""
    return {problem["type"]} | ({"current"} & set(problem))


def documented(operation: dict[str, Any]) -> dict[str, set[str]]:
    """As `agrees` tells it, of all answers together."""
    found = {}
    for status, response in operation["responses"].items():
        response = resolved(response)
        examples = response.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
        problems = [told(example["value"]) for example in examples.values()]
        found[status] = set(response["headers"]).union(*problems)
    return found


def requested(person: Person, name: str, row_id: int, **change: Any) -> httpx2.Response:
    method, path, _ = OPERATIONS[name]
    request = REQUESTS.get(name, {}) | change
    if "content" in change:
        request.pop("json", None)
    return person.http.request(method, re.sub(r"{\w+}", str(row_id), path), **request)


def slowly() -> Iterator[bytes]:
    yield b"{"
    time.sleep(0.5)
    yield b"}"


@contextlib.contextmanager
def still_running(person: Person, database: TaskDatabase) -> Iterator[None]:
    """Another request of this person, with the key `ONCE`, has not come to its end."""
    with psycopg.connect(database.superuser) as connection:
        connection.execute(
            "insert into idempotency_key (user_id, key, fingerprint) values (%s, %s, '')",
            [person.id, ONCE["Idempotency-Key"]],
        )
        yield
        connection.rollback()


def of_sync(alice: Person, name: str) -> Iterator[httpx2.Response]:
    """What is answered to a uid that was used before, and to sync tokens."""
    task = {"title": "Buy milk", "uid": "7d1f3a52-c3a4-4a0e-9b8d-0a3f5f6c2b11"}
    if name in ("createTask", "createTasks"):
        body: Any = task if name == "createTask" else [task]
        key = {"Idempotency-Key": "made-offline"}
        yield requested(alice, name, 0, json=body)
        for _ in range(2):
            yield requested(alice, name, 0, json=body, headers=key)
        alice.http.delete(f"/api/tasks/{alice.lists(limit=1)[0]['id']}").raise_for_status()
        yield requested(alice, name, 0, json=body)
    if name == "listChanges":
        for since in ("x", Token(task["uid"], 0).text(User(alice.id))):
            yield requested(alice, name, 0, params={"since": since})


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_documented_and_every_documented_answer_is_given(
    name: str,
    people: People,
    database: TaskDatabase,
    alice_at_a_faulty_server: Person,
    alice_without_a_database: Person,
    alice_who_asked_too_often: Person,
    alice_at_an_impatient_server: Person,
) -> None:
    alice, bob = people.person("alice"), people.person("bob")
    _, path, operation = OPERATIONS[name]
    row_id, his = (
        id_of(makes(person, path)) if "security" in operation else 0 for person in (alice, bob)
    )
    alice.http.post("/api/tasks", json={"title": "Another"}, headers=OF_ANOTHER)
    answers = [requested(alice, name, row_id, **change) for change in CHANGES.values()]
    answers.append(requested(alice, name, 2**53 - 1))
    answers.append(requested(alice_at_a_faulty_server, name, 1))
    answers.append(requested(alice_without_a_database, name, 1))
    answers.append(requested(alice_who_asked_too_often, name, 1))
    answers.append(requested(alice_at_an_impatient_server, name, 1, content=slowly(), headers=JSON))
    with still_running(bob, database):
        answers.append(requested(bob, name, his, headers=ONCE))
    answers += of_sync(alice, name)
    given: dict[str, set[str]] = {}
    for answer in answers:
        status, said = agrees(answer, operation)
        given[status] = given.get(status, set()) | said
    assert given == documented(operation)


@pytest.mark.parametrize(
    "name",
    ["listTasks", "createTask", "createTasks", "getTask", "putTask", "updateTask", "completeTask"],
)
def test_a_task_is_what_the_model_says(name: str, alice: Person) -> None:
    answer = requested(alice, name, alice.creates(description="Two litres")["id"])
    assert answer.is_success
    several = isinstance(answer.json(), list)
    model: TypeAdapter[Any] = TypeAdapter(list[Task] if several else Task)
    validated = model.validate_json(answer.content, strict=True)
    sent = answer.json() if several else [answer.json()]
    assert [type(task) for task in (validated if several else [validated])] == [Task]
    assert [list(task) for task in sent] == [list(Task.model_fields)]


def test_the_server_serves_this_document(stranger: Person) -> None:
    answer = stranger.http.get("/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == DOCUMENT
