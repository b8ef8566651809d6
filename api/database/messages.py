"""PostgreSQL's protocol messages, encoded and decoded (manual, section Message Formats)."""

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from operator import methodcaller
from typing import Any, Final

Row = dict[str, Any]
Column = tuple[str, Callable[[bytes | bytearray], Any]]  # its name, and the decoder of its text

# --- sent by the client ---

_SIZE: Final = struct.Struct("!i")
_COUNT: Final = struct.Struct("!H")
_NULL: Final = _SIZE.pack(-1)


def sent(kind: bytes, *parts: bytes) -> bytes:
    """Encode a message: its kind, its length, its content."""
    content = b"".join(parts)
    return kind + _SIZE.pack(len(content) + 4) + content


_EXECUTE: Final = sent(b"E", b"\0", bytes(4))  # the unnamed portal, all rows
SYNC: Final = sent(b"S")


def bound(statement: bytes, arguments: Sequence[object]) -> bytes:
    """Encode Bind (to the unnamed portal) and Execute; values are text, which needs no types."""
    parts = [b"\0", statement, b"\0\0", _COUNT.pack(len(arguments))]
    for argument in arguments:
        if argument is None:
            parts.append(_NULL)
        else:
            text = _ENCODERS[type(argument)](argument)
            parts += (_SIZE.pack(len(text)), text)
    content = b"".join(parts)
    return b"B%b%b\0\0%b" % (_SIZE.pack(len(content) + 6), content, _EXECUTE)


def _array(values: Sequence[object]) -> bytes:
    # PostgreSQL manual, section Array Input and Output Syntax: quoted text may hold anything.
    texts = (_ENCODERS[type(value)](value) for value in values)
    quoted = (b'"%b"' % text.replace(b"\\", rb"\\").replace(b'"', rb"\"") for text in texts)
    return b"{%b}" % b",".join(quoted)


_ENCODERS: Final[dict[type, Callable[[Any], bytes]]] = {
    str: str.encode,
    bool: lambda truth: b"true" if truth else b"false",
    int: lambda number: b"%d" % number,
    date: lambda day: day.isoformat().encode(),
    # without a zone, it is of a column without one
    datetime: lambda moment: (
        (moment.astimezone(UTC) if moment.tzinfo else moment).isoformat().encode()
    ),
    timedelta: lambda duration: b"PT%fS" % duration.total_seconds(),
    list: _array,
    tuple: _array,
}

# --- sent by the server ---

MESSAGE: Final = struct.Struct("!BI")  # its kind, and its length without the kind
HEAD: Final = MESSAGE.size
READY, DATA, COMPLETE, BOUND, ERROR, COLUMNS, NO_COLUMNS = b"ZDC2ETn"
UNASKED: Final = b"NSA"  # NoticeResponse, ParameterStatus, NotificationResponse
IDLE, FAILED = b"IE"
_COLUMN: Final = struct.Struct("!ihihih")  # table, number, type, size, modifier, format

# Decoders by pg_type.oid; values of other types stay text.
_text: Final = methodcaller("decode")
_DECODERS: Final[dict[int, Callable[[bytes | bytearray], Any]]] = {
    16: lambda text: text == b"t",  # boolean
    20: int,  # bigint
    21: int,  # smallint
    23: int,  # integer
    701: float,  # double precision
}


def columns(data: bytes | bytearray, at: int) -> list[Column]:
    """Decode the columns of a RowDescription, from offset `at`."""
    (number,) = _COUNT.unpack_from(data, at)
    at += 2
    found = []
    for _ in range(number):
        end = data.index(0, at)
        kind = _COLUMN.unpack_from(data, end + 1)[2]
        found.append((data[at:end].decode(), _DECODERS.get(kind, _text)))
        at = end + 1 + _COLUMN.size
    return found


def row(columns: Sequence[Column], data: bytes | bytearray, at: int) -> Row:
    """Decode a DataRow, from offset `at`."""
    values: Row = {}
    for name, read in columns:
        (size,) = _SIZE.unpack_from(data, at)
        at += 4
        if size < 0:
            values[name] = None
        else:
            values[name] = read(data[at : at + size])
            at += size
    return values
