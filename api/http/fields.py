"""What bodies and parameters are made of, whatever they are about."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, final

from pydantic import BaseModel, ConfigDict

STRICT: Final = ConfigDict(extra="forbid")


@final
@dataclass(frozen=True, slots=True)
class ParsedBy:
    """In the annotation of a header or a path's parameter: makes the argument of its text.

    `parse` raises `Failure` for what cannot be one. Of several lines of a header it gets one list
    (RFC 9110, section 5.3).
    """

    parse: Callable[[str], Any]


class NoParameters(BaseModel):
    """The query of a path that takes none, and the base of every other."""

    model_config = STRICT

    @property
    def is_slow(self) -> bool:
        """Whether the database may have to work long for it."""
        return False
