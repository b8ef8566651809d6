"""The record of a request and its response, for logs, metrics and traces."""

import re
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final, Self, final

from fastapi import Response
from starlette.types import Scope

from api.forwarded import UNKNOWN
from api.http.problems import ProblemResponse
from api.http.timing import AUTH, DATABASE
from api.observability import traceparent
from api.observability.current_request import NO_ROUTE
from api.observability.traceparent import Traceparent

OTHER: Final = "_OTHER"  # as OpenTelemetry calls a method that it does not know
_METHODS: Final = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
# Behind a proxy it comes from a header, which may hold any text.
_ADDRESS: Final = re.compile(r"[0-9A-Fa-f.:]{2,45}(%[a-z0-9]{1,15})?")


def route_name(route: Any) -> str:
    """The path template of a route, or `none`."""
    return (route and route.path) or NO_ROUTE


@final
@dataclass(slots=True)
class RequestRecord:
    """What operators may see of a request: no client input except ids of a fixed form.

    Times are by `perf_counter`; None for a part that did not take place.
    """

    method: str
    route: str
    status: int
    problem: str | None
    request_id: str
    client: str | None
    parent: Traceparent | None
    trace_id: str | None
    began: float
    ended: float
    auth: tuple[float, float] | None
    database: tuple[float, float] | None

    @classmethod
    def of(
        cls,
        scope: Scope,
        headers: dict[bytes, bytes],
        response: Response,
        request_id: str,
        began: float,
    ) -> Self:
        """The record of a request whose response is ready now."""
        method = scope["method"]
        client = None if UNKNOWN in scope else scope.get("client")
        parent = traceparent.parsed(headers.get(b"traceparent"))
        return cls(
            method if method in _METHODS else OTHER,
            route_name(scope.get("route")),
            response.status_code,
            response.kind.slug if isinstance(response, ProblemResponse) else None,
            request_id,
            client[0] if client and _ADDRESS.fullmatch(client[0]) else None,
            parent,
            parent and parent.trace_id,
            began,
            perf_counter(),
            scope.get(AUTH),
            scope.get(DATABASE),
        )

    @property
    def seconds(self) -> float:
        """The duration until the response was ready to be sent."""
        return self.ended - self.began

    @property
    def timing(self) -> str:
        """The value of a Server-Timing header, in milliseconds."""
        parts = {"total": (self.began, self.ended), "auth": self.auth, "db": self.database}
        return ", ".join(
            f"{name};dur={(part[1] - part[0]) * 1000:.2f}" for name, part in parts.items() if part
        )
