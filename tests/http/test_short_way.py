"""The short way past FastAPI's stack is taken while nothing is there that it would skip, and its
answers are those of the long way."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from fastapi import Response
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import Failure
from api.main import TaskAPI, create_app
from tests.cluster import TaskDatabase
from tests.extended import ONE, ORIGIN, PREFLIGHT, settings_of
from tests.people import signed
from tests.server import serving


async def passes_the_stack(app: TaskAPI, path: str = "/livez") -> bool:
    """Whether FastAPI's stack is asked: the parts of it work on a copy of the scope."""
    scope: Scope = {"type": "http", "method": "GET", "path": path, "root_path": ""}
    scope.update(headers=[], query_string=b"", client=None, http_version="1.1")
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    assert sent[0]["type"] == "http.response.start"
    return "path_params" not in scope


def _nothing() -> None: ...


def _handles(request: object, error: Exception) -> Response:
    return Response()


def _instruments(app: TaskAPI) -> None:
    """As OpenTelemetry's instrumentation of FastAPI does it."""
    make = app.build_middleware_stack
    app.build_middleware_stack = lambda: GZipMiddleware(make())  # type: ignore[method-assign]


ADDED: dict[str, Callable[[TaskAPI], object]] = {
    "a middleware": lambda app: app.add_middleware(GZipMiddleware),
    "a handler": lambda app: app.add_exception_handler(LookupError, _handles),
    "another handler": lambda app: app.exception_handlers.update({Failure: _handles}),
    "an override": lambda app: app.dependency_overrides.update({_nothing: _nothing}),
    "debugging": lambda app: setattr(app, "debug", True),
    "a route put first": lambda app: app.router.routes.insert(0, app.router.routes[-1]),
    "a route taken away": lambda app: app.router.routes.pop(0),
    "instrumentation": _instruments,
}


@pytest.mark.anyio
@pytest.mark.parametrize("extend", ADDED.values(), ids=ADDED)
async def test_nothing_that_was_added_is_skipped(
    database: TaskDatabase, extend: Callable[[TaskAPI], object]
) -> None:
    app = create_app(settings_of(database))
    extend(app)
    assert await passes_the_stack(app)
    assert await passes_the_stack(app)


@pytest.mark.anyio
async def test_where_nothing_was_added_the_way_is_short(database: TaskDatabase) -> None:
    app = create_app(settings_of(database))
    for path in ("/livez", "/", "/docs", "/openapi.json", "/livez"):
        assert not await passes_the_stack(app, path)
    assert await passes_the_stack(app, "/nowhere")
    app.dependency_overrides[_nothing] = _nothing
    assert await passes_the_stack(app)
    app.dependency_overrides.clear()
    assert not await passes_the_stack(app)
    app.add_api_route("/own", _nothing)
    assert not await passes_the_stack(app), "it comes after those that are there"
    app.middleware_stack = None  # as some do to have it made anew
    app.add_middleware(GZipMiddleware)
    assert await passes_the_stack(app)


class Seen:
    """A middleware that writes down what passes."""

    def __init__(self, app: ASGIApp, answers: list[tuple[int, dict[str, str]]]) -> None:
        self.app, self.answers = app, answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sees(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.answers.append((message["status"], {**httpx2.Headers(message["headers"])}))
            await send(message)

        await self.app(scope, receive, sees)


@pytest.fixture(scope="module")
def both_ways(database: TaskDatabase) -> Iterator[tuple[tuple[str, str], list[Any]]]:
    """The addresses of the API as it is and of one with a middleware, and what that has seen."""
    seen: list[Any] = []
    settings = settings_of(database, rate_limit="off")
    extended = create_app(settings)
    extended.add_middleware(Seen, answers=seen)
    with serving(settings) as short, serving(settings, extended) as long:
        yield (short, long), seen


JSON = {"headers": {"Content-Type": "application/json"}}
REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/api/tasks?limit=1", {}),
    ("HEAD", "/api/tasks?limit=1", {}),
    ("GET", "/api/tasks?limit=0&completed=yes&x=1", {}),
    ("GET", "/api/tasks/", {}),
    ("GET", "/api/tasks/0", {}),
    ("HEAD", "/api/tasks/7", {}),
    ("POST", "/api/tasks/7", {}),
    ("GET", "/api/tasks/bulk", {}),
    ("DELETE", "/api/tasks/bulk", {}),
    ("OPTIONS", "/api/tasks", {}),
    ("PROPFIND", "/api/tasks/7/complete", {}),
    ("POST", "/api/tasks", {"content": b"{"} | JSON),
    ("POST", "/api/tasks", {"content": b"x"}),
    ("POST", "/api/tasks", {"json": {"title": "Buy milk", "user_id": "bob"}}),
    ("POST", "/api/tasks", {"json": {"title": "x" * 70_000}}),
    ("POST", "/api/tasks/bulk", {"json": [{"title": ""}]}),
    ("PATCH", "/api/tasks/7", {"json": {}, "headers": {"If-Match": "nonsense"}}),
    ("DELETE", "/api/tasks", {}),
    ("GET", "/nowhere", {}),
    ("GET", "/api%2Ftasks", {}),
    ("GET", "/livez", {}),
    ("HEAD", "/readyz", {}),
    ("GET", "/", {}),
    ("HEAD", "/", {"headers": {"Accept": "text/html"}}),
    ("GET", "/openapi.json", {}),
    ("GET", "/docs/assets/swagger-ui.css", {}),
    ("GET", "/docs/assets/none", {}),
    ("OPTIONS", "/api/tasks", {"headers": PREFLIGHT}),
    ("OPTIONS", "/nowhere", {"headers": PREFLIGHT}),
    ("OPTIONS", "/api/tasks", {"headers": PREFLIGHT | {"Origin": "https://evil.example.com"}}),
]


@pytest.mark.parametrize("known", [True, False], ids=["alice", "a stranger"])
@pytest.mark.parametrize(
    ("method", "path", "options"), REQUESTS, ids=[f"{one[0]} {one[1]}" for one in REQUESTS]
)
def test_an_answer_is_the_same_either_way_and_a_middleware_sees_it(
    both_ways: tuple[tuple[str, str], list[Any]],
    *,
    known: bool,
    method: str,
    path: str,
    options: dict[str, Any],
) -> None:
    token = {"Authorization": f"Bearer {signed({'sub': 'alice-of-both-ways'})}"} if known else {}
    chosen = options | {"headers": ONE | ORIGIN | token | options.get("headers", {})}
    addresses, seen = both_ways
    seen.clear()
    with httpx2.Client(verify=False) as client:
        answers = [client.request(method, base + path, **chosen) for base in addresses]
    short, long = ((one.status_code, {**one.headers, "date": ""}, one.content) for one in answers)
    assert short == long
    ((status, headers),) = seen
    assert (status, headers | {"date": ""}) == long[:2]
