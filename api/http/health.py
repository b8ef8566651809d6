"""Liveness (`/livez`) and readiness (`/readyz`: database reachable, row security in force)."""

from typing import Final, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from pydantic.json_schema import SkipJsonSchema

from api.http.fields import examples
from api.http.openapi import failures
from api.http.problems import Kind, unavailable
from api.http.readiness import Readiness
from api.http.routing import Route

ALIVE: Final = "/livez"
READY: Final = "/readyz"

router = APIRouter(route_class=Route, tags=["health"])


class Health(BaseModel):
    """It serves. `warnings` are there when it may not for long."""

    model_config = examples({"status": "ok"})

    status: Literal["ok"]
    warnings: list[str] | SkipJsonSchema[None] = None

    def response(self) -> Response:
        """The HTTP response."""
        return Response(self.model_dump_json(exclude_none=True), media_type="application/json")


@router.get(ALIVE, operation_id="live", summary="The process is alive", response_model=Health)
async def live(_: Request) -> Response:
    return Health(status="ok").response()


@router.get(
    READY,
    operation_id="ready",
    summary="The database is reachable and keeps users apart; the answer may be seconds old",
    response_model=Health,
    responses=failures(Kind.UNAVAILABLE),
)
async def ready(request: Request) -> Response:
    readiness: Readiness = request.app.state.readiness
    report = await readiness.report()
    if report.faults:
        raise unavailable(
            "It cannot serve just now.", errors=[{"detail": fault} for fault in report.faults]
        )
    return Health(status="ok", warnings=report.warnings or None).response()
