"""A sort that no route offers yet: by a column that can be NULL."""

from enum import StrEnum


class ByDescription(StrEnum):
    """As `api.tasks.schemas.Sort` is."""

    FIRST = "description"
    LAST = "-description"

    @property
    def column(self) -> str:
        return self.removeprefix("-")
