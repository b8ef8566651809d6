"""What is sent twice, at once, or again."""

from typing import Final

from tests.mutants.mutant import mutants

_USED_KEYS: Final = "api/idempotency/queries.py"

AGAIN: Final = [
    *mutants(
        "api/http/etags.py",
        (
            "a weak tag means a version",
            "if not weak and _VERSION",
            "if _VERSION",
        ),
        (
            "If-None-Match compares a weak tag strongly",
            'tag.removeprefix("W/")',
            "tag",
        ),
        (
            "what follows a list of tags is not looked at",
            "_LIST.fullmatch(value)",
            "_LIST.match(value)",
        ),
        (
            "any digits are a version",
            '"[1-9][0-9]{0,17}"',
            '"[0-9]+"',
        ),
    ),
    *mutants(
        "api/tasks/routes.py",
        (
            "a new task answers without ETag",
            ', "ETag": etags.of_version(row["version"])}\n        return',
            "}\n        return",
        ),
        (
            "the total is not in the tag of a list",
            "tag = etags.weak_etag(body, *headers.values())",
            'tag = etags.weak_etag(body, headers["Link"])',
        ),
        (
            "the key of create is not heeded",
            'once(tx, idempotency_key, ["create", task], create)',
            "create()",
        ),
        (
            "a key is good for another task",
            '["complete", task_id, state]',
            '["complete", state]',
        ),
        (
            "DELETE does not heed If-Match",
            "changes.delete(tx, task_id, if_match)",
            "changes.delete(tx, task_id, None)",
        ),
    ),
    *mutants(
        "api/tasks/routes.py",
        (
            "the key of a change is good for another task",
            '["update", task_id, task]',
            '["update", task]',
        ),
        (
            "the key of a change is good for another change",
            '["update", task_id, task]',
            '["update", task_id]',
        ),
        (
            "the key of a deletion is not heeded",
            'return await once(tx, idempotency_key, ["delete", task_id], delete, if_match)',
            "return await delete()",
        ),
        (
            "the key of clear completed is not heeded",
            'return await once(tx, idempotency_key, ["delete", which], delete)',
            "return await delete()",
        ),
        (
            "the condition of a change is no part of what is asked",
            "task_id, task], update, if_match)",
            "task_id, task], update)",
        ),
        witness="idempotency/test_changes.py",
    ),
    *mutants(
        "api/idempotency/replay.py",
        (
            "a deletion that is replayed has the media type of a body",
            '"application/json" if saved["body"] else None',
            '"application/json"',
        ),
        witness="idempotency/test_changes.py",
    ),
    *mutants(
        "api/tasks/changes.py",
        (
            "412 is always 404",
            "raise no_such_task() if versions is None else await",
            "raise no_such_task() if True else await",
        ),
        (
            "412 comes before 404",
            "return _mismatch(await existing(tx.row(queries.GET, id=task_id)), if_match)",
            'current = await tx.row(queries.GET, id=task_id) or {"version": 0, "body": "{}"}\n'
            "    return _mismatch(current, if_match)",
        ),
        (
            "412 without current",
            '        current=current["body"],\n',
            "",
        ),
        (
            "If-Match is not heeded by complete",
            'versions = etags.versions(if_match)\n    values = {"id"',
            'versions = None\n    values = {"id"',
        ),
        (
            "If-Match is not heeded by a change",
            'etags.versions(if_match, changes.get("version"))',
            'etags.versions(None, changes.get("version"))',
        ),
    ),
    *mutants(
        _USED_KEYS,
        (
            "keys are forgotten while they are new",
            "_HAS_EXPIRED: Final = col(IdempotencyKey.created_at) + _AGE <",
            "_HAS_EXPIRED: Final = col(IdempotencyKey.created_at) + _AGE >",
        ),
        (
            "keys that have not expired are looked for",
            "col(IdempotencyKey.created_at) < func.now() - _AGE",
            "col(IdempotencyKey.created_at) > func.now() - _AGE",
        ),
        (
            "all old keys are forgotten at once",
            "    .limit(LIMIT)\n    .with_for_update",
            "    .limit(LIMIT + LIMIT)\n    .with_for_update",
        ),
        (
            "who deletes old keys lets others wait",
            "\n    .with_for_update(skip_locked=True)",
            "",
        ),
        (
            "an answer that has expired is given once more",
            ".where(_MY_KEY, _THIS_KEY, ~_HAS_EXPIRED)",
            ".where(_MY_KEY, _THIS_KEY, ~_HAS_EXPIRED | _HAS_EXPIRED)",
        ),
        (
            "an answer is looked for among other keys",
            "_THIS_KEY: Final = col(IdempotencyKey.key) == KEY",
            "_THIS_KEY: Final = col(IdempotencyKey.key) >= KEY",
        ),
    ),
    *mutants(
        "api/idempotency/replay.py",
        (
            "keys are kept 23 hours",
            "timedelta(hours=24)",
            "timedelta(hours=23)",
        ),
        (
            "who comes while the first is running hears 503",
            "    except DatabaseBusy:\n        raise _still_running() from None",
            "    except DatabaseBusy:\n        raise",
        ),
        (
            "the request is not compared",
            'if saved["fingerprint"] not in (fingerprint(request), _with_defaults(request)):',
            "if False:",
        ),
        (
            "a replay does not say so",
            ' | {"Idempotency-Replayed": "true"}',
            "",
        ),
        (
            "a replay has no headers",
            "headers=json.dumps(headers)",
            'headers="{}"',
        ),
        (
            "what follows a bare key is not looked at",
            "_BARE.fullmatch(value)",
            "_BARE.match(value)",
        ),
    ),
    *mutants(
        "api/main.py",
        (
            "the request's id is not answered",
            '            (b"x-request-id", request_id.encode()),\n',
            "",
        ),
    ),
    *mutants(
        "api/observability/logs.py",
        (
            "an id may be any text",
            "[A-Za-z0-9._-]{1,128}",
            "[\\x20-\\x7e]{1,128}",
        ),
        (
            "the id is not in the log",
            "{record.request_id}\"'",
            "\"'",
        ),
    ),
    *mutants(
        "api/http/cors.py",
        (
            "a preflight says its origin twice",
            '("vary", "access-control-allow-origin")',
            '("vary",)',
        ),
    ),
    *mutants(
        "api/http/routing.py",
        (
            "only the first line of a header is read",
            'parsed(", ".join(lines))',
            "parsed(lines[0])",
        ),
    ),
    *mutants(
        "api/idempotency/replay.py",
        ("a key that has expired stays", "{key, *(row[", "{*(row["),
        (
            "a hundred are forgotten at a time",
            "MAX_FORGOTTEN: Final = 50",
            "MAX_FORGOTTEN: Final = 100",
        ),
    ),
    *mutants(
        "api/commands/sweep.py",
        (
            "what is swept is lost when it cannot go on",
            "            connection.commit()\n            begin(connection)\n            total +=",
            "            total +=",
        ),
        witness="idempotency/test_idempotency.py::"
        "test_a_sweep_keeps_what_it_has_done_when_it_cannot_go_on",
    ),
    *mutants(
        "api/commands/sweep.py",
        (
            "sweep leaves what is 24 hours old",
            "interval '24 hours'",
            "interval '25 hours'",
        ),
        witness="idempotency/test_idempotency.py::"
        "test_the_owner_sweeps_what_has_expired_of_everybody_and_nothing_else",
    ),
    *mutants(
        "api/idempotency/replay.py",
        (
            "defaults count as sent",
            "exclude_unset=True, exclude_defaults=True",
            "exclude_unset=False",
        ),
        (
            "a default that is made anew counts as sent",
            "exclude_unset=True, exclude_defaults=True",
            "exclude_defaults=True",
        ),
        (
            "a default that is written out makes another request",
            "exclude_unset=True, exclude_defaults=True",
            "exclude_unset=True",
        ),
        (
            "a request with a date cannot be told from others",
            "        return to_jsonable_python(value)\n\n    text",
            "        return None\n\n    text",
        ),
        (
            "what was stored when defaults counted is refused",
            "(fingerprint(request), _with_defaults(request))",
            "(fingerprint(request),)",
        ),
    ),
]
