"""FastAPI: what a route takes, how it is called, and what was added around it."""

from collections.abc import Callable, Coroutine
from copy import copy
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.routing import APIRoute, _effective_route_context_var, iter_route_contexts
from fastapi.testclient import TestClient
from pydantic import BaseModel
from starlette.routing import Match


class Page(BaseModel):
    limit: int = 10


class Task(BaseModel):
    title: str


class Route(APIRoute):
    """A class of routes of our own, as the manual has it."""


router = APIRouter(route_class=Route)


@router.patch("/tasks/{task_id}")
async def change(
    task_id: int,
    page: Annotated[Page, Query()],
    task: Task,
    if_match: Annotated[str | None, Header()] = None,
) -> None: ...


@router.get("/tasks")
async def tasks(request: Request) -> None: ...


def test_a_route_still_lists_what_it_takes_by_where_it_comes_from() -> None:
    route: Any = router.routes[0]
    takes = route.dependant
    assert [one.name for one in takes.path_params] == ["task_id"]
    assert [(one.name, one.field_info.annotation) for one in takes.query_params] == [("page", Page)]
    assert [(one.name, one.alias) for one in takes.header_params] == [("if_match", "if-match")]
    (body,) = takes.body_params
    assert (body.name, body.field_info.annotation) == ("task", Task)
    assert body.field_info.is_required()


def test_a_route_that_takes_the_request_takes_nothing_else() -> None:
    takes = router.routes[1].dependant  # type: ignore[attr-defined]
    kinds = (takes.path_params, takes.query_params, takes.header_params, takes.body_params)
    assert [*map(len, kinds)] == [0, 0, 0, 0]


def test_an_application_still_keeps_the_routes_that_it_is_given() -> None:
    app = FastAPI(routes=router.routes, openapi_url=None, docs_url=None, redoc_url=None)
    assert app.router.routes == router.routes
    assert [type(route) for route in app.router.routes] == [Route, Route]
    assert app.openapi()["paths"].keys() == {"/tasks/{task_id}", "/tasks"}
    assert app.openapi_schema is app.openapi(), "it is made once"


def test_a_stack_is_made_once_of_what_was_added_before() -> None:
    app = FastAPI()
    added = [*app.user_middleware]
    assert app.middleware_stack is None
    app.add_middleware(GZipMiddleware)
    assert app.user_middleware != added
    made = []

    def build() -> Any:
        made.append(FastAPI.build_middleware_stack(app))
        return made[-1]

    app.build_middleware_stack = build  # type: ignore[method-assign]
    with TestClient(app) as client:
        client.get("/")
        client.get("/")
    assert [app.middleware_stack] == made


def key(x_key: Annotated[str, Header()]) -> str:
    return x_key


class Solved(APIRoute):
    """FastAPI solves what it depends on, and nothing else."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        included: Any = _effective_route_context_var.get()
        assert included is None or included.original_route is self
        route: Any = included or self
        takes, body_field = route.dependant, route.body_field

        async def call(**solved: Any) -> list[str]:
            return sorted(solved)

        asked = copy(takes)
        asked.call, asked.request_param_name = call, "request"
        asked.query_params = asked.body_params = []
        route.dependant, route.body_field = asked, None
        try:
            return super().get_route_handler()
        finally:
            route.dependant, route.body_field = takes, body_field


def test_a_handler_is_made_of_what_a_route_and_its_inclusion_depend_on() -> None:
    solved = APIRouter(route_class=Solved)

    @solved.post("/solved")
    async def endpoint(task: Task, q: int, given: Annotated[str, Depends(key)]) -> None: ...

    def forbids() -> None:
        raise NotImplementedError

    app = FastAPI()
    app.include_router(solved, prefix="/one")
    app.include_router(solved, prefix="/two", dependencies=[Depends(forbids)])
    client = TestClient(app)
    response = client.post("/one/solved", content=b"{", headers={"X-Key": "k"})
    assert response.json() == ["given", "request"]
    app.dependency_overrides[key] = lambda: "of the test"
    assert client.post("/one/solved").json() == ["given", "request"]
    with pytest.raises(NotImplementedError):
        client.post("/two/solved", headers={"X-Key": "k"})
    body = app.openapi()["paths"]["/one/solved"]["post"]["requestBody"]
    assert body["required"]


def test_all_routes_can_be_asked_with_their_whole_paths() -> None:
    app = FastAPI(openapi_url=None)
    app.include_router(router, prefix="/v2")
    app.mount("/files", FastAPI())
    found = [*iter_route_contexts(app.routes)]
    assert [route.path for route in found] == ["/v2/tasks/{task_id}", "/v2/tasks", "/files"]
    assert found[0].original_route is router.routes[0]
    scope = {"type": "http", "method": "POST", "path": "/v2/tasks", "headers": []}
    assert [route.matches(scope)[0] for route in found] == [Match.NONE, Match.PARTIAL, Match.NONE]
    assert found[1].methods == {"GET"}
