"""What is logged, and what is not: never a query, which may hold what should not be in it."""

import itertools
import re
import secrets
import sys
from typing import Any, Final

from starlette.types import Scope

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

_GIVEN: Final = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_PROCESS: Final = secrets.token_hex(6)
_numbers: Final = itertools.count(1)


def request_id(given: bytes | None) -> str:
    """The id that a proxy or a client gave to its request, if it can be one; else a new one."""
    if given and _GIVEN.fullmatch(given):
        return given.decode()
    return f"{_PROCESS}-{next(_numbers):x}"


def request(scope: Scope, status: int, request_id: str) -> None:
    """A line on stderr: from where, for what, how it was answered, and its id."""
    host, port = scope.get("client") or ("-", 0)
    path = scope["path"] if scope["path"].isprintable() else ascii(scope["path"])
    asked = f"{scope['method']} {path} HTTP/{scope['http_version']}"
    sys.stderr.write(f'INFO:     {host}:{port} - "{asked}" {status} {request_id}\n')
