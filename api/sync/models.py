"""The SQLModels of tables `sync_head` and `task_tombstone`. db/migrations/ defines the schema."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Text, Uuid, func
from sqlmodel import Field, SQLModel


class SyncHead(SQLModel, table=True):
    """The number of a user's latest change, `seq`.

    Numbers of another `generation` are void. Up to `floor`, deletions may have been forgotten.
    """

    __tablename__ = "sync_head"

    user_id: str = Field(primary_key=True, sa_type=Text)
    generation: str = Field(
        sa_type=Uuid, sa_column_kwargs={"server_default": func.gen_random_uuid()}
    )
    seq: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    floor: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})


class TaskTombstone(SQLModel, table=True):
    """A deleted task of a user: the number of its deletion, and its `uid` if it had one."""

    __tablename__ = "task_tombstone"

    user_id: str = Field(primary_key=True, sa_type=Text)
    task_id: int = Field(primary_key=True, sa_type=BigInteger)
    seq: int = Field(sa_type=BigInteger)
    uid: str | None = Field(default=None, sa_type=Uuid)
    deleted_at: datetime = Field(
        sa_type=DateTime(timezone=True),
        sa_column_kwargs={"server_default": func.clock_timestamp()},
    )
