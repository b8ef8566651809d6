"""SQL on heads and tombstones. Each statement filters by the caller, whatever the policies say."""

from typing import Final

from sqlalchemy import literal_column
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import col, select

from api.database import json_rows, personal_rows
from api.database.statement import CALLER, Statement
from api.sync.models import SyncHead, TaskTombstone

MY_HEAD: Final = col(SyncHead.user_id) == CALLER
MY_TOMBSTONES: Final = col(TaskTombstone.user_id) == CALLER

# The `generation` and `seq` of the caller. No row: nobody has asked for changes, or made any.
HEAD: Final = Statement(select(col(SyncHead.generation), col(SyncHead.seq)).where(MY_HEAD))

# The trigger on the table gives it its number.
CREATE_HEAD: Final = Statement(
    upsert(SyncHead)
    .values(user_id=CALLER, seq=literal_column("0"))
    .on_conflict_do_nothing()
    .returning(col(SyncHead.generation))
)

# --- all rows of a user, for `task-api export` and `erase` ---

TOMBSTONES: Final = personal_rows.of(
    TaskTombstone,
    "deleted_task",
    (
        col(TaskTombstone.task_id),
        col(TaskTombstone.seq),
        col(TaskTombstone.uid),
        json_rows.date(col(TaskTombstone.deleted_at)),
    ),
    MY_TOMBSTONES,
    col(TaskTombstone.task_id),
    first=-(2**63),
    batch=1000,
)
# One row. What is made after it is erased has another generation.
HEADS: Final = personal_rows.of(
    SyncHead,
    "sync_head",
    (col(SyncHead.seq), col(SyncHead.generation), col(SyncHead.floor)),
    MY_HEAD,
    col(SyncHead.seq),
    first=-(2**63),
    batch=1,
)
EXPORT_TOMBSTONES: Final = TOMBSTONES.export
COUNT_TOMBSTONES: Final = TOMBSTONES.total
ERASE_TOMBSTONES: Final = TOMBSTONES.erase
EXPORT_HEADS: Final = HEADS.export
COUNT_HEADS: Final = HEADS.total
ERASE_HEADS: Final = HEADS.erase
