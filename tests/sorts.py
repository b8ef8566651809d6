"""A sort that no route offers: by a nullable column."""

from enum import StrEnum


class ByDescription(StrEnum):
    """As `api.tasks.schemas.Sort` is."""

    FIRST = "description"
    LAST = "-description"

    @property
    def column(self) -> str:
        return self.removeprefix("-")
