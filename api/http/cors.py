"""Which front ends may call, and what they may read of the answers."""

from collections.abc import Iterable
from typing import Final, final

from fastapi import Response
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Scope

from api.http.problems import Failure, Kind
from api.http.request_headers import REQUEST_HEADERS

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_SENT: Final = [header.name for header in REQUEST_HEADERS if header.cors]
_READ: Final = (
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
_ASKS: Final = {b"origin", b"access-control-request-method"}


def is_preflight(scope: Scope) -> bool:
    """Whether a browser asks if a page may send a request (Fetch, section 3.3.3)."""
    return scope["method"] == "OPTIONS" and {name for name, _ in scope["headers"]} >= _ASKS


@final
class CORS:
    """Explicit origins, and no credentials: a token is sent by a program, not by a browser."""

    def __init__(self, origins: Iterable[str], *, timing: bool = False) -> None:
        """`timing`: their pages may read Server-Timing (Resource Timing, section 4.5.1)."""
        self._rules = CORSMiddleware(
            Response(),  # it only judges
            allow_origins=[*origins],
            allow_methods=_METHODS,
            allow_headers=_SENT,
            max_age=7200,
        )
        exposed = (b"access-control-expose-headers", ", ".join(_READ).encode())
        naming = [b"access-control-allow-origin", *[b"timing-allow-origin"] * timing]
        self._headers = {
            origin.encode(): [*((name, origin.encode()) for name in naming), exposed]
            for origin in origins
        }

    def headers(self, origin: bytes | None) -> list[tuple[bytes, bytes]]:
        """What an answer to this origin says besides."""
        return self._headers.get(origin, []) if origin else []

    def preflight(self, headers: Headers) -> Response:
        """The answer to a browser that asks whether it may. Raises `Failure`."""
        answer = self._rules.preflight_response(headers)
        if answer.status_code != 200:
            detail = f"{bytes(answer.body).decode()}."
            raise Failure(Kind.MALFORMED_REQUEST, detail)
        for said in ("vary", "access-control-allow-origin"):  # by every answer; twice is too often
            del answer.headers[said]
        return answer
