"""Changes of a task: what may be in their way, and the task that follows one that repeats."""

import json
from collections.abc import Awaitable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from api.database.session import Transaction
from api.http import etags
from api.http.etags import Tags
from api.http.problems import READ_ONLY_DIFFERS, Failure, InvalidInput, Kind
from api.tasks import due, queries, repetition
from api.tasks.members import RULES, columns
from api.tasks.schemas import TaskCreate, TaskUpdate, no_such_task

# The members that a task has in common with the one that follows it.
_INHERITED: Final = TaskCreate.model_fields.keys() - {"completed", "uid"}


async def existing(row: Awaitable[Any | None]) -> Any:
    """The row; raises `Failure` (404) without one: the same for a missing task and another's."""
    if (there := await row) is None:
        raise no_such_task()
    return there


def created(members: Mapping[str, Any], anchor: date | None = None) -> dict[str, Any]:
    """The parameters of the statement that creates a task."""
    return {**columns(members), "repeat_anchor": anchor}


async def create(
    tx: Transaction, tasks: Sequence[Mapping[str, Any]], pointer: str
) -> tuple[list[Any], bool]:
    """Create tasks of these members; their rows, and whether all of them are new.

    If there is a task with the same `uid` already, its row takes the place. `pointer`: of the
    `uid` of a task, as a format with its index. Raises `Failure` (409) if one was deleted.
    """
    rows = await tx.each(queries.CREATE, [created(task) for task in tasks])
    if len(rows) == len(tasks):
        return rows, True
    uids = [{"uid": task["uid"]} for task in tasks if task["uid"] is not None]
    known = {row["uid"]: row for row in await tx.each(queries.BY_UID, uids)}
    gone = [n for n, task in enumerate(tasks) if task["uid"] not in {None, *known}]
    if gone:
        raise Failure(
            Kind.WAS_DELETED,
            "A task with this uid was deleted; give another one to a new task.",
            errors=[{"detail": "It was deleted.", "pointer": pointer.format(n)} for n in gone],
        )
    others = (row for row in rows if json.loads(row["body"])["uid"] is None)
    return [known[task["uid"]] if task["uid"] else next(others) for task in tasks], False


async def update(tx: Transaction, task_id: int, changes: TaskUpdate, if_match: Tags | None) -> Any:
    """Change a task; its row. Raises `Failure`: 404, 412, 422."""
    versions = etags.versions(if_match, changes.get("version"))
    values = queries.TASK.changes(columns(changes)) | {"id": task_id, "versions": versions}
    expected = queries.TASK.expected(changes)
    if not expected and (row := await tx.row(queries.UPDATE, **values)) is not None:
        return row
    if expected:
        await tx.row(queries.HOLD)
    row = await existing(tx.row(queries.UPDATE_WHOLE, **values, **expected))
    if not row["is_current"]:
        raise await _conflict(tx, task_id, if_match)
    wrong = [(name, READ_ONLY_DIFFERS) for name in row["differing"].split()]
    wrong += [(RULES[rule][0], f"{RULES[rule][1]}.") for rule in row["broken"].split()]
    if wrong:
        raise InvalidInput([{"detail": text, "pointer": f"#/{name}"} for name, text in wrong])
    return await _passed_on(tx, row)


async def complete(
    tx: Transaction, task_id: int, if_match: Tags | None, completed: bool | None
) -> Any:
    """Complete a task, or not; None toggles. Its row. Raises `Failure`: 404, 412."""
    versions = etags.versions(if_match)
    values = {"id": task_id, "versions": versions, "completed": completed}
    row = await tx.row(queries.COMPLETE, **values)
    if row is not None:
        return await _passed_on(tx, row)
    row = await existing(tx.row(queries.GET, id=task_id))
    if versions is not None and row["version"] not in versions:
        raise _mismatch(row, if_match)
    return row  # it was so already


async def delete(tx: Transaction, task_id: int, if_match: Tags | None) -> None:
    """Delete a task. Raises `Failure`: 404, 412."""
    versions = etags.versions(if_match)
    if await tx.row(queries.DELETE, id=task_id, versions=versions) is None:
        raise no_such_task() if versions is None else await _conflict(tx, task_id, if_match)


async def _conflict(tx: Transaction, task_id: int, if_match: Tags | None) -> Failure:
    """The 412 of a task that is not as the request expects it. Raises `Failure`: 404."""
    return _mismatch(await existing(tx.row(queries.GET, id=task_id)), if_match)


def _mismatch(current: Any, if_match: Tags | None) -> Failure:
    tag = etags.of_version(current["version"])
    return Failure(
        Kind.PRECONDITION_FAILED,
        etags.mismatch(if_match, tag),
        headers={"ETag": tag},
        current=current["body"],
    )


async def _passed_on(tx: Transaction, row: Any) -> Any:
    """The row of a task that was changed, after its repetition has passed on to the next task.

    That happens if the change has completed it: then `anchor` is what its repetition counts from.
    """
    if row["anchor"] is None:
        return row
    task = json.loads(row["body"])
    completed_at = datetime.fromisoformat(task["completed_at"])
    following = repetition.following(
        task["repeat"],
        date.fromisoformat(task["due_date"]),
        date.fromisoformat(row["anchor"]),
        task["repeat_from"],
        due.today(task["time_zone"], completed_at),
    )
    next_id = None
    if following is not None:
        members = {name: task[name] for name in _INHERITED}
        members |= {"completed": False, "due_date": following.due, "repeat": following.rule}
        next_task = await existing(tx.row(queries.CREATE, **created(members, following.anchor)))
        next_id = next_task["id"]
    return await existing(tx.row(queries.PASS_ON, id=row["id"], next_id=next_id))
