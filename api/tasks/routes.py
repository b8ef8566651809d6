"""HTTP routes of /api/tasks. Each runs one or a few statements in the caller's transaction."""

import json
from collections.abc import Awaitable
from operator import itemgetter
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from api.database import json_rows
from api.database.errors import StatementTimeout
from api.http import etags
from api.http.etags import IfMatch, IfNoneMatch, Tags
from api.http.openapi import ALWAYS, BODY, KEYED, failures, responses
from api.http.problems import Kind, unavailable
from api.http.routing import Tx, UserRoute
from api.idempotency.replay import KeyHeader, once
from api.tasks import changes, pagination, queries
from api.tasks.changes import existing
from api.tasks.lists import TaskPage
from api.tasks.schemas import (
    BulkTaskCreate,
    DeleteCompletedQuery,
    Deleted,
    Prefer,
    TagCount,
    Task,
    TaskComplete,
    TaskCreate,
    TaskId,
    TaskUpdate,
)

PATH: Final = "/api/tasks"
TAGS_PATH: Final = "/api/tags"
MAX_TAG_COUNTS: Final = (
    1000  # in a response; beyond it, those of the fewest open tasks are left out
)

_CHANGE: Final = (Kind.NO_SUCH_TASK, Kind.PRECONDITION_FAILED)
_TOGGLE: Final = TaskComplete()
router = APIRouter(route_class=UserRoute, tags=["tasks"])


def _json(body: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, headers, media_type="application/json")


def _task(row: Any) -> Response:
    return _json(row["body"], headers={"ETag": etags.of_version(row["version"])})


def _conditional(tags: Tags | None, tag: str, body: str, headers: dict[str, str]) -> Response:
    """The response, or 304 if the client has this version (RFC 9110, section 13.1.2)."""
    if etags.matches(tags, tag):
        return Response(status_code=304, headers=headers | {"ETag": tag})
    return _json(body, headers=headers | {"ETag": tag})


async def _searched(row: Awaitable[Any | None]) -> Any:
    """The row of a text search. Raises `Failure` if it takes too long."""
    try:
        return await existing(row)
    except StatementTimeout:
        raise unavailable(
            "The search took too long; look for fewer or longer words, or narrow the list by"
            " `completed` or its dates."
        ) from None


@router.get(
    PATH,
    operation_id="listTasks",
    summary="List your tasks, newest first",
    response_description="The tasks",
    response_model=list[Task],
    responses=responses(200, "Link", "ETag", "X-Total-Count", "Preference-Applied")
    | responses(304, "Link", "ETag", "X-Total-Count", "Preference-Applied")
    | failures(*ALWAYS, Kind.MALFORMED_REQUEST),
)
async def list_tasks(
    tx: Tx,
    page: Annotated[TaskPage, Query()],
    if_none_match: IfNoneMatch = None,
    prefer: Prefer = None,
) -> Response:
    position = None
    if page.cursor is not None:
        position = pagination.Position.at(page.cursor, pagination.bound(tx.user, page), page.sort)
    start = position.start if position else "top"
    listed = _searched if page.is_slow else existing
    row = await listed(
        tx.row(
            queries.page(page.sort, page.filtered, start, page.limit),
            limit=page.limit,
            offset=page.offset,
            **page.filters,
            **(position.values(page.sort) if position else {}),
        )
    )
    found = json_rows.split(row)
    tasks = pagination.fitting(found, page.limit)
    older, newer = len(found) > len(tasks), row["has_previous"]
    if position is not None and position.side == "before":
        tasks, older, newer = tasks[::-1], newer, older
    headers = {"Link": pagination.links(PATH, page, tx.user, tasks, newer=newer, older=older)}
    if prefer and "count=exact" in prefer.lower().replace(" ", "").replace('"', "").split(","):
        total = await listed(tx.row(queries.count(page.filtered), **page.filters))
        headers |= {"X-Total-Count": str(total["total"]), "Preference-Applied": "count=exact"}
    body = f"[{','.join(tasks)}]"
    tag = etags.weak_etag(body, *headers.values())
    return _conditional(if_none_match, tag, body, headers)


@router.post(
    PATH + "/bulk",
    operation_id="createTasks",
    summary="Create several tasks, all of them or none",
    status_code=201,
    response_description="The new tasks, in the order in which they were sent; in the place of one"
    " whose `uid` there is already, the task that is there",
    response_model=list[Task],
    responses=responses(201, "Idempotency-Replayed")
    | failures(*ALWAYS, *BODY, *KEYED, Kind.WAS_DELETED),
)
async def create_tasks(
    tx: Tx, tasks: BulkTaskCreate, idempotency_key: KeyHeader = None
) -> Response:
    members = [task.model_dump() for task in tasks]

    async def create() -> Response:
        rows, _ = await changes.create(tx, members, "#/{}/uid")
        return _json(f"[{','.join(row['body'] for row in rows)}]", 201)

    return await once(tx, idempotency_key, ["create", tasks], create)


@router.get(
    PATH + "/{task_id}",
    operation_id="getTask",
    summary="Read a task",
    response_description="The task",
    response_model=Task,
    responses=responses(200, "ETag")
    | responses(304, "ETag")
    | failures(*ALWAYS, Kind.MALFORMED_REQUEST, Kind.NO_SUCH_TASK),
)
async def get_task(tx: Tx, task_id: TaskId, if_none_match: IfNoneMatch = None) -> Response:
    row = await existing(tx.row(queries.GET, id=task_id))
    return _conditional(if_none_match, etags.of_version(row["version"]), row["body"], {})


@router.patch(
    PATH + "/{task_id}/complete",
    operation_id="completeTask",
    summary="Complete a task, or not; toggles when nothing is said",
    response_description="The task as it is now",
    response_model=Task,
    responses=responses(200, "ETag", "Idempotency-Replayed")
    | failures(*ALWAYS, *BODY, *_CHANGE, *KEYED),
)
async def complete_task(
    tx: Tx,
    task_id: TaskId,
    state: TaskComplete = _TOGGLE,
    if_match: IfMatch = None,
    idempotency_key: KeyHeader = None,
) -> Response:
    async def complete() -> Response:
        return _task(await changes.complete(tx, task_id, if_match, state.get("completed")))

    return await once(tx, idempotency_key, ["complete", task_id, state], complete, if_match)


@router.post(
    PATH,
    operation_id="createTask",
    summary="Create a task",
    status_code=201,
    response_description="The new task",
    response_model=Task,
    responses=responses(201, "Location", "ETag", "Idempotency-Replayed")
    | {
        200: responses(200, "Location", "ETag", "Idempotency-Replayed")[200]
        | {"model": Task, "description": "The task of this `uid`, which is there already"}
    }
    | failures(*ALWAYS, *BODY, *KEYED, Kind.WAS_DELETED),
)
async def create_task(tx: Tx, task: TaskCreate, idempotency_key: KeyHeader = None) -> Response:
    members = task.model_dump()

    async def create() -> Response:
        (row,), is_new = await changes.create(tx, [members], "#/uid")
        headers = {"Location": f"{PATH}/{row['id']}", "ETag": etags.of_version(row["version"])}
        return _json(row["body"], 201 if is_new else 200, headers)

    return await once(tx, idempotency_key, ["create", task], create)


async def update_task(
    tx: Tx,
    task_id: TaskId,
    task: TaskUpdate,
    if_match: IfMatch = None,
    idempotency_key: KeyHeader = None,
) -> Response:
    async def update() -> Response:
        return _task(await changes.update(tx, task_id, task, if_match))

    return await once(tx, idempotency_key, ["update", task_id, task], update, if_match)


for _method, _operation in (("PUT", "putTask"), ("PATCH", "updateTask")):
    router.add_api_route(
        PATH + "/{task_id}",
        update_task,
        methods=[_method],
        operation_id=_operation,
        summary="Change a task; what is left out keeps its value",
        response_description="The task as it is now",
        response_model=Task,
        responses=responses(200, "ETag", "Idempotency-Replayed")
        | failures(*ALWAYS, *BODY, *_CHANGE, *KEYED),
    )


@router.delete(
    PATH + "/{task_id}",
    operation_id="deleteTask",
    summary="Delete a task",
    status_code=204,
    response_description="It is gone",
    responses=responses(204, "Idempotency-Replayed")
    | failures(*ALWAYS, Kind.MALFORMED_REQUEST, *_CHANGE, *KEYED),
)
async def delete_task(
    tx: Tx, task_id: TaskId, if_match: IfMatch = None, idempotency_key: KeyHeader = None
) -> Response:
    async def delete() -> Response:
        await changes.delete(tx, task_id, if_match)
        return Response(status_code=204)

    return await once(tx, idempotency_key, ["delete", task_id], delete, if_match)


@router.delete(
    PATH,
    operation_id="deleteCompletedTasks",
    summary="Delete the tasks that are completed",
    response_description="How many there were",
    response_model=Deleted,
    responses=responses(200, "Idempotency-Replayed")
    | failures(*ALWAYS, Kind.MALFORMED_REQUEST, *KEYED),
)
async def delete_completed_tasks(
    tx: Tx,
    which: Annotated[DeleteCompletedQuery, Query()],
    idempotency_key: KeyHeader = None,
) -> Response:
    async def delete() -> Response:
        row = await existing(tx.row(queries.DELETE_COMPLETED))
        return _json(f'{{"deleted":{row["deleted"]}}}')

    return await once(tx, idempotency_key, ["delete", which], delete)


@router.get(
    TAGS_PATH,
    operation_id="listTags",
    summary="List the tags of all tasks",
    response_description="The tags, in order, whatever their case",
    response_model=list[TagCount],
    responses=responses(200, "ETag")
    | responses(304, "ETag")
    | failures(*ALWAYS, Kind.MALFORMED_REQUEST),
)
async def list_tags(tx: Tx, if_none_match: IfNoneMatch = None) -> Response:
    rows = await tx.each(queries.TAGS, [{"limit": MAX_TAG_COUNTS}])
    rows.sort(key=itemgetter("key"))
    counts = [{"tag": row["tag"], "open": row["open"]} for row in rows]
    body = json.dumps(counts, ensure_ascii=False, separators=(",", ":"))
    return _conditional(if_none_match, etags.weak_etag(body), body, {})
