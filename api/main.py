"""The application: settings in, ASGI out."""

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
from api.http.body import BODY_TIMEOUT
from api.http.cors import CORS, is_preflight
from api.http.rate_limits import HEADERS, RateLimits
from api.http.readiness import Readiness
from api.http.routing import Route, find
from api.http.stack import HANDLERS, STARTED, Innermost, Lines, Started, problem, route_of
from api.http.timeouts import Deadlines
from api.observability import logs
from api.observability.observer import Observer
from api.serving.protocol import CROWDED
from api.serving.responses import WRITE_RESPONSE
from api.settings import Settings, load
from api.tasks import routes as tasks
from api.tasks.schemas import TaskRead

_ALWAYS: Final = [
    (b"cache-control", b"private, no-cache"),
    (b"vary", b"Authorization, Origin"),
]
# What the operator has to mend, and says so in its message.
_REFUSALS: Final = (CannotServe, DatabaseError, DatabaseUnavailable)
# Of this project's own making are the spans of observability/tracing.py: FastAPI's would hold
# addresses, and what exceptions say.
_NO_TELEMETRY: Final = TelemetryConfig(
    auto_configure=False, tracing=False, metrics=False, logs=False, operation_spans=False
)
_GRACE: Final = 1.0  # seconds for what was added around the routes, to say that one took too long
# in the order of how often they are asked for
_ROUTES: Final = [
    route
    for part in (tasks, health, docs)
    for route in part.router.routes
    if isinstance(route, Route)
]


class TaskAPI(FastAPI):
    """FastAPI, with a short way from a request to a route of this program, and back.

    It is taken while nothing is added that it would skip: middlewares, handlers of exceptions,
    routes before these, `dependency_overrides`. Whatever it does not find goes to FastAPI.
    """

    def __init__(self, settings: Settings, **options: Any) -> None:
        self._cors = CORS(settings.cors_origins, timing=settings.server_timing)
        self._deadlines = Deadlines(settings.request_timeout)
        self._outer_deadlines = Deadlines(settings.request_timeout + _GRACE)
        self._routes = [route.of(self, _ROUTES[:number]) for number, route in enumerate(_ROUTES)]
        self._document: dict[str, Any] | None = None
        self._bare: ASGIApp | None = None  # the stack of middlewares, if nothing was added to it
        super().__init__(
            routes=[*self._routes],
            redirect_slashes=False,
            middleware=[Middleware(Innermost, cors=self._cors, deadlines=self._deadlines)],
            exception_handlers=HANDLERS,
            telemetry=_NO_TELEMETRY,
            **options,
        )
        self._unchanged = self._parts()
        self.state.body_deadlines = Deadlines(BODY_TIMEOUT)
        self.observer = Observer(settings)

    def _parts(self) -> tuple[object, ...]:
        """What the short way skips, as it is now."""
        first = self.router.routes[: len(self._routes)]
        return self.debug, [*self.user_middleware], {**self.exception_handlers}, [*map(id, first)]

    def build_middleware_stack(self) -> ASGIApp:
        """Starlette calls it once, when the application starts."""
        stack = super().build_middleware_stack()
        if self._parts() == self._unchanged:
            self._bare = stack
        return stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        scope["app"] = self
        if scope["type"] != "http":
            await super().__call__(scope, receive, _in_one_line(send))
            return
        began, headers = perf_counter(), dict(scope["headers"])
        request_id = logs.request_id(headers.get(b"x-request-id"))
        try:
            with self._deadlines.one():
                response = await self._short_way(scope, receive)
        except (Exception, asyncio.CancelledError) as error:
            response = problems.answer(error, request_id)
        if response is None:
            await self._long_way(scope, receive, send, headers, request_id, began)
            return
        response.raw_headers += self._headers(scope, headers, request_id)
        self.observer.ended(scope, headers, response, request_id, began)
        if WRITE_RESPONSE in scope and hasattr(response, "body"):  # a file has none
            await scope[WRITE_RESPONSE](response)
        else:
            await response(scope, receive, send)

    def _headers(self, scope: Scope, headers: dict[bytes, bytes], request_id: str) -> Lines:
        """Those of every response."""
        return [
            *_ALWAYS,
            (b"x-request-id", request_id.encode()),
            *scope.get(HEADERS, ()),
            *self._cors.headers(headers.get(b"origin")),
        ]

    async def _short_way(self, scope: Scope, receive: Receive) -> Response | None:
        """The response, unless FastAPI is to make it."""
        if CROWDED in scope and scope["path"] != health.ALIVE:
            raise problems.crowded()
        if self.middleware_stack is None:  # without a lifespan it starts with the first request
            self.middleware_stack = self.build_middleware_stack()
        if self.middleware_stack is not self._bare or self.dependency_overrides:
            return None
        if route := find(self._routes, scope):
            return await route.answer(scope, receive)
        return self._cors.preflight(Headers(scope=scope)) if is_preflight(scope) else None

    async def _long_way(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: dict[bytes, bytes],
        request_id: str,
        began: float,
    ) -> None:
        """FastAPI's stack, and what holds for every response around it."""
        if self.root_path:
            scope["root_path"] = self.root_path
        started = Started(request_id, lambda scope: self._headers(scope, headers, request_id))
        inner = {**scope, STARTED: started}
        has_begun = has_ended = False

        async def sends(message: Message) -> None:
            nonlocal has_begun, has_ended
            if message["type"] == "http.response.start":
                has_begun = True
                self._outer_deadlines.end(deadline)
                response = started.response(message, inner)
                seen = inner | {"route": route_of(self, scope)}
                self.observer.ended(seen, headers, response, request_id, began)
                message["headers"] = response.raw_headers
            elif not message.get("more_body"):
                has_ended = True
            await send(message)

        try:
            with self._outer_deadlines.one() as deadline:
                await super().__call__(inner, receive, sends)
            if not has_begun:
                raise RuntimeError("the application has not answered")
        except (Exception, asyncio.CancelledError) as error:
            if not has_begun:
                await problem(Request(inner), error)(inner, receive, sends)
            elif not has_ended or isinstance(error, asyncio.CancelledError):
                raise  # and the server ends the connection
            elif started.problem is None:
                problems.log_fault(error)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document."""
        document = super().openapi()  # made anew when routes were added
        if document is not self._document:
            document = openapi.with_components(document, TaskRead)
            self._document = self.openapi_schema = document
        return document


def _in_one_line(send: Send) -> Send:
    """Tells the server why the start is refused, where Starlette tells it where from."""

    async def tell(message: Message) -> None:
        refusal = sys.exception()
        if message["type"] == "lifespan.startup.failed" and isinstance(refusal, _REFUSALS):
            message["message"] = f"refusing to serve: {refusal}"
        await send(message)

    return tell


def create_app(settings: Settings | None = None) -> TaskAPI:
    """The API for these settings, or for those of the environment. Its start raises what
    `Database.connect` raises.

    Raises `SettingsError` when there is a setting that cannot be used.
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
                app.state.readiness = Readiness(database, authenticator)
                async with app.observer.watching(database, authenticator):
                    yield {"observer": app.observer}  # for refusals by the protocol
        finally:
            await authenticator.close()
            await rate_limits.close()

    return TaskAPI(
        settings,
        title="Task API",
        version="0.1.0",
        summary="Personal tasks, kept apart by PostgreSQL itself",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )


def from_environment() -> TaskAPI:
    """`create_app()` for a process that serves nothing else."""
    app = create_app()
    # What is there now stays, and need not be looked through again. What requests leave behind
    # goes by itself, but for a rare circle: so look for those less often than at each 700 objects.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
    return app
