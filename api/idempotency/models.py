"""The SQLModel of table `idempotency_key`, for `queries`. db/migrations/ defines the schema."""

from datetime import datetime

from sqlalchemy import DateTime, SmallInteger, Text, func
from sqlmodel import Field, SQLModel


class IdempotencyKey(SQLModel, table=True):
    """A user's Idempotency-Key: the fingerprint of its request, and the stored response."""

    __tablename__ = "idempotency_key"

    user_id: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    fingerprint: str = Field(sa_type=Text)
    status: int | None = Field(default=None, sa_type=SmallInteger)
    headers: str | None = Field(default=None, sa_type=Text)
    body: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(
        sa_type=DateTime(timezone=True),
        sa_column_kwargs={"server_default": func.now()},
    )
