"""What is added to the application: nothing of it is skipped."""

from typing import Final

from tests.mutants.mutant import mutants

_ROUTE: Final = "api/http/routing.py"
_ADDED: Final = "http/test_extension_points.py"
_SHORT: Final = "http/test_short_way.py"
_TRANSACTIONS: Final = "http/test_added_transactions.py"
_STACK: Final = "api/http/stack.py"
EXTENSIONS: Final = [
    *mutants(
        "api/main.py",
        ("a middleware that was added is skipped", "[*self.user_middleware], ", ""),
        ("a handler of exceptions that was added is skipped", "{**self.exception_handlers}, ", ""),
        ("routes that were put first are skipped", ", [*map(id, first)]", ""),
        ("whoever debugs sees no traceback", "return self.debug, ", "return "),
        ("what is overridden is skipped", " or self.dependency_overrides:", ":"),
        (
            "another's stack is skipped",
            "self.middleware_stack is not self._bare",
            "self._bare is None",
        ),
        ("the way is never short", "self._bare = stack", "pass"),
        witness=_SHORT,
    ),
    *mutants(
        "api/main.py",
        (
            "what is added later is in no document",
            "if document is not self._document:",
            "if self._document is None:",
        ),
        (
            "a middleware takes as long as it likes",
            "Deadlines(settings.request_timeout + settings.middleware_timeout)",
            "Deadlines(1e9)",
        ),
        (
            "MIDDLEWARE_TIMEOUT is ignored",
            "Deadlines(settings.request_timeout + settings.middleware_timeout)",
            "Deadlines(settings.request_timeout + 1)",
        ),
        (
            "who answers what nobody foresaw keeps it from the log",
            "elif started.problem is None:",
            "elif False:",
        ),
        ("a prefix is not in the log", "route_of(self, scope))\n        )", "None)\n        )"),
        (
            "routes that were added have no name in the log",
            'inner | {"route": route_of(self, scope)}',
            "inner",
        ),
        (
            "a response of the stack lacks what all have",
            'message["headers"] = response.raw_headers',
            "pass",
        ),
        witness=_ADDED,
    ),
    *mutants(
        _STACK,
        (
            "a middleware does not see that it took too long",
            "with self._deadlines.one() as deadline:",
            "with Deadlines(1e9).one() as deadline:",
        ),
        (
            "a stream is cut off",
            "                self._deadlines.end(deadline)\n",
            "",
        ),
        (
            "who varies by something varies by nothing else",
            ' or (name == b"vary" and not _words(value) <= _words(*varies))',
            "",
        ),
        ("a request has two ids", 'if line[0].lower() != b"x-request-id"', "if True"),
        (
            "a middleware does not see the headers that all have",
            'completed(message.get("headers", ()), started.headers(scope))\n            await',
            'message.get("headers", ())\n            await',
        ),
        (
            "where no route is, FastAPI has the word",
            'NOT_FOUND and "route" not in request.scope:',
            "NOT_FOUND and False:",
        ),
        (
            "what a route says of its 404 is lost",
            'NOT_FOUND and "route" not in request.scope:',
            "NOT_FOUND:",
        ),
        (
            "who was interrupted in a commit is told that it failed",
            "started.interrupted = error",
            "pass",
        ),
        witness=_ADDED,
    ),
    *mutants(
        _ROUTE,
        ("bulk is the id of a task, the long way", "for one in self.before", "for one in ()"),
        witness="tasks/test_bulk.py",
    ),
    *mutants(
        _ROUTE,
        (
            "what a router depends on is skipped",
            "included is None or included.original_route is not self",
            "True",
        ),
        (
            "nobody is asked for by a dependency",
            "    with timed(scope, AUTH):\n        return await",
            '    return User("")\n    with timed(scope, AUTH):\n        return await',
        ),
        (
            "a route without a transaction is taken for one with it",
            "if not any(one.name == tx and one.call is caller for one in takes.dependencies):",
            "if False:",
        ),
        witness=_TRANSACTIONS,
    ),
    *mutants(
        "api/http/fields.py",
        (
            "requests may change the query that others share",
            "ConfigDict(frozen=True)",
            "ConfigDict()",
        ),
        witness=_TRANSACTIONS,
    ),
    *mutants(
        "api/http/openapi.py",
        (
            "what others document as problems breaks the document",
            'if "examples" in problem:',
            "if problem:",
        ),
        ("a default that looks like a title is lost", '"default", "const"', '"const"'),
        witness=_ADDED,
    ),
    *mutants(
        "api/http/routing.py",
        ("a plain function may be a route", "if not iscoroutinefunction(call):", "if False:"),
        ("the second body is not read", "if len(several) > 1:", "if False:"),
        ("a number may be the query", "issubclass(query_model, NoParameters)", "True"),
        (
            "who may also read may not write",
            'reads = self.takes <= {"GET", "HEAD"}',
            'reads = "GET" in self.takes',
        ),
        witness=_TRANSACTIONS,
    ),
    *mutants(
        "api/http/body.py",
        ("a body may be without members", 'if "properties" not in one:', "if False:"),
        witness=_TRANSACTIONS,
    ),
]
