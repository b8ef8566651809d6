"""What is logged, and what is not: never a query, which may hold what should not be in it."""

import sys
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# For what is logged besides requests.
CONFIG: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "default": {"()": "uvicorn.logging.DefaultFormatter", "fmt": "%(levelprefix)s %(message)s"},
    },
    "handlers": {"default": {"class": "logging.StreamHandler", "formatter": "default"}},
    "loggers": {
        "api": {"handlers": ["default"], "level": "INFO", "propagate": False},
        "uvicorn": {"handlers": ["default"], "level": "INFO", "propagate": False},
    },
}


class AccessLog:
    """ASGI: a line on stderr for each request: from where, for what, and how it was answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                host, port = scope.get("client") or ("-", 0)
                path = scope["path"] if scope["path"].isprintable() else ascii(scope["path"])
                request = f"{scope['method']} {path} HTTP/{scope['http_version']}"
                sys.stderr.write(f'INFO:     {host}:{port} - "{request}" {message["status"]}\n')
            await send(message)

        await self._app(scope, receive, noted)
