"""The request that is being served, by which every log line made meanwhile is labelled."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Final, final

NO_ROUTE: Final = "none"


@final
class CurrentRequest:
    """The id of a request and its route, until it has ended.

    Timers and connections that a request starts keep its context, and with it this object; so `end`
    lets go of what knows the route, and what they log later is not the request's.
    """

    __slots__ = ("_route", "id")

    def __init__(self, request_id: str, route: Callable[[], str]) -> None:
        """`route` finds the path template; it is called for a line of the log only."""
        self.id: Final = request_id
        self._route: Callable[[], str] | None = route
        _current.set(self)

    @property
    def has_ended(self) -> bool:
        """Whether the response is sent."""
        return self._route is None

    @property
    def route(self) -> str:
        """The path template of the route, or `NO_ROUTE`."""
        return self._route() if self._route else NO_ROUTE

    def end(self) -> None:
        """The response is sent."""
        self._route = None


_current: Final[ContextVar[CurrentRequest | None]] = ContextVar("request", default=None)


def current_request() -> CurrentRequest | None:
    """The request that is being served by the code that asks, if any."""
    request = _current.get()
    return None if request is None or request.has_ended else request
