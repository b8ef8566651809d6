"""What comes in, and what goes out."""

from typing import Final

from tests.mutants.mutant import Edit, Mutant, mutants

_ROUTE: Final = "api/http/routing.py"
_QUERY: Final = "api/http/query.py"
_BODY: Final = "api/http/body.py"
_SCHEMAS: Final = "api/tasks/schemas.py"
_MEMBERS: Final = "api/tasks/members.py"
_LISTS: Final = "api/tasks/lists.py"
_WHO: Final = """await authenticated(
                        scope, state.rate_limits, state.authenticator, authorization
                    )"""
_FORBID: Final = 'ConfigDict(extra="forbid")'

INPUT: Final = [
    *mutants(
        _BODY,
        ("a body may be of any size", "if len(content) > max_bytes:", "if False:"),
        (
            "a body may say to be anything",
            'if media_type.strip(" \\t").lower() not in _JSON:',
            "if False:",
        ),
        ("a body may be in any charset", "all(charset.lower() in _UTF_8 for", "all(True for"),
        (
            "utf8 is another charset than utf-8",
            '_UTF_8: Final = {"utf-8", "utf8"}',
            '_UTF_8: Final = {"utf-8"}',
        ),
        ("parameters may be anything", "if not _PARAMETERS.fullmatch(", "if False and ("),
        ("a body need not say what it is", "if not types or not all(", "if not all("),
        (
            "only the first line says what a body is",
            "all(map(_is_json, types))",
            "all(map(_is_json, types[:1]))",
        ),
        (
            "a body may be encoded",
            'if name == b"content-encoding" and',
            "if False and",
        ),
        (
            "a coding's name has a case",
            'value.lower().split(b",")',
            'value.split(b",")',
        ),
        (
            "of no body it matters what is said of it",
            'any(name == b"content-length" and value.strip(b"0") for name, value in lines)',
            "True",
        ),
        (
            "what comes in chunks may be anything",
            "if part and not content and not announced:",
            "if False:",
        ),
        ("NaN is JSON", "allow_inf_nan=False", "allow_inf_nan=True"),
        (
            "errors echo what was sent",
            "[self._error(value, failure) for",
            '[self._error(value, failure) | {"detail": f"{content!r}."} for',
        ),
        (
            "an error within a member is at the member",
            '_within(value, failure["loc"])',
            '_within(value, failure["loc"][: 1 + self._is_array])',
        ),
        (
            "an error is where pydantic looked",
            'location = _within(value, failure["loc"])',
            'location = [*failure["loc"]]',
        ),
    ),
    *mutants(
        _QUERY,
        (
            "unknown parameters are ignored",
            "        if name not in known:\n",
            "        if False:\n",
        ),
        (
            "a parameter may be given twice",
            "elif number > 1:",
            "elif False:",
        ),
    ),
    *mutants(
        "api/tasks/schemas.py",
        ("an id may be written in many ways", '"[1-9][0-9]{0,15}"', '"[0-9]{1,16}"'),
    ),
    *mutants(
        "api/tasks/schemas.py",
        ("an id may be too large", " or int(text) > MAX_ID:", ":"),
        equivalent="no task has an id past what JSON holds, as the table sees to, and bigint "
        "takes 16 digits: it is looked for, and not found in the same words",
    ),
    *mutants(
        _MEMBERS,
        (
            "numbers are titles",
            "StringConstraints(strict=True, strip",
            "StringConstraints(strict=False, strip",
        ),
        equivalent="pydantic takes nothing but a string for a string out of JSON, strict or not",
    ),
    Mutant(
        "strangers are told what is wrong with their input",
        (
            Edit(_ROUTE, f"                    user = {_WHO}\n", "                    pass\n"),
            Edit(
                _ROUTE,
                "self._run(\n                scope,\n                user,",
                f"self._run(\n                scope,\n                user or {_WHO},",
            ),
        ),
    ),
    *mutants(
        _BODY,
        (
            "unknown members are made errors of, each",
            "if len(unknown) > MAX_ERRORS:",
            "if False:",
        ),
        (
            "of lists there may be any number",
            'if _has_too_many(content, b"["):',
            "if False:",
        ),
        (
            "of objects there may be any number",
            'if self._max_items is not None and _has_too_many(content, b"{"):',
            "if False:",
        ),
        (
            "brackets in texts are lists",
            " and _TOO_MANY[bracket].match(content) is not None",
            "",
        ),
        witness="tasks/test_bulk.py",
    ),
    *mutants(
        _BODY,
        (
            "a body that will be refused is asked for",
            "    if announced:\n        _require_json(lines)\n",
            "    announced = False\n",
        ),
        witness="http/test_hostile.py::test_a_body_is_asked_for_only_when_it_will_be_read",
    ),
    *mutants(
        _QUERY,
        (
            "all parameters are looked at",
            "[: len(known) + MAX_ERRORS + 1]",
            "",
        ),
        equivalent="what is named stays the same; it takes longer",
    ),
    *mutants(
        _BODY,
        ("a name may be of any length", "[:_MAX_NAME].replace", ".replace"),
        ("a name is written as it is", "quote(part, safe=_OF_FRAGMENTS) for", "part for"),
        ("a slash in a name begins another", '.replace("/", "~1")', ""),
        ("a tilde in a name escapes", '.replace("~", "~0")', ""),
        witness="tasks/test_input.py::test_an_unknown_member_is_named_by_its_pointer",
    ),
    *mutants(
        "api/http/fields.py",
        ("there are no leap seconds", "if second == _LEAP_SECOND:", "if False:"),
        ("a leap second is the one before", "+ timedelta(minutes=1)", "+ timedelta(seconds=59)"),
        ("the first digits of a second are lost", '.ljust(_MICROSECONDS - 1, "0")', ""),
        ("a date has a T", "[Tt ]", "[Tt]"),
        witness="tasks/test_lists.py",
    ),
    *mutants(
        "api/http/fields.py",
        ("a number is a date", "found = isinstance(value, str) and", "found ="),
        (
            "what was read may not be sent back",
            "members = changes.__annotations__ | {",
            "members = {} and {",
        ),
        witness="tasks/test_sent_back.py",
    ),
    *mutants(
        "api/database/resource.py",
        ("what was read may be compared too early", "            .with_for_update()\n", ""),
        equivalent="who changes a task holds its owner's head; other tables may have none",
        witness="tasks/test_sent_back.py",
    ),
    *mutants(
        "api/database/resource.py",
        ("what was read is not compared", ", found.c.differing == _NOTHING,", ","),
        (
            "a null that is sent is not compared",
            "differs = has_value & column",
            "differs = value.is_not(None) & column",
        ),
        ("what is left out is null", "differs = has_value & column.is_d", "differs = column.is_d"),
        witness="tasks/test_sent_back.py",
    ),
    *mutants(
        "api/tasks/changes.py",
        (
            "the version in the body does not matter",
            'etags.versions(if_match, changes.get("version"))',
            "etags.versions(if_match)",
        ),
        (
            "what differs is not told",
            'for name in row["differing"].split()]',
            "for name in []]",
        ),
        witness="tasks/test_sent_back.py",
    ),
    *mutants(
        "api/http/etags.py",
        (
            "the tag does not matter with a version",
            "if given is None or one in given]",
            "] or given",
        ),
        ("the version does not matter with a tag", "if given is None or one in given]", "]"),
        witness="tasks/test_sent_back.py::test_the_version_and_the_tag_must_both_be_right",
    ),
    *mutants(
        "api/http/etags.py",
        (
            "a weak tag is not told from a conflict",
            "if any(weak for weak, _ in tags",
            "if any(False for weak, _ in tags",
        ),
        (
            "a suffix is not told from a conflict",
            "if any(_SUFFIXED.fullmatch(opaque)",
            "if any(False",
        ),
        (
            "a good tag is told to be weak",
            "if tags is None or any(not weak and",
            "if tags is None or any(False and",
        ),
        witness="tasks/test_conditional.py",
    ),
    *mutants(
        "api/http/etags.py",
        (
            "a header may hold any number of tags",
            "if value.count('\"') > 2 * MAX_TAGS:",
            "if False:",
        ),
    ),
    *mutants(
        "api/http/problems.py",
        ("any number of faults is listed", "errors=errors[:MAX_ERRORS])", "errors=errors)"),
        (
            "it is not told that faults are left out",
            "if len(errors) > MAX_ERRORS:",
            "if False:",
        ),
        ("a problem may be of any size", "MAX_PROBLEM: Final = 64", "MAX_PROBLEM: Final = 1024"),
        (
            "it is not told that a problem was cut",
            "    if len(content) > MAX_PROBLEM:\n        problem =",
            "    if False:\n        problem =",
        ),
        witness="http/test_problems.py",
    ),
    *mutants(
        "api/http/fields.py",
        ("unknown members are ignored", _FORBID, 'ConfigDict(extra="ignore")'),
    ),
    *mutants(
        _LISTS,
        (
            "links forget the filter",
            'mode="json", exclude={"offset", "cursor"}',
            'mode="json", exclude={"offset", "cursor", "completed"}',
        ),
        ("an offset may be large", "MAX_OFFSET: Final = 10_000", "MAX_OFFSET: Final = 20_000"),
    ),
    *mutants(
        _MEMBERS,
        (
            "a title may be blank",
            "    AfterValidator(shown),\n    Field(json",
            "    Field(json",
        ),
        (
            "a title may be empty",
            "strict=True, strip_whitespace=True, min_length=1, ",
            "strict=True, strip_whitespace=True, ",
        ),
        (
            "a title may be long",
            "strict=True, strip_whitespace=True, min_length=1, max_length=MAX_TITLE",
            "strict=True, strip_whitespace=True, min_length=1, max_length=201",
        ),
        ("a title is not trimmed", "strict=True, strip_whitespace=True, ", "strict=True, "),
        ("a description may be long", "max_length=MAX_DESCRIPTION", "max_length=10_001"),
        (
            "a description may hold U+0000",
            "max_length=MAX_DESCRIPTION),\n    AfterValidator(without_nul),\n",
            "max_length=10_000),\n",
        ),
    ),
    *mutants(
        _SCHEMAS,
        (
            "a new task's booleans are lax",
            "    description: Description | None = None\n    completed: StrictBool",
            "    description: Description | None = None\n    completed: bool",
        ),
        (
            "a change's booleans are lax",
            "    description: Description | None\n    completed: StrictBool",
            "    description: Description | None\n    completed: bool",
        ),
        (
            "completing is lax",
            'left out, it is toggled."""\n\n    completed: StrictBool',
            'left out, it is toggled."""\n\n    completed: bool',
        ),
    ),
    *mutants(
        _LISTS,
        (
            "with another filter all cursors are none",
            " if value is None and name not in _FIRST}",
            " if False}",
        ),
        ("a query's integers are lax", "limit: Annotated[StrictInt,", "limit: Annotated[int,"),
        ("a page may be of any length", "Field(ge=1, le=MAX_PAGE)", "Field(ge=1)"),
        (
            "an offset may be negative",
            "Field(ge=0, le=MAX_OFFSET), DIGITS",
            "Field(le=MAX_OFFSET), DIGITS",
        ),
    ),
    *mutants(
        "api/http/fields.py",
        (
            "a query's booleans are lax",
            "    StrictBool | None, BeforeValidator(query_boolean)",
            "    bool | None, BeforeValidator(query_boolean)",
        ),
        witness="tasks/test_lists.py",
    ),
]

_TASKS: Final = "api/tasks/routes.py"
_NOT_FOUND: Final = "return Failure(Kind.NO_SUCH_TASK,"

ANSWERS: Final = [
    *mutants(
        _TASKS,
        (
            "what never was is answered in other words",
            "row = await existing(tx.row(queries.GET, id=task_id))\n    return",
            "if task_id > 2**52:\n"
            '        raise Failure(Kind.NO_SUCH_TASK, "There never was such a task.")\n'
            "    row = await existing(tx.row(queries.GET, id=task_id))\n    return",
        ),
        (
            "a delete of nothing succeeds",
            "await changes.delete(tx, task_id, if_match)",
            "await tx.row(queries.DELETE, id=task_id, versions=None)",
        ),
        ("complete always toggles", 'if_match, state.get("completed"))', "if_match, None)"),
    ),
    *mutants(
        "api/tasks/schemas.py",
        (
            "what is not yours is unauthorized",
            _NOT_FOUND,
            _NOT_FOUND.replace("NO_SUCH_TASK", "UNAUTHORIZED"),
        ),
        (
            "what is not yours has changed",
            _NOT_FOUND,
            _NOT_FOUND.replace("NO_SUCH_TASK", "PRECONDITION_FAILED"),
        ),
    ),
    *mutants(
        _ROUTE,
        ("a path may end in a slash", 'match(scope["path"])', 'match(scope["path"].rstrip("/"))'),
        witness="http/test_hostile.py::test_an_address_written_otherwise_leads_nowhere",
    ),
    *mutants(
        "api/tasks/schemas.py",
        (
            "what could not be an id is answered in other words",
            "> MAX_ID:\n        raise no_such_task()",
            '> MAX_ID:\n        raise Failure(Kind.NO_SUCH_TASK, "This is no id.")',
        ),
        witness="isolation/test_one_refusal.py",
    ),
    *mutants(
        "api/http/problems.py",
        (
            "a stranger is not told how to come in",
            'headers={"WWW-Authenticate": challenge}',
            "headers={}",
        ),
        witness="contract/test_answers.py",
    ),
    *mutants(
        "api/http/problems.py",
        (
            "a fault of the server is shown",
            '"The server met a fault of its own."',
            "repr(error)",
        ),
    ),
    *mutants(
        "api/http/cors.py",
        ("any origin may call", "allow_origins=[*origins]", 'allow_origins=["*"]'),
        (
            "cookies may be sent along",
            "max_age=7200,",
            "max_age=7200,\n            allow_credentials=True,",
        ),
        (
            "any origin may read",
            "self._headers.get(origin, [])",
            "next(iter(self._headers.values()))",
        ),
    ),
    *mutants(
        "api/main.py",
        (
            "caches need not tell origins apart",
            'b"Authorization, Origin"',
            'b"Authorization"',
        ),
        (
            "caches need not tell people apart",
            'b"Authorization, Origin"',
            'b"Origin"',
        ),
        ("answers may be kept by anybody", "private, no-cache", "public, max-age=60"),
    ),
    *mutants(
        "api/database/errors.py",
        (
            "the log quotes what the database says",
            'name = f"{name} ({state})"',
            'name = f"{error} {error.detail} ({state})"',
        ),
        (
            "a read-only database is a fault",
            '_TRANSIENT_SQLSTATES: Final = {"25006", ',
            "_TRANSIENT_SQLSTATES: Final = {",
        ),
        (
            "a passing failure is a fault",
            "if not ended and not kinds & (_TRANSIENT_CLASSES | _TRANSIENT_SQLSTATES):",
            "if True:",
        ),
    ),
]

_READINESS: Final = "api/http/readiness.py"
_SLOW: Final = "faults/test_slow_clients.py"

HTTP_FAULTS: Final = [
    *mutants(
        "api/main.py",
        (
            "a request takes as long as it likes",
            "Deadlines(settings.request_timeout)",
            "Deadlines(1e9)",
        ),
        witness="faults/test_database_away.py::test_a_request_that_takes_too_long_is_given_up",
    ),
    *mutants(
        "api/main.py",
        ("a body takes as long as it likes", "Deadlines(settings.body_timeout)", "Deadlines(1e9)"),
        witness=f"{_SLOW}::test_patience_ends_with_a_body_that_dribbles",
    ),
    *mutants(
        "api/http/timeouts.py",
        (
            "whoever is cancelled was too late",
            "            self._has_passed\n            and self._task",
            "            self._task",
        ),
        (
            "who is late and cancelled besides is only late",
            "self._task.uncancel() <= self._before",
            "self._task.uncancel() >= 0",
        ),
        (
            "what has ended is cancelled",
            "        self._running.pop(deadline, None)\n",
            "        pass\n",
        ),
        witness="http/test_timeouts.py",
    ),
    *mutants(
        "api/http/problems.py",
        (
            "a commit that took too long is not in doubt",
            " | TimeoutError(__cause__=CommitInterrupted())",
            "",
        ),
        (
            "a commit that a shutdown interrupts is not in doubt",
            "        case CommitInterrupted():  # the time",
            "        case CommitInterrupted() if False:  # the time",
        ),
        witness="faults/test_commit.py",
    ),
    *mutants(
        "api/main.py",
        (
            "who is alive is not told in a crowd",
            ' and scope["path"] != health.ALIVE',
            "",
        ),
        witness="faults/test_connections.py",
    ),
    *mutants(
        "api/forwarded.py",
        (
            "the leftmost address counts",
            "if self._trusts_all or not self._is_trusted(address):",
            "if not entries:",
        ),
        (
            "what is no address is left out",
            "                return None\n",
            "                continue\n",
        ),
        ("an address of IPv4 in IPv6 is another", "address.ipv4_mapped or address", "address"),
        ("a proxy names anything of any length", "if len(text) > _MAX_LENGTH:", "if False:"),
        witness="test_forwarded.py",
    ),
    *mutants(
        _READINESS,
        ("an answer is good for ever", "return age < MAX_AGE\n", "return True\n"),
        ("the database is kept awake", "return unused and not", "return False and not"),
        ("a broken connection is no reason to ask", " and not self._database.is_broken", ""),
        ("missing keys are no reason not to be ready", "await self._keys.ensure_loaded()", "pass"),
        (
            "stale keys are not said",
            "self._keys is not None and self._keys.is_stale",
            "False",
        ),
        witness="http/test_readiness.py",
    ),
    *mutants(
        "api/http/rate_limits.py",
        ("a user may ask without end", "if count > limit.amount:", "if False:"),
        ("all users share a limit", "limit.count(user.id)", 'limit.count("")'),
        ("refused tokens are not counted", "await limit.count(address)", "pass"),
        (
            "a window has no end",
            "window.ends <= now:\n            window =",
            "False:\n            window =",
        ),
        (
            "users with long ids share a limit",
            "blake2b(who.encode(), digest_size=_DIGEST)",
            "blake2b(who[:200].encode(), digest_size=_DIGEST)",
        ),
        ("windows take whatever memory they take", "len(self._windows) >= MOST or", ""),
        witness="http/test_rate_limits.py",
    ),
    *mutants(
        "api/http/shared_counters.py",
        ("a message of Redis is quoted", 'return code[0] if code else ""', "return message"),
        (
            "a password that is refused has no name",
            "        if words in message:",
            "        if False:",
        ),
        witness="http/test_shared_counters.py",
    ),
    *mutants(
        "api/http/shared_counters.py",
        (
            "nobody asks Redis but requests",
            "                await self.probe()\n",
            "                pass\n",
        ),
        witness="http/test_readiness.py",
    ),
    *mutants(
        "api/http/readiness.py",
        (
            "nobody hears of a Redis that is away",
            "if await self._rate_limits.is_storage_up() is False:",
            "if False:",
        ),
        witness="http/test_readiness.py",
    ),
    *mutants(
        _ROUTE,
        ("who guessed too often may guess on", "    limits.admit(scope)\n", ""),
        ("nobody hears of a refused token", "await limits.refused(scope)", "pass"),
        ("a user's requests are not counted", "    await limits.count(scope, user)\n", ""),
        witness="http/test_rate_limits.py",
    ),
    *mutants(
        "api/main.py",
        ("a start that is refused is a traceback", "_in_one_line(send))", "send)"),
        witness="faults/test_refused_connections.py",
    ),
    *mutants(
        "api/http/request_headers.py",
        (
            "a page may not ask for a count",
            '`count=exact`: count the whole list", cors=True',
            '`count=exact`: count the whole list"',
        ),
        (
            "a page's trace ends at the browser",
            'the request is part of", cors=True, logged=True',
            'the request is part of", logged=True',
        ),
        (
            "a page may say which address it has",
            'from a trusted proxy", logged=True',
            'from a trusted proxy", cors=True, logged=True',
        ),
        (
            "a header is read that is not in the list",
            '    RequestHeader("Content-Encoding", "a body is not compressed", cors=True),\n',
            "",
        ),
        witness="http/test_request_headers.py",
    ),
    *mutants(
        "api/http/cors.py",
        ("what a library adds stops a page's request", "    *IGNORED_HEADERS,\n", ""),
        witness="http/test_request_headers.py",
    ),
    *mutants(
        "api/http/prefix.py",
        (
            "a link leads past the prefix",
            '"location": re.compile(r"^/(?!/)"), "link": re.compile(r"(?<=<)/(?!/)")',
            '"location": re.compile(r"^/(?!/)")',
        ),
        (
            "a proxy has to strip the prefix",
            "        return [path[len(root) :], path]\n",
            "        return [path]\n",
        ),
        (
            "a prefix that was stripped is taken away again",
            "        return [path[len(root) :], path]\n",
            "        return [path[len(root) :]]\n",
        ),
        (
            "an added route is not found below a stripped prefix",
            "    for path in possible[1:] and possible:",
            "    for path in possible[:0]:",
        ),
        witness="http/test_prefix.py",
    ),
    *mutants(
        "api/http/routing.py",
        (
            "FastAPI's stack knows no prefix",
            "return prefixed(response, root) if root else response",
            "return response",
        ),
        witness="http/test_prefix.py",
    ),
    *mutants(
        "api/main.py",
        (
            "the document says nothing of the prefix",
            'settings.root_path or "/", "desc',
            '"/", "desc',
        ),
        witness="http/test_prefix.py",
    ),
    *mutants(
        "api/http/docs.py",
        ("a cache gives a program a browser's answer", ', "Vary": "Accept"}', "}"),
        witness="http/test_index.py",
    ),
    *mutants(
        "api/http/accept.py",
        (
            "who takes anything is led to the documentation",
            '"text/html") > _preference(',
            '"text/html") >= _preference(',
        ),
        (
            "what is named more closely does not count",
            "return weight, specific if weight else 0",
            "return weight, 0",
        ),
        ("a weight may be anything", "if _WEIGHT.fullmatch(weight):", "if weight:"),
        ("any number of media ranges is read", "[:_MAX_RANGES]", ""),
        witness="http/test_index.py",
    ),
    *mutants(
        "api/http/routing.py",
        (
            "the document does not say where a token comes from",
            "`GET /api/auth/token` with",
            "one request with",
        ),
        witness="contract/test_openapi.py",
    ),
]
