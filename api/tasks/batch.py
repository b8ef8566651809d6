"""POST /api/tasks/batch: operations in order, each answered as the route answers that does it."""

import asyncio
import json
from collections import deque
from collections.abc import Iterable
from itertools import groupby
from typing import Annotated, Any, Final, Literal, NamedTuple, NotRequired, Required

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StrictBool, StrictInt, WrapValidator, with_config
from typing_extensions import TypedDict

from api.database.session import RolledBack, Transaction
from api.http import problems
from api.http.body import Body
from api.http.etags import Tags
from api.http.fields import STRICT, examples
from api.http.openapi import ALWAYS, BODY, KEYED, failures, responses
from api.http.problems import Failure, InvalidInput, Kind, Problem
from api.http.routing import Tx, UserRoute
from api.idempotency.replay import KeyHeader, once
from api.observability.current_request import current_request
from api.tasks import changes, queries
from api.tasks.changes import existing
from api.tasks.members import Uid
from api.tasks.routes import PATH
from api.tasks.schemas import (
    MAX_BULK,
    Integer,
    Task,
    TaskComplete,
    TaskCreate,
    TaskUpdate,
    task_id,
)

router = APIRouter(route_class=UserRoute, tags=["tasks"])

_UID: Final = "0b6f3c1e-6f0e-4d6a-9a53-5d1c6b0f7a42"

IfVersion = Annotated[
    Integer, Field(description="Only if this is still its version; else the result is a 412")
]


class CreateOperation(TaskCreate):
    """Creates a task, as `POST /api/tasks` does."""

    model_config = examples({"op": "create", "title": "Buy milk"})

    op: Literal["create"]


@with_config(STRICT | examples({"op": "update", "id": 7, "title": "Buy bread"}))
class UpdateOperation(TaskUpdate, total=False):
    """Changes a task, as `PATCH /api/tasks/{id}` does."""

    op: Required[Literal["update"]]
    if_version: IfVersion


@with_config(STRICT | examples({"op": "complete", "id": 7, "if_version": 3}))
class CompleteOperation(TaskComplete, total=False):
    """Completes a task, or not, as `PATCH /api/tasks/{id}/complete` does; it never toggles:
    without `completed` the task is completed."""

    op: Required[Literal["complete"]]
    id: Integer
    uid: Uid
    if_version: IfVersion


@with_config(STRICT | examples({"op": "delete", "id": 7}))
class DeleteOperation(TypedDict, total=False):
    """Deletes a task, as `DELETE /api/tasks/{id}` does."""

    op: Required[Literal["delete"]]
    id: Integer
    uid: Uid
    if_version: IfVersion


# Each is validated by itself, when the batch is known to be one.
_Operation = Annotated[
    Annotated[
        CreateOperation | UpdateOperation | CompleteOperation | DeleteOperation,
        Field(discriminator="op"),
    ],
    WrapValidator(lambda given, _: given),
]


class Batch(BaseModel):
    """Operations, done in this order. `atomic`: all of them or none.

    Each but `create` names its task by `id`, or by the `uid` that its client gave it, also in an
    operation before it.
    """

    model_config = STRICT | examples(
        {
            "operations": [
                {"op": "create", "title": "Buy milk", "uid": _UID},
                {"op": "complete", "uid": _UID},
                {"op": "update", "id": 7, "title": "Buy bread", "if_version": 3},
            ]
        }
    )

    operations: Annotated[list[_Operation], Field(max_length=MAX_BULK)]
    atomic: StrictBool = False


class BatchResult(TypedDict):
    """What the route of an operation answers: the task, a problem, or nothing for a deletion."""

    status: int
    body: NotRequired[Task | Problem]


class BatchResults(BaseModel):
    """The result of each operation, in their order."""

    model_config = examples({"results": [{"status": 204}]})

    results: list[BatchResult]


@with_config(STRICT)
class _Head(TypedDict, total=False):
    """What an operation has beside the body of its route. `id` is as in a path: any integer."""

    op: Required[Literal["create", "update", "complete", "delete"]]
    id: StrictInt
    uid: Uid
    if_version: Integer


@with_config(STRICT)
class _NoMembers(TypedDict):
    """The body of a route that takes none."""


_HEAD: Final = Body(_Head)
_BODIES: Final = {
    "create": Body(TaskCreate),
    "update": Body(TaskUpdate),
    "complete": Body(TaskComplete),
    "delete": Body(_NoMembers),
}


class _Asked(NamedTuple):
    """A valid operation: the id or the uid of its task, the condition, and the body."""

    op: str
    task: int | str | None
    if_match: Tags | None
    body: Any


def _asked(given: Any) -> _Asked:
    """Parse an operation. Raises `Failure`: 404, 422."""
    head, body = given, {}
    if isinstance(given, dict):
        of_head = {"op"} if given.get("op") == "create" else {*_Head.__annotations__}
        if "id" in given:  # then the uid is a member like others
            of_head -= {"uid"}
        head = {name: value for name, value in given.items() if name in of_head}
        body = {name: value for name, value in given.items() if name not in of_head}
    head = _HEAD.validated(head)
    op, task, version = head["op"], None, head.get("if_version")
    if op != "create":
        if head.keys().isdisjoint({"id", "uid"}):
            raise InvalidInput([{"detail": "It takes an id or a uid.", "pointer": "#/id"}])
        task = task_id(str(head["id"])) if "id" in head else head["uid"]
    if_match = None if version is None else ((False, str(version)),)
    return _Asked(op, task, if_match, _BODIES[op].validated(body))


def _result(status: int, body: str | None = None) -> str:
    """The result of an operation, as JSON."""
    return f'{{"status":{status}}}' if body is None else f'{{"status":{status},"body":{body}}}'


def _refusal(failure: Failure) -> str:
    request = current_request()
    problem = problems.answer(failure, request.id if request else "")
    return _result(problem.status_code, bytes(problem.body).decode())


def _response(results: Iterable[str | Failure]) -> Response:
    said = (one if isinstance(one, str) else _refusal(one) for one in results)
    return Response(f'{{"results":[{",".join(said)}]}}', media_type="application/json")


async def _change(tx: Transaction, asked: _Asked) -> str:
    """Do an operation on a task; its result. Raises `Failure`."""
    op, task, if_match, body = asked
    if not isinstance(task, int):
        task = (await existing(tx.row(queries.BY_UID, uid=task)))["id"]
    if op == "delete":
        await changes.delete(tx, task, if_match)
        return _result(204)
    if op == "update":
        row = await changes.update(tx, task, body, if_match)
    else:
        row = await changes.complete(tx, task, if_match, body.get("completed", True))
    return _result(200, row["body"])


async def _create(tx: Transaction, tasks: list[TaskCreate]) -> list[str | Failure]:
    """Create tasks, in one round trip if all of them are new; the result of each."""
    members = [task.model_dump() for task in tasks]
    rows = deque(await tx.each(queries.CREATE, [changes.created(one) for one in members]))
    are_new, results = len(rows) == len(tasks), list[str | Failure]()
    for one in members:
        if are_new or (rows and json.loads(rows[0]["body"])["uid"] == one["uid"]):
            results.append(_result(201, rows.popleft()["body"]))
            continue
        try:
            (row,), _ = await changes.create(tx, [one], "#/uid")
            results.append(_result(200, row["body"]))
        except Failure as failure:
            results.append(failure)
    return results


def _is_create(asked: _Asked | Failure) -> bool:
    return isinstance(asked, _Asked) and asked.op == "create"


async def _done(tx: Transaction, several: list[_Asked | Failure]) -> list[str | Failure]:
    """Do the operations; the result of each."""
    results: list[str | Failure] = []
    for are_creates, some in groupby(several, _is_create):
        if are_creates:
            results += await _create(tx, [one.body for one in some if isinstance(one, _Asked)])
            continue
        for one in some:
            try:
                results.append(one if isinstance(one, Failure) else await _change(tx, one))
            except Failure as failure:
                results.append(failure)
    return results


def _not_done() -> Failure:
    return Failure(
        Kind.FAILED_DEPENDENCY, "Nothing was done, because another operation of the batch failed."
    )


@router.post(
    PATH + "/batch",
    operation_id="runBatch",
    summary="Do several things in order",
    response_description="What came of each, in the order in which they were sent",
    response_model=BatchResults,
    responses=responses(200, "Idempotency-Replayed") | failures(*ALWAYS, *BODY, *KEYED),
)
async def run_batch(tx: Tx, batch: Batch, idempotency_key: KeyHeader = None) -> Response:
    several: list[_Asked | Failure] = []
    for given in batch.operations:
        try:
            several.append(_asked(given))
        except Failure as failure:
            several.append(failure)
            await asyncio.sleep(0)  # a list of errors takes a millisecond to make
    request = [
        given if isinstance(asked, Failure) else asked
        for given, asked in zip(batch.operations, several, strict=True)
    ]

    async def run() -> Response:
        results = await _done(tx, several)
        failed = [n for n, result in enumerate(results) if isinstance(result, Failure)]
        if failed and batch.atomic:
            first = failed[0]
            raise RolledBack(
                _response(
                    [result if n == first else _not_done() for n, result in enumerate(results)]
                )
            )
        return _response(results)

    return await once(tx, idempotency_key, ["batch", request, batch.atomic], run)
