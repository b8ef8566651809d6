"""Keyset pagination: a page starts before or after a given row, which an index finds.

A list is sorted by a column and then by id. A page is the same whatever is added or removed before
it.
"""

import operator
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple, Self

from sqlalchemy import BigInteger, bindparam, literal_column, or_, tuple_, union_all
from sqlalchemy.sql.expression import ColumnElement
from sqlmodel import select

AT_ID: Final = bindparam("at_id", type_=BigInteger)

# Where a page starts: at the top of the list, or at the parameters `at` and `at_id`, the column and
# the id of a row. If the row has NULL in the column, there is no `at`.
Start = Literal["top", "after", "before", "after null", "before null"]

# By whether the order is descending, and whether equal values count.
_COMPARE: Final = {
    (False, False): operator.gt,
    (False, True): operator.ge,
    (True, False): operator.lt,
    (True, True): operator.le,
}


class Keyset(NamedTuple):
    """A total order of rows: by `column`, and by the unique `id` where that is equal.

    `nulls`: where rows with NULL in `column` are; None if it has none. An index on the owner,
    `column` and `id` serves it; for `descending`, with `desc nulls last`.
    """

    column: Any
    id: Any
    descending: bool
    nulls: Literal["first", "last"] | None

    @classmethod
    def of(cls, column: Any, id_: Any, *, descending: bool) -> Self:
        """The order of a table's rows, with NULLs last in either direction."""
        return cls(column, id_, descending, "last" if column.nullable else None)

    def reversed(self) -> Self:
        """The reverse order."""
        nulls: Any = self.nulls and {"first": "last", "last": "first"}[self.nulls]
        return self._replace(descending=not self.descending, nulls=nulls)

    @property
    def order(self) -> list[ColumnElement[Any]]:
        """The expressions for `order by`."""
        first, second = (
            part.desc() if self.descending else part.asc() for part in (self.column, self.id)
        )
        if self.nulls == "first":
            first = first.nulls_first()
        elif self.nulls == "last":
            first = first.nulls_last()
        return [first, second]

    def ranges(self, start: Start, *, itself: bool = False) -> list[ColumnElement[bool]]:
        """Conditions for the rows after the start: one or two, each a range of the index, in order.

        `itself`: includes the row at the start.
        """
        if start == "top":
            return []
        compare: Any = _COMPARE[self.descending, itself]
        if start.endswith("null"):
            found = [self.column.is_(None) & compare(self.id, AT_ID)]
            return [*found, self.column.is_not(None)] if self.nulls == "first" else found
        at = tuple_(bindparam("at", type_=self.column.type), AT_ID)
        found = [compare(tuple_(self.column, self.id), at)]
        return [*found, self.column.is_(None)] if self.nulls == "last" else found


def rows(
    columns: Sequence[Any],
    conditions: Sequence[ColumnElement[bool]],
    keyset: Keyset,
    start: Start,
    limit: Any,
    offset: Any,
) -> Any:
    """A subquery: the first `limit` rows after `start` that meet the conditions, less `offset`."""
    ranges = keyset.ranges(start)
    if len(ranges) < 2:
        page = select(*columns).where(*conditions, *ranges).order_by(*keyset.order)
        return page.limit(limit).offset(offset).subquery("rows")
    # An `or` would read the list from its top, so each range is selected by itself, then both are
    # merged.
    columns = [*columns, keyset.column.label("place")]
    parts = [
        select(*columns).where(*conditions, each).order_by(*keyset.order).limit(limit + offset)
        for each in ranges
    ]
    both = union_all(*parts).subquery("both")
    order = keyset._replace(column=both.c.place, id=both.c[keyset.id.key]).order
    shown: list[Any] = [both.c[column.key] for column in columns[:-1]]
    return select(*shown).order_by(*order).limit(limit).offset(offset).subquery("rows")


def has_rows_before(
    conditions: Sequence[ColumnElement[bool]], keyset: Keyset, start: Start
) -> ColumnElement[bool]:
    """Whether the list has rows before the `start`, or at it."""
    one: Any = select(literal_column("1"))
    before = keyset.reversed().ranges(start, itself=True)
    return or_(*(one.where(*conditions, each).exists() for each in before))
