"""CORS: which origins may call, and which response headers they may read."""

from collections.abc import Iterable
from typing import Final, final

from fastapi import Response
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Scope

from api.http.problems import Failure, Kind
from api.http.request_headers import REQUEST_HEADERS

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# Ignored by this API, but tracing libraries and HTTP clients of pages add them to each request, and
# a browser does not send a request with a header that is not allowed.
IGNORED_HEADERS: Final = (
    "baggage",
    "Cache-Control",
    "sentry-trace",
    "tracestate",
    "X-Requested-With",
)
_ALLOWED_HEADERS: Final = [
    *(header.name for header in REQUEST_HEADERS if header.cors),
    *IGNORED_HEADERS,
]
_EXPOSED_HEADERS: Final = (
    "ETag",
    "Idempotency-Replayed",
    "Link",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
    "X-Total-Count",
)
_PREFLIGHT_HEADERS: Final = {b"origin", b"access-control-request-method"}


def is_preflight(scope: Scope) -> bool:
    """Whether the request is a CORS preflight (Fetch, section 3.3.3)."""
    return (
        scope["method"] == "OPTIONS"
        and {name for name, _ in scope["headers"]} >= _PREFLIGHT_HEADERS
    )


@final
class CORS:
    """CORS for explicit origins, without credentials: clients send tokens, not cookies."""

    def __init__(self, origins: Iterable[str], *, timing: bool = False) -> None:
        """`timing`: the origins may read Server-Timing (Resource Timing, section 4.5.1)."""
        self._rules = CORSMiddleware(
            Response(),  # the middleware only makes preflight responses
            allow_origins=[*origins],
            allow_methods=_METHODS,
            allow_headers=_ALLOWED_HEADERS,
            max_age=7200,
        )
        exposed = (b"access-control-expose-headers", ", ".join(_EXPOSED_HEADERS).encode())
        naming = [b"access-control-allow-origin", *[b"timing-allow-origin"] * timing]
        self._headers = {
            origin.encode(): [*((name, origin.encode()) for name in naming), exposed]
            for origin in origins
        }

    def headers(self, origin: bytes | None) -> list[tuple[bytes, bytes]]:
        """The CORS headers of a response to this origin."""
        return self._headers.get(origin, []) if origin else []

    def preflight(self, headers: Headers) -> Response:
        """The response to a preflight request. Raises `Failure`."""
        response = self._rules.preflight_response(headers)
        if response.status_code != 200:
            detail = f"{bytes(response.body).decode()}."
            raise Failure(Kind.MALFORMED_REQUEST, detail)
        for name in ("vary", "access-control-allow-origin"):  # added to every response
            del response.headers[name]
        return response
