"""The ASGI application: FastAPI with this API's routes, headers, timeouts and lifespan."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.telemetry import TelemetryConfig
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth.authenticator import Authenticator
from api.database.errors import DatabaseError, DatabaseUnavailable
from api.database.gate import CannotServe
from api.database.session import Database
from api.http import docs, health, openapi, problems
from api.http.cors import CORS, is_preflight
from api.http.prefix import path_of
from api.http.rate_limits import HEADERS, RateLimits
from api.http.readiness import Readiness
from api.http.routing import Route, find
from api.http.stack import HANDLERS, STARTED, Innermost, Lines, Started, problem, route_of
from api.http.timeouts import Deadlines
from api.observability import logs
from api.observability.current_request import CurrentRequest
from api.observability.observer import Observer
from api.observability.request_record import route_name
from api.serving.protocol import CROWDED
from api.serving.responses import WRITE_RESPONSE
from api.serving.server import STOPPING
from api.settings import Settings, load
from api.sync import events
from api.sync.hub import Hub
from api.tasks import batch, sync
from api.tasks import routes as tasks
from api.tasks.schemas import Task
from api.version import VERSION

_ALWAYS: Final = [
    (b"cache-control", b"private, no-cache"),
    (b"vary", b"Authorization, Origin"),
]
# Startup errors that the operator has to fix, reported by their message alone.
_STARTUP_ERRORS: Final = (CannotServe, DatabaseError, DatabaseUnavailable)
# observability/tracing.py makes the spans: FastAPI's would hold URLs and exception messages.
_NO_TELEMETRY: Final = TelemetryConfig(
    auto_configure=False, tracing=False, metrics=False, logs=False, operation_spans=False
)
# most requested first, and what is no id of a task before the tasks
_ROUTES: Final = [
    route
    for part in (sync, events, batch, tasks, health, docs)
    for route in part.router.routes
    if isinstance(route, Route)
]


class TaskAPI(FastAPI):
    """FastAPI with a fast path from a request to a route of this program and back.

    The fast path is taken while nothing is added that it would skip: middlewares, exception
    handlers, routes before these, `dependency_overrides`. FastAPI handles every request that it
    does not match.
    """

    def __init__(self, settings: Settings, **options: Any) -> None:
        self._cors = CORS(settings.cors_origins, timing=settings.server_timing)
        self._deadlines = Deadlines(settings.request_timeout)
        # added middlewares may still respond to the timeout
        self._outer_deadlines = Deadlines(settings.request_timeout + settings.middleware_timeout)
        self._root = settings.root_path or ""
        self._routes = [
            route.of(self, _ROUTES[:number], self._root) for number, route in enumerate(_ROUTES)
        ]
        self._document: dict[str, Any] | None = None
        self._bare: ASGIApp | None = None  # the middleware stack, if nothing was added
        super().__init__(
            routes=[*self._routes],
            redirect_slashes=False,
            middleware=[Middleware(Innermost, cors=self._cors, deadlines=self._deadlines)],
            exception_handlers=HANDLERS,
            telemetry=_NO_TELEMETRY,
            **options,
        )
        self._unchanged = self._parts()
        self.state.body_deadlines = Deadlines(settings.body_timeout)
        self.observer = Observer(settings)

    def _parts(self) -> tuple[object, ...]:
        """The current state of everything that the fast path skips."""
        first = self.router.routes[: len(self._routes)]
        return self.debug, [*self.user_middleware], {**self.exception_handlers}, [*map(id, first)]

    def build_middleware_stack(self) -> ASGIApp:
        """Build the middleware stack. Starlette calls this once, at startup."""
        stack = super().build_middleware_stack()
        if self._parts() == self._unchanged:
            self._bare = stack
        return stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry point."""
        scope["app"] = self
        if scope["type"] != "http":
            await super().__call__(scope, receive, _in_one_line(send))
            return
        began, headers = perf_counter(), dict(scope["headers"])
        request_id = logs.request_id(headers.get(b"x-request-id"))
        # FastAPI's stack notes the route in a copy of the scope
        request = CurrentRequest(
            request_id, lambda: route_name(scope.get("route") or route_of(self, scope))
        )
        try:
            with self._deadlines.one():
                response = await self._fast_path(scope, receive)
        except (Exception, asyncio.CancelledError) as error:
            response = problems.answer(error, request_id)
        if response is None:
            await self._call_fastapi(scope, receive, send, headers, request_id, began)
        else:
            response.raw_headers += self._headers(scope, headers, request_id)
            self.observer.ended(scope, headers, response, request_id, began)
            if WRITE_RESPONSE in scope and hasattr(response, "body"):  # a file response has none
                await scope[WRITE_RESPONSE](response)
            else:
                await response(scope, receive, send)
        request.end()  # after an exception it has not ended: the server logs that

    def _headers(self, scope: Scope, headers: dict[bytes, bytes], request_id: str) -> Lines:
        """The headers that every response gets."""
        return [
            *_ALWAYS,
            (b"x-request-id", request_id.encode()),
            *scope.get(HEADERS, ()),
            *self._cors.headers(headers.get(b"origin")),
        ]

    async def _fast_path(self, scope: Scope, receive: Receive) -> Response | None:
        """The response, or None when FastAPI has to make it."""
        if CROWDED in scope and scope["path"] != health.ALIVE:
            raise problems.crowded()
        if self.middleware_stack is None:  # without a lifespan it is built at the first request
            self.middleware_stack = self.build_middleware_stack()
        if self.middleware_stack is not self._bare or self.dependency_overrides:
            return None
        if route := find(self._routes, scope):
            return await route.answer(scope, receive)
        return self._cors.preflight(Headers(scope=scope)) if is_preflight(scope) else None

    async def _call_fastapi(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: dict[bytes, bytes],
        request_id: str,
        began: float,
    ) -> None:
        """Run FastAPI's stack, and add the headers and the log line that every response gets."""
        if self.root_path:
            scope["root_path"] = self.root_path
        scope["path"] = self._root + scope["path"]  # as the ASGI specification has it
        started = Started(request_id, lambda scope: self._headers(scope, headers, request_id))
        inner = {**scope, STARTED: started}
        has_begun = has_ended = False

        async def send_completed(message: Message) -> None:
            nonlocal has_begun, has_ended
            if message["type"] == "http.response.start":
                has_begun = True
                self._outer_deadlines.end(deadline)
                response = started.response(message, inner)
                scope_with_route = inner | {"route": route_of(self, scope)}
                self.observer.ended(scope_with_route, headers, response, request_id, began)
                message["headers"] = response.raw_headers
            elif not message.get("more_body"):
                has_ended = True
            await send(message)

        try:
            with self._outer_deadlines.one() as deadline:
                await super().__call__(inner, receive, send_completed)
            if not has_begun:
                raise RuntimeError("the application has not answered")
        except (Exception, asyncio.CancelledError) as error:
            if not has_begun:
                await problem(Request(inner), error)(inner, receive, send_completed)
            elif not has_ended or isinstance(error, asyncio.CancelledError):
                raise  # the server closes the connection
            elif started.problem is None:
                problems.log_fault(error)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document."""
        document = super().openapi()  # rebuilt when routes were added
        if document is not self._document:
            document = openapi.with_components(document, Task)
            self._document = self.openapi_schema = document
        return document


class _PrefixedAPI(TaskAPI):
    """`TaskAPI` under the path prefix of the settings, whether or not the proxy strips it.

    A class of its own, so that requests without a prefix pay nothing for it.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry point."""
        if scope["type"] == "http":
            scope["root_path"] = self._root
            scope["path"] = path_of(scope, self._root, self._routes, self)
        await super().__call__(scope, receive, send)


def _in_one_line(send: Send) -> Send:
    """Wrap `send` to report a refused startup in one line instead of Starlette's traceback."""

    async def send_reason(message: Message) -> None:
        failure = sys.exception()
        if message["type"] == "lifespan.startup.failed" and isinstance(failure, _STARTUP_ERRORS):
            message["message"] = f"refusing to serve: {failure}"
        await send(message)

    return send_reason


def create_app(settings: Settings | None = None) -> TaskAPI:
    """Create the API for these settings, or for those of the environment.

    Raises `SettingsError` when a setting cannot be used. Its startup raises what `Database.connect`
    raises.
    """
    if settings is None:
        settings = load(Settings)
    authenticator = Authenticator(settings)

    @asynccontextmanager
    async def lifespan(app: TaskAPI) -> AsyncIterator[dict[str, Any]]:
        app.state.authenticator = authenticator
        app.state.rate_limits = rate_limits = RateLimits(settings)
        try:
            async with Database.connect(settings) as database:
                app.state.database = database
                app.state.readiness = Readiness(
                    database, authenticator, rate_limits, settings.readiness_timeout
                )
                async with (
                    Hub.running(settings, database) as app.state.hub,
                    app.observer.watching(database, authenticator, rate_limits),
                ):
                    # the protocol records its refusals; the server says when it stops
                    yield {"observer": app.observer, STOPPING: app.state.hub.stop}
        finally:
            await authenticator.close()
            await rate_limits.close()

    return (_PrefixedAPI if settings.root_path else TaskAPI)(
        settings,
        title="Task API",
        version=VERSION,
        summary="Personal tasks, kept apart by PostgreSQL itself",
        servers=[{"url": settings.root_path or "/", "description": "The server of this document"}],
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )


def from_environment() -> TaskAPI:
    """`create_app()` for a dedicated server process; it also tunes the garbage collector."""
    app = create_app()
    # Objects alive now are permanent, so the collector skips them. Requests leave few reference
    # cycles, so it runs less often than after each 700 allocations.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
    return app
