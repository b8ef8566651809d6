"""FastAPI's extension points do what its manual says, on task routes and beside them."""

import asyncio
import itertools
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx2
import psycopg
import pytest
from fastapi import (
    APIRouter,
    BackgroundTasks,
    Depends,
    FastAPI,
    Header,
    HTTPException,
    Query,
    Request,
    Response,
)
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from fastapi.testclient import TestClient
from pydantic import BaseModel
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth.authenticator import User
from api.database.errors import CommitInterrupted
from api.http import routing
from api.http.problems import Failure, Kind
from api.http.routing import Tx, UserRoute
from api.main import TaskAPI, create_app
from api.settings import Settings, SettingsError
from api.tasks import queries
from api.tasks.schemas import Sort
from tests.checkout import ROOT
from tests.cluster import TaskDatabase
from tests.people import SECRET, People, Person, signed
from tests.problems import problem
from tests.program import PATIENCE, environment
from tests.server import people_of

FRONT_END = "https://app.example.com"
ORIGIN = {"Origin": FRONT_END}
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "GET"}
ONE = {"X-Request-Id": "one"}
SOON = 0.3  # seconds
Extension = Callable[[TaskAPI], None]


class Seen:
    """A middleware that writes down what passes."""

    def __init__(self, app: ASGIApp, answers: list[tuple[int, dict[str, str]]]) -> None:
        self.app, self.answers = app, answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sees(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = {name.decode(): value.decode() for name, value in message["headers"]}
                self.answers.append((message["status"], headers))
            await send(message)

        await self.app(scope, receive, sees)


def as_ours(answer: httpx2.Response) -> None:
    """It has what every response of this API has."""
    assert answer.headers["X-Request-Id"] == "one"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    words = {word.strip() for word in answer.headers["Vary"].split(",")}
    assert words >= {"Authorization", "Origin"}
    assert answer.headers["Access-Control-Allow-Origin"] == FRONT_END
    assert "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]


def asks(person: Person, path: str, method: str = "GET", **options: Any) -> httpx2.Response:
    return person.http.request(method, path, headers=ONE | ORIGIN, **options)


@pytest.fixture
def extended(database: TaskDatabase) -> Iterator[Callable[..., People]]:
    """The people of an API to which something was added."""
    with ExitStack() as stack:

        def enter(extend: Extension, **settings: Any) -> People:
            given = {"cors_origins": FRONT_END, "rate_limit_address": "off"} | settings
            return stack.enter_context(people_of(database, extend, **given))

        yield enter


# middlewares


def test_a_middleware_sees_what_the_client_sees_of_task_routes(
    extended: Callable[..., People], database: TaskDatabase
) -> None:
    answers: list[tuple[int, dict[str, str]]] = []
    people = extended(
        lambda app: app.add_middleware(Seen, answers=answers),
        rate_limit="6/day",
        request_timeout=SOON,
    )
    alice, stranger = people.person("alice"), people.stranger()
    given = [
        asks(stranger, "/api/tasks"),
        asks(alice, "/api/tasks", "POST", json={"title": "Buy milk"}),
        asks(alice, "/api/tasks"),
        asks(alice, "/api/tasks?limit=0"),
        asks(alice, "/api/tasks/7"),
        asks(alice, "/api/tasks", "HEAD"),
    ]
    with psycopg.connect(database.superuser) as connection:
        connection.execute("lock table task")
        given.append(asks(alice, "/api/tasks"))
    given += [
        asks(alice, "/api/tasks"),
        asks(alice, "/nowhere"),
        asks(alice, "/api/tasks", "PATCH"),
        alice.http.options("/api/tasks", headers=ONE | PREFLIGHT),
    ]
    statuses = [401, 201, 200, 422, 404, 200, 503, 429, 404, 405, 200]
    assert [answer.status_code for answer in given] == statuses
    assert [status for status, _ in answers] == statuses
    for answer, (_, headers) in zip(given, answers, strict=True):
        as_ours(answer)
        assert {**answer.headers} == {"date": answer.headers["date"], **headers}
        if answer.status_code >= 400:
            problem(answer, answer.status_code)


def test_a_function_can_be_a_middleware(extended: Callable[..., People]) -> None:
    def extend(app: TaskAPI) -> None:
        @app.middleware("http")
        async def adds(request: Request, call_next: Any) -> Response:
            response: Response = await call_next(request)
            response.headers["X-Path"] = request.url.path
            return response

    alice = extended(extend).person("alice")
    task = alice.creates("Buy milk")
    answer = asks(alice, f"/api/tasks/{task['id']}")
    as_ours(answer)
    assert answer.json() == task
    assert answer.headers["X-Path"] == f"/api/tasks/{task['id']}"
    unknown = asks(alice, "/nowhere")
    problem(unknown, 404, "no-such-address")
    assert unknown.headers["X-Path"] == "/nowhere"


def test_a_middleware_may_answer_by_itself(
    extended: Callable[..., People], capsys: pytest.CaptureFixture[str]
) -> None:
    def extend(app: TaskAPI) -> None:
        @app.middleware("http")
        async def refuses(request: Request, call_next: Any) -> Response:
            return PlainTextResponse("closed", 403, {"Vary": "Cookie", "X-Request-Id": "two"})

    alice = extended(extend).person("alice")
    answer = asks(alice, "/api/tasks")
    assert (answer.status_code, answer.text) == (403, "closed")
    as_ours(answer)
    assert "Cookie" in answer.headers["Vary"]
    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert (entry["status"], entry["route"]) == (403, "/api/tasks")


def test_middlewares_of_others_work_together_with_what_is_there(
    extended: Callable[..., People],
) -> None:
    other = "https://other.example.com"

    def extend(app: TaskAPI) -> None:
        app.add_middleware(GZipMiddleware, minimum_size=100)
        app.add_middleware(CORSMiddleware, allow_origins=[other], allow_headers=["X-Own"])

    alice = extended(extend).person("alice")
    alice.creates("Buy milk", description="x" * 1000)
    answer = asks(alice, "/api/tasks")
    assert answer.headers["Content-Encoding"] == "gzip"
    words = {word.strip() for word in answer.headers["Vary"].split(",")}
    assert words == {"Accept-Encoding", "Authorization", "Origin"}
    assert answer.headers.get_list("Cache-Control") == ["private, no-cache"]
    given = {"Origin": other, "Access-Control-Request-Headers": "X-Own"}
    asked = alice.http.options(
        "/api/tasks", headers={"Access-Control-Request-Method": "GET"} | given
    )
    assert asked.status_code == 200
    assert asked.headers.get_list("Access-Control-Allow-Origin") == [other]
    assert "X-Own" in asked.headers["Access-Control-Allow-Headers"]


def test_a_middleware_that_fails_is_a_problem(
    extended: Callable[..., People], caplog: pytest.LogCaptureFixture
) -> None:
    def extend(app: TaskAPI) -> None:
        @app.middleware("http")
        async def fails(request: Request, call_next: Any) -> Response:
            if request.url.path == "/known":
                raise Failure(Kind.RATE_LIMITED, "Not now.")
            raise RuntimeError("of the middleware")

    alice = extended(extend).person("alice")
    answer = asks(alice, "/api/tasks")
    problem(answer, 500, "internal-error")
    as_ours(answer)
    assert "of the middleware" not in answer.text
    assert [record.getMessage() for record in caplog.records] == ["a fault of this program"]
    problem(asks(alice, "/known"), 429, "rate-limited")


def test_a_middleware_that_hangs_is_given_up(extended: Callable[..., People]) -> None:
    def extend(app: TaskAPI) -> None:
        @app.middleware("http")
        async def hangs(request: Request, call_next: Any) -> Response:
            await asyncio.sleep(60)
            raise AssertionError

    alice = extended(extend, request_timeout=SOON).person("alice")
    answer = asks(alice, "/api/tasks")
    problem(answer, 503, "unavailable")
    as_ours(answer)


def test_a_middleware_cannot_be_added_to_what_runs(extended: Callable[..., People]) -> None:
    """So says Starlette; it would be skipped otherwise."""
    apps: list[TaskAPI] = []
    extended(apps.append).person("alice").lists()
    with pytest.raises(RuntimeError, match="after an application has started"):
        apps[0].add_middleware(GZipMiddleware)


# the same answers, whichever way

_BODY: dict[str, Any] = {"title": "Buy milk", "description": None}
REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/api/tasks?limit=1", {}),
    ("HEAD", "/api/tasks?limit=1", {}),
    ("GET", "/api/tasks?limit=0&completed=yes&x=1", {}),
    ("GET", "/api/tasks/", {}),
    ("GET", "/api/tasks/0", {}),
    ("GET", "/api/tasks/7", {}),
    ("HEAD", "/api/tasks/7", {}),
    ("POST", "/api/tasks/7", {}),
    ("GET", "/api/tasks/bulk", {}),
    ("DELETE", "/api/tasks/bulk", {}),
    ("PUT", "/api/tasks", {}),
    ("OPTIONS", "/api/tasks", {}),
    ("PROPFIND", "/api/tasks/7/complete", {}),
    ("POST", "/api/tasks", {"content": b"{", "headers": {"Content-Type": "application/json"}}),
    ("POST", "/api/tasks", {"content": b"x", "headers": {"Content-Type": "text/plain"}}),
    ("POST", "/api/tasks", {"json": _BODY | {"user_id": "bob"}}),
    ("POST", "/api/tasks", {"json": {"title": "x" * 70_000}}),
    ("POST", "/api/tasks/bulk", {"json": [{"title": ""}]}),
    ("PATCH", "/api/tasks/7/complete", {}),
    ("PATCH", "/api/tasks/7", {"json": {}, "headers": {"If-Match": "nonsense"}}),
    ("DELETE", "/api/tasks", {}),
    ("GET", "/nowhere", {}),
    ("GET", "/api%2Ftasks", {}),
    ("GET", "/livez", {}),
    ("HEAD", "/readyz", {}),
    ("GET", "/openapi.json", {}),
    ("GET", "/docs", {}),
    ("GET", "/docs/assets/swagger-ui.css", {}),
    ("GET", "/docs/assets/none", {}),
    ("OPTIONS", "/api/tasks", {"headers": PREFLIGHT}),
    ("OPTIONS", "/nowhere", {"headers": PREFLIGHT}),
    ("OPTIONS", "/api/tasks", {"headers": PREFLIGHT | {"Origin": "https://evil.example.com"}}),
]


@pytest.fixture(scope="module")
def both_ways(database: TaskDatabase) -> Iterator[tuple[People, People]]:
    """An API as it is, and one with a middleware that does nothing."""

    def extend(app: TaskAPI) -> None:
        app.add_middleware(Seen, answers=[])

    given: dict[str, Any] = {"cors_origins": FRONT_END, "rate_limit": "off"}
    with (
        people_of(database, **given) as short,
        people_of(database, extend, **given) as long,
    ):
        yield short, long


@pytest.mark.parametrize("known", [True, False], ids=["alice", "a stranger"])
@pytest.mark.parametrize(
    ("method", "path", "options"), REQUESTS, ids=[f"{one[0]} {one[1]}" for one in REQUESTS]
)
def test_an_answer_is_the_same_with_a_middleware_as_without(
    both_ways: tuple[People, People],
    *,
    known: bool,
    method: str,
    path: str,
    options: dict[str, Any],
) -> None:
    token = {"Authorization": f"Bearer {signed({'sub': 'alice-of-both-ways'})}"} if known else {}
    headers = ONE | ORIGIN | token | options.get("headers", {})
    answers = [
        people.stranger().http.request(method, path, **(options | {"headers": headers}))
        for people in both_ways
    ]
    one, other = (
        (answer.status_code, {**answer.headers, "date": ""}, answer.content) for answer in answers
    )
    assert one == other


# routes


def test_a_router_is_included_and_its_routes_are_as_any_other(
    extended: Callable[..., People], capsys: pytest.CaptureFixture[str]
) -> None:
    router = APIRouter()

    @router.get("/hello/{name}")
    async def hello(name: str, times: Annotated[int, Query(le=3)] = 1) -> dict[str, str]:
        return {"hello": name * times}

    people = extended(lambda app: app.include_router(router, prefix="/v2"))
    stranger, alice = people.stranger(), people.person("alice")
    answer = asks(stranger, "/v2/hello/alice?times=2")
    assert (answer.status_code, answer.json()) == (200, {"hello": "alicealice"})
    as_ours(answer)
    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert (entry["route"], entry["status"], entry["request_id"]) == (
        "/v2/hello/{name}",
        200,
        "one",
    )
    refused = asks(stranger, "/v2/hello/alice?times=9")
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["query", "times"]
    as_ours(refused)
    other_method = asks(stranger, "/v2/hello/alice", "POST")
    problem(other_method, 405, "method-not-allowed")
    assert other_method.headers["Allow"] == "GET"
    problem(asks(stranger, "/v2/hello"), 404, "no-such-address")
    problem(asks(stranger, "/hello/alice"), 404, "no-such-address")
    preflight = stranger.http.options("/v2/hello/alice", headers=ONE | PREFLIGHT)
    assert preflight.status_code == 200
    as_ours(preflight)
    task = alice.creates()
    assert alice.sees(task["id"]) == task
    document = stranger.http.get("/openapi.json").json()
    assert "get" in document["paths"]["/v2/hello/{name}"]
    assert "get" in document["paths"]["/api/tasks"]


def test_routes_can_be_added_one_by_one_and_while_it_runs(extended: Callable[..., People]) -> None:
    apps: list[TaskAPI] = []

    def extend(app: TaskAPI) -> None:
        apps.append(app)

        @app.get("/first")
        def first() -> str:  # in a thread
            return "first"

        app.add_api_route("/api/tasks/{task_id}/copies", first, methods=["PUT"])
        app.add_route("/plain", lambda _: PlainTextResponse("plain"))

    stranger = extended(extend).stranger()
    assert asks(stranger, "/first").json() == "first"
    assert asks(stranger, "/plain").text == "plain"
    assert asks(stranger, "/api/tasks/7/copies", "PUT").json() == "first"
    assert asks(stranger, "/api/tasks/7/copies").headers["Allow"] == "PUT"
    assert "/second" not in stranger.http.get("/openapi.json").json()["paths"]
    problem(asks(stranger, "/second"), 404, "no-such-address")
    apps[0].add_api_route("/second", lambda: "second")
    assert asks(stranger, "/second").json() == "second"
    paths = stranger.http.get("/openapi.json").json()["paths"]
    assert paths.keys() >= {"/first", "/second", "/api/tasks/{task_id}/copies"}


def test_an_added_method_of_a_path_that_is_there_is_found(extended: Callable[..., People]) -> None:
    def extend(app: TaskAPI) -> None:
        @app.post("/api/tasks/{task_id}")
        async def posted(task_id: int) -> int:
            return task_id

    stranger = extended(extend).stranger()
    assert asks(stranger, "/api/tasks/7", "POST").json() == 7
    allowed = asks(stranger, "/api/tasks/7", "PROPFIND").headers["Allow"]
    assert allowed == "DELETE, GET, HEAD, PATCH, POST, PUT"


def test_a_route_before_those_that_are_there_is_taken_first(
    extended: Callable[..., People],
) -> None:
    def extend(app: TaskAPI) -> None:
        @app.get("/livez")
        async def own() -> str:
            return "own"

        app.router.routes.insert(0, app.router.routes.pop())

    stranger = extended(extend).stranger()
    assert asks(stranger, "/livez").json() == "own"
    assert asks(stranger, "/readyz").json() == {"status": "ok"}


def test_other_applications_are_mounted(
    extended: Callable[..., People], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "page.txt").write_text("a page")
    beside = FastAPI()

    @beside.get("/hello")
    async def hello() -> str:
        return "hello"

    def extend(app: TaskAPI) -> None:
        app.mount("/files", StaticFiles(directory=tmp_path))
        app.mount("/beside", beside)

    stranger = extended(extend).stranger()
    page = asks(stranger, "/files/page.txt")
    assert page.text == "a page"
    as_ours(page)
    problem(asks(stranger, "/files/none.txt"), 404, "no-such-address")
    assert asks(stranger, "/beside/hello").json() == "hello"
    assert asks(stranger, "/beside/none").status_code == 404  # in its own words
    routes = [json.loads(line)["route"] for line in capsys.readouterr().err.splitlines()]
    assert routes == ["/files", "/files", "/beside", "/beside"]


def test_the_api_can_be_mounted_in_another(database: TaskDatabase) -> None:
    settings = Settings(database_url=database.task_app, better_auth_secret=SECRET)
    api = create_app(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with api.router.lifespan_context(api):
            yield

    around = FastAPI(lifespan=lifespan)
    around.mount("/tasks-api", api)
    token = {"Authorization": f"Bearer {signed({'sub': 'alice-mounted'})}"}
    with TestClient(around) as client:
        created = client.post("/tasks-api/api/tasks", headers=token, json={"title": "Buy milk"})
        assert created.status_code == 201
        listed = client.get("/tasks-api/api/tasks", headers=token)
        assert listed.json() == [created.json()]
        problem(client.get("/tasks-api/api/tasks"), 401)
        assert client.get("/api/tasks", headers=token).status_code == 404


def test_an_added_route_takes_no_longer_than_it_may(extended: Callable[..., People]) -> None:
    def extend(app: TaskAPI) -> None:
        @app.get("/slow")
        async def slow() -> None:
            await asyncio.sleep(60)

        @app.get("/stream")
        async def stream() -> StreamingResponse:
            async def parts() -> AsyncIterator[str]:
                for number in range(11):
                    yield f"{number}"
                    await asyncio.sleep(SOON / 2)

            return StreamingResponse(parts())

    stranger = extended(extend, request_timeout=SOON).stranger()
    began = time.monotonic()
    answer = asks(stranger, "/slow")
    assert time.monotonic() - began < 30
    problem(answer, 503, "unavailable")
    as_ours(answer)
    assert asks(stranger, "/stream").text == "012345678910", "what has begun is not cut off"


def test_a_response_that_breaks_off_is_not_taken_for_a_whole_one(
    extended: Callable[..., People],
) -> None:
    def extend(app: TaskAPI) -> None:
        @app.get("/breaks")
        async def breaks() -> StreamingResponse:
            async def parts() -> AsyncIterator[str]:
                yield "first"
                raise RuntimeError("broken off")

            return StreamingResponse(parts())

    with pytest.raises(httpx2.RemoteProtocolError):
        asks(extended(extend).stranger(), "/breaks")


def test_who_is_interrupted_in_a_commit_is_told_so_through_a_middleware(
    extended: Callable[..., People],
) -> None:
    """Middlewares put tasks between, which only know of a cancellation."""

    def extend(app: TaskAPI) -> None:
        @app.middleware("http")
        async def passes(request: Request, call_next: Any) -> Response:
            response: Response = await call_next(request)
            return response

        @app.get("/interrupted")
        async def interrupted() -> None:
            raise CommitInterrupted

    answer = asks(extended(extend).stranger(), "/interrupted")
    assert "nobody knows whether it was done" in problem(answer, 503, "unavailable")["detail"]


# routes with a transaction


class Titles(BaseModel):
    titles: list[str]


class New(BaseModel):
    title: str


async def needs_key(x_key: Annotated[str, Header()]) -> str:
    if x_key != "right":
        raise HTTPException(418, "wrong key")
    return x_key


def with_a_transaction(app: TaskAPI) -> None:
    router = APIRouter(route_class=UserRoute, tags=["titles"])

    @router.get("/titles", response_model=Titles)
    async def titles(tx: Tx, response: Response) -> dict[str, Any]:
        row = await tx.row(queries.page(Sort.NEWEST, frozenset(), "top", 10), limit=10, offset=0)
        assert row
        response.headers["X-Own"] = "own"
        lines = [json.loads(line) for line in (row["lines"] or "").splitlines()]
        return {"titles": [line["title"] for line in lines], "user": tx.user}

    @router.post("/titles", status_code=201)
    async def add(
        tx: Tx,
        new: New,
        request: Request,
        later: BackgroundTasks,
        key: Annotated[str, Depends(needs_key)],
    ) -> dict[str, Any]:
        row = await tx.row(queries.CREATE, title=new.title, description=None, completed=False)
        assert row
        request.app.state.done = []
        later.add_task(request.app.state.done.append, row["id"])
        if new.title == "fails":
            raise RuntimeError("after the row was written")
        return {"id": row["id"], "key": key}

    app.include_router(router, prefix="/v2", dependencies=[Depends(needs_key)])


def test_bob_does_not_see_alices_rows_in_an_added_route(extended: Callable[..., People]) -> None:
    people = extended(with_a_transaction)
    alice, bob, stranger = people.person("alice"), people.person("bob"), people.stranger()
    key: dict[str, Any] = {"headers": {"X-Key": "right"}}
    made = alice.http.post("/v2/titles", json={"title": "Buy milk"}, **key)
    assert made.status_code == 201
    assert made.json() == {"id": made.json()["id"], "key": "right"}
    seen = alice.http.get("/v2/titles", **key)
    assert seen.json() == {"titles": ["Buy milk"]}, "less what the model of the response lacks"
    assert seen.headers["X-Own"] == "own"
    assert bob.http.get("/v2/titles", **key).json() == {"titles": []}
    assert bob.sees(made.json()["id"]) is None
    problem(stranger.http.get("/v2/titles", **key), 401, "unauthorized")
    problem(stranger.http.post("/v2/titles", content=b"x" * 70_000, **key), 401)


def test_what_a_router_depends_on_holds_for_its_routes_with_a_transaction(
    extended: Callable[..., People],
) -> None:
    alice = extended(with_a_transaction).person("alice")
    wrong = alice.http.get("/v2/titles", headers={"X-Key": "wrong"})
    assert (wrong.status_code, wrong.json()) == (418, {"detail": "wrong key"})
    assert alice.http.get("/v2/titles").status_code == 422
    assert alice.http.get("/v2/titles", headers={"X-Key": "right"}).status_code == 200


def test_an_added_route_with_a_transaction_is_strict_and_commits_before_it_answers(
    extended: Callable[..., People],
) -> None:
    people = extended(with_a_transaction, rate_limit="100/day")
    alice = people.person("alice")
    key: dict[str, Any] = {"headers": {"X-Key": "right"}}
    problem(alice.http.get("/v2/titles?x=1", **key), 422, "invalid-input")
    problem(alice.http.post("/v2/titles", content=b"{", **key), 415)
    problem(alice.http.post("/v2/titles", json={"title": "fails"}, **key), 500)
    assert alice.lists() == [], "it was rolled back"
    made = alice.http.post("/v2/titles", json={"title": "Buy milk"}, **key)
    assert alice.sees(made.json()["id"]) is not None
    assert "r=" in made.headers["RateLimit"]
    document = alice.http.get("/openapi.json").json()["paths"]["/v2/titles"]
    assert document["post"]["security"] == [{"bearer": []}]
    assert "requestBody" in document["post"]


def test_a_route_that_takes_no_transaction_first_is_refused_when_it_is_made() -> None:
    router = APIRouter(route_class=UserRoute)
    with pytest.raises(TypeError, match="/x takes first is not a Tx"):

        @router.get("/x")
        async def x(user: str) -> None: ...


# exceptions


class Teapot(Exception):
    pass


def failing(app: TaskAPI) -> None:
    @app.get("/fails/{how}")
    async def fails(how: str) -> None:
        raise {
            "teapot": Teapot("short and stout"),
            "http": HTTPException(409, {"why": "so"}, {"X-Own": "own"}),
            "missing": HTTPException(404, "no such thing"),
            "failure": Failure(Kind.IDEMPOTENCY_KEY_REUSED, "It was used."),
            "fault": RuntimeError("a secret"),
        }[how]


def test_an_exception_of_an_added_route_has_the_handler_that_was_added(
    extended: Callable[..., People],
) -> None:
    def extend(app: TaskAPI) -> None:
        failing(app)

        @app.exception_handler(Teapot)
        async def teapot(request: Request, error: Teapot) -> Response:
            return JSONResponse({"teapot": str(error)}, 418)

    stranger = extended(extend).stranger()
    answer = asks(stranger, "/fails/teapot")
    assert (answer.status_code, answer.json()) == (418, {"teapot": "short and stout"})
    as_ours(answer)


def test_what_nobody_handles_is_said_as_everywhere(
    extended: Callable[..., People], caplog: pytest.LogCaptureFixture
) -> None:
    stranger = extended(failing).stranger()
    http = asks(stranger, "/fails/http")
    assert (http.status_code, http.json()) == (409, {"detail": {"why": "so"}})
    assert http.headers["X-Own"] == "own"
    assert asks(stranger, "/fails/missing").json() == {"detail": "no such thing"}
    problem(asks(stranger, "/fails/failure"), 422, "idempotency-key-reused")
    caplog.clear()
    fault = asks(stranger, "/fails/fault")
    problem(fault, 500, "internal-error")
    as_ours(fault)
    assert "a secret" not in fault.text
    assert [record.getMessage() for record in caplog.records] == ["a fault of this program"]


def test_handlers_of_the_failures_of_task_routes_can_be_replaced(
    extended: Callable[..., People],
) -> None:
    def extend(app: TaskAPI) -> None:
        @app.exception_handler(Failure)
        def failure(request: Request, error: Failure) -> Response:
            return PlainTextResponse(f"own words for {error.kind.slug}", error.kind.status)

        @app.exception_handler(404)
        async def nowhere(request: Request, error: Exception) -> Response:
            return PlainTextResponse("own 404", 404)

    alice = extended(extend).person("alice")
    missing = asks(alice, "/api/tasks/7")
    assert (missing.status_code, missing.text) == (404, "own words for no-such-task")
    as_ours(missing)
    assert asks(alice, "/api/tasks?limit=0").text == "own words for invalid-input"
    assert asks(alice, "/nowhere").text == "own 404"
    problem(asks(alice, "/api/tasks", "PATCH"), 405)
    alice.http.headers.pop("Authorization")
    problem(asks(alice, "/api/tasks"), 401, "unauthorized")


def test_a_handler_for_everything_else_answers_and_the_fault_is_logged(
    extended: Callable[..., People], caplog: pytest.LogCaptureFixture
) -> None:
    def extend(app: TaskAPI) -> None:
        failing(app)

        @app.exception_handler(Exception)
        async def anything(request: Request, error: Exception) -> Response:
            return PlainTextResponse("own 500", 500)

    stranger = extended(extend).stranger()
    caplog.clear()
    answer = asks(stranger, "/fails/fault")
    assert (answer.status_code, answer.text) == (500, "own 500")
    as_ours(answer)
    deadline = time.monotonic() + PATIENCE
    while not caplog.records and time.monotonic() < deadline:  # it is logged when it is answered
        time.sleep(0.02)
    assert [record.getMessage() for record in caplog.records] == ["a fault of this program"]


# dependencies, state, lifespan


def test_dependencies_are_overridden_also_while_it_runs(extended: Callable[..., People]) -> None:
    apps: list[TaskAPI] = []

    async def setting() -> str:
        return "of production"

    def extend(app: TaskAPI) -> None:
        apps.append(app)

        @app.get("/setting")
        async def shows(value: Annotated[str, Depends(setting)]) -> str:
            return value

    stranger = extended(extend).stranger()
    assert asks(stranger, "/setting").json() == "of production"
    apps[0].dependency_overrides[setting] = lambda: "of the test"
    assert asks(stranger, "/setting").json() == "of the test"
    apps[0].dependency_overrides = {}
    assert asks(stranger, "/setting").json() == "of production"


def test_who_is_asking_can_be_overridden_for_task_routes(extended: Callable[..., People]) -> None:
    apps: list[TaskAPI] = []
    people = extended(apps.append)
    alice, stranger = people.person("alice"), people.stranger()
    task = alice.creates()
    problem(asks(stranger, "/api/tasks"), 401)
    apps[0].dependency_overrides[routing.caller] = lambda: User(alice.id)
    assert asks(stranger, "/api/tasks").json() == [task]
    assert asks(stranger, "/api/tasks", "POST", json={"title": "x"}).status_code == 201
    apps[0].dependency_overrides.clear()
    problem(asks(stranger, "/api/tasks"), 401)


def test_the_caller_is_a_dependency_of_any_route_and_counted_once(
    extended: Callable[..., People],
) -> None:
    def extend(app: TaskAPI) -> None:
        @app.get("/me")
        async def me(user: Annotated[User, Depends(routing.caller)]) -> str:
            return user.id

    people = extended(extend, rate_limit="2/day")
    alice = people.person("alice")
    problem(asks(people.stranger(), "/me"), 401, "unauthorized")
    answer = asks(alice, "/me")
    assert answer.json() == alice.id
    assert "r=1" in answer.headers["RateLimit"]
    assert asks(alice, "/me").status_code == 200
    problem(asks(alice, "/api/tasks"), 429)


def test_state_and_lifespans_of_routers_are_there(database: TaskDatabase) -> None:
    steps: list[str] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
        app.state.opened = "opened"
        steps.append("start")
        yield {"given": "given"}
        steps.append("stop")

    router = APIRouter(lifespan=lifespan)

    @router.get("/state")
    async def state(request: Request) -> list[str]:
        return [request.app.state.own, request.app.state.opened, request.state.given]

    def extend(app: TaskAPI) -> None:
        app.state.own = "own"
        app.include_router(router)

    with people_of(database, extend) as people:
        assert steps == ["start"]
        assert people.stranger().http.get("/state").json() == ["own", "opened", "given"]
        assert people.person("alice").lists() == [], "and what was there is open"
    assert steps == ["start", "stop"]


def test_a_document_of_ones_own_is_shown(extended: Callable[..., People]) -> None:
    def extend(app: TaskAPI) -> None:
        made = app.openapi

        def own() -> dict[str, Any]:
            return made() | {"x-own": True}

        app.openapi = own  # type: ignore[method-assign]

    assert asks(extended(extend).stranger(), "/openapi.json").json()["x-own"] is True


# the short way


async def _nothing() -> Message:
    return {"type": "http.request", "body": b""}


async def passes_the_stack(app: TaskAPI, path: str = "/livez") -> bool:
    """Whether FastAPI's stack is asked: the parts of it work on a copy of the scope."""
    scope: Scope = {"type": "http", "method": "GET", "path": path, "root_path": ""}
    scope.update(headers=[], query_string=b"", client=None, http_version="1.1")
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, _nothing, send)
    assert sent[0]["type"] == "http.response.start"
    return "path_params" not in scope


def _adds_middleware(app: TaskAPI) -> None:
    app.add_middleware(GZipMiddleware)


def _adds_handler(app: TaskAPI) -> None:
    app.add_exception_handler(Teapot, lambda _, __: Response())


def _replaces_handler(app: TaskAPI) -> None:
    app.exception_handlers[Failure] = lambda _, __: Response()


def _overrides(app: TaskAPI) -> None:
    app.dependency_overrides[needs_key] = lambda: "right"


def _debugs(app: TaskAPI) -> None:
    app.debug = True


def _takes_a_route_away(app: TaskAPI) -> None:
    app.router.routes.remove(app.router.routes[0])


def _instruments(app: TaskAPI) -> None:
    """As OpenTelemetry's instrumentation of FastAPI does it."""
    make = app.build_middleware_stack
    app.build_middleware_stack = lambda: GZipMiddleware(make())  # type: ignore[method-assign]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "extend",
    [
        _adds_middleware,
        _adds_handler,
        _replaces_handler,
        _overrides,
        _debugs,
        _takes_a_route_away,
        _instruments,
    ],
    ids=lambda extend: extend.__name__.strip("_"),
)
async def test_nothing_that_was_added_is_skipped(database: TaskDatabase, extend: Extension) -> None:
    settings = Settings(database_url=database.task_app, better_auth_secret=SECRET)
    app = create_app(settings)
    extend(app)
    assert await passes_the_stack(app)
    assert await passes_the_stack(app)


@pytest.mark.anyio
async def test_where_nothing_was_added_the_way_is_short(database: TaskDatabase) -> None:
    settings = Settings(database_url=database.task_app, better_auth_secret=SECRET)
    app = create_app(settings)
    for _, path in itertools.product(range(2), ("/livez", "/docs", "/openapi.json")):
        assert not await passes_the_stack(app, path)
    assert await passes_the_stack(app, "/nowhere")
    app.dependency_overrides[needs_key] = lambda: "right"
    assert await passes_the_stack(app)
    app.dependency_overrides.clear()
    assert not await passes_the_stack(app)
    app.add_api_route("/own", needs_key)
    assert not await passes_the_stack(app), "it comes after those that are there"
    app.middleware_stack = None  # as some do to have it made anew
    app.add_middleware(GZipMiddleware)
    assert await passes_the_stack(app)


# a server of others


def test_any_server_can_run_it_with_settings_from_the_environment(database: TaskDatabase) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    alice = {"Authorization": f"Bearer {signed({'sub': 'alice-of-uvicorn'})}"}
    given = {"DATABASE_URL": database.task_app, "BETTER_AUTH_SECRET": SECRET}
    uvicorn = [sys.executable, "-m", "uvicorn", "--factory", "api.main:create_app"]
    with (
        subprocess.Popen(
            [*uvicorn, "--port", str(port)],
            env=environment(**given),
            stderr=subprocess.PIPE,
            text=True,
        ) as server,
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", verify=False) as client,
    ):
        try:
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    ready = client.get("/readyz")
                    break
                except httpx2.TransportError:
                    assert server.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
            assert ready.json() == {"status": "ok"}
            made = client.post("/api/tasks", headers=alice, json={"title": "Buy milk"})
            assert made.status_code == 201
            assert client.get(made.headers["Location"], headers=alice).json() == made.json()
            problem(client.get("/api/tasks"), 401, "unauthorized")
        finally:
            server.terminate()
            server.wait(PATIENCE)
        assert server.stderr
        assert '"route":"/api/tasks"' in server.stderr.read()


def test_without_settings_it_says_what_is_missing() -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL is not set"):
        create_app()


def test_the_example_of_the_document_works_to_the_letter(database: TaskDatabase) -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    (example,) = re.findall(r"(?ms)^## Extend it\n.*?^```python\n(.*?)^```", text)
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", database.task_app)
        patch.setenv("BETTER_AUTH_SECRET", SECRET)
        exec(compile(example, "extended.py", "exec"), names)  # noqa: S102
        app = names["extended"]()
    alice = {"Authorization": f"Bearer {signed({'sub': 'alice-of-the-example'})}"}
    bob = {"Authorization": f"Bearer {signed({'sub': 'bob-of-the-example'})}"}
    with TestClient(app) as client:
        made = client.post("/api/tasks", headers=alice, json={"title": "Buy milk"})
        assert (made.status_code, made.headers["X-Release"]) == (201, "7")
        assert client.get("/api/summary", headers=alice).json() == {"total": 1}
        assert client.get("/api/summary", headers=bob).json() == {"total": 0}
        problem(client.get("/api/summary"), 401)
