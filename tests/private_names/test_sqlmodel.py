"""SQLModel: the classes by which api/database/allowed.py knows its statements."""

from sqlmodel import select
from sqlmodel.sql.expression import Select, SelectOfScalar

from api.tasks.models import Task


def test_a_select_is_still_of_one_of_two_classes() -> None:
    assert type(select(Task.id)) is SelectOfScalar
    assert type(select(Task.id, Task.title)) is Select
