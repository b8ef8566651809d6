"""How a request finds its route, and how a task route takes it: who asks, what is asked, then the
database.

FastAPI reads the body before it looks at the token, echoes input in its errors, takes `"yes"` for
true and ignores what it does not know. A `TaskRoute` keeps FastAPI's signature and OpenAPI
document, and reads the request itself, once and strictly.
"""

import re
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import lru_cache, partial
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Path, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel, TypeAdapter, ValidationError, WithJsonSchema
from pydantic_core import from_json
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from api import etags, idempotency
from api.auth import Authenticator
from api.db import Database, Transaction
from api.deadlines import Deadlines
from api.exchange import AUTH, DATABASE, timed
from api.problems import LAST, Failure, InputError, InvalidInput, Kind
from api.ratelimits import RateLimits
from api.schemas import MAX_ID, NoParameters

# Queries whose parameters are remembered, and their length: what is valid can yet be padded.
_QUERIES: Final = 256
_QUERY: Final = 100  # bytes
MAX_BODY: Final = 64 * 1024  # bytes
MAX_BULK_BODY: Final = 1024 * 1024  # bytes
BODY_TIMEOUT: Final = 10.0  # seconds for a whole body
_FAULTS: Final = 100  # named at most; a megabyte has room for a hundred thousand
# A merge patch (RFC 7396) is JSON with a media type of its own.
_JSON: Final = {"application/json", "application/merge-patch+json"}
_UTF_8: Final = {"charset=utf-8", 'charset="utf-8"'}

# In a signature: the transaction of the user whom the request's token names.
Tx = Annotated[Transaction, Depends(HTTPBearer(bearerFormat="JWT", scheme_name="bearer"))]
TaskId = Annotated[int, Path(ge=1, le=MAX_ID)]
IfMatch = Annotated[
    etags.Tags | None,
    Header(
        alias="If-Match",
        description="Only if the task is still what this ETag says (RFC 9110, section 13.1.1)",
    ),
    WithJsonSchema(etags.SCHEMA),
]
IfNoneMatch = Annotated[
    etags.Tags | None,
    Header(
        alias="If-None-Match",
        description="Only if it is no longer what this ETag says (RFC 9110, section 13.1.2)",
    ),
    WithJsonSchema(etags.SCHEMA),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Makes it safe to send this again: new for each action, the same for each try"
        " (draft-ietf-httpapi-idempotency-key-header-07)",
    ),
    WithJsonSchema(idempotency.SCHEMA),
]
Prefer = Annotated[
    str | None,
    Header(description="`count=exact` asks for X-Total-Count (RFC 7240)", alias="Prefer"),
    WithJsonSchema({"type": "string", "examples": ["count=exact"]}),
]

# What these headers say; each raises `Failure`.
_HEADERS: Final[dict[str, Callable[[str], object]]] = {
    "If-Match": partial(etags.parsed, "If-Match"),
    "If-None-Match": partial(etags.parsed, "If-None-Match"),
    "Idempotency-Key": idempotency.parsed,
    "Prefer": str,
}

Handler = Callable[[Scope, Receive], Coroutine[Any, Any, Response]]


class Route(APIRoute):
    """A route whose function takes the request and answers it, without contexts around it."""

    answer: Handler

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.takes = set(self.methods or ())
        if "GET" in self.takes:
            self.takes.add("HEAD")  # the server leaves out the body
        self.answer = self._built()

    def _built(self) -> Handler:
        async def answer(scope: Scope, receive: Receive) -> Response:
            response: Response = await self.endpoint(Request(scope, receive))
            return response

        return answer


def find(routes: Iterable[Route], scope: Scope) -> Route:
    """The route that takes this request; its path's parameters are left in the scope.

    An address is the first path's that matches it: `bulk` is not the id of a task, whatever the
    method. Raises `Failure`.
    """
    path, allowed = "", set[str]()
    for route in routes:
        if (found := route.path_regex.match(scope["path"])) and path in ("", route.path):
            path, scope["route"] = route.path, route
            if scope["method"] in route.takes:
                scope["path_params"] = found.groupdict()
                return route
            allowed |= route.takes
    if not allowed:
        raise Failure(Kind.NO_SUCH_ADDRESS, "There is nothing at this address.")
    methods = ", ".join(sorted(allowed))
    raise Failure(
        Kind.METHOD_NOT_ALLOWED, f"This address takes {methods}.", headers={"Allow": methods}
    )


class TaskRoute(Route):
    """A route whose function takes `tx: Tx` and any of: `task_id`, a query model, the headers
    above, a body."""

    def _built(self) -> Handler:
        call: Callable[..., Awaitable[Response]] = self.endpoint
        has_id, reads = bool(self.dependant.path_params), "GET" in self.takes
        query, body = (
            next(((p.name, p.field_info) for p in fields), None)
            for fields in (self.dependant.query_params, self.dependant.body_params)
        )
        headers = [
            (p.name, p.alias.lower().encode(), _HEADERS[p.alias])
            for p in self.dependant.header_params
        ]
        query_model: Any = query[1].annotation if query else NoParameters
        # with the field: how many there may be stands beside the annotation
        body_model = _Body(Annotated[body[1].annotation, body[1]]) if body else None

        @lru_cache(_QUERIES)
        def parameters(query_string: bytes) -> Any:
            return _parameters(query_string, query_model)

        async def answer(scope: Scope, receive: Receive) -> Response:
            state = scope["app"].state
            authenticator: Authenticator = state.authenticator
            database: Database = state.database
            limits: RateLimits = state.rate_limits
            with timed(scope, AUTH):
                user = await limits.user(scope, authenticator, _values(scope, b"authorization"))
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
            for name, header, parsed in headers:
                if values := _values(scope, header):
                    arguments[name] = parsed(", ".join(values))
            if body and body_model:
                content = await _content(scope, receive, body_model.most, state.body_deadlines)
                if content or body[1].is_required():
                    arguments[body[0]] = body_model.parsed(content)
            with timed(scope, DATABASE):
                return await database.run(user, lambda tx: call(tx, **arguments), reads=reads)

        return answer


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _task_id(text: str) -> int:
    """What could not be an id is not the id of a task: 404, whatever it is."""
    if not re.fullmatch("[1-9][0-9]{0,15}", text) or int(text) > MAX_ID:
        raise Failure(Kind.NO_SUCH_TASK, "There is no such task.")
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


async def _content(scope: Scope, receive: Receive, most: int, deadlines: Deadlines) -> bytes:
    """The body, if it is JSON and not too large."""
    declared = _values(scope, b"content-type")
    if declared:
        _demand_json(declared[0])
    if any(encoding != "identity" for encoding in _values(scope, b"content-encoding")):
        raise Failure(Kind.UNSUPPORTED_MEDIA_TYPE, "Send the body without a content encoding.")
    content, more = b"", True
    try:
        with deadlines.one():
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                content += message.get("body", b"")
                if len(content) > most:
                    raise Failure(Kind.CONTENT_TOO_LARGE, f"A body may have {most} bytes at most.")
                more = message.get("more_body", False)
    except TimeoutError:
        raise Failure(Kind.REQUEST_TIMEOUT, "The body came too slowly.", headers=LAST) from None
    if content and not declared:
        _demand_json("")
    return content


def _demand_json(content_type: str) -> None:
    media_type, *options = (part.strip().lower() for part in content_type.split(";"))
    charsets = {option for option in options if option.startswith("charset=")}
    if media_type not in _JSON or charsets - _UTF_8:
        raise Failure(
            Kind.UNSUPPORTED_MEDIA_TYPE, "Send JSON in UTF-8: Content-Type: application/json."
        )


class _Body:
    """What a body must be: an object, or some of them."""

    def __init__(self, kind: Any) -> None:
        self._model: TypeAdapter[Any] = TypeAdapter(kind)
        schema = self._model.json_schema()
        one = next(iter(schema.get("$defs", {}).values()), schema)
        several = schema.get("type") == "array"
        self.most: Final = MAX_BULK_BODY if several else MAX_BODY
        self._depth = 2 if several else 1  # of a pointer
        self._known = _names(one["properties"])

    def parsed(self, content: bytes) -> Any:
        """What the content says. Raises `Failure`."""
        try:
            from_json(content, allow_inf_nan=False)  # validate_json would take NaN for JSON
        except ValueError as error:
            raise Failure(Kind.MALFORMED_REQUEST, f"The body is not JSON: {error}.") from None
        try:
            return self._model.validate_json(content)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False)
        raise InvalidInput([self._error(fault) for fault in faults[:_FAULTS]])

    def _error(self, fault: Any) -> InputError:
        # A name that is not known is not said: it may be anything.
        unknown = fault["type"] == "extra_forbidden"
        place = fault["loc"][: self._depth - unknown]
        return {
            "detail": f"An unknown member; known are: {self._known}."
            if unknown
            else f"{fault['msg']}.",
            "pointer": "/".join(["#", *map(str, place)]),
        }


def _names(known: Any) -> str:
    return ", ".join(known) or "none"
