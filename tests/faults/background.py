"""A loop in a thread of its own, for what carries bytes while a test goes on."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any


@contextlib.contextmanager
def in_background(
    serve: Callable[[asyncio.Event, threading.Event], Coroutine[Any, Any, None]],
) -> Iterator[None]:
    """Runs it until the block ends: it is given what tells it to stop, and tells it has started."""
    loop, stop, started = asyncio.new_event_loop(), asyncio.Event(), threading.Event()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve(stop, started))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert started.wait(5)
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
