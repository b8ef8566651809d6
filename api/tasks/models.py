"""The SQLModel of table `task`, for `queries`. db/migrations/ defines the schema."""

from datetime import date, datetime, time
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Date,
    DateTime,
    Identity,
    SmallInteger,
    Text,
    Time,
    Uuid,
    func,
)
from sqlmodel import Field, SQLModel

# Priorities by rank, the value in the table: they sort by it.
PRIORITIES: Final = {"low": 1, "medium": 2, "high": 3}
# When a task without a time is due: the last of its day. The triggers say the same.
END_OF_DAY: Final = time(23, 59, 59, 999_999)

_EMPTY: Final[dict[str, Any]] = {"server_default": "{}"}


class Task(SQLModel, table=True):
    """A user's task. The primary key starts with its owner.

    The database keeps `completed_at`, `due_at` and `seq`. No members of the JSON: `tag_keys` (the
    tags as they are compared), `repeat_anchor` (the due date whose day of the month a series keeps,
    if it is not `due_date`), `due_at` (when it is due, for sorting) and `seq` (the number of its
    last change).
    """

    user_id: str = Field(primary_key=True, sa_type=Text)
    id: int = Field(
        primary_key=True,
        sa_type=BigInteger,
        sa_column_args=[Identity(always=True, maxvalue=2**53 - 1)],
    )
    title: str = Field(sa_type=Text)
    description: str | None = Field(default=None, sa_type=Text)
    completed: bool = Field(sa_column_kwargs={"server_default": "false"})
    created_at: datetime = Field(
        sa_type=DateTime(timezone=True),
        sa_column_kwargs={"server_default": func.now()},
    )
    updated_at: datetime = Field(
        sa_type=DateTime(timezone=True),
        sa_column_kwargs={"server_default": func.now()},
    )
    version: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": "1"})
    priority: int | None = Field(
        default=None,
        sa_type=SmallInteger,
        sa_column_kwargs={"info": {"names": {rank: name for name, rank in PRIORITIES.items()}}},
    )
    tags: list[str] = Field(sa_type=ARRAY(Text), sa_column_kwargs=_EMPTY)
    tag_keys: list[str] = Field(sa_type=ARRAY(Text), sa_column_kwargs=_EMPTY)
    due_date: date | None = Field(default=None, sa_type=Date)
    due_time: time | None = Field(default=None, sa_type=Time)
    time_zone: str | None = Field(default=None, sa_type=Text)
    repeat: str | None = Field(default=None, sa_type=Text)
    repeat_from: str = Field(sa_type=Text, sa_column_kwargs={"server_default": "due"})
    completed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    next_id: int | None = Field(default=None, sa_type=BigInteger)
    repeat_anchor: date | None = Field(default=None, sa_type=Date)
    due_at: datetime | None = Field(default=None, sa_type=DateTime)
    seq: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    uid: str | None = Field(default=None, sa_type=Uuid)
