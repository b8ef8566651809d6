"""The application: settings in, ASGI out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from api import problems
from api.auth import Authenticator
from api.db import Database
from api.routes import docs, health, tasks
from api.settings import Settings, load


class TaskAPI(FastAPI):
    """FastAPI with the whole of it, its failures included, behind CORS."""

    cors_origins: tuple[str, ...] = ()

    def build_middleware_stack(self) -> ASGIApp:
        # Added as middleware, CORS would stand inside the answer to an unforeseen failure,
        # and a browser would see no more of it than "Failed to fetch".
        return CORSMiddleware(
            _head_as_get(super().build_middleware_stack()),
            allow_origins=self.cors_origins,
            allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=["Link", "Location", "Retry-After", "WWW-Authenticate"],
            max_age=7200,
        )

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
        redirect_slashes=False,  # a redirect would name the host behind the proxy
    )
    app.cors_origins = settings.cors_origins
    problems.install(app)
    return app


def from_environment() -> TaskAPI:
    """For `uvicorn --factory api.main:from_environment`."""
    return create_app(load(Settings))


def _head_as_get(app: ASGIApp) -> ASGIApp:
    # The server leaves the body out, for it knows the method as it came.
    async def head_as_get(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await app(scope, receive, send)

    return head_as_get
