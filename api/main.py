"""The application: settings in, ASGI out."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from api import problems
from api.auth import Authenticator
from api.cors import CORS
from api.db import Database
from api.logs import AccessLog
from api.problems import Problems
from api.routes import docs, health, tasks
from api.settings import Settings, load


class TaskAPI(FastAPI):
    """FastAPI with the whole of it, its failures included, behind CORS."""

    cors_origins: tuple[str, ...] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI. FastAPI's asks the environment, each time, whether it is being observed."""
        scope["app"] = self
        if scope["type"] != "http":
            await self.router(scope, receive, send)
            return
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        await self.middleware_stack(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        # In place of FastAPI's five, for a fraction of the time: routes here need no contexts.
        # CORS stands outside of the failures: a browser would see no more of one without CORS
        # headers than "Failed to fetch".
        with_cors = CORS(
            # without redirects, which would name the host behind the proxy
            Problems(Router(self.routes, redirect_slashes=False)),
            allow_origins=self.cors_origins,
            allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=["Link", "Location", "Retry-After", "WWW-Authenticate"],
            max_age=7200,
        )
        return AccessLog(with_cors)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document, with the one shape of failure in it."""
        if not self.openapi_schema:
            super().openapi()["components"]["schemas"] |= problems.schemas()
        return super().openapi()


def create_app(settings: Settings) -> TaskAPI:
    """The API for these settings. Its start raises what `Database.connect` raises."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.authenticator = authenticator = Authenticator(settings)
        try:
            async with Database.connect(settings.database_url.get_secret_value()) as database:
                app.state.database = database
                yield
        finally:
            await authenticator.close()

    app = TaskAPI(
        title="Task API",
        version="0.1.0",
        summary="Personal tasks, kept apart by PostgreSQL itself",
        lifespan=lifespan,
        # one list, in the order of how often they are asked for
        routes=[*tasks.router.routes, *health.router.routes, *docs.router.routes],
        docs_url=None,
        redoc_url=None,
    )
    app.cors_origins = settings.cors_origins
    return app


def from_environment() -> TaskAPI:
    """For `uvicorn --factory api.main:from_environment`."""
    app = create_app(load(Settings))
    # What is there now stays, and need not be looked through again. What requests leave behind
    # goes by itself, but for a rare circle: so look for those less often than at each 700 objects.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
    return app
