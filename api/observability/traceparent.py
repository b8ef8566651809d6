"""Parses the `traceparent` header (W3C Trace Context, section 3.2)."""

import re
from typing import Final, NamedTuple

# Future versions may add fields after the flags.
_FORM: Final = re.compile(rb"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_ALL_ZERO: Final = (b"0" * 32, b"0" * 16)


class Traceparent(NamedTuple):
    """The caller's trace and span, in hexadecimal digits, and whether it records them."""

    trace_id: str
    span_id: str
    flags: int


def parsed(value: bytes | None) -> Traceparent | None:
    """Parse a `traceparent` header; None if it is malformed, and so ignored."""
    match = _FORM.fullmatch(value) if value else None
    if match is None or (match[1] == b"00" and match[5]):
        return None
    if match[2] == _ALL_ZERO[0] or match[3] == _ALL_ZERO[1]:
        return None
    return Traceparent(match[2].decode(), match[3].decode(), int(match[4], 16))
