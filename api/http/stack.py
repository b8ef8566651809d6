"""Headers, problems, timeouts and preflights for requests that pass through FastAPI's own stack,
which is used only once something (middleware, router, ...) is added to the application."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, final

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.database.errors import CommitInterrupted
from api.http import problems
from api.http.cors import CORS, is_preflight
from api.http.problems import Failure, Kind, ProblemResponse
from api.http.timeouts import Deadlines

Lines = list[tuple[bytes, bytes]]

# In the scope, if the server has such a limit: a function to call when nothing is lost if the
# connection is closed from now on, in favour of another one.
MAY_CLOSE: Final = "task-api.may-close"
STARTED: Final = "task-api.started"  # in the scope: the `Started` of the request


@final
@dataclass(slots=True)
class Started:
    """The state of a request in the stack; kept outside the scope, which middleware may copy."""

    request_id: str
    headers: Callable[[Scope], Lines]  # of every response to it
    problem: Kind | None = None
    interrupted: CommitInterrupted | None = None

    def response(self, message: Message, scope: Scope) -> Response:
        """A `Response` for the log: the status and headers that this message starts."""
        response = Response(status_code=message["status"])
        if self.problem is not None and self.problem.status == response.status_code:
            response = ProblemResponse(status_code=response.status_code)
            response.kind = self.problem
        response.raw_headers = completed(message.get("headers", ()), self.headers(scope))
        return response


@final
class Innermost:
    """The innermost middleware: the others see requests and responses as the client does."""

    def __init__(self, app: ASGIApp, *, cors: CORS, deadlines: Deadlines) -> None:
        self._app, self._cors, self._deadlines = app, cors, deadlines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started: Started = scope[STARTED]

        async def sends(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._deadlines.end(deadline)
                message["headers"] = completed(message.get("headers", ()), started.headers(scope))
            await send(message)

        try:
            with self._deadlines.one() as deadline:
                if is_preflight(scope):
                    await self._cors.preflight(Headers(scope=scope))(scope, receive, sends)
                else:
                    await self._app(scope, receive, sends)
        except (Failure, TimeoutError) as error:
            await problem(Request(scope), error)(scope, receive, sends)
        except CommitInterrupted as error:
            started.interrupted = error  # outer middleware may only see a cancellation
            raise


def completed(given: Any, ours: Lines) -> Lines:
    """The headers of a response, with those of ours that it lacks."""
    lines = [line for line in given if line[0].lower() != b"x-request-id"]
    there = {name.lower() for name, _ in lines}
    varies = [value for name, value in lines if name.lower() == b"vary"]
    for name, value in ours:
        if name not in there or (name == b"vary" and not _words(value) <= _words(*varies)):
            lines.append((name, value))
    return lines


def _words(*lists: bytes) -> set[bytes]:
    return {word.strip().lower() for one in lists for word in one.split(b",")}


def problem(request: Request, error: BaseException) -> Response:
    """Exception handler: the problem response for an exception."""
    started: Started = request.scope[STARTED]
    response = problems.answer(started.interrupted or error, started.request_id)
    started.problem = response.kind
    return response


async def _problem(request: Request, error: Exception) -> Response:
    return problem(request, error)  # async, because Starlette runs sync handlers in a thread


async def _http_exception(request: Request, error: HTTPException) -> Response:
    """A problem where no route takes the request; FastAPI handles what a route raises."""
    if error.status_code == HTTPStatus.NOT_FOUND and "route" not in request.scope:
        return problem(request, problems.no_such_address())
    allow = (error.headers or {}).get("Allow")
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and allow:
        allowed = _allowed(request.app, request.scope) or set(allow.split(", "))
        return problem(request, problems.method_not_allowed(allowed))
    return await http_exception_handler(request, error)


# By exception; handlers that are registered later replace these.
HANDLERS: Final[dict[Any, Any]] = {
    **dict.fromkeys(problems.KNOWN, _problem),
    HTTPException: _http_exception,
    Exception: _problem,
}


def _allowed(app: FastAPI, scope: Scope) -> set[str]:
    return {
        method
        for route in iter_route_contexts(app.routes)
        if route.matches(scope)[0] is Match.PARTIAL
        for method in getattr(route.original_route, "takes", route.methods or ())
    }


def route_of(app: FastAPI, scope: Scope) -> RouteContext | None:
    """The route that matches this request's path, with the prefixes of its routers."""
    partial = None
    for route in iter_route_contexts(app.routes):
        match = route.matches(scope)[0]
        if match is Match.FULL:
            return route
        if match is Match.PARTIAL and partial is None:
            partial = route
    return partial
