"""Streams of events: who is told what, and when a stream ends."""

from typing import Final

from tests.mutants.mutant import mutants

_HUB: Final = "api/sync/hub.py"
_STREAM: Final = "api/sync/stream.py"
_EVENTS: Final = "api/sync/events.py"
_NOTIFY: Final = "api/sync/notify.py"
_DIGESTS: Final = "api/sync/digests.py"
_CHANNELS: Final = "api/sync/channels.py"
_HERE: Final = "sync/test_streams.py"
_BETWEEN: Final = "sync/test_between_processes.py"

STREAMS: Final = [
    *mutants(
        _HUB,
        ("a user may have any number of streams", ">= MAX_STREAMS:", ">= 10**9:"),
        (
            "who leaves is kept in mind",
            "        del self._people[stream.user.id]\n",
            "",
        ),
        (
            "everybody is told of everybody's changes",
            "(person := self._people.get(user_id))",
            "(person := next(iter(self._people.values()), None))",
        ),
        (
            "what could not be read is not read again",
            "                person.is_due = True\n                await",
            "                await",
        ),
        (
            "what changes while a head is read is not told",
            "if person.is_due:  # changed",
            "if False:  #",
        ),
        ("changes of a moment are read one by one", "time.monotonic() + COALESCE", "0"),
        witness=_HERE,
    ),
    *mutants(
        _STREAM,
        (
            "a stream outlives its token",
            "        self.end(Ending.EXPIRED)\n        leave(self)\n",
            "        pass\n",
        ),
        (
            "nobody is told that they are behind",
            "since is not None and since != self._token()",
            "False",
        ),
        (
            "who is not behind is told so",
            "since is not None and since != self._token()",
            "since is not None",
        ),
        ("a head that has not moved is told", "if self._head != head:", "if True:"),
        ("a quiet stream says nothing", "        self._is_pinged = True\n", ""),
        (
            "all clients come back at once",
            "random.uniform(MIN_RECONNECT, MAX_RECONNECT)",
            "MAX_RECONNECT",
        ),
        ("an event has no data, and is none", "%bdata:\\n\\n", "%b\\n"),
        witness=_HERE,
    ),
    *mutants(
        _EVENTS,
        (
            "any id is one of mine",
            "        _require_token(user, last_event_id)\n",
            "        pass\n",
        ),
        ("HEAD opens a stream", 'if scope["method"] == "HEAD":', "if False:"),
        (
            "whom the database refuses has a stream all the same",
            "        hub.leave(stream)\n        raise\n",
            "        raise\n",
        ),
        ("who leaves is not noticed", "    stream.end(Ending.LEFT)\n", ""),
        (
            "streams make no room for requests",
            "            scope.get(MAY_CLOSE, lambda: None)()\n",
            "",
        ),
        witness=_HERE,
    ),
    *mutants(
        "api/http/routing.py",
        (
            "nobody is told of a change",
            "            state.hub.changed(user.id)\n",
            "            pass\n",
        ),
        witness=_HERE,
    ),
    *mutants(
        "api/serving/protocol.py",
        (
            "a server that stops waits for a stream that nobody reads",
            "            self.transport.abort()  # a stream",
            "            pass  # a stream",
        ),
        witness=_HERE,
    ),
    *mutants(
        "api/serving/server.py",
        (
            "the application is not told that the server stops",
            "        self.lifespan.state.get(STOPPING, lambda: None)()\n",
            "",
        ),
        witness=_BETWEEN,
    ),
    *mutants(
        _NOTIFY,
        (
            "after a broken connection nobody is woken",
            "        self._missed()\n",
            "",
        ),
        (
            "each change is a NOTIFY of its own",
            "await asyncio.sleep(COALESCE)",
            "await asyncio.sleep(0)",
        ),
        (
            "a broken connection is not dialled again",
            "            await asyncio.sleep(delay)\n",
            "            return\n",
        ),
        witness=_BETWEEN,
    ),
    *mutants(
        _HUB,
        (
            "the listening connection stays open",
            "            self._notifier.shut()\n",
            "            pass\n",
        ),
        witness=_BETWEEN,
    ),
    *mutants(
        _DIGESTS,
        (
            "a NOTIFY names the user",
            '        return urlsafe_b64encode(mac).rstrip(b"=").decode()\n',
            "        return user_id\n",
        ),
        (
            "digests have no key",
            "dklen=32)",
            "dklen=32)[:0] + bytes(32)",
        ),
        witness=_BETWEEN,
    ),
    *mutants(
        _DIGESTS,
        ("our own messages are read", "found is None or found[1] == self._sender", "found is None"),
        (
            "what a stranger says is taken for digests",
            "        if found is None or",
            "        if found is not None and",
        ),
        (
            "with a key set anybody knows the key",
            "(password or settings.rate_limit_storage.get_secret_value()).encode()",
            'b"known"',
        ),
        witness="sync/test_digests.py",
    ),
    *mutants(
        "api/settings.py",
        (
            "LISTEN needs no secret",
            "if self.listen_database_url and not self.better_auth_secret and not has_password:",
            "if False:",
        ),
        witness="sync/test_digests.py",
    ),
    *mutants(
        _CHANNELS,
        (
            "Redis reconnects, and nobody knows what was missed",
            "Retry(NoBackoff(), 0)",
            "Retry(NoBackoff(), 9)",
        ),
        witness=_BETWEEN,
        equivalent="it subscribes again, and says so: then everybody is woken",
    ),
    *mutants(
        _NOTIFY,
        (
            "the last change of a process is lost",
            "                await asyncio.wait_for(self._sending, SEND_TIMEOUT)\n",
            "                self._sending.cancel()\n",
        ),
        witness="sync/test_digests.py",
    ),
    *mutants(
        _HUB,
        ("a server that stops leaves its streams open", "stream.end(Ending.STOPPED)", "pass"),
        witness=_BETWEEN,
    ),
]
