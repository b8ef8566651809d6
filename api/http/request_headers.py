"""Every request header that the program reads: the source for CORS and the documentation."""

from typing import Final, NamedTuple


class RequestHeader(NamedTuple):
    """`cors`: a page of another origin may send it. `logged`: its value is logged if it is
    well-formed."""

    name: str
    purpose: str
    cors: bool = False
    logged: bool = False


REQUEST_HEADERS: Final = (
    RequestHeader("Authorization", "the token: who asks", cors=True),
    RequestHeader("Accept", "of `/`: a program or a browser", cors=True),
    RequestHeader("Content-Type", "a body is JSON in UTF-8", cors=True),
    RequestHeader("Idempotency-Key", "what is sent again takes effect once", cors=True),
    RequestHeader("If-Match", "change it only if it is still this version", cors=True),
    RequestHeader("If-None-Match", "send it only if it is another version", cors=True),
    RequestHeader("Last-Event-ID", "how far a stream of events has been read", cors=True),
    RequestHeader("Prefer", "`count=exact`: count the whole list", cors=True),
    RequestHeader("X-Request-Id", "an id for the request", cors=True, logged=True),
    RequestHeader("Content-Encoding", "a body is not compressed", cors=True),
    RequestHeader("traceparent", "the trace that the request is part of", cors=True, logged=True),
    RequestHeader("X-Forwarded-For", "the client's address, from a trusted proxy", logged=True),
    RequestHeader("Origin", "the page that calls"),
    RequestHeader("Access-Control-Request-Method", "a browser asks before it calls"),
    RequestHeader("Host", "the server's name: there is one"),
    RequestHeader("Content-Length", "the length of a body"),
    RequestHeader("Upgrade", "another protocol: ignored"),
)
