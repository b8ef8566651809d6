"""Operations of a batch: what each may do, and what of them stays."""

from typing import Final

from tests.mutants.mutant import mutants

_BATCH: Final = "api/tasks/batch.py"

BATCH: Final = [
    *mutants(
        _BATCH,
        (
            "completing in a batch toggles",
            'body.get("completed", True)',
            'body.get("completed")',
        ),
        (
            "if_version is not heeded",
            "if_match = None if version is None else ((False, str(version)),)",
            "if_match = None",
        ),
        (
            "atomic is not heeded",
            "if failed and batch.atomic:",
            "if False:",
        ),
        (
            "what an atomic batch has done stays",
            "raise RolledBack(",
            "return (",
        ),
        (
            "of an atomic batch each failure says why",
            "result if n == first else _not_done()",
            "result if isinstance(result, Failure) else _not_done()",
        ),
        (
            "what fails stops the rest",
            "                results.append(failure)\n    return results",
            "                results.append(failure)\n                break\n    return results",
        ),
        (
            "the key of a batch is not heeded",
            'return await once(tx, idempotency_key, ["batch", request, batch.atomic], run)',
            "return await run()",
        ),
        (
            "a key is good for a batch that is atomic or not",
            '["batch", request, batch.atomic]',
            '["batch", request]',
        ),
        (
            "a key does not know what was invalid",
            "given if isinstance(asked, Failure) else asked",
            '"" if isinstance(asked, Failure) else asked',
        ),
        (
            "beside an id a uid is not looked at",
            'of_head -= {"uid"}',
            "pass",
        ),
        (
            "an id that nothing has is asked for",
            'task_id(str(head["id"]))',
            'head["id"]',
        ),
        (
            "a deletion takes any member",
            "@with_config(STRICT)\nclass _NoMembers",
            "class _NoMembers",
        ),
        (
            "what was there already is called new",
            'results.append(_result(200, row["body"]))',
            'results.append(_result(201, row["body"]))',
        ),
        (
            "rows are taken for the tasks next to them",
            'json.loads(rows[0]["body"])["uid"] == one["uid"]',
            "True",
        ),
        (
            "a batch has a hundred and one",
            "Field(max_length=MAX_BULK)",
            "Field(max_length=MAX_BULK + 1)",
        ),
        witness="tasks/test_batch.py",
    ),
    *mutants(
        "api/http/body.py",
        (
            "a batch has 64 KiB",
            "MAX_BULK_BODY if arrays else",
            "MAX_BULK_BODY if self._is_array else",
        ),
        (
            "the objects of a batch are not counted",
            'if self._max_items is not None and _has_too_many(content, b"{"):',
            'if self._is_array and _has_too_many(content, b"{"):',
        ),
        witness="tasks/test_batch.py",
    ),
]
