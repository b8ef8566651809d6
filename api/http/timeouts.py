"""Timeouts that share one timer."""

import asyncio
from typing import Any, Final, Self, final

EXPIRY_INTERVAL: Final = 0.1  # seconds between two checks of all deadlines


@final
class Deadlines:
    """A timeout of `seconds` for each `with deadlines.one(): ...` block.

    A task that takes longer is cancelled, and its block raises `TimeoutError`, as with
    `asyncio.timeout`, whose timer for each block costs ten times as much.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: dict[_Deadline, float] = {}  # start, by the loop's clock
        self._round: asyncio.TimerHandle | None = None

    def one(self) -> "_Deadline":
        """A context manager whose time starts when its block is entered."""
        return _Deadline(self)

    def begin(self, deadline: "_Deadline") -> None:
        """Start the time of a deadline."""
        loop = asyncio.get_running_loop()
        self._running[deadline] = loop.time()
        if self._round is None:
            self._round = loop.call_later(EXPIRY_INTERVAL, self._expire_due, loop)

    def end(self, deadline: "_Deadline") -> None:
        """Stop it. Safe to call again."""
        self._running.pop(deadline, None)

    def _expire_due(self, loop: asyncio.AbstractEventLoop) -> None:
        over = loop.time() - self._seconds
        late = [deadline for deadline, since in self._running.items() if since < over]
        for deadline in late:
            del self._running[deadline]
            deadline.expire()
        self._round = (
            loop.call_later(EXPIRY_INTERVAL, self._expire_due, loop) if self._running else None
        )


@final
class _Deadline:
    """The task in a `with` block, and its number of pending cancellations before."""

    __slots__ = ("_before", "_deadlines", "_has_passed", "_task")

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._has_passed = False

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - every awaited coroutine runs in a task
        self._task, self._before = task, task.cancelling()
        self._deadlines.begin(self)
        return self

    def expire(self) -> None:
        """Cancel the task: the time is over."""
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
