"""The same API the usual way: an ORM session per request, dependencies, response models.

`uvicorn bench.peers.orm:app` with DATABASE_URL and BETTER_AUTH_SECRET as for `task-api serve`.
"""

import os
from collections.abc import AsyncIterator
from datetime import date, datetime, time
from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qs, urlsplit

import jwt
from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from sqlalchemy import URL, func
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlmodel import col, insert, select

from api.tasks.models import Task

_URL = urlsplit(os.environ["DATABASE_URL"])
_engine = create_async_engine(
    URL.create(
        "postgresql+asyncpg",
        username=_URL.username,
        database=_URL.path.removeprefix("/"),
        query={"host": parse_qs(_URL.query)["host"][0]},
    ),
    pool_size=10,
    max_overflow=0,
)
_sessions = async_sessionmaker(_engine, expire_on_commit=False)

app = FastAPI()


RANKS: Final = {"low": 1, "medium": 2, "high": 3}
NAMES: Final = {rank: name for name, rank in RANKS.items()}

Priority = Annotated[Literal["low", "medium", "high"], BeforeValidator(lambda p: NAMES.get(p, p))]
RepeatFrom = Literal["due", "completion"]
Tag = Annotated[str, Field(min_length=1, max_length=50)]
DueTime = Annotated[time, PlainSerializer(lambda at: f"{at:%H:%M}")]


class TaskRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    user_id: str
    title: str
    description: str | None
    completed: bool
    priority: Priority | None
    tags: list[str]
    due_date: date | None
    due_time: DueTime | None
    time_zone: str | None
    repeat: str | None
    repeat_from: RepeatFrom
    completed_at: datetime | None
    next_id: int | None
    uid: str | None
    created_at: datetime
    updated_at: datetime
    version: int


class TaskCreate(BaseModel):
    title: Annotated[str, Field(min_length=1, max_length=200)]
    description: str | None = None
    completed: bool = False
    priority: Priority | None = None
    tags: Annotated[list[Tag], Field(max_length=20)] = []
    due_date: date | None = None
    due_time: time | None = None
    time_zone: Annotated[str, Field(max_length=64)] | None = None
    repeat: Annotated[str, Field(max_length=200)] | None = None
    repeat_from: RepeatFrom = "due"


class TaskComplete(BaseModel):
    completed: bool | None = None


def current_user(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())],
) -> str:
    try:
        claims: dict[str, Any] = jwt.decode(
            credentials.credentials, os.environ["BETTER_AUTH_SECRET"], algorithms=["HS256"]
        )
    except jwt.PyJWTError:
        raise HTTPException(401) from None
    return str(claims["sub"])


CurrentUser = Annotated[str, Depends(current_user)]


async def session(user: CurrentUser) -> AsyncIterator[AsyncSession]:
    async with _sessions() as session, session.begin():
        await session.execute(select(func.set_config("app.user_id", user, True)))
        yield session


Session = Annotated[AsyncSession, Depends(session, scope="function")]


async def own(session: AsyncSession, user: str, task_id: int) -> Task:
    statement = select(Task).where(col(Task.user_id) == user, col(Task.id) == task_id)
    task = (await session.execute(statement)).scalar_one_or_none()
    if task is None:
        raise HTTPException(404)
    return task


@app.get("/api/tasks", response_model=list[TaskRead])
async def list_tasks(
    session: Session,
    user: CurrentUser,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Any:
    statement = select(Task).where(col(Task.user_id) == user).order_by(col(Task.id).desc())
    return (await session.execute(statement.limit(limit).offset(offset))).scalars().all()


@app.post("/api/tasks", response_model=TaskRead, status_code=201)
async def create_task(session: Session, user: CurrentUser, given: TaskCreate) -> Any:
    values = given.model_dump() | {"priority": given.priority and RANKS[given.priority]}
    values |= {"user_id": user, "tag_keys": [tag.casefold() for tag in given.tags]}
    return (await session.execute(insert(Task).values(values).returning(Task))).scalar_one()


@app.get("/api/tasks/{task_id}", response_model=TaskRead)
async def get_task(session: Session, user: CurrentUser, task_id: int) -> Any:
    return await own(session, user, task_id)


@app.patch("/api/tasks/{task_id}/complete", response_model=TaskRead)
async def complete_task(
    session: Session, user: CurrentUser, task_id: int, given: TaskComplete
) -> Any:
    task = await own(session, user, task_id)
    task.completed = not task.completed if given.completed is None else given.completed
    await session.flush()
    await session.refresh(task)
    return task
