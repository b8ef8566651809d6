"""FastAPI: how api/http/routing.py learns what a route takes."""

from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header, Query, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel


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
