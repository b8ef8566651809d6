"""How a task route takes a request: who asks, then what is asked, then the database.

FastAPI reads the body before it looks at the token, echoes input in its errors, takes `"yes"` for
true and ignores what it does not know. A `TaskRoute` keeps FastAPI's signature and OpenAPI
document, and reads the request itself, once and strictly.
"""

import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

from fastapi import Depends, Path, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from api.auth import Authenticator
from api.db import Database, Transaction
from api.problems import InputError, InvalidInput
from api.schemas import MAX_ID, NoParameters

MAX_BODY: Final = 64 * 1024  # bytes
# A merge patch (RFC 7396) is JSON with a media type of its own.
_JSON: Final = {"application/json", "application/merge-patch+json"}
_UTF_8: Final = {"charset=utf-8", 'charset="utf-8"'}

# In a signature: the transaction of the user whom the request's token names.
Tx = Annotated[Transaction, Depends(HTTPBearer(bearerFormat="JWT", scheme_name="bearer"))]
TaskId = Annotated[int, Path(ge=1, le=MAX_ID)]


class TaskRoute(APIRoute):
    """A route whose function takes `tx: Tx` and any of: `task_id`, a query model, a body."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        handle = self.get_route_handler()

        # In place of FastAPI's, which enters two stacks of contexts for dependencies not used here.
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            response = await handle(Request(scope, receive))
            await response(scope, receive, send)

        self.app = app

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, built once from the function's signature."""
        call, has_id = self.endpoint, bool(self.dependant.path_params)
        query, body = (
            next(((p.name, p.field_info) for p in fields), None)
            for fields in (self.dependant.query_params, self.dependant.body_params)
        )
        query_model: Any = query[1].annotation if query else NoParameters
        body_type: Any = body[1].annotation if body else None
        body_model: TypeAdapter[Any] = TypeAdapter(body_type)

        async def handle(request: Request) -> Response:
            authenticator: Authenticator = request.app.state.authenticator
            database: Database = request.app.state.database
            user = await authenticator.user(request.headers.getlist("authorization"))
            arguments: dict[str, Any] = {}
            if has_id:
                arguments["task_id"] = _task_id(request)
            parameters = _parameters(request, query_model)
            if query:
                arguments[query[0]] = parameters
            if body:
                content = await _content(request)
                if content or body[1].is_required():
                    arguments[body[0]] = _parsed(body_model, content)
            async with database.transaction(user) as tx:
                response: Response = await call(tx, **arguments)
            return response

        return handle


def _task_id(request: Request) -> int:
    """What could not be an id is not the id of a task: 404, whatever it is."""
    text = request.path_params["task_id"]
    if not re.fullmatch("[1-9][0-9]{0,15}", text) or int(text) > MAX_ID:
        raise HTTPException(404, "There is no such task.")
    return int(text)


def _parameters(request: Request, model: type[BaseModel]) -> BaseModel:
    items = request.query_params.multi_items()
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


async def _content(request: Request) -> bytes:
    """The body, if it is JSON and not too large."""
    declared = request.headers.get("content-type")
    if declared is not None:
        _demand_json(declared)
    if request.headers.get("content-encoding", "identity") != "identity":
        raise HTTPException(415, "Send the body without a content encoding.")
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BODY:
            raise HTTPException(413, f"A body may have {MAX_BODY} bytes at most.")
    if content and declared is None:
        _demand_json("")
    return bytes(content)


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
