"""HTTP route of /api/tasks/changes: what has changed since a client last asked."""

from itertools import accumulate
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from api.database.json_rows import MAX_PAGE_BYTES
from api.database.session import Transaction
from api.http.openapi import ALWAYS, failures, responses
from api.http.problems import Failure, Kind
from api.http.routing import Tx, UserRoute
from api.sync import queries as heads
from api.sync import tokens
from api.sync.tokens import Token
from api.tasks import queries
from api.tasks.routes import PATH
from api.tasks.schemas import ChangedTasks, ChangesQuery

# Before all numbers.
_START: Final = {"at": -1, "at_id": 0}

router = APIRouter(route_class=UserRoute, tags=["tasks"])


@router.get(
    f"{PATH}/changes",
    operation_id="listChanges",
    summary="List what has changed since you last asked, the oldest change first",
    response_description="What has changed",
    response_model=ChangedTasks,
    responses=responses(200) | failures(*ALWAYS, Kind.MALFORMED_REQUEST, Kind.SYNC_TOKEN_EXPIRED),
)
async def list_changes(tx: Tx, query: Annotated[ChangesQuery, Query()]) -> Response:
    since = None if query.since is None else tokens.parsed(tx.user, query.since)
    rows = await _changes(tx, since, query.limit)
    head, found = rows[0], [row for row in rows if row["id"] is not None]
    page = _fitting(found[: query.limit])
    more = len(page) < len(found)
    # of a full listing, also when it began
    until = head["head"] if since is None else since.until
    if more:
        token = Token(head["generation"], page[-1]["seq"], page[-1]["id"], until)
    else:
        token = Token(head["generation"], head["head"] if until is None else until)
    changed = {row["id"]: queries.without_number(row["body"]) for row in page if row["body"]}
    # less those that an operator has put back
    deleted = [str(row["id"]) for row in page if row["id"] not in changed]
    return Response(
        f'{{"changed":[{",".join(changed.values())}],"deleted":[{",".join(deleted)}],'
        f'"next":"{token.text(tx.user)}","more":{"true" if more else "false"}}}',
        media_type="application/json",
    )


async def _changes(tx: Transaction, since: Token | None, limit: int) -> list[Any]:
    """The rows of a page. Raises `Failure` (410)."""
    until = {} if since is None or since.until is None else {"until": since.until}
    statement = queries.LISTING if since is None or until else queries.CHANGES
    values = {"limit": limit, **(_START if since is None else since.start), **until}
    rows = await tx.each(statement, [values])
    if not rows and since is None:
        await tx.row(heads.CREATE_HEAD)
        rows = await tx.each(statement, [values])
    if not rows or (since is not None and since.is_expired(rows[0])):
        raise Failure(
            Kind.SYNC_TOKEN_EXPIRED,
            "What has changed since is not known any more; list all tasks again, without `since`,"
            " and then send what you have not sent yet.",
        )
    return rows


def _fitting(rows: list[Any]) -> list[Any]:
    """The leading rows that fit a page, at least one."""
    ends = accumulate(len((row["body"] or str(row["id"])).encode()) + 1 for row in rows)
    return rows[: max(1, sum(end < MAX_PAGE_BYTES for end in ends))]
