"""FastAPI's extension points do what its manual says, on task routes and beside them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx2
import psycopg
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import BaseModel, Field
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from api.auth.authenticator import User
from api.database.errors import CommitInterrupted
from api.http import routing
from api.http.problems import Failure, Kind
from api.main import TaskAPI
from tests.cluster import TaskDatabase
from tests.extended import PREFLIGHT, Make, asks, words
from tests.problems import problem

SOON = 0.3  # seconds
FAULT = ["a fault of this program"]
Log = pytest.LogCaptureFixture


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


class Teapot(Exception):
    pass


def failing(app: TaskAPI) -> None:
    @app.get("/fails/{how}")
    async def fails(how: str) -> None:
        raise {
            "teapot": Teapot("short and stout"),
            "http": HTTPException(409, {"why": "so"}, {"X-Own": "own"}),
            "missing": HTTPException(404, "no such thing"),
            "gone": HTTPException(404, headers={"X-Own": "own"}),
            "not so": HTTPException(405),
            "failure": Failure(Kind.IDEMPOTENCY_KEY_REUSED, "It was used."),
            "fault": RuntimeError("a secret"),
            "commit": CommitInterrupted(),
        }[how]


# add_middleware


def test_a_function_can_be_a_middleware(make: Make) -> None:
    app, serve = make()
    failing(app)

    @app.middleware("http")
    async def adds(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        response.headers["X-Path"] = request.url.path
        return response

    alice = serve().person("alice")
    task = alice.creates("Buy milk")
    answer = asks(alice, f"/api/tasks/{task['id']}")
    assert (answer.json(), answer.headers["X-Path"]) == (task, f"/api/tasks/{task['id']}")
    nowhere = asks(alice, "/nowhere")
    problem(nowhere, 404, "no-such-address")
    assert nowhere.headers["X-Path"] == "/nowhere"
    # Such a middleware puts a task between, which only knows of a cancellation.
    told = problem(asks(alice, "/fails/commit"), 503, "unavailable")
    assert "nobody knows whether it was done" in told["detail"]


def test_a_middleware_may_answer_by_itself(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    app, serve = make()

    @app.middleware("http")
    async def refuses(request: Request, call_next: Any) -> Response:
        return PlainTextResponse("closed", 403, {"Vary": "Cookie", "X-Request-Id": "two"})

    answer = asks(serve().stranger(), "/api/tasks")
    assert (answer.status_code, answer.text) == (403, "closed")
    assert words(answer.headers["Vary"]) == {"Cookie", "Authorization", "Origin"}
    (line,) = logged(capsys)
    assert (line["status"], line["route"]) == (403, "/api/tasks")


def test_middlewares_of_others_work_together_with_what_is_there(make: Make) -> None:
    other = "https://other.example.com"
    app, serve = make()
    app.add_middleware(GZipMiddleware, minimum_size=100)
    app.add_middleware(CORSMiddleware, allow_origins=[other], allow_headers=["X-Own"])
    alice = serve().person("alice")
    alice.creates("Buy milk", description="x" * 1000)
    answer = asks(alice, "/api/tasks")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert words(answer.headers["Vary"]) == {"Accept-Encoding", "Authorization", "Origin"}
    assert answer.headers.get_list("Cache-Control") == ["private, no-cache"]
    preflight = PREFLIGHT | {"Origin": other, "Access-Control-Request-Headers": "X-Own"}
    allowed = alice.http.options("/api/tasks", headers=preflight)
    assert allowed.headers.get_list("Access-Control-Allow-Origin") == [other]
    assert "X-Own" in words(allowed.headers["Access-Control-Allow-Headers"])


def test_a_middleware_that_fails_or_hangs_is_a_problem(
    make: Make, caplog: Log, database: TaskDatabase
) -> None:
    app, serve = make(request_timeout=SOON)
    seen = []

    @app.middleware("http")
    async def fails(request: Request, call_next: Any) -> Response:
        if request.url.path == "/known":
            raise Failure(Kind.RATE_LIMITED, "Not now.")
        if request.url.path == "/hangs":
            await asyncio.sleep(60)
        if request.url.path == "/livez":
            raise RuntimeError("of the middleware")
        response: Response = await call_next(request)
        seen.append(response.status_code)
        return response

    alice = serve().person("alice")
    answer = asks(alice, "/livez")
    problem(answer, 500, "internal-error")
    assert "of the middleware" not in answer.text
    assert [record.getMessage() for record in caplog.records] == FAULT
    problem(asks(alice, "/known"), 429, "rate-limited")
    problem(asks(alice, "/hangs"), 503, "unavailable")
    with psycopg.connect(database.superuser) as connection:
        connection.execute("lock table task")
        problem(asks(alice, "/api/tasks"), 503)
    assert seen == [503], "it sees that a route took too long"


@pytest.mark.parametrize(("seconds", "is_in_time"), [(0.3, False), (5.0, True)])
def test_a_middleware_may_respond_to_a_timeout_for_as_long_as_the_operator_says(
    make: Make, seconds: float, is_in_time: bool
) -> None:
    app, serve = make(request_timeout=SOON, middleware_timeout=seconds)

    @app.middleware("http")
    async def apologizes(request: Request, call_next: Any) -> Response:
        await call_next(request)
        await asyncio.sleep(1.5)
        return PlainTextResponse("Sorry.", 503)

    @app.get("/slow")
    async def slow() -> None:
        await asyncio.sleep(60)

    answer = asks(serve().stranger(), "/slow")
    assert answer.status_code == 503
    assert (answer.text == "Sorry.") == is_in_time


# include_router, routes, mount


def test_a_router_is_included_and_its_routes_are_as_any_other(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    router = APIRouter()

    @router.get("/hello/{name}")
    async def hello(name: str, times: Annotated[int, Query(le=3)] = 1) -> str:
        return name * times

    app, serve = make()
    app.include_router(router, prefix="/v2")
    people = serve()
    stranger, alice = people.stranger(), people.person("alice")
    assert asks(stranger, "/v2/hello/bob?times=2").json() == "bobbob"
    (line,) = logged(capsys)
    assert (line["route"], line["status"]) == ("/v2/hello/{name}", 200)
    assert line["request_id"] == "one"
    refused = asks(stranger, "/v2/hello/bob?times=9")
    assert refused.json()["detail"][0]["loc"] == ["query", "times"]
    other_method = asks(stranger, "/v2/hello/bob", "POST")
    problem(other_method, 405, "method-not-allowed")
    assert other_method.headers["Allow"] == "GET"
    problem(asks(stranger, "/hello/bob"), 404, "no-such-address")
    assert asks(stranger, "/v2/hello/bob", "OPTIONS", headers=PREFLIGHT).status_code == 200
    task = alice.creates()
    assert alice.sees(task["id"]) == task
    paths = asks(stranger, "/openapi.json").json()["paths"]
    assert paths.keys() >= {"/v2/hello/{name}", "/api/tasks"}


def test_routes_can_be_added_one_by_one_and_while_it_runs(make: Make) -> None:
    app, serve = make()

    @app.post("/api/tasks/{task_id}")
    def another_method(task_id: int) -> int:  # in a thread
        return task_id

    stranger = serve().stranger()
    assert asks(stranger, "/api/tasks/7", "POST").json() == 7
    allowed = asks(stranger, "/api/tasks/7", "PROPFIND").headers["Allow"]
    assert allowed == "DELETE, GET, HEAD, PATCH, POST, PUT"
    assert "/later" not in asks(stranger, "/openapi.json").json()["paths"]
    problem(asks(stranger, "/later"), 404, "no-such-address")
    app.add_api_route("/later", lambda: "later")
    assert asks(stranger, "/later").json() == "later"
    document = asks(stranger, "/openapi.json").json()
    assert "/later" in document["paths"]
    assert "RateLimit" in document["components"]["headers"], "which FastAPI does not know"


def test_an_added_route_has_a_time_limit_until_its_response_begins(make: Make) -> None:
    app, serve = make(request_timeout=SOON)

    @app.get("/slow")
    async def slow() -> None:
        await asyncio.sleep(60)

    @app.get("/stream/{count}")
    async def stream(count: int) -> StreamingResponse:
        async def parts() -> AsyncIterator[str]:
            for number in range(count):
                yield f"{number}"
                await asyncio.sleep(SOON / 2)
            if count == 1:
                raise RuntimeError("broken off")

        return StreamingResponse(parts())

    stranger = serve().stranger()
    problem(asks(stranger, "/slow"), 503, "unavailable")
    assert asks(stranger, "/stream/11").text == "012345678910", "what has begun is not cut off"
    with pytest.raises(httpx2.RemoteProtocolError):  # and does not look whole when it breaks off
        asks(stranger, "/stream/1")


def test_other_applications_are_mounted(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "page.txt").write_text("a page")
    app, serve = make()
    app.mount("/files", StaticFiles(directory=tmp_path))
    app.mount("/beside", FastAPI())
    stranger = serve().stranger()
    assert asks(stranger, "/files/page.txt").text == "a page"
    problem(asks(stranger, "/files/none.txt"), 404, "no-such-address")
    assert asks(stranger, "/beside/openapi.json").json()["info"]["title"] == "FastAPI"
    assert asks(stranger, "/beside/none").json() == {"detail": "Not Found"}
    assert [line["route"] for line in logged(capsys)] == ["/files"] * 2 + ["/beside"] * 2


# exception_handler


def test_what_nobody_handles_is_said_as_everywhere(make: Make, caplog: Log) -> None:
    app, serve = make()
    failing(app)
    stranger = serve().stranger()
    http = asks(stranger, "/fails/http")
    assert (http.status_code, http.json()) == (409, {"detail": {"why": "so"}})
    assert http.headers["X-Own"] == "own"
    assert asks(stranger, "/fails/missing").json() == {"detail": "no such thing"}
    gone = asks(stranger, "/fails/gone")
    assert (gone.json(), gone.headers["X-Own"]) == ({"detail": "Not Found"}, "own")
    assert asks(stranger, "/fails/not so").json() == {"detail": "Method Not Allowed"}
    problem(asks(stranger, "/fails/failure"), 422, "idempotency-key-reused")
    fault = asks(stranger, "/fails/fault")
    problem(fault, 500, "internal-error")
    assert "a secret" not in fault.text
    assert [record.getMessage() for record in caplog.records] == FAULT


def test_exceptions_have_the_handlers_that_were_added(make: Make, caplog: Log) -> None:
    app, serve = make()
    failing(app)

    @app.exception_handler(Teapot)
    async def teapot(request: Request, error: Teapot) -> Response:
        return PlainTextResponse(f"{error}", 418)

    @app.exception_handler(Failure)
    def failure(request: Request, error: Failure) -> Response:
        return PlainTextResponse(f"own {error.kind.slug}", error.kind.status)

    @app.exception_handler(404)
    async def nowhere(request: Request, error: Exception) -> Response:
        return PlainTextResponse("own 404", 404)

    @app.exception_handler(Exception)
    async def anything(request: Request, error: Exception) -> Response:
        return PlainTextResponse("own 500", 500)

    people = serve()
    alice, stranger = people.person("alice"), people.stranger()
    said = {
        "/fails/teapot": (418, "short and stout"),
        "/api/tasks/7": (404, "own no-such-task"),
        "/api/tasks?limit=0": (422, "own invalid-input"),
        "/nowhere": (404, "own 404"),
    }
    answers = {path: asks(alice, path) for path in said}
    assert {path: (one.status_code, one.text) for path, one in answers.items()} == said
    problem(asks(alice, "/api/tasks", "PATCH"), 405)
    problem(asks(stranger, "/api/tasks"), 401, "unauthorized")
    assert asks(stranger, "/fails/fault").text == "own 500"
    deadline = time.monotonic() + 10
    while not caplog.records and time.monotonic() < deadline:  # it is logged when it is answered
        time.sleep(0.02)
    assert [record.getMessage() for record in caplog.records] == FAULT


def test_added_routes_are_in_the_document_as_they_say(make: Make) -> None:
    class Item(BaseModel):
        words: dict[str, str] = {"title": "a title"}
        word: str = Field("x", examples=["not JSON"])

    app, serve = make()
    other = {"content": {"application/problem+json": {"schema": {"type": "object"}}}}

    @app.post("/items", responses={418: other})
    async def add(item: Item) -> Item:
        return item

    document = asks(serve().stranger(), "/openapi.json").json()
    members = document["components"]["schemas"]["Item"]["properties"]
    assert members["words"]["default"] == {"title": "a title"}
    assert members["word"]["examples"] == ["not JSON"]
    assert document["paths"]["/items"]["post"]["responses"]["418"]["content"] == other["content"]


# dependency_overrides, state, lifespan, openapi


def test_dependencies_are_overridden_also_while_it_runs(make: Make) -> None:
    def key() -> str:
        return "of production"

    app, serve = make()

    @app.get("/key")
    async def shows(key: Annotated[str, Depends(key)]) -> str:
        return key

    people = serve()
    alice, stranger = people.person("alice"), people.stranger()
    task = alice.creates()
    assert asks(stranger, "/key").json() == "of production"
    problem(asks(stranger, "/api/tasks"), 401)
    app.dependency_overrides[key] = lambda: "of the test"
    app.dependency_overrides[routing.caller] = lambda: User(alice.id)
    assert asks(stranger, "/key").json() == "of the test"
    assert asks(stranger, "/api/tasks").json() == [task]
    assert asks(stranger, "/api/tasks", "POST", json={"title": "x"}).status_code == 201
    app.dependency_overrides = {}
    assert asks(stranger, "/key").json() == "of production"
    problem(asks(stranger, "/api/tasks"), 401)


def test_state_lifespans_and_the_document_are_extended(make: Make) -> None:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
        app.state.opened = "opened"
        yield {"given": "given"}

    router = APIRouter(lifespan=lifespan)

    @router.get("/state")
    async def state(request: Request) -> list[str]:
        return [request.app.state.own, request.app.state.opened, request.state.given]

    app, serve = make()
    app.state.own = "own"
    app.include_router(router)
    made = app.openapi
    app.openapi = lambda: made() | {"x-own": True}  # type: ignore[method-assign]
    people = serve()
    assert asks(people.stranger(), "/state").json() == ["own", "opened", "given"]
    assert asks(people.stranger(), "/openapi.json").json()["x-own"] is True
    assert people.person("alice").lists() == [], "and what was there is open"
