"""A request is told from another by what the client sent: across versions, and with dates in it."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

import psycopg
import pytest
from fastapi import Response
from pydantic import AwareDatetime, BaseModel, Field

from api.auth.authenticator import User
from api.database.session import Database
from api.http.problems import Failure, Kind
from api.idempotency.replay import fingerprint, once
from api.settings import DatabaseSettings
from api.tasks.schemas import TaskCreate
from tests.cluster import TaskDatabase
from tests.people import Person
from tests.problems import problem

DATE: Final = datetime(2026, 11, 21, 8, tzinfo=UTC)


class Before(BaseModel):
    """A body of some version."""

    title: str
    completed: bool = False


class After(Before):
    """The same body of a later version."""

    due_note: str | None = None
    priority: int = 3
    due_at: AwareDatetime | None = None
    seen_at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    labels: list[str] = []


@pytest.fixture
async def door(database: TaskDatabase) -> AsyncIterator[Database]:
    async with Database.connect(DatabaseSettings(database_url=database.task_app)) as door:
        yield door


async def sends(door: Database, key: str, request: Sequence[object]) -> Response:
    """Alice's request with this key, answered with its fingerprint unless it was sent before."""

    async def effect() -> Response:
        return Response(fingerprint(request), 201)

    return await door.run(
        User("alice-of-fingerprints"), lambda tx: once(tx, key, request, effect), reads=False
    )


BODIES: Final[dict[str, dict[str, Any]]] = {
    "members left out": {"title": "Buy milk"},
    "all members": {"title": "Buy milk", "completed": True},
    "a default, written out": {"title": "Buy milk", "completed": False},
}


@pytest.mark.anyio
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("several", [False, True], ids=["one", "several"])
async def test_a_retry_after_a_version_that_added_members_is_a_replay(
    door: Database, body: dict[str, Any], several: bool
) -> None:
    key = f"{body} {several}"
    then, now = (
        ["create", [model(**body)] * 2 if several else model(**body)] for model in (Before, After)
    )
    first = await sends(door, key, then)
    again = await sends(door, key, now)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.body) == (first.status_code, first.body)


@pytest.mark.anyio
async def test_a_request_that_gives_the_new_member_a_value_is_another(door: Database) -> None:
    await sends(door, "of another", ["create", Before(title="x")])
    for members in ({"due_note": ""}, {"priority": 4}, {"due_at": DATE}, {"labels": ["a"]}):
        with pytest.raises(Failure) as refusal:
            await sends(door, "of another", ["create", After(title="x", **members)])
        assert refusal.value.kind is Kind.IDEMPOTENCY_KEY_REUSED


def test_requests_with_dates_have_fingerprints_wherever_the_dates_are() -> None:
    def with_date(date: datetime) -> list[list[object]]:
        changes = {"due_at": date}  # as a TypedDict is
        return [["update", 7, changes], ["create", After(title="x", due_at=date)], [date]]

    sent = [*with_date(DATE), *with_date(DATE.replace(microsecond=1))]
    assert len({fingerprint(request) for request in sent}) == len(sent)
    assert [*map(fingerprint, with_date(DATE))] == [*map(fingerprint, sent[:3])]


def test_a_fingerprint_is_the_digest_of_canonical_json() -> None:
    said = b'["create",{"completed":true,"title":"Buy \\u00e9clairs"},7,{"a":1,"b":1.0}]'
    request = ["create", After(completed=True, title="Buy éclairs"), 7, {"b": 1.0, "a": 1}]
    assert fingerprint(request) == sha256(said).hexdigest()


def with_defaults(**members: Any) -> dict[str, Any]:
    return TaskCreate(**members).model_dump()


# Requests, and what was taken for them when defaults counted.
STORED: Final[list[tuple[str, Any, Any]]] = [
    (
        "/api/tasks",
        {"title": "Buy éclairs"},
        ["create", with_defaults(title="Buy éclairs")],
    ),
    (
        "/api/tasks/bulk",
        [{"title": "x", "completed": True}],
        ["create", [with_defaults(title="x", completed=True)]],
    ),
    ("/api/tasks/{}/complete", None, ["complete", "{}", {}]),
    ("/api/tasks/{}/complete", {"completed": True}, ["complete", "{}", {"completed": True}]),
]


@pytest.mark.parametrize(("address", "body", "stored"), STORED)
def test_what_was_stored_when_defaults_counted_is_replayed(
    alice: Person, database: TaskDatabase, address: str, body: Any, stored: list[Any]
) -> None:
    task_id = alice.creates()["id"]
    method = "PATCH" if "complete" in address else "POST"

    def send(body: Any) -> Any:
        headers = {"Idempotency-Key": "old"}
        return alice.http.request(method, address.format(task_id), json=body, headers=headers)

    first = send(body)
    assert first.is_success
    text = json.dumps([task_id if part == "{}" else part for part in stored], sort_keys=True)
    with psycopg.connect(database.superuser, autocommit=True) as superuser:
        superuser.execute(
            "update idempotency_key set fingerprint = %s where user_id = %s",
            [sha256(text.encode()).hexdigest(), alice.id],
        )
    again = send(body)
    assert again.headers.get("Idempotency-Replayed") == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    if isinstance(body, dict):
        other = body | {"completed": not body.get("completed")}
        problem(send(other), 422, "idempotency-key-reused")
