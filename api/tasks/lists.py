"""Query parameters of a task list: filters, order and page."""

from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlencode

from pydantic import Field, StrictInt, WithJsonSchema, model_validator

from api.database import case_folding
from api.database.json_rows import MAX_PAGE_BYTES
from api.http.fields import (
    DIGITS,
    NOT_NULL,
    NamedValues,
    NoParameters,
    QueryBoolean,
    QueryDate,
)
from api.http.problems import InvalidInput
from api.tasks import tags
from api.tasks.due import DueDate
from api.tasks.members import PriorityFilter
from api.tasks.models import PRIORITIES
from api.tasks.search import MAX_SEARCH, MAX_WORD, MAX_WORDS, QueryWords
from api.tasks.tags import TagFilter

MAX_PAGE: Final = 1000
MAX_OFFSET: Final = 10_000
# In a `list_key` also when they are not given, as ever.
_FIRST: Final = {
    "completed",
    "created_after",
    "created_before",
    "updated_after",
    "updated_before",
    "q",
}


class Sort(NamedValues):
    """What a list is sorted by; `-`: the greatest first."""

    OLDEST = "created_at"
    NEWEST = "-created_at"
    UPDATED_ASC = "updated_at"
    UPDATED_DESC = "-updated_at"
    TITLE = "title"
    TITLE_REVERSED = "-title"
    DUE_ASC = "due_date"
    DUE_DESC = "-due_date"
    PRIORITY_ASC = "priority"
    PRIORITY_DESC = "-priority"
    COMPLETED_ASC = "completed_at"
    COMPLETED_DESC = "-completed_at"

    @property
    def column(self) -> str:
        """The column of the table: by due date, that of day and time."""
        name = self.removeprefix("-")
        return "due_at" if name == "due_date" else name


_QueryDay = Annotated[DueDate | None, NOT_NULL]
_QueryTags = Annotated[TagFilter | None, NOT_NULL]


class TaskPage(NoParameters):
    """Query parameters of a task list: filters, order and page."""

    cursor: Annotated[str | None, WithJsonSchema({"type": "string"})] = Field(
        None, description="Where to go on, out of a Link header"
    )
    completed: QueryBoolean = Field(None, description="Only those that are completed, or are not")
    created_after: QueryDate = Field(None, description="Only those created later")
    created_before: QueryDate = Field(None, description="Only those created earlier")
    updated_after: QueryDate = Field(None, description="Only those changed later")
    updated_before: QueryDate = Field(None, description="Only those changed earlier")
    completed_after: QueryDate = Field(None, description="Only those completed later")
    completed_before: QueryDate = Field(None, description="Only those completed earlier")
    priority: Annotated[PriorityFilter | None, NOT_NULL] = Field(
        None, description="Only those of one of these priorities"
    )
    tags: _QueryTags = Field(None, description="Only those with all of these tags")
    any_tag: _QueryTags = Field(None, description="Only those with any of these tags")
    due_after: _QueryDay = Field(None, description="Only those due on a later day")
    due_before: _QueryDay = Field(None, description="Only those due on an earlier day")
    due: Annotated[Literal["none"] | None, NOT_NULL] = Field(
        None, description="Only those without a due date"
    )
    q: QueryWords = Field(
        None,
        description="Only those with each of these words in title or description: at most"
        f" {MAX_WORDS} words of at most {MAX_WORD} characters, {MAX_SEARCH} in all",
    )
    sort: Sort = Field(Sort.NEWEST, description="What they are sorted by; `-` turns it round")
    limit: Annotated[StrictInt, Field(ge=1, le=MAX_PAGE), DIGITS] = Field(
        MAX_PAGE,
        description="How many at most; a page also ends at about"
        f" {MAX_PAGE_BYTES // 2**20} MiB, with a `next`",
    )
    offset: Annotated[StrictInt, Field(ge=0, le=MAX_OFFSET), DIGITS] = Field(
        0, description="How many to leave out; a cursor is faster, and stays where it is"
    )

    @model_validator(mode="after")
    def _cursor_without_offset(self) -> Self:
        if self.cursor is not None and self.offset:
            detail = "Input should not come with an offset."
            raise InvalidInput([{"detail": detail, "parameter": "cursor"}])
        return self

    @property
    def is_slow(self) -> bool:
        """Whether it is a text search, which reads all tasks of the caller."""
        return self.q is not None

    @cached_property
    def filters(self) -> dict[str, Any]:
        """The given filters, as parameters of a statement."""
        given = self.model_dump(exclude={"q", "sort", "limit", "offset", "cursor"})
        given["words"] = self.q and [case_folding.pattern(word) for word in self.q.split()]
        given["priority"] = self.priority and [PRIORITIES[name] for name in self.priority]
        for name in ("tags", "any_tag"):
            given[name] = given[name] and tags.folded(given[name])
        return {name: value for name, value in given.items() if value is not None}

    @cached_property
    def filtered(self) -> frozenset[str]:
        """The names of `filters`."""
        return frozenset(self.filters)

    @cached_property
    def query(self) -> str:
        """The filters, order and limit as a URL query."""
        given = self.model_dump(mode="json", exclude={"offset", "cursor"}, exclude_unset=True)
        return urlencode(
            {
                name: str(value).lower() if value is True or value is False else str(value)
                for name, value in given.items()
                if value is not None
            }
        )

    @cached_property
    def list_key(self) -> str:
        """What identifies the list: its filters and order, whatever the page.

        It stays as it is when there are more filters, and with it the cursors that people have.
        """
        absent = {name for name, value in self if value is None and name not in _FIRST}
        return self.model_dump_json(exclude={"limit", "offset", "cursor"} | absent)
