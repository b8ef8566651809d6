"""The one shape of a failure, and what must never be in one."""

from http import HTTPStatus
from typing import Any

import httpx2

MARK = "mark7f3a"  # stands in inputs, and in no answer


def problem(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """The problem in the answer, which has the one shape and says nothing it should not."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert list(body)[:4] == ["type", "title", "status", "detail"]
    assert body["type"] == "about:blank"
    assert body["title"] == HTTPStatus(status).phrase
    assert body["status"] == status
    assert body["detail"].endswith((".", "!", "?"))
    assert set(body) - {"type", "title", "status", "detail"} <= {"errors"}
    for error in body.get("errors", []):
        assert set(error) <= {"detail", "pointer", "parameter"}
        assert error["detail"].endswith(".")
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
