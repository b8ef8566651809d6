"""Tells the other processes whose tasks have changed, and hears it from them."""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from typing import Final, final

from api.sync.channels import SEND_TIMEOUT, Channel, ChannelDown
from api.sync.digests import Digests

COALESCE: Final = 0.05  # seconds for which changes are collected into one message
MIN_REDIAL: Final = 1  # seconds until what is broken is tried again; doubled each time
MAX_REDIAL: Final = 30  # seconds

_log = logging.getLogger(__name__)


@final
class Notifier:
    """Sends and hears the messages of a channel. What is lost costs a delay: clients also poll.

    `heard` is called with the digest of each user whom another process names; `missed` when the
    channel has just been opened: something may have been said before.
    """

    def __init__(
        self,
        channel: Channel,
        digests: Digests,
        heard: Callable[[str], None],
        missed: Callable[[], None],
    ) -> None:
        self._channel, self._digests = channel, digests
        self._heard, self._missed = heard, missed
        self._changed: set[str] = set()
        self._sending: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._is_heard = False  # whether the channel is open
        self._closing: set[asyncio.Task[None]] = set()

    def changed(self, user_id: str) -> None:
        """Tell the others, together with what changes in the next moment. Call it after the
        commit."""
        self._changed.add(user_id)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send(), context=Context())

    def open(self) -> None:
        """Listen from now on."""
        # not as a part of the request that happens to be the first
        self._listening = asyncio.create_task(self._listen(), context=Context())

    def shut(self) -> None:
        """Listen no more, so that a serverless database may go to sleep."""
        if (listening := self._listening) is not None:
            self._listening = None
            self._closing.add(listening)
            listening.add_done_callback(self._closing.discard)
            listening.cancel()

    async def close(self) -> None:
        """Send what there is to send, and close the connections."""
        self.shut()
        if self._sending is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._sending, SEND_TIMEOUT)
        await asyncio.gather(*self._closing, return_exceptions=True)
        await self._channel.close()

    async def _send(self) -> None:
        failed = False
        while self._changed:
            await asyncio.sleep(COALESCE)
            changed, self._changed = self._changed, set()
            try:
                await self._channel.send(self._digests.messages(changed))
                failed = False
            except ChannelDown as error:
                if not failed:
                    _log.warning("other processes are not told of changes: %s", error)
                failed = True
        self._sending = None

    async def _listen(self) -> None:
        pause: float = MIN_REDIAL
        while True:
            try:
                await self._channel.listen(self._began, self._read)
            except ChannelDown as error:
                if self._is_heard:
                    pause = MIN_REDIAL
                _log.warning("changes of other processes are not heard: %s", error)
            self._is_heard = False
            delay = pause * random.uniform(0.5, 1)  # noqa: S311 - no secret; not all at once
            await asyncio.sleep(delay)
            pause = min(2 * pause, MAX_REDIAL)

    def _began(self) -> None:
        self._is_heard = True
        _log.info("changes of other processes are heard")
        self._missed()

    def _read(self, message: str) -> None:
        for digest in self._digests.read(message):
            self._heard(digest)
