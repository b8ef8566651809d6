"""GET /api/tasks/events: a stream of server-sent events that says when there are changes.

It says no more than that: the client then asks for the changes, beneath both walls.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, final

from fastapi import APIRouter, Depends, Header, Response
from pydantic import WithJsonSchema
from starlette.types import Receive, Scope, Send

from api.auth.authenticator import User
from api.database.session import Database
from api.http.fields import ParsedBy
from api.http.openapi import failures, responses
from api.http.problems import Failure, Kind, MalformedHeader
from api.http.routing import UserRoute, caller
from api.http.stack import MAY_CLOSE
from api.http.timing import DATABASE, timed
from api.sync import queries, tokens
from api.sync.hub import Hub
from api.sync.stream import Ending, Stream

PATH: Final = "/api/tasks/events"
_MEDIA_TYPE: Final = "text/event-stream"
_HEADERS: Final = {
    "Content-Type": _MEDIA_TYPE,  # always UTF-8
    "Connection": "close",  # nothing follows
    "X-Accel-Buffering": "no",  # nginx passes on each event as it comes
}

_EXAMPLE: Final = {
    "changed": {"value": "retry: 2713\nid: G2xQmA\n\nevent: changed\nid: G2xQmB\ndata:\n\n"}
}

_CONTENT: Final = {"content": {_MEDIA_TYPE: {"schema": {"type": "string"}, "examples": _EXAMPLE}}}
_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: responses(200, "X-Accel-Buffering")[200] | _CONTENT
}

LastEventID = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        description="The id of the last event, or the sync token of the changes that you have:"
        " if there are newer ones, the stream says so at once (HTML Standard, section 9.2.4)",
    ),
    ParsedBy(str),
    WithJsonSchema({"type": "string"}),
]

_log = logging.getLogger(__name__)


@final
@dataclass(frozen=True, slots=True)
class Opening:
    """A user's request for a stream."""

    scope: Scope
    user: User


class StreamRoute(UserRoute):
    """A route whose function takes an `Opening`, and no transaction: that would hold a connection
    for as long as the stream is open."""

    async def _run(
        self, scope: Scope, user: User, call: Callable[[Any], Awaitable[Response]], **_: bool
    ) -> Response:
        return await call(Opening(scope, user))


@final
class EventStream(Response):
    """The response whose body is a stream, for as long as it is open. Without one: to HEAD."""

    media_type = _MEDIA_TYPE

    def __init__(self, hub: Hub, stream: Stream | None) -> None:
        # no body, and so no Content-Length, as in Starlette's StreamingResponse
        self.status_code, self.background = 200, None
        self._hub, self._stream = hub, stream
        self.init_headers(_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        if (stream := self._stream) is None:
            await send(start)
            await send({"type": "http.response.body"})
            return
        began = time.monotonic()
        leaving = asyncio.create_task(_leave(receive, stream))
        try:
            await send(start)
            scope.get(MAY_CLOSE, lambda: None)()
            part = stream.greeting()
            while part:
                await send({"type": "http.response.body", "body": part, "more_body": True})
                part = await stream.next()
            await send({"type": "http.response.body"})
        finally:
            leaving.cancel()
            self._hub.leave(stream)
            ending, took = stream.ending or Ending.LEFT, time.monotonic() - began
            _log.info("stream closed after %.1f s, %d events: %s", took, stream.events, ending)


async def _leave(receive: Receive, stream: Stream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end(Ending.LEFT)


router = APIRouter(route_class=StreamRoute, tags=["tasks"])


@router.get(
    PATH,
    operation_id="watchTasks",
    summary="Be told at once when your tasks have changed",
    response_description="A stream of events named `changed`, whose id is a sync token",
    status_code=200,
    response_class=EventStream,
    responses=_STREAM
    | failures(
        Kind.MALFORMED_REQUEST,
        Kind.UNAUTHORIZED,
        Kind.INVALID_INPUT,
        Kind.RATE_LIMITED,
        Kind.INTERNAL_ERROR,
        Kind.UNAVAILABLE,
    ),
)
async def watch(
    opening: Annotated[Opening, Depends(caller)], last_event_id: LastEventID = None
) -> Response:
    scope, user = opening.scope, opening.user
    hub: Hub = scope["app"].state.hub
    database: Database = scope["app"].state.database
    if last_event_id:
        _require_token(user, last_event_id)
    if scope["method"] == "HEAD":
        return EventStream(hub, None)
    stream = hub.join(user)
    try:
        with timed(scope, DATABASE):
            head = await database.run(user, lambda tx: tx.row(queries.HEAD), reads=True)
        stream.begin(head, last_event_id or None)
    except BaseException:
        hub.leave(stream)
        raise
    return EventStream(hub, stream)


def _require_token(user: User, text: str) -> None:
    try:
        tokens.parsed(user, text)
    except Failure:
        raise MalformedHeader(
            "Last-Event-ID", "It takes the id of an event of yours, or a sync token."
        ) from None
