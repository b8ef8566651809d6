"""One shape for every failure: problem details (RFC 9457)."""

import json
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final, NotRequired

from fastapi import Response
from pydantic import Field, TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import TypedDict

from api.auth import Unauthorized
from api.db import DatabaseError, DatabaseUnavailable, RowSecurityInactive
from api.keys import KeysUnavailable

MEDIA_TYPE: Final = "application/problem+json"
_RETRY_AFTER: Final = {"Retry-After": "2"}  # seconds
_REFERENCE: Final = "#/components/schemas/{model}"
_HEADERS: Final[dict[int, dict[str, Any]]] = {
    401: {"headers": {"WWW-Authenticate": {"schema": {"type": "string"}}}},
    503: {"headers": {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}},
}


class InputError(TypedDict):
    """One thing wrong with the input, and where: a JSON pointer into the body, or a parameter."""

    detail: str
    pointer: NotRequired[str]
    parameter: NotRequired[str]


class Problem(TypedDict):
    """Why a request failed (RFC 9457)."""

    type: Annotated[str, Field(examples=["about:blank"])]
    title: Annotated[str, Field(examples=["Not Found"])]
    status: Annotated[int, Field(examples=[404])]
    detail: Annotated[str, Field(examples=["There is no such task."])]
    errors: NotRequired[Sequence[InputError]]


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
    title = HTTPStatus(status).phrase
    problem = Problem(type="about:blank", title=title, status=status, detail=detail)
    if errors:
        problem["errors"] = errors
    return Response(json.dumps(problem, ensure_ascii=False), status, headers, media_type=MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can fail so, for OpenAPI."""
    content = {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(model="Problem")}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        | _HEADERS.get(status, {})
        for status in statuses
    }


def schemas() -> dict[str, Any]:
    """What `documented` refers to, for OpenAPI."""
    problem = TypeAdapter(Problem)
    _, document = TypeAdapter.json_schemas(
        [("", "serialization", problem)], ref_template=_REFERENCE
    )
    return dict(document["$defs"])


class Problems:
    """ASGI: what fails beneath is answered in this shape, unless an answer has begun."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises what was not foreseen, after it was answered, for the server to log."""
        begun = False

        async def begin(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, begin)
        except Exception as error:
            if begun:
                raise
            kind = next(kind for kind in type(error).__mro__ if kind in _ANSWERS)
            await _ANSWERS[kind](scope, error)(scope, receive, send)
            if kind is Exception:
                raise


def _http(scope: Scope, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    detail = error.detail
    if error.status_code == 404 and detail == HTTPStatus.NOT_FOUND.phrase:
        detail = "There is nothing at this address."
    elif error.status_code == 405:
        # Starlette names the methods of the first route of that path, not of all of them.
        allowed: set[str] = set()
        for route in scope["app"].routes:
            if route.matches(scope)[0] is not Match.NONE:
                allowed |= getattr(route, "methods", set())
        allowed = allowed or {"GET"}  # files: below a mount no route matches any more
        if "GET" in allowed:
            allowed.add("HEAD")
        headers["Allow"] = ", ".join(sorted(allowed))
        detail = f"This address takes {headers['Allow']}."
    return answer(error.status_code, detail, headers=headers)


def _unauthorized(_: Scope, error: Unauthorized) -> Response:
    challenge = 'Bearer error="invalid_token"' if error.presented else "Bearer"
    return answer(401, str(error), headers={"WWW-Authenticate": challenge})


def _gone(_: Scope, __: ClientDisconnect) -> Response:
    return answer(400, "The body did not arrive.")  # nobody is there to read it


def _invalid(_: Scope, error: InvalidInput) -> Response:
    return answer(422, "The input is not what this address takes.", errors=error.errors)


def _keys(_: Scope, __: KeysUnavailable) -> Response:
    return answer(503, "Tokens cannot be verified just now; try again.", headers=_RETRY_AFTER)


def _database(_: Scope, __: DatabaseUnavailable) -> Response:
    return answer(503, "The database cannot serve just now; try again.", headers=_RETRY_AFTER)


def _row_security(_: Scope, __: RowSecurityInactive) -> Response:
    return answer(503, "The database does not keep users apart.", headers=_RETRY_AFTER)


def _internal(_: Scope, __: Exception) -> Response:
    return answer(500, "The server met a fault of its own.")


_ANSWERS: Final[dict[type, Callable[[Scope, Any], Response]]] = {
    HTTPException: _http,
    Unauthorized: _unauthorized,
    ClientDisconnect: _gone,
    InvalidInput: _invalid,
    KeysUnavailable: _keys,
    DatabaseUnavailable: _database,
    RowSecurityInactive: _row_security,
    DatabaseError: _internal,
    Exception: _internal,
}
