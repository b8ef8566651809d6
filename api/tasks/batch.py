"""POST /api/tasks/batch: operations in order, each answered as the route answers that does it."""

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

IfVersion = Annotated[
    Integer, Field(description="Only if this is still its version; else the result is a 412")
]


class CreateOperation(TaskCreate):
    """Creates a task, as `POST /api/tasks` does."""

    model_config = examples({"op": "create", "title": "Buy milk"})

    op: Literal["create"]


@with_config(STRICT | examples({"op": "update", "id": 7, "title": "Buy bread"}))
class UpdateOperation(TaskUpdate, total=False):
    """Changes the task with this id, as `PATCH /api/tasks/{id}` does."""

    op: Required[Literal["update"]]
    if_version: IfVersion


@with_config(STRICT | examples({"op": "complete", "id": 7, "if_version": 3}))
class CompleteOperation(TaskComplete, total=False):
    """Completes a task, or not, as `PATCH /api/tasks/{id}/complete` does; it never toggles:
    without `completed` the task is completed."""

    op: Required[Literal["complete"]]
    id: Integer
    if_version: IfVersion


@with_config(STRICT | examples({"op": "delete", "id": 7}))
class DeleteOperation(TypedDict, total=False):
    """Deletes a task, as `DELETE /api/tasks/{id}` does."""

    op: Required[Literal["delete"]]
    id: Integer
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
    """Operations, done in this order. `atomic`: all of them or none."""

    model_config = STRICT | examples(
        {
            "operations": [
                {"op": "create", "title": "Buy milk"},
                {"op": "complete", "id": 7, "if_version": 3},
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
    """What an operation has beside the body of its route."""

    op: Required[Literal["create", "update", "complete", "delete"]]
    id: StrictInt
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
    """A valid operation: the task that it is about and on which condition, and the body."""

    op: str
    id: int | None
    if_match: Tags | None
    body: Any


def _asked(given: Any) -> _Asked:
    """Parse an operation. Raises `Failure`: 404, 422."""
    head, body = given, {}
    if isinstance(given, dict):
        of_head = {"op"} if given.get("op") == "create" else {*_Head.__annotations__}
        head = {name: value for name, value in given.items() if name in of_head}
        body = {name: value for name, value in given.items() if name not in of_head}
    head = _HEAD.validated(head)
    op, number, version = head["op"], None, head.get("if_version")
    if op != "create":
        if "id" not in head:
            raise InvalidInput([{"detail": "Field required.", "pointer": "#/id"}])
        number = task_id(str(head["id"]))
    if_match = None if version is None else ((False, str(version)),)
    return _Asked(op, number, if_match, _BODIES[op].validated(body))


def _parsed(given: Any) -> _Asked | Failure:
    try:
        return _asked(given)
    except Failure as failure:
        return failure


def _result(status: int, body: str | None = None) -> str:
    """The result of an operation, as JSON."""
    return f'{{"status":{status}}}' if body is None else f'{{"status":{status},"body":{body}}}'


def _refusal(failure: Failure) -> str:
    request = current_request()
    problem = problems.answer(failure, request.id if request else "")
    return _result(problem.status_code, bytes(problem.body).decode())


def _response(results: list[str]) -> Response:
    return Response(f'{{"results":[{",".join(results)}]}}', media_type="application/json")


async def _done(tx: Transaction, asked: _Asked | Failure) -> str:
    """Do an operation on a task; its result. Raises `Failure`."""
    match asked:
        case Failure():
            raise asked
        case _Asked("update", int(number), if_match, body):
            return _result(200, (await changes.update(tx, number, body, if_match))["body"])
        case _Asked("complete", int(number), if_match, body):
            completed = body.get("completed", True)
            return _result(200, (await changes.complete(tx, number, if_match, completed))["body"])
        case _Asked("delete", int(number), if_match, _):
            await changes.delete(tx, number, if_match)
            return _result(204)
    raise TypeError(f"{asked.op} is no operation on a task")


def _is_create(asked: _Asked | Failure) -> bool:
    return isinstance(asked, _Asked) and asked.op == "create"


async def _results(tx: Transaction, several: list[_Asked | Failure], *, atomic: bool) -> list[str]:
    """Do the operations; their results. Raises `RolledBack` when one of an `atomic` batch fails."""
    results: list[str] = []
    for are_creates, some in groupby(several, _is_create):
        if are_creates:  # in one round trip
            values = [changes.created(one.body.model_dump()) for one in some]
            rows = await tx.each(queries.CREATE, values)
            results += [_result(201, row["body"]) for row in rows]
            continue
        for one in some:
            try:
                results.append(await _done(tx, one))
            except Failure as failure:
                if atomic:
                    at, others = len(results), len(several) - len(results) - 1
                    skipped = _refusal(_not_done())
                    results = [*[skipped] * at, _refusal(failure), *[skipped] * others]
                    raise RolledBack(_response(results)) from None
                results.append(_refusal(failure))
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
    several = [_parsed(one) for one in batch.operations]
    request = [
        given if isinstance(asked, Failure) else asked
        for given, asked in zip(batch.operations, several, strict=True)
    ]

    async def run() -> Response:
        return _response(await _results(tx, several, atomic=batch.atomic))

    return await once(tx, idempotency_key, ["batch", request, batch.atomic], run)
