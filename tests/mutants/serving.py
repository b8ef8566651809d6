"""Slow clients, endless heads, and the processes that serve."""

from typing import Final

from tests.mutants.mutant import mutants

_PROTOCOL: Final = "api/serving/protocol.py"
_RESPONSES: Final = "api/serving/responses.py"
_CONNECTIONS: Final = "api/serving/connections.py"
_SLOW: Final = "faults/test_slow_clients.py"

SERVING: Final = [
    *mutants(
        _RESPONSES,
        (
            "a value may end its header",
            "if _NOT_IN_A_HEADER.search(",
            "if False and _NOT_IN_A_HEADER.search(",
        ),
        witness="http/test_http.py",
    ),
    *mutants(
        "api/commands/serve.py",
        ("--keep-alive is ignored", "        timeout_keep_alive=options.keep_alive,\n", ""),
        witness="serving/test_timeouts.py",
    ),
    *mutants(
        _PROTOCOL,
        ("DRAIN_TIMEOUT is ignored", "self.server_state.timeouts.drain,", "1,"),
        witness="serving/test_timeouts.py",
    ),
    *mutants(
        "api/http/readiness.py",
        (
            "READINESS_TIMEOUT is ignored",
            "self._rate_limits, self._timeout = rate_limits, timeout",
            "self._rate_limits, self._timeout = rate_limits, 2",
        ),
        witness="serving/test_timeouts.py",
    ),
    *mutants(
        "api/database/session.py",
        (
            "POOL_LEASE_TIMEOUT is ignored",
            "            max_lease=settings.pool_lease_timeout,\n",
            "",
        ),
        ("POOL_IDLE_TIMEOUT is ignored", "            max_idle=settings.pool_idle_timeout,\n", ""),
        (
            "POOL_CLOSE_TIMEOUT is ignored",
            "max_close=settings.pool_close_timeout",
            "max_close=2",
        ),
        witness="serving/test_timeouts.py",
    ),
    *mutants(
        "api/serving/server.py",
        (
            "WORKER_STOP_TIMEOUT is ignored",
            "settings.shutdown_timeout + settings.worker_stop_timeout",
            "settings.shutdown_timeout + 5",
        ),
        witness="serving/test_timeouts.py",
    ),
    *mutants(
        "api/observability/observer.py",
        ("SPAN_FLUSH_TIMEOUT is ignored", "Tracer(settings.span_flush_timeout)", "Tracer(3)"),
        witness="observability/test_tracing.py",
    ),
    *mutants(
        "api/commands/migrate.py",
        (
            "migrate ignores the timeouts of the role",
            '{name: timeouts.get(name, "") for name in RoleSettings.model_fields}',
            '{name: "" for name in RoleSettings.model_fields}',
        ),
        witness="serving/test_timeouts.py",
    ),
    *mutants(
        "api/commands/audit/command.py",
        (
            "the audit does not know which timeouts migrate was given",
            "            settings.timeouts(),\n",
            "",
        ),
        witness="serving/test_timeouts.py",
    ),
    *mutants(
        "api/settings.py",
        (
            "a statement may be given no time",
            "_MILLISECOND: Final = 0.001",
            "_MILLISECOND: Final = 0",
        ),
        witness="serving/test_timeouts.py",
    ),
    *mutants(
        _PROTOCOL,
        ("a head takes as long as it likes", "and waited > timeouts.head", "and False"),
        witness=f"{_SLOW}::test_patience_ends_with_a_head_that_dribbles",
    ),
    *mutants(
        _PROTOCOL,
        (
            "who takes no answer is kept",
            "if now - self._sent_at > timeouts.write:",
            "if False:",
        ),
        witness=f"{_SLOW}::test_who_does_not_read_the_answer_is_cut_off",
    ),
    *mutants(
        "api/serving/server.py",
        (
            "a client that does not read holds up the stop",
            "            await asyncio.sleep(CHECK_INTERVAL)\n            self._check_timeouts()",
            "            await asyncio.sleep(CHECK_INTERVAL)",
        ),
        witness="faults/test_stopping.py::test_who_does_not_read_is_cut_off_while_it_stops",
    ),
    *mutants(
        _CONNECTIONS,
        (
            "who is cut off leaves to the kernel what is unsent",
            "        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)\n",
            "",
        ),
        witness="faults/test_unread.py",
    ),
    *mutants(
        _PROTOCOL,
        (
            "a body that nobody asked for is waited for",
            "                self.transport.close()",
            "                pass",
        ),
        witness=f"{_SLOW}::test_patience_ends_with_a_body_that_nobody_asked_for",
    ),
    *mutants(
        _PROTOCOL,
        (
            "a head may be large",
            "if self._header_bytes > MAX_HEAD:\n                raise ValueError",
            "if self._header_bytes > MAX_HEAD:\n                pass",
        ),
        witness=f"{_SLOW}::test_a_head_of_100_kb_is_refused",
    ),
    *mutants(
        _PROTOCOL,
        (
            "a head may have no end",
            "            return\n        if self._header_bytes is not None and",
            "            return\n        if False and",
        ),
        witness=f"{_SLOW}::test_a_head_that_never_ends_is_not_kept",
    ),
    *mutants(
        _PROTOCOL,
        (
            "who is busy may leave answers unread",
            "if not unsent or sent != self._sent:",
            "if not unsent or sent != self._sent or self.is_busy():",
        ),
        witness="faults/test_unread.py",
    ),
    *mutants(
        _RESPONSES,
        (
            "what is not read is asked for all the same",
            "if self.flow.write_paused:  # a client",
            "if False:  # a client",
        ),
        witness="faults/test_unread.py",
    ),
    *mutants(
        _PROTOCOL,
        (
            "a body behind an upgrade is read as a request",
            "            return  # a new parser reads it again, see _feed\n",
            "            pass\n",
        ),
        ("any number of requests may wait", "if len(self.pipeline) >= MAX_PIPELINED:", "if False:"),
        (
            "a trailer may have no end",
            "elif self._in_body and self._framing_bytes > MAX_HEAD:",
            "elif False:",
        ),
        (
            "a broken body is answered before what came before it",
            "if self._in_body and self.cycle is not self.answering:",
            "if False:",
        ),
        (
            "what is behind the head of an upgrade is lost",
            "data = data[upgrade.args[0] :]",
            'data = b""',
        ),
        witness="serving/test_framing.py",
    ),
    *mutants(
        "api/serving/heads.py",
        ("an upgrade is wished again", 'if header[0] != b"upgrade"', "if header"),
        ("there may be two hosts", "len(hosts) > 1 or", "False or"),
        ("there may be no host", '(not hosts and version == "1.1")', "False"),
        ("a host may go on", "_HOST.fullmatch(host.", "_HOST.match(host."),
        ("a port may be any number", "int(found[2] or 0) <= _MAX_PORT", "True"),
        ("tunnels are made", 'if method == b"CONNECT":', "if False:"),
        ("any version is HTTP/1.1", "if version not in _VERSIONS:", "if False:"),
        witness="serving/test_framing.py",
    ),
    *mutants(
        "api/serving/connections.py",
        ("who is idle keeps the place", "        longest.leave()\n", "        return\n"),
        ("there is always room", "all(len(group.places) <= group.limit for", "all(True for"),
        ("an address has no limit", "groups = (group, self._all)", "pass"),
        ("who is at work has to go", "        self.since = _BUSY", "        pass"),
        (
            "who has asked goes before who is silent",
            "self.since = time.monotonic() - _SILENT_OFFSET",
            "self.since = time.monotonic() + _SILENT_OFFSET",
        ),
        ("a place is never free again", "            del group.places[self]", "            pass"),
        ("unread answers have no limit", "while total > self._max_unsent:", "while False:"),
        witness="serving/test_connections.py",
    ),
    *mutants(
        "api/serving/workers.py",
        (
            "the end of the pipe is taken for a process that serves",
            "except (EOFError, OSError):",
            "except (EOFError, OSError):\n            self._served = True",
        ),
        ("a process that says why it cannot start serves", "message is None", "True"),
        witness="serving/test_workers.py",
    ),
    *mutants(
        "api/commands/serve.py",
        ("systemd waits for ever", "        notify(systemd.READY)\n", ""),
        ("systemd hears of no end", "        notify(systemd.STOPPING)\n", "        pass\n"),
        witness="serving/test_systemd.py",
    ),
    *mutants(
        "api/serving/systemd.py",
        ("an abstract socket is a file", 'if path.startswith("@") else path', "if False else path"),
        witness="serving/test_systemd.py",
    ),
]
