"""Sync tokens: opaque, bound to the user, the generation of the head and the format."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import Field, StringConstraints, TypeAdapter

from api.auth.authenticator import User
from api.http import opaque
from api.http.problems import Failure, Kind

_FORMAT: Final = 1
_MAX: Final = 2**63 - 1  # of a bigint
_Number = Annotated[int, Field(ge=0, le=_MAX)]
_CONTENT: Final = TypeAdapter(
    tuple[
        Literal[1],
        Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")],
        _Number,
        _Number | None,
        _Number | None,
    ]
)


class Token(NamedTuple):
    """How far a client has been told of a user's changes.

    Up to the number `seq`; of the changes with this number, up to the task `task_id`, or all. In a
    full listing, `until` is the number from which on its changes are told after it.
    """

    generation: str
    seq: int
    task_id: int | None = None
    until: int | None = None

    @property
    def known(self) -> int:
        """The number up to which the client will know all when it has the pages of a listing, or
        knows all now."""
        if self.until is not None:
            return self.until
        return self.seq if self.task_id is None else self.seq - 1

    @property
    def start(self) -> dict[str, object]:
        """Where the next page starts, as parameters of a statement."""
        return {"at": self.seq, "at_id": _MAX if self.task_id is None else self.task_id}

    def is_expired(self, head: Mapping[str, Any]) -> bool:
        """Whether the client has to start afresh, by the head's `generation`, `head` and `floor`.

        The token is of another generation, deletions since were forgotten, or the database is older
        than the token.
        """
        if self.generation != head["generation"]:
            return True
        return not head["floor"] <= self.known <= head["head"] or self.seq > head["head"]

    def text(self, user: User) -> str:
        """The token as the client keeps it."""
        content = json.dumps([_FORMAT, *self], separators=(",", ":")).encode()
        return opaque.sealed(content, _bound(user))


def minted(user: User, head: Mapping[str, Any]) -> str:
    """The token of a client that knows all up to the head: its `generation` and `seq`."""
    return Token(head["generation"], head["seq"]).text(user)


def parsed(user: User, text: str) -> Token:
    """The token in a text. Raises `Failure` (400) when it is none of this user."""
    try:
        content = _CONTENT.validate_json(opaque.opened(text, _bound(user)), strict=True)
        return Token(*content[1:])
    except ValueError:
        raise Failure(
            Kind.MALFORMED_REQUEST,
            "The sync token is none of yours; start again without it.",
            errors=[
                {"detail": "It belongs to somebody else, or was altered.", "parameter": "since"}
            ],
        ) from None


def _bound(user: User) -> str:
    return f"sync {user.id}"
