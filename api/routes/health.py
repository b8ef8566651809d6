"""Is the process alive; is the database there, with row security in force."""

from typing import Final, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from api.db import Database
from api.document import failures
from api.problems import Kind
from api.routes.route import Route

router = APIRouter(route_class=Route, tags=["health"])


class Health(BaseModel):
    """All is well."""

    status: Literal["ok"]


_OK: Final = Health(status="ok").model_dump_json()


@router.get("/livez", operation_id="live", summary="The process is alive", response_model=Health)
async def live(_: Request) -> Response:
    return Response(_OK, media_type="application/json")


@router.get(
    "/readyz",
    operation_id="ready",
    summary="The database is reachable and keeps users apart",
    response_model=Health,
    responses=failures(Kind.INTERNAL_ERROR, Kind.UNAVAILABLE),
)
async def ready(request: Request) -> Response:
    database: Database = request.app.state.database
    await database.ping()
    return Response(_OK, media_type="application/json")
