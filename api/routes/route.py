"""How a task route takes a request: who asks, then what is asked, then the database.

FastAPI reads the body before it looks at the token, echoes input in its errors, takes `"yes"` for
true and ignores what it does not know. A `TaskRoute` keeps FastAPI's signature and OpenAPI
document, and reads the request itself, once and strictly.
"""

import re
from collections.abc import Callable, Coroutine
from functools import lru_cache
from typing import Annotated, Any, Final

from fastapi import Depends, Path, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette._utils import get_route_path
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from api.auth import Authenticator
from api.db import Database, Transaction
from api.problems import InputError, InvalidInput
from api.schemas import MAX_ID, NoParameters

# Queries whose parameters are remembered, and their length: what is valid can yet be padded.
_QUERIES: Final = 256
_QUERY: Final = 100  # bytes
MAX_BODY: Final = 64 * 1024  # bytes
# A merge patch (RFC 7396) is JSON with a media type of its own.
_JSON: Final = {"application/json", "application/merge-patch+json"}
_UTF_8: Final = {"charset=utf-8", 'charset="utf-8"'}

# In a signature: the transaction of the user whom the request's token names.
Tx = Annotated[Transaction, Depends(HTTPBearer(bearerFormat="JWT", scheme_name="bearer"))]
TaskId = Annotated[int, Path(ge=1, le=MAX_ID)]

Handler = Callable[[Scope, Receive], Coroutine[Any, Any, Response]]


class Route(APIRoute):
    """A route whose function takes the request and answers it, without contexts around it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._takes = set(self.methods or ())
        if "GET" in self._takes:
            self._takes.add("HEAD")  # the server leaves out the body
        self._answer = self._built()

    def _built(self) -> Handler:
        async def answer(scope: Scope, receive: Receive) -> Response:
            response: Response = await self.endpoint(Request(scope, receive))
            return response

        return answer

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As FastAPI's, without its routers in routers."""
        found = self.path_regex.match(get_route_path(scope))
        if found is None:
            return Match.NONE, {}
        match = Match.FULL if scope["method"] in self._takes else Match.PARTIAL
        return match, {"endpoint": self.endpoint, "path_params": found.groupdict(), "route": self}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises `HTTPException` when it takes other methods."""
        if scope["method"] not in self._takes:
            raise HTTPException(405)
        response = await self._answer(scope, receive)
        await response(scope, receive, send)


class TaskRoute(Route):
    """A route whose function takes `tx: Tx` and any of: `task_id`, a query model, a body."""

    def _built(self) -> Handler:
        call, has_id = self.endpoint, bool(self.dependant.path_params)
        query, body = (
            next(((p.name, p.field_info) for p in fields), None)
            for fields in (self.dependant.query_params, self.dependant.body_params)
        )
        query_model: Any = query[1].annotation if query else NoParameters
        body_type: Any = body[1].annotation if body else None
        body_model: TypeAdapter[Any] = TypeAdapter(body_type)

        @lru_cache(_QUERIES)
        def parameters(query_string: bytes) -> Any:
            return _parameters(query_string, query_model)

        async def answer(scope: Scope, receive: Receive) -> Response:
            state = scope["app"].state
            authenticator: Authenticator = state.authenticator
            database: Database = state.database
            user = await authenticator.user(_values(scope, b"authorization"))
            arguments: dict[str, Any] = {}
            if has_id:
                arguments["task_id"] = _task_id(scope["path_params"]["task_id"])
            query_string = scope["query_string"]
            if len(query_string) <= _QUERY:
                given = parameters(query_string)
            else:
                given = _parameters(query_string, query_model)
            if query:
                arguments[query[0]] = given
            if body:
                content = await _content(scope, receive)
                if content or body[1].is_required():
                    arguments[body[0]] = _parsed(body_model, content)
            async with database.transaction(user) as tx:
                response: Response = await call(tx, **arguments)
            return response

        return answer


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _task_id(text: str) -> int:
    """What could not be an id is not the id of a task: 404, whatever it is."""
    if not re.fullmatch("[1-9][0-9]{0,15}", text) or int(text) > MAX_ID:
        raise HTTPException(404, "There is no such task.")
    return int(text)


def _parameters(query_string: bytes, model: type[BaseModel]) -> BaseModel:
    items = QueryParams(query_string).multi_items()
    known = list(model.model_fields)
    errors: list[InputError] = []
    for name in dict(items):
        if name not in known:
            errors.append({"detail": f"An unknown parameter; known are: {_names(known)}."})
        elif sum(name == other for other, _ in items) > 1:
            errors.append({"detail": "Given more than once.", "parameter": name})
    if errors:
        raise InvalidInput(errors)
    try:
        return model.model_validate(dict(items))
    except ValidationError as error:
        raise InvalidInput(
            [
                {"detail": f"{fault['msg']}.", "parameter": str(fault["loc"][0])}
                for fault in error.errors(include_url=False, include_input=False)
            ]
        ) from None


async def _content(scope: Scope, receive: Receive) -> bytes:
    """The body, if it is JSON and not too large."""
    declared = _values(scope, b"content-type")
    if declared:
        _demand_json(declared[0])
    if any(encoding != "identity" for encoding in _values(scope, b"content-encoding")):
        raise HTTPException(415, "Send the body without a content encoding.")
    content, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        content += message.get("body", b"")
        if len(content) > MAX_BODY:
            raise HTTPException(413, f"A body may have {MAX_BODY} bytes at most.")
        more = message.get("more_body", False)
    if content and not declared:
        _demand_json("")
    return content


def _demand_json(content_type: str) -> None:
    media_type, *options = (part.strip().lower() for part in content_type.split(";"))
    charsets = {option for option in options if option.startswith("charset=")}
    if media_type not in _JSON or charsets - _UTF_8:
        raise HTTPException(415, "Send JSON in UTF-8: Content-Type: application/json.")


def _parsed(model: TypeAdapter[Any], content: bytes) -> Any:
    try:
        from_json(content, allow_inf_nan=False)  # validate_json would take NaN for JSON
    except ValueError as error:
        raise HTTPException(400, f"The body is not JSON: {error}.") from None
    try:
        return model.validate_json(content)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
    known = _names(model.json_schema()["properties"])
    raise InvalidInput(
        [
            {"detail": f"An unknown member; known are: {known}.", "pointer": "#"}
            if fault["type"] == "extra_forbidden"
            else {
                "detail": f"{fault['msg']}.",
                "pointer": "/".join(["#", *map(str, fault["loc"][:1])]),
            }
            for fault in faults
        ]
    )


def _names(known: Any) -> str:
    return ", ".join(known) or "none"
