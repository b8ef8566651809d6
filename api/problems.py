"""One shape for every failure: problem details (RFC 9457)."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, TypedDict

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from api.auth import Unauthorized
from api.db import DatabaseError, DatabaseUnavailable, RowSecurityInactive
from api.keys import KeysUnavailable

MEDIA_TYPE: Final = "application/problem+json"
_RETRY_AFTER: Final = {"Retry-After": "2"}  # seconds


class InputError(TypedDict, total=False):
    """One thing wrong with the input, and where: a JSON pointer into the body, or a parameter."""

    detail: str
    pointer: str
    parameter: str


class Problem(BaseModel):
    """Why a request failed. For documentation: `answer` makes them."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no such task."])


class InvalidInput(Exception):
    """The input is well-formed, and wrong. 422 with one entry for each fault."""

    def __init__(self, errors: Sequence[InputError]) -> None:
        super().__init__()
        self.errors = errors


def answer(
    status: int,
    detail: str,
    *,
    errors: Sequence[InputError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response for a failure. `detail` is a sentence, and holds nothing of the input."""
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        problem["errors"] = errors
    return Response(json.dumps(problem, ensure_ascii=False), status, headers, media_type=MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can fail so, for OpenAPI."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Make `app` answer every failure in this shape."""
    for kind, handler in {
        HTTPException: _http,
        Unauthorized: _unauthorized,
        InvalidInput: _invalid,
        KeysUnavailable: _keys,
        DatabaseUnavailable: _database,
        RowSecurityInactive: _row_security,
        DatabaseError: _internal,
        Exception: _internal,
    }.items():
        app.add_exception_handler(kind, handler)  # type: ignore[arg-type]


async def _http(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    detail = error.detail
    if error.status_code == 404 and detail == HTTPStatus.NOT_FOUND.phrase:
        detail = "There is nothing at this address."
    elif error.status_code == 405:
        # Starlette names the methods of the first route of that path, not of all of them.
        allowed: set[str] = set()
        for route in request.app.routes:
            if route.matches(request.scope)[0] is not Match.NONE:
                allowed |= getattr(route, "methods", None) or {"GET"}
        if "GET" in allowed:
            allowed.add("HEAD")
        headers["Allow"] = ", ".join(sorted(allowed))
        detail = f"This address takes {headers['Allow']}."
    return answer(error.status_code, detail, headers=headers)


async def _unauthorized(_: Request, error: Unauthorized) -> Response:
    challenge = 'Bearer error="invalid_token"' if error.presented else "Bearer"
    return answer(401, str(error), headers={"WWW-Authenticate": challenge})


async def _invalid(_: Request, error: InvalidInput) -> Response:
    return answer(422, "The input is not what this address takes.", errors=error.errors)


async def _keys(_: Request, __: KeysUnavailable) -> Response:
    return answer(503, "Tokens cannot be verified just now; try again.", headers=_RETRY_AFTER)


async def _database(_: Request, __: DatabaseUnavailable) -> Response:
    return answer(503, "The database cannot serve just now; try again.", headers=_RETRY_AFTER)


async def _row_security(_: Request, __: RowSecurityInactive) -> Response:
    return answer(503, "The database does not keep users apart.", headers=_RETRY_AFTER)


async def _internal(_: Request, __: Exception) -> Response:
    return answer(500, "The server met a fault of its own.")
