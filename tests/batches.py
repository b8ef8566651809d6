"""Sends batches of operations, and judges what came of each."""

from typing import Any, Final

import httpx2

from tests.people import Person
from tests.problems import judged

BATCH: Final = "/api/tasks/batch"


def sends(
    person: Person, operations: Any, *, key: str | None = None, **members: Any
) -> httpx2.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    body = {"operations": operations, **members}
    return person.http.post(BATCH, json=body, headers=headers)


def results(person: Person, *operations: Any, **members: Any) -> list[dict[str, Any]]:
    """What came of each of these operations. What failed is a problem like any other."""
    answer = sends(person, [*operations], **members)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert list(answer.json()) == ["results"]
    found: list[dict[str, Any]] = answer.json()["results"]
    assert len(found) == len(operations)
    for result in found:
        if result["status"] >= 400:
            judged(result["body"], result["status"], answer.headers["X-Request-Id"])
        else:
            assert set(result) == {"status"} | ({"body"} if result["status"] != 204 else set())
    return found


def statuses(found: list[dict[str, Any]]) -> list[int]:
    return [result["status"] for result in found]


def kind(result: dict[str, Any]) -> str:
    """The name of a problem."""
    name: str = result["body"]["type"].rpartition(":")[2]
    return name


def pointers(result: dict[str, Any]) -> list[str]:
    assert result["status"] == 422
    assert kind(result) == "invalid-input"
    return [error["pointer"] for error in result["body"]["errors"]]
