"""What is logged: a line for each request, and one for whatever else there is to say.

Never what a client wrote, for it may be what should not be kept: a query, a token, a title.
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
from typing import Any, Final

from uvicorn.logging import DefaultFormatter

from api.observability.request_record import RequestRecord
from api.setting_values import LogFormat

_GIVEN: Final = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_PROCESS: Final = secrets.token_hex(6)
_numbers: Final = itertools.count(1)
# What could end a line, or move the cursor of a terminal.
_CONTROLS: Final = {
    **{code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))},
    **{code: f"\\u{code:x}" for code in (0x2028, 0x2029)},
    ord("\n"): "\n    ",
}


def config(chosen: LogFormat) -> dict[str, Any]:
    """For what is logged besides requests, by this program and by the libraries in it."""
    formatter = "JSONFormatter" if _json(chosen) else "TextFormatter"
    ours = {"handlers": ["default"], "level": "INFO", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"default": {"()": f"{__name__}.{formatter}"}},
        "handlers": {"default": {"class": "logging.StreamHandler", "formatter": "default"}},
        "loggers": {"api": ours, "uvicorn": ours},
        "root": {"handlers": ["default"], "level": "WARNING"},
    }


def request_id(given: bytes | None) -> str:
    """The id that a proxy or a client gave to its request, if it can be one; else a new one."""
    if given and _GIVEN.fullmatch(given):
        return given.decode()
    return f"{_PROCESS}-{next(_numbers):x}"


def writer(chosen: LogFormat) -> Callable[[RequestRecord], None]:
    """Writes the line of a request on stderr."""
    line = _json_line if _json(chosen) else _text_line

    def write(record: RequestRecord) -> None:
        with suppress(OSError):  # nobody reads, or the disk is full: no fault of the client's
            sys.stderr.write(line(record))

    return write


def _json(chosen: LogFormat) -> bool:
    return chosen == LogFormat.JSON or (chosen == LogFormat.AUTO and not sys.stderr.isatty())


def _json_line(record: RequestRecord) -> str:
    # Written out, for it is done for every request; and nothing in it needs to be escaped.
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


def _text_line(record: RequestRecord) -> str:
    prefix = f"{_level(record).upper()}:"
    words = [
        f"{prefix:9} {record.client or '-'} - {record.method} {record.route}",
        f"{record.status}",
        *([record.problem] if record.problem else []),
        f"{record.seconds * 1000:.2f} ms",
        record.request_id,
    ]
    return " ".join(words) + "\n"


def _level(record: RequestRecord) -> str:
    return "info" if record.status < 500 else "error"


def _time(seconds: float) -> str:
    """As RFC 3339 has it."""
    return f"{_second(int(seconds))}.{int(seconds * 1000) % 1000:03d}Z"


@lru_cache(1)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


class JSONFormatter(logging.Formatter):
    """One object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of this record."""
        entry = {
            "time": _time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and (error := record.exc_info[1]):
            entry |= {"exception": _name(error), "traceback": _traceback(error)}
        return json.dumps(entry, separators=(",", ":"))


class TextFormatter(DefaultFormatter):
    """uvicorn's, for people."""

    def __init__(self) -> None:
        super().__init__("%(levelprefix)s %(message)s", use_colors=sys.stderr.isatty())

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """What follows a line break is seen to belong to the same message."""
        record.message = record.message.translate(_CONTROLS)
        return super().formatMessage(record)

    def formatException(  # noqa: N802 - logging's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        """As in the other format."""
        return _traceback(ei[1]) if ei[1] else ""


def _name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _traceback(error: BaseException) -> str:
    """Where it came from, and what from; not what it says, which may quote a row or a request."""
    told: list[str] = []
    chain: BaseException | None = error
    while chain is not None and len(told) < 10:
        told.append("".join(traceback.format_tb(chain.__traceback__)) + _name(chain))
        chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)
    return "\n".join(reversed(told))
