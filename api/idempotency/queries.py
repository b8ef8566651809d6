"""SQL on used Idempotency-Keys. Each statement filters by the caller, whatever the policies say."""

from typing import Final

from sqlalchemy import BigInteger, Interval, SmallInteger, Text, bindparam, func
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import col, delete, select, update

from api.database import json_rows, personal_rows
from api.database.statement import CALLER, Statement
from api.idempotency.models import IdempotencyKey

LIMIT: Final = bindparam("limit", type_=BigInteger)
KEY: Final = bindparam("key", type_=Text)
_MY_KEY: Final = col(IdempotencyKey.user_id) == CALLER
_THIS_KEY: Final = col(IdempotencyKey.key) == KEY

_AGE: Final = bindparam("age", type_=Interval)

# Skips keys that another request is deleting.
EXPIRED_KEYS: Final = Statement(
    select(col(IdempotencyKey.key))
    .where(_MY_KEY, col(IdempotencyKey.created_at) < func.now() - _AGE)
    .order_by(col(IdempotencyKey.created_at))
    .limit(LIMIT)
    .with_for_update(skip_locked=True)
)

# Written so that PostgreSQL always uses the index of keys: none of dates fits.
_HAS_EXPIRED: Final = col(IdempotencyKey.created_at) + _AGE < func.now()

FORGET_KEY: Final = Statement(
    delete(IdempotencyKey)
    .where(_MY_KEY, _THIS_KEY, _HAS_EXPIRED)
    .returning(col(IdempotencyKey.key))
)

# No row: the caller has used the key already.
CLAIM_KEY: Final = Statement(
    upsert(IdempotencyKey)
    .values(user_id=CALLER, key=KEY, fingerprint=bindparam("fingerprint", type_=Text))
    .on_conflict_do_nothing()
    .returning(col(IdempotencyKey.key))
)

KEEP_ANSWER: Final = Statement(
    update(IdempotencyKey)
    .where(_MY_KEY, _THIS_KEY)
    .values(
        status=bindparam("status", type_=SmallInteger),
        headers=bindparam("headers", type_=Text),
        body=bindparam("body", type_=Text),
    )
    .returning(col(IdempotencyKey.key))
)

STORED_RESPONSE: Final = Statement(
    select(
        col(IdempotencyKey.fingerprint),
        col(IdempotencyKey.status),
        col(IdempotencyKey.headers),
        col(IdempotencyKey.body),
    ).where(_MY_KEY, _THIS_KEY, ~_HAS_EXPIRED)
)

# --- all rows of a user, for `task-api export` and `erase` ---

# A stored response has seven megabytes at most, those of a batch.
PERSONAL_ROWS: Final = personal_rows.of(
    IdempotencyKey,
    "kept_answer",
    (
        col(IdempotencyKey.key),
        col(IdempotencyKey.fingerprint),
        col(IdempotencyKey.status),
        col(IdempotencyKey.headers),
        col(IdempotencyKey.body),
        json_rows.date(col(IdempotencyKey.created_at)),
    ),
    _MY_KEY,
    col(IdempotencyKey.key),
    first="",
    batch=10,
)
EXPORT_KEPT_ANSWERS: Final = PERSONAL_ROWS.export
COUNT_KEPT_ANSWERS: Final = PERSONAL_ROWS.total
ERASE_KEPT_ANSWERS: Final = PERSONAL_ROWS.erase
