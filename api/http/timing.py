"""Durations of the parts of a request, stored in its scope."""

from time import perf_counter
from typing import Final, final

from starlette.types import Scope

AUTH: Final = "task-api.auth"
DATABASE: Final = "task-api.database"


@final
class timed:  # noqa: N801 - read as a verb: with timed(scope, AUTH)
    """Stores `(began, ended)` of a part of the request in the scope, by `perf_counter`."""

    __slots__ = ("_began", "_part", "_scope")

    def __init__(self, scope: Scope, part: str) -> None:
        self._scope, self._part = scope, part

    def __enter__(self) -> None:
        self._began = perf_counter()

    def __exit__(self, *_: object) -> None:
        self._scope[self._part] = self._began, perf_counter()
