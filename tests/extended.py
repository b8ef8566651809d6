"""Requests to an extended API, with assertions on the headers of every response."""

from collections.abc import Callable
from typing import Any

import httpx2

from api.main import TaskAPI
from api.settings import Settings
from tests.cluster import TaskDatabase
from tests.people import SECRET, People, Person

FRONT_END = "https://app.example.com"
ORIGIN = {"Origin": FRONT_END}
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "GET"}
ONE = {"X-Request-Id": "one"}
Make = Callable[..., tuple[TaskAPI, Callable[[], People]]]


def settings_of(database: TaskDatabase, **changed: Any) -> Settings:
    """In secret mode, for a front end, without a limit for an address."""
    given = {"cors_origins": FRONT_END, "rate_limit_address": "off"} | changed
    return Settings(database_url=database.task_app, better_auth_secret=SECRET, **given)


def words(header: str) -> set[str]:
    return {word.strip() for word in header.split(",")}


def asks(person: Person, path: str, method: str = "GET", **options: Any) -> httpx2.Response:
    """The answer, which has what every response of this API has."""
    headers = ONE | ORIGIN | options.pop("headers", {})
    answer = person.http.request(method, path, headers=headers, **options)
    assert answer.headers["X-Request-Id"] == "one"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert words(answer.headers["Vary"]) >= {"Authorization", "Origin"}
    assert answer.headers["Access-Control-Allow-Origin"] == FRONT_END
    assert "X-Request-Id" in words(answer.headers["Access-Control-Expose-Headers"])
    return answer
