"""The filters of a task list as conditions of a statement.

There are too many combinations of them to compile a statement for each. Those that an index serves
are conditions of their own where they are given, a lower and an upper bound together. All others,
of which any may be given, are together in one form of the statement, where a parameter that is left
out allows every row.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ARRAY,
    Boolean,
    Date,
    DateTime,
    Integer,
    SmallInteger,
    Text,
    all_,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
)
from sqlalchemy.sql.expression import ColumnElement
from sqlmodel import case, col

from api.database.allowed import CONTAINS, OVERLAP
from api.tasks.models import Task

_KEPT: Final = 256  # of the sets of filters that were asked for

_MOMENT: Final = DateTime(timezone=True)
_TEXTS: Final = ARRAY(Text)
_ONE: Final = literal_column("1", Integer)
_NONE: Final = literal_column("'none'", Text)
_FIRST: Final[ColumnElement[Any]] = literal_column("'-infinity'")
_LAST: Final[ColumnElement[Any]] = literal_column("'infinity'")
_SEARCHED: Final = (
    col(Task.title)
    + literal_column("' '")
    + func.coalesce(col(Task.description), literal_column("''"))
)


class _Filter(NamedTuple):
    """The type of a filter's parameter, and the condition on it; of a bound, what allows all."""

    type: Any
    condition: Callable[[Any], ColumnElement[bool]]
    widest: ColumnElement[Any] | None = None

    def given(self, name: str) -> ColumnElement[bool]:
        """The condition. A bound may be left out."""
        if self.widest is None:
            return self.condition(bindparam(name, type_=self.type))
        bound = bindparam(name, None, type_=self.type)
        # no `coalesce`: PostgreSQL does not know that it leaks nothing, and would use no index
        return self.condition(case((bound.is_not(None), bound), else_=self.widest))

    def if_given(self, name: str) -> ColumnElement[bool]:
        """The condition, or any row without the parameter."""
        parameter = bindparam(name, None, type_=self.type)
        return or_(parameter.is_(None), self.condition(parameter))


FILTERS: Final = {
    "completed": _Filter(Boolean, lambda it: col(Task.completed) == it),
    "created_after": _Filter(_MOMENT, lambda it: col(Task.created_at) > it, _FIRST),
    "created_before": _Filter(_MOMENT, lambda it: col(Task.created_at) < it, _LAST),
    "updated_after": _Filter(_MOMENT, lambda it: col(Task.updated_at) > it),
    "updated_before": _Filter(_MOMENT, lambda it: col(Task.updated_at) < it),
    "completed_after": _Filter(_MOMENT, lambda it: col(Task.completed_at) > it),
    "completed_before": _Filter(_MOMENT, lambda it: col(Task.completed_at) < it),
    "priority": _Filter(ARRAY(SmallInteger), lambda it: col(Task.priority) == any_(it)),
    "tags": _Filter(_TEXTS, lambda it: col(Task.tag_keys).operate(CONTAINS, it)),
    "any_tag": _Filter(_TEXTS, lambda it: col(Task.tag_keys).operate(OVERLAP, it)),
    # days, by the column that an index has; comparisons of two types are not leakproof
    "due_after": _Filter(Date, lambda it: col(Task.due_at) >= cast(it + _ONE, DateTime), _FIRST),
    "due_before": _Filter(Date, lambda it: col(Task.due_at) < cast(it, DateTime), _LAST),
    "due": _Filter(Text, lambda it: col(Task.due_at).is_(None) & (it == _NONE)),
    # patterns of `case_folding`
    "words": _Filter(_TEXTS, lambda it: _SEARCHED.regexp_match(all_(it))),
}
# Those that an index serves, whatever the order; a range is one.
_SERVED: Final = [
    frozenset({"completed"}),
    frozenset({"created_after", "created_before"}),
    frozenset({"due_after", "due_before"}),
    frozenset({"due"}),
]


class Wanted(NamedTuple):
    """The conditions of a list: filters that an index serves, and all others if one is given."""

    served: frozenset[str]
    others: frozenset[str]

    @classmethod
    @lru_cache(_KEPT)
    def of(cls, filters: frozenset[str]) -> "Wanted":
        """Of a list with these filters."""
        served = frozenset[str]().union(*(some for some in _SERVED if some & filters))
        others = frozenset(FILTERS).difference(*_SERVED)
        return cls(served, others if filters & others else frozenset())

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """On the rows of the list."""
        return [
            *(FILTERS[name].given(name) for name in sorted(self.served)),
            *(FILTERS[name].if_given(name) for name in sorted(self.others)),
        ]
