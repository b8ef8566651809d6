"""The request that is being served, by which every log line made meanwhile is labelled."""

from contextvars import ContextVar
from typing import Final, final

from starlette.types import Scope

from api.http.stack import route_of
from api.observability.request_record import route_name


@final
class CurrentRequest:
    """The id of a request and its route, until it has ended.

    Timers and connections that a request starts keep its context, and with it this object; so `end`
    lets go of the scope, and what they log later is not the request's.
    """

    __slots__ = ("_scope", "id")

    def __init__(self, request_id: str, scope: Scope) -> None:
        self.id: Final = request_id
        self._scope: Scope | None = scope
        _current.set(self)

    @property
    def has_ended(self) -> bool:
        """Whether the response is sent."""
        return self._scope is None

    @property
    def route(self) -> str:
        """The path template of the route, or `none`."""
        scope = self._scope or {}
        # FastAPI's stack notes the route in a copy of the scope
        return route_name(scope.get("route") or route_of(scope["app"], scope))

    def end(self) -> None:
        """The response is sent."""
        self._scope = None


_current: Final[ContextVar[CurrentRequest | None]] = ContextVar("request", default=None)


def current_request() -> CurrentRequest | None:
    """The request that is being served by the code that asks, if any."""
    request = _current.get()
    return None if request is None or request.has_ended else request
