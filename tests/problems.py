"""Asserts the format of a problem response (RFC 9457), and that it contains no private data."""

from typing import Any

import httpx2

from api.http.problems import Kind

MARK = "mark7f3a"  # stands in inputs, and in no answer
_TITLES = {(kind.uri, kind.status): kind.title for kind in Kind}


def problem(answer: httpx2.Response, status: int, kind: str | None = None) -> dict[str, Any]:
    """The problem in the answer, which has the one shape and says nothing it should not."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    judged(body, status, answer.headers["X-Request-Id"])
    assert kind is None or body["type"] == f"urn:task-api:problem:{kind}"
    everything = f"{answer.headers} {answer.text}".lower()
    for word in (
        MARK,
        "traceback",
        "select ",
        "insert ",
        "sqlstate",
        "asyncpg",
        "pydantic",
        "dict",
    ):
        assert word not in everything
    return body


def judged(body: dict[str, Any], status: int, request_id: str) -> None:
    """The one shape of problems, also where one stands among other results."""
    assert list(body)[:5] == ["type", "title", "status", "detail", "request_id"]
    assert body["title"] == _TITLES[body["type"], status]
    assert body["status"] == status
    assert body["detail"].endswith((".", "!", "?"))
    assert body["request_id"] == request_id
    assert set(list(body)[5:]) <= {"errors", "current"}
    for error in body.get("errors", []):
        assert len(set(error) & {"pointer", "parameter", "header"}) <= 1
        assert set(error) <= {"detail", "pointer", "parameter", "header"}
        assert error["detail"].endswith(".")
