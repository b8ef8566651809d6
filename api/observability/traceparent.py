"""The trace that a request is part of, as its caller says (W3C Trace Context, section 3.2)."""

import re
from typing import Final, NamedTuple

# A version that is not known yet may say more after the flags.
_FORM: Final = re.compile(rb"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NOBODY: Final = (b"0" * 32, b"0" * 16)


class Traceparent(NamedTuple):
    """The caller's trace and span, in hexadecimal digits, and whether it records them."""

    trace_id: str
    span_id: str
    flags: int


def parsed(value: bytes | None) -> Traceparent | None:
    """What a `traceparent` header says; None when it is malformed, which is to be ignored."""
    match = _FORM.fullmatch(value) if value else None
    if match is None or (match[1] == b"00" and match[5]):
        return None
    if match[2] == _NOBODY[0] or match[3] == _NOBODY[1]:
        return None
    return Traceparent(match[2].decode(), match[3].decode(), int(match[4], 16))
