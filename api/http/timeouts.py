"""Timeouts that share one timer."""

import asyncio
from typing import Any, Final, Self, final

_ROUND: Final = 0.1  # seconds between two looks at all of them; a timer for each would cost more


@final
class Deadlines:
    """So many seconds for each of the tasks that are running: `with deadlines.one(): ...`.

    Who takes longer is cancelled, and `TimeoutError` is raised where its `with` block ends, as
    `asyncio.timeout` does it. That has a timer for each, which costs ten times as much.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: dict[_Deadline, float] = {}  # since when, by the loop's clock
        self._round: asyncio.TimerHandle | None = None

    def one(self) -> "_Deadline":
        """One more, which begins with its block."""
        return _Deadline(self)

    def begin(self, deadline: "_Deadline") -> None:
        """It is running from now on."""
        loop = asyncio.get_running_loop()
        self._running[deadline] = loop.time()
        if self._round is None:
            self._round = loop.call_later(_ROUND, self._expire_due, loop)

    def end(self, deadline: "_Deadline") -> None:
        """It is not running any more."""
        self._running.pop(deadline, None)

    def _expire_due(self, loop: asyncio.AbstractEventLoop) -> None:
        over = loop.time() - self._seconds
        late = [deadline for deadline, since in self._running.items() if since < over]
        for deadline in late:
            del self._running[deadline]
            deadline.expire()
        self._round = loop.call_later(_ROUND, self._expire_due, loop) if self._running else None


@final
class _Deadline:
    """The task in the block, and how often it had been cancelled before."""

    __slots__ = ("_before", "_deadlines", "_has_passed", "_task")

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._has_passed = False

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine that is awaited is a task's
        self._task, self._before = task, task.cancelling()
        self._deadlines.begin(self)
        return self

    def expire(self) -> None:
        """The time is over."""
        self._has_passed = True
        self._task.cancel()

    def __exit__(self, kind: Any, error: BaseException | None, _: object) -> None:
        self._deadlines.end(self)
        if (
            self._has_passed
            and self._task.uncancel() <= self._before
            and isinstance(error, asyncio.CancelledError)
        ):
            raise TimeoutError from error
