"""The identity of a transaction, the pool, the gate, and what a broken connection means."""

from typing import Final

from tests.mutants.mutant import Edit, Mutant, mutants

_DB: Final = "api/database/session.py"
_SET: Final = "Call(_SET_USER, (self.user.id,))"
_BEGIN: Final = Edit(_DB, "[BEGIN_READING if self._reads else BEGIN, ", "[")
_NOT_LOCAL: Final = Edit(_DB, "'app.user_id', $1, true)", "'app.user_id', $1, false)")

IDENTITY: Final = [
    *mutants(
        _DB,
        ("nobody is named to the database", _SET, 'Call("select 1")'),
        ("the identity outlives the transaction", _NOT_LOCAL.old, _NOT_LOCAL.new),
        ("everybody is one person to the database", _SET, _SET.replace("self.user.id", '"alice"')),
        ("another is named to the database", _SET, _SET.replace("user.id", 'user.id + "x"')),
        ("the identity is cut off", _SET, _SET.replace("user.id", "user.id[:5]")),
        ("a wrong setting is set", "set_config('app.user_id'", "set_config('app.user'"),
        (
            "everybody is one person to the filters",
            "arguments(self.user.id, values)",
            'arguments("alice", values)',
        ),
        (
            "another is named to the filters",
            "arguments(self.user.id, values)",
            'arguments(self.user.id + "x", values)',
        ),
        ("there is no transaction", _BEGIN.old, _BEGIN.new),
        ("every transaction is rolled back", "COMMIT if commits else ROLLBACK", "ROLLBACK"),
        ("every transaction is committed", "COMMIT if commits else ROLLBACK", "COMMIT"),
        ("who only reads may write", "[BEGIN_READING if self._reads else BEGIN,", "[BEGIN,"),
        (
            "who only reads stays in a transaction",
            "after = [COMMIT] if self._reads else []",
            "after: list[Call] = []",
        ),
    ),
    Mutant(
        "the identity is set outside of the transaction, and outlives the request",
        (
            _NOT_LOCAL,
            _BEGIN,
        ),
    ),
    Mutant(
        "everybody is one person to the database and to the filters",
        (
            Edit(_DB, _SET, _SET.replace("self.user.id", '"alice"')),
            Edit(_DB, "arguments(self.user.id, values)", 'arguments("alice", values)'),
        ),
    ),
]

POOL: Final = mutants(
    "api/database/pool.py",
    (
        "what is not sound is lent again",
        "        if connection.pipeline.is_idle:\n",
        "        if True:\n",
    ),
    (
        "what broke is lent again",
        "(connection is None or connection.is_closed())",
        "connection is None",
    ),
    (
        "who waits may wait for ever",
        "            if now - waiter[2] > self._timeout",
        "            if False",
    ),
    (
        "a loan does not end",
        "            if now - since > self._max_lease:",
        "            if False:",
    ),
    (
        "idle connections stay",
        "            if now - since > self._max_idle:",
        "            if False:",
    ),
    (
        "who gives up takes a place along",
        "                self._release_slot(user, slow)  # it came",
        "                pass  # it came",
    ),
    (
        "a failure to connect takes a place along",
        "        except BaseException:\n            self._release_slot(user, slow)\n",
        "        except BaseException:\n",
    ),
)

_GATE: Final = "api/database/gate.py"

GATE: Final = [
    *mutants(
        _DB,
        (
            "the server starts without the gate",
            "            await database.check_row_security(ahead=ahead)\n",
            "",
        ),
    ),
    *mutants(
        "api/http/readiness.py",
        ("/readyz does not ask the gate", "await self._database.check_row_security()", "pass"),
        witness="contract/test_answers.py",
    ),
    *mutants(
        "api/http/readiness.py",
        (
            "why nothing is served is in no log",
            '                _log.warning("not ready: %s", refusal)\n',
            "                pass\n",
        ),
        ("why nothing is served is logged each time", "            self._refusal = refusal\n", ""),
        witness="http/test_readiness.py",
    ),
    *mutants(
        "api/commands/serve.py",
        (
            "serve does not ask the gate first",
            "    asyncio.run(_pass_gate(settings))\n",
            "",
        ),
    ),
    *mutants(
        _GATE,
        ("the gate lets everybody pass", "if reason is not None:", "if False:"),
        ("the gate lets superusers pass", '(row["rolsuper"], f"role', '(False, f"role'),
        ("the gate lets BYPASSRLS pass", '(row["rolbypassrls"], f"role', '(False, f"role'),
        ("the gate lets members of such pass", 'row["becomes"] is not None,', "False,"),
        ("the gate needs no table", '(not row["is_there"], ', "(False, "),
        ("the gate needs no row security", '(not row["relrowsecurity"], ', "(False, "),
        (
            "the gate lets owners pass",
            'row["owns"] and not row["relforcerowsecurity"],',
            "False,",
        ),
        (
            "the gate lets no owner pass",
            'row["owns"] and not row["relforcerowsecurity"],',
            'row["owns"],',
        ),
        ("the gate does not ask PostgreSQL itself", '(not row["active"], f"row', '(False, f"row'),
        ("the gate believes the search_path", 'not row["is_found"],', "False,"),
        (
            "the gate looks past members of a superuser",
            "(other.rolsuper or other.rolbypassrls)",
            "other.rolbypassrls",
        ),
        (
            "the gate looks past members of BYPASSRLS",
            "(other.rolsuper or other.rolbypassrls)",
            "other.rolsuper",
        ),
        (
            "the gate sees inherited membership only",
            "pg_has_role(other.oid, 'member')) as becomes",
            "pg_has_role(other.oid, 'usage')) as becomes",
        ),
        (
            "the gate sees ownership by name only",
            "pg_has_role(c.relowner, 'usage') as owns",
            "c.relowner = r.oid as owns",
        ),
    ),
    *mutants(
        _GATE,
        ("the gate takes a mask for the role", 'row["session"] != role,', "False,"),
        ("the gate looks at current_user twice", "session_user::text", "current_user::text"),
        ("the gate lets more power pass", 'row["powers"] != "",', "False,"),
        ("the gate lets CREATEROLE pass", "when r.rolcreaterole then", "when false then"),
        ("the gate lets CREATEDB pass", "when r.rolcreatedb then", "when false then"),
        ("the gate lets REPLICATION pass", "when r.rolreplication then", "when false then"),
        (
            "the gate lets members of predefined roles pass",
            'row["member_of"] is not None,',
            "False,",
        ),
        (
            "the gate sees inherited membership of predefined roles only",
            "and other.oid <> r.oid and pg_has_role(other.oid, 'member')",
            "and other.oid <> r.oid and pg_has_role(other.oid, 'usage')",
        ),
        ("the gate knows one predefined role", "other.oid < 16384", "other.rolname ~ 'all_data'"),
        ("a member of one that makes roles passes", "(other.rolcreaterole or", "(false or"),
        ("monitoring is harmless", '"pg_checkpoint", ', '"pg_checkpoint", "pg_monitor", '),
        ("the gate lets pg_catalog stand behind", 'row["first_schema"] != "pg_catalog",', "False,"),
        ("the gate lets presets pass", 'row["presets"] != "",', "False,"),
        (
            "row_security may be off",
            "case current_setting('row_security') when 'off'",
            "case current_setting('row_security') when 'never'",
        ),
        ("triggers may be off", "when 'origin' then null", "when 'replica' then null"),
        (
            "a person may be preset",
            "current_setting('app.user_id', true) <> ''",
            "current_setting('app.user_id', true) = '?'",
        ),
        ("a server serves without limits", "if limitless := unlimited(row):", "if limitless := 0:"),
        ("statements may last for ever", "array['statement_timeout', ", "array["),
        ("locks may be waited for for ever", "'lock_timeout',", ""),
        (
            "idle transactions may last for ever",
            "'lock_timeout',\n                            'idle_in_transaction_session_timeout']",
            "'lock_timeout']",
        ),
        ("the gate knows no table but those it needs", "granted.schema = 'public'", "false"),
        witness="database/test_gate.py",
    ),
]

_KEPT: Final = "db/policies/idempotency_key.sql"

DATABASE_FAULTS: Final = [
    *mutants(
        "api/database/pool.py",
        (
            "a fresh connection may be an old one",
            "                self._end_idle()\n",
            "                pass\n",
        ),
        (
            "any number may wait for a connection",
            "if self._waiting >= self._size * MAX_WAITERS_PER_CONNECTION:",
            "if False:",
        ),
        (
            "connecting takes as long as it likes",
            "requested_at + self._timeout - self._loop.time()",
            "self._timeout",
        ),
        witness="database/test_pool.py",
    ),
    *mutants(
        _DB,
        ("nothing is done again", "if not error.retryable or", "if True or"),
        ("a write in doubt is done again", " or error.in_doubt", ""),
        (
            "a commit that was cancelled is not in doubt",
            "            if commits:\n                raise CommitInterrupted",
            "            if False:\n                raise CommitInterrupted",
        ),
        witness="faults/test_commit.py",
    ),
    *mutants(
        "api/database/errors.py",
        (
            "a commit that broke is not in doubt",
            "in_doubt=committing and _ROLLED_BACK not in kinds and",
            "in_doubt=False and",
        ),
        witness="faults/test_commit.py",
    ),
    *mutants(
        _DB,
        (
            "what was rolled back counts as committed",
            "        if kind is None and not good:\n",
            "        if False:\n",
        ),
        witness="isolation/test_identity_ends.py",
    ),
    *mutants(
        _DB,
        (
            "it is done again on the next connection at hand",
            "return await attempt(True)",
            "return await attempt(False)",
        ),
        witness="faults/test_forgotten_connections.py",
    ),
    *mutants(
        "api/database/pipeline.py",
        ("a connection is asked two things at once", "if self._batch is not None:", "if False:"),
        (
            "prepared statements are kept for ever",
            "if len(self._prepared) >= _MAX_PREPARED:",
            "if False:",
        ),
        (
            "what was rejected counts as prepared",
            "if statement.columns is not None:",
            "if True:",
        ),
        (
            "who is lost meanwhile is never told",
            "            batch.failure = batch.failure or lost\n            batch.end()\n",
            "            pass\n",
        ),
        ("a connection that was closed is asked", "if self._transport.is_closing():", "if False:"),
        witness="database/test_pipeline.py",
    ),
    *mutants(
        "api/database/messages.py",
        ("a quote ends a text in a list", """.replace(b'"', rb"\\"")""", ""),
        ("a backslash hides a quote in a list", r""".replace(b"\\", rb"\\")""", ""),
        witness="database/test_pipeline.py",
    ),
    *mutants(
        "api/database/pipeline.py",
        (
            "an answer is put together anew with each part of it",
            "            if self._length < self._awaited:\n                return\n",
            "",
        ),
        (
            "what is told unasked is kept from asyncpg",
            "            elif kind in UNASKED:",
            "            elif False:",
        ),
        (
            "what asyncpg asks does not count",
            "                if kind == READY:  # of asyncpg's own query",
            "                if False:",
        ),
        ("whatever was answered is idle", "status, status == IDLE", "status, True"),
        (
            "a message may be told by its first part",
            "            if after > end:\n",
            "            if after > end and batch is not None:\n",
        ),
        witness="database/test_pipeline.py",
    ),
    *mutants(
        "api/database/pipeline.py",
        (
            "a connection found closed before the commit is in doubt",
            "raise NothingSent(",
            "raise asyncpg.ConnectionDoesNotExistError(",
        ),
        witness="faults/test_commit.py",
    ),
    *mutants(
        _DB,
        (
            "a transaction answers after its end, and while it is being asked",
            "        if not self._is_ready:\n",
            "        if False:\n",
        ),
        (
            "a transaction answers after its end",
            "ready, self._is_ready = self._is_ready, False",
            "ready = self._is_ready",
        ),
        (
            "what was given up counts as answered",
            "        self._is_ready = False  # and stays",
            "        self._is_ready = True  # and stays",
        ),
        witness="isolation/test_interruptions.py",
    ),
    *mutants(
        _DB,
        (
            "a slow statement has as long as any",
            "                if self._timeout\n",
            "                if False\n",
        ),
        (
            "the time of a slow statement outlives it",
            "set_config('statement_timeout', $2, true)",
            "set_config('statement_timeout', $2, false)",
        ),
        (
            "slow transactions of one user run together",
            "self._user.id, slow=self._timeout is not None, fresh=self._fresh",
            "self._user.id, fresh=self._fresh",
        ),
        witness="database/test_slow_transactions.py",
    ),
    *mutants(
        "api/database/errors.py",
        (
            "a slow statement that was ended does not say why",
            "if state == _OVERDUE and not committing:",
            "if False:",
        ),
        witness="database/test_slow_transactions.py",
    ),
    *mutants(
        _DB,
        (
            "everybody shares one share, for nobody is named to the pool",
            "self._user.id, slow=self._timeout is not None, fresh=self._fresh",
            "None, slow=self._timeout is not None, fresh=self._fresh",
        ),
        witness="faults/test_pool_limits.py",
    ),
    *mutants(
        "api/database/pool.py",
        (
            "a user may hold the whole pool",
            "            and (held < self._share or user is None)\n",
            "",
        ),
        (
            "whoever waits is given more than their share",
            "            if held >= self._share and user is not None:",
            "            if False:",
        ),
        (
            "requests are served in turn, not users",
            "                    self._queues.move_to_end(user)\n",
            "                    pass\n",
        ),
        (
            "the gate waits like everybody else",
            "chain((None,), self._queues) if None in self._queues else self._queues",
            "self._queues",
        ),
        (
            "a user's slow transactions run together",
            "            and not (slow and user in self._slow)\n",
            "",
        ),
        (
            "whoever waits with a slow one is not kept waiting for the last",
            "        if slow and user in self._slow:\n",
            "        if False:\n",
        ),
        (
            "a user's slow transactions follow each other without rest",
            "            rest = min(REST * (now - since), MAX_REST * self._timeout)\n",
            "            rest = 0\n",
        ),
        (
            "a slow transaction never ends",
            "            self._slow.discard(user)",
            "            pass",
        ),
        (
            "who fills the queue keeps others out of it",
            "            self._make_room(-1 if user is None else self._length(user))",
            "            raise TimeoutError",
        ),
        (
            "who has most in the queue may have more",
            "self._length(user) <= waiting + 1:",
            "not self._length(user):",
        ),
        witness="database/test_pool.py",
    ),
    *mutants(
        "api/database/pipeline.py",
        (
            "statements have names where they are lost",
            'if self.keeps_statements else b""',
            'if True else b""',
        ),
        witness="database/test_pooler.py",
    ),
    *mutants(
        _GATE,
        ("a database that is behind is served", "if migrations.are_behind(", "if not len("),
        witness="http/test_readiness.py",
    ),
    *mutants(
        "api/database/connector.py",
        (
            "what is said while connecting is told as it is",
            "one_line(self._reason(error), self._url)",
            "self._reason(error)",
        ),
        (
            "only the server is expected to refuse a connection",
            "except Exception as error:",
            "except asyncpg.PostgresError as error:",
        ),
        witness="database/test_connector.py",
    ),
    *mutants(
        "api/database/connector.py",
        (
            "what the server said before it hung up is lost",
            "isinstance(error.__cause__, asyncpg.PostgresError)",
            "False",
        ),
        witness="faults/test_refused_connections.py",
    ),
    *mutants(
        "api/database/errors.py",
        (
            "a FATAL of a pooler is a fault of the program",
            "ended = (error.severity_en or error.severity) in _ENDING",
            "ended = False",
        ),
        witness="faults/test_refused_connections.py",
    ),
]
