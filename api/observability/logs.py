"""Logging: a line for each request, and the configuration of all other loggers, whose lines carry
the id and the route of the request that is being served.

Client input (a query, a token, a title) is never logged: it may be confidential.
"""

import itertools
import json
import logging
import re
import secrets
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from uvicorn.logging import DefaultFormatter

from api.observability.current_request import current_request
from api.setting_values import LogFormat

if TYPE_CHECKING:  # commands that do not serve write to the log without FastAPI
    from api.observability.request_record import RequestRecord

_VALID_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_PROCESS: Final = secrets.token_hex(6)
_numbers: Final = itertools.count(1)
# Line breaks and terminal control characters, escaped.
_CONTROLS: Final = {
    **{code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))},
    **{code: f"\\u{code:x}" for code in (0x2028, 0x2029)},
    ord("\n"): "\n    ",
}


def config(chosen: LogFormat) -> dict[str, Any]:
    """The `logging` configuration for everything except request lines."""
    ours = {"handlers": ["default"], "level": "INFO", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"default": {"()": formatter, "chosen": chosen}},
        "handlers": {"default": {"class": "logging.StreamHandler", "formatter": "default"}},
        "loggers": {"api": ours, "uvicorn": ours},
        "root": {"handlers": ["default"], "level": "WARNING"},
    }


def formatter(chosen: LogFormat) -> logging.Formatter:
    """The formatter of everything except request lines."""
    return JSONFormatter() if _json(chosen) else TextFormatter()


def request_id(given: bytes | None) -> str:
    """The X-Request-Id of a proxy or client if it is well-formed; else a new one."""
    if given and _VALID_ID.fullmatch(given):
        return given.decode()
    return f"{_PROCESS}-{next(_numbers):x}"


def writer(chosen: LogFormat) -> Callable[["RequestRecord"], None]:
    """A function that writes the log line of a request to stderr."""
    line = _json_line if _json(chosen) else _text_line

    def write(record: "RequestRecord") -> None:
        with suppress(OSError):  # a closed pipe or a full disk must not fail the request
            sys.stderr.write(line(record))

    return write


def _json(chosen: LogFormat) -> bool:
    return chosen == LogFormat.JSON or (chosen == LogFormat.AUTO and not sys.stderr.isatty())


def _json_line(record: "RequestRecord") -> str:
    # Formatted by hand because it runs for every request; no value needs escaping.
    line = (
        f'{{"time":"{_time(time.time())}","level":"{_level(record)}",'
        f'"logger":"api.request","method":"{record.method}","route":"{record.route}",'
        f'"status":{record.status},"ms":{record.seconds * 1000:.2f},'
        f'"request_id":"{record.request_id}"'
    )
    if record.problem:
        line += f',"problem":"{record.problem}"'
    if record.trace_id:
        line += f',"trace_id":"{record.trace_id}"'
    if record.client:
        line += f',"client":"{record.client}"'
    return line + "}\n"


def _text_line(record: "RequestRecord") -> str:
    prefix = f"{_level(record).upper()}:"
    words = [
        f"{prefix:9} {record.client or '-'} - {record.method} {record.route}",
        f"{record.status}",
        *([record.problem] if record.problem else []),
        f"{record.seconds * 1000:.2f} ms",
        record.request_id,
    ]
    return " ".join(words) + "\n"


def _level(record: "RequestRecord") -> str:
    return "info" if record.status < 500 else "error"


def _time(seconds: float) -> str:
    """An RFC 3339 timestamp in UTC."""
    return f"{_second(int(seconds))}.{int(seconds * 1000) % 1000:03d}Z"


@lru_cache(1)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


class JSONFormatter(logging.Formatter):
    """Formats a log record as one JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with the exception's type and traceback but not its message."""
        entry = {
            "time": _time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request := current_request():
            entry |= {"request_id": request.id, "route": request.route}
        if record.exc_info and (error := record.exc_info[1]):
            entry |= {"exception": _name(error), "traceback": _traceback(error)}
        return json.dumps(entry, separators=(",", ":"))


class TextFormatter(DefaultFormatter):
    """uvicorn's formatter, with control characters escaped."""

    def __init__(self) -> None:
        super().__init__("%(levelprefix)s %(message)s", use_colors=sys.stderr.isatty())

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Indents continuation lines, so that they cannot look like another message."""
        record.message = record.message.translate(_CONTROLS)
        if request := current_request():
            record.message += f" - {request.route} {request.id}"
        return super().formatMessage(record)

    def formatException(  # noqa: N802 - logging's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        """The same traceback as in JSON."""
        return _traceback(ei[1]) if ei[1] else ""


def _name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _traceback(error: BaseException) -> str:
    """Frames and types of an exception chain; no messages, which may quote a row or a request."""
    parts: list[str] = []
    chain: BaseException | None = error
    while chain is not None and len(parts) < 10:
        parts.append("".join(traceback.format_tb(chain.__traceback__)) + _name(chain))
        chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)
    return "\n".join(reversed(parts))
