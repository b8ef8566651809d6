"""The SQLModel of table `task`, for `queries`. db/migrations/ defines the schema."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Identity, Text, func
from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    """A user's task. The primary key starts with its owner."""

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
