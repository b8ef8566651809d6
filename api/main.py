"""The application: settings in, ASGI out."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any, Final

from fastapi import FastAPI, Response
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from api.auth.authenticator import Authenticator
from api.database.errors import DatabaseError, DatabaseUnavailable
from api.database.gate import CannotServe
from api.database.session import Database
from api.http import docs, health, openapi, problems
from api.http.body import BODY_TIMEOUT
from api.http.cors import CORS
from api.http.rate_limits import HEADERS, RateLimits
from api.http.readiness import Readiness
from api.http.routing import Route, find
from api.http.timeouts import Deadlines
from api.observability import logs
from api.observability.observer import Observer
from api.serving.protocol import CROWDED
from api.serving.responses import WHOLE
from api.settings import Settings, load
from api.tasks import routes as tasks
from api.tasks.schemas import TaskRead

_ALWAYS: Final = [
    (b"cache-control", b"private, no-cache"),
    (b"vary", b"Authorization, Origin"),
]
# What the operator has to mend, and says so in its message.
_REFUSALS: Final = (CannotServe, DatabaseError, DatabaseUnavailable)
_PREFLIGHT: Final = {b"origin", b"access-control-request-method"}
# in the order of how often they are asked for
_ROUTES: Final = [
    route
    for part in (tasks, health, docs)
    for route in part.router.routes
    if isinstance(route, Route)
]


class TaskAPI(FastAPI):
    """FastAPI's document and state. A request goes straight to its route, and comes back as one
    response, its failures included."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        super().__init__(**options)
        self._cors = CORS(settings.cors_origins, timing=settings.server_timing)
        self._deadlines = Deadlines(settings.request_timeout)
        self.state.body_deadlines = Deadlines(BODY_TIMEOUT)
        self.observer = Observer(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        scope["app"] = self
        if scope["type"] != "http":
            await self.router(scope, receive, _in_one_line(send))
            return
        began, headers = perf_counter(), dict(scope["headers"])
        request_id = logs.request_id(headers.get(b"x-request-id"))
        try:
            with self._deadlines.one():
                response = await self._answer(scope, receive, headers)
        except (Exception, asyncio.CancelledError) as error:
            response = problems.answer(error, request_id)
        response.raw_headers += [
            *_ALWAYS,
            (b"x-request-id", request_id.encode()),
            *scope.get(HEADERS, ()),
            *self._cors.headers(headers.get(b"origin")),
        ]
        self.observer.ended(scope, headers, response, request_id, began)
        if WHOLE in scope and hasattr(response, "body"):  # a file has none
            await scope[WHOLE](response)
        else:
            await response(scope, receive, send)

    async def _answer(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes]
    ) -> Response:
        if CROWDED in scope and scope["path"] != health.ALIVE:
            raise problems.crowded()
        if scope["method"] == "OPTIONS" and headers.keys() >= _PREFLIGHT:
            return self._cors.preflight(Headers(scope=scope))
        return await find(_ROUTES, scope).answer(scope, receive)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document."""
        if not self.openapi_schema:
            self.openapi_schema = openapi.completed(super().openapi(), TaskRead)
        return self.openapi_schema


def _in_one_line(send: Send) -> Send:
    """Tells the server why the start is refused, where Starlette tells it where from."""

    async def tell(message: Message) -> None:
        refusal = sys.exception()
        if message["type"] == "lifespan.startup.failed" and isinstance(refusal, _REFUSALS):
            message["message"] = f"refusing to serve: {refusal}"
        await send(message)

    return tell


def create_app(settings: Settings) -> TaskAPI:
    """The API for these settings. Its start raises what `Database.connect` raises.

    Raises `SettingsError` when the environment names proxies, certificates or a collector of spans
    in a way that cannot be used.
    """
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
        routes=_ROUTES,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )


def from_environment() -> TaskAPI:
    """For `uvicorn --factory api.main:from_environment`."""
    app = create_app(load(Settings))
    # What is there now stays, and need not be looked through again. What requests leave behind
    # goes by itself, but for a rare circle: so look for those less often than at each 700 objects.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
    return app
