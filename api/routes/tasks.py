"""The seven routes of /api/tasks: each one statement in its caller's transaction."""

from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Response
from starlette.exceptions import HTTPException

from api import queries
from api.problems import documented
from api.routes.route import TaskId, TaskRoute, Tx
from api.schemas import TaskComplete, TaskCreate, TaskPage, TaskRead, TaskUpdate

PATH: Final = "/api/tasks"

_ALWAYS: Final = (401, 422, 500, 503)
_BODY: Final = (400, 413, 415)
_TOGGLE: Final = TaskComplete()

router = APIRouter(route_class=TaskRoute, tags=["tasks"])


def _json(body: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, headers, media_type="application/json")


def _with_header(status: int, name: str, description: str) -> dict[int | str, dict[str, Any]]:
    header = {"description": description, "schema": {"type": "string"}}
    return {status: {"headers": {name: header}}}


def _found(row: Any | None) -> Any:
    # The same for a task that is missing and for one that is somebody else's.
    if row is None:
        raise HTTPException(404, "There is no such task.")
    return row


@router.get(
    PATH,
    operation_id="listTasks",
    summary="List your tasks, newest first",
    response_description="The tasks",
    response_model=list[TaskRead],
    responses=documented(*_ALWAYS)
    | _with_header(200, "Link", 'The next page, `rel="next"`, when there is one (RFC 8288)'),
)
async def list_tasks(tx: Tx, page: Annotated[TaskPage, Query()]) -> Response:
    chosen = page.model_dump(exclude_none=True)
    statement = queries.LIST if page.completed is None else queries.LIST_BY_COMPLETED
    row = _found(await tx.row(statement, **chosen))
    if not row["more"]:
        return _json(row["body"])
    following = chosen | {"offset": page.offset + page.limit}
    query = urlencode({name: str(value).lower() for name, value in following.items()})
    return _json(row["body"], headers={"Link": f'<{PATH}?{query}>; rel="next"'})


@router.get(
    PATH + "/{task_id}",
    operation_id="getTask",
    summary="Read a task",
    response_description="The task",
    response_model=TaskRead,
    responses=documented(*_ALWAYS, 404),
)
async def get_task(tx: Tx, task_id: TaskId) -> Response:
    return _json(_found(await tx.row(queries.GET, id=task_id))["body"])


@router.patch(
    PATH + "/{task_id}/complete",
    operation_id="completeTask",
    summary="Complete a task, or not; toggles when nothing is said",
    response_description="The task as it is now",
    response_model=TaskRead,
    responses=documented(*_ALWAYS, *_BODY, 404),
)
async def complete_task(tx: Tx, task_id: TaskId, state: TaskComplete = _TOGGLE) -> Response:
    row = await tx.row(queries.COMPLETE, id=task_id, completed=state.get("completed"))
    return _json(_found(row)["body"])


@router.post(
    PATH,
    operation_id="createTask",
    summary="Create a task",
    status_code=201,
    response_description="The new task",
    response_model=TaskRead,
    responses=documented(*_ALWAYS, *_BODY) | _with_header(201, "Location", "Its address"),
)
async def create_task(tx: Tx, task: TaskCreate) -> Response:
    row = _found(await tx.row(queries.CREATE, **task.model_dump()))
    return _json(row["body"], 201, {"Location": f"{PATH}/{row['id']}"})


async def update_task(tx: Tx, task_id: TaskId, changes: TaskUpdate) -> Response:
    row = await tx.row(
        queries.UPDATE,
        id=task_id,
        title=changes.get("title"),
        completed=changes.get("completed"),
        description=changes.get("description"),
        has_description="description" in changes,
    )
    return _json(_found(row)["body"])


for _method, _operation in (("PUT", "putTask"), ("PATCH", "updateTask")):
    router.add_api_route(
        PATH + "/{task_id}",
        update_task,
        methods=[_method],
        operation_id=_operation,
        summary="Change a task; what is left out keeps its value",
        response_description="The task as it is now",
        response_model=TaskRead,
        responses=documented(*_ALWAYS, *_BODY, 404),
    )


@router.delete(
    PATH + "/{task_id}",
    operation_id="deleteTask",
    summary="Delete a task",
    status_code=204,
    response_description="It is gone",
    responses=documented(*_ALWAYS, 404),
)
async def delete_task(tx: Tx, task_id: TaskId) -> Response:
    _found(await tx.row(queries.DELETE, id=task_id))
    return Response(status_code=204)
