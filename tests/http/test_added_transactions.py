"""A route that is added to the API has the transaction of its caller, and nobody else's."""

import contextlib
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, ValidationError

from api.auth.authenticator import User
from api.http import routing
from api.http.fields import NoParameters
from api.http.routing import Tx, UserRoute
from api.main import TaskAPI
from api.tasks import queries
from tests.extended import Make, asks
from tests.problems import problem


class New(BaseModel):
    title: str


class Total(BaseModel):
    total: int


async def needs_key(x_key: Annotated[str, Header()]) -> str:
    if x_key != "right":
        raise HTTPException(418, "wrong key")
    return x_key


def with_a_transaction(app: TaskAPI) -> None:
    router = APIRouter(route_class=UserRoute)

    @router.get("/tasks", response_model=Total)
    async def count(tx: Tx, response: Response) -> dict[str, Any]:
        response.headers["X-Own"] = "own"
        return dict(await tx.row(queries.count(frozenset())) or {}) | {"user": tx.user}

    @router.post("/tasks", status_code=201)
    async def add(
        tx: Tx, new: New, request: Request, key: Annotated[str, Depends(needs_key)]
    ) -> list[str]:
        await tx.row(queries.CREATE, title=new.title, description=None, completed=False)
        if new.title == "fails":
            raise RuntimeError("after the row was written")
        return [new.title, request.url.path, key]

    app.include_router(router, prefix="/v2", dependencies=[Depends(needs_key)])


def test_an_added_route_has_the_callers_transaction(make: Make) -> None:
    app, serve = make(rate_limit="100/day")
    with_a_transaction(app)
    people = serve()
    alice, bob, stranger = people.person("alice"), people.person("bob"), people.stranger()
    for person in (alice, bob, stranger):
        person.http.headers["X-Key"] = "right"
    added = asks(alice, "/v2/tasks", "POST", json={"title": "Buy milk"})
    assert (added.status_code, added.json()) == (201, ["Buy milk", "/v2/tasks", "right"])
    assert "r=" in added.headers["RateLimit"]
    problem(asks(alice, "/v2/tasks", "POST", json={"title": "fails"}), 500)
    assert [task["title"] for task in alice.lists()] == ["Buy milk"], "the other was rolled back"
    counted = asks(alice, "/v2/tasks")
    assert counted.json() == {"total": 1}, "less what the model of the response lacks"
    assert counted.headers["X-Own"] == "own"
    assert asks(bob, "/v2/tasks").json() == {"total": 0}
    problem(asks(stranger, "/v2/tasks"), 401, "unauthorized")
    problem(asks(stranger, "/v2/tasks", "POST", content=b"x" * 70_000), 401)


def test_an_added_route_with_a_transaction_is_strict_and_documented(make: Make) -> None:
    app, serve = make()
    with_a_transaction(app)
    alice = serve().person("alice")
    wrong = asks(alice, "/v2/tasks", headers={"X-Key": "wrong"})
    assert (wrong.status_code, wrong.json()) == (418, {"detail": "wrong key"})
    assert asks(alice, "/v2/tasks").status_code == 422
    alice.http.headers["X-Key"] = "right"
    problem(asks(alice, "/v2/tasks?x=1"), 422, "invalid-input")
    problem(asks(alice, "/v2/tasks", "POST", content=b"{"), 415)
    document = asks(alice, "/openapi.json").json()["paths"]["/v2/tasks"]["post"]
    assert document["security"] == [{"bearer": []}]
    assert "requestBody" in document


def test_nothing_of_alice_stays_in_the_query_that_bob_sends_too(make: Make) -> None:
    class Marked(NoParameters):
        mark: str | None = None

    app, serve = make()
    router = APIRouter(route_class=UserRoute)

    @router.get("/marks")
    async def marks(tx: Tx, query: Annotated[Marked, Query()]) -> list[str | None]:
        with contextlib.suppress(ValidationError):
            query.mark = tx.user.id
        return [query.mark]

    app.include_router(router)
    people = serve()
    for person in (people.person("alice"), people.person("bob")):
        assert asks(person, "/marks").json() == [None]


def test_a_route_that_takes_no_transaction_first_is_refused_when_it_is_made() -> None:
    router = APIRouter(route_class=UserRoute)
    with pytest.raises(TypeError, match="/x takes first is not a Tx"):

        @router.get("/x")
        async def x(user: str) -> None: ...


class Street(BaseModel):
    name: str


class Place(BaseModel):
    model_config = ConfigDict(extra="forbid")
    street: Street


def plain(tx: Tx) -> None: ...
async def scalar(tx: Tx, limit: int) -> None: ...
async def mapping(tx: Tx, body: dict[str, int]) -> None: ...
async def two(tx: Tx, one: New, other: New) -> None: ...


@pytest.mark.parametrize(
    ("function", "refused"),
    [
        (plain, "write async def for /x"),
        (scalar, "the query of /x is one model, derived from NoParameters"),
        (mapping, "a body is one model, or a list of one"),
        (two, "a route takes one query model and one body"),
    ],
)
def test_a_route_that_could_not_answer_is_refused_when_it_is_made(
    function: Any, refused: str
) -> None:
    with pytest.raises(TypeError, match=refused):
        APIRouter(route_class=UserRoute).post("/x")(function)


def test_who_sends_an_unknown_member_is_told_those_of_the_body_and_not_of_its_parts(
    make: Make,
) -> None:
    app, serve = make()
    router = APIRouter(route_class=UserRoute)

    @router.api_route("/places", methods=["GET", "POST"])
    async def places(tx: Tx, place: Place | None = None) -> str:
        await tx.row(queries.CREATE, title="x", description=None, completed=False)
        return place.street.name if place else ""

    app.include_router(router)
    alice = serve().person("alice")
    unknown = asks(alice, "/places", "POST", json={"street": {"name": "x"}, "town": "y"})
    assert "known are: street" in problem(unknown, 422)["errors"][0]["detail"]
    assert asks(alice, "/places", "POST", json={"street": {"name": "x"}}).json() == "x"


def test_the_caller_is_a_dependency_of_any_route_and_counted_once(make: Make) -> None:
    app, serve = make(rate_limit="2/day")

    @app.get("/me")
    async def me(user: Annotated[User, Depends(routing.caller)]) -> str:
        return user.id

    people = serve()
    alice = people.person("alice")
    problem(asks(people.stranger(), "/me"), 401, "unauthorized")
    answer = asks(alice, "/me")
    assert answer.json() == alice.id
    assert "r=1" in answer.headers["RateLimit"]
    assert asks(alice, "/me").status_code == 200
    problem(asks(alice, "/api/tasks"), 429)
