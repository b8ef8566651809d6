"""Is the process alive; is the database there, with row security in force."""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from api.db import Database
from api.problems import documented

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """All is well."""

    status: Literal["ok"]


@router.get("/livez", operation_id="live", summary="The process is alive")
async def live() -> Health:
    return Health(status="ok")


@router.get(
    "/readyz",
    operation_id="ready",
    summary="The database is reachable and keeps users apart",
    responses=documented(500, 503),
)
async def ready(request: Request) -> Health:
    database: Database = request.app.state.database
    await database.ping()
    return Health(status="ok")
