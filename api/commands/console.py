"""How a command ends: its failures in one line, and its output on a pipe that nobody reads."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator

from api.database.errors import DatabaseError, DatabaseUnavailable
from api.database.gate import CannotServe


class CommandError(Exception):
    """What went wrong and what to do, in one line."""


@contextlib.contextmanager
def explained(refusal: str, failure: str) -> Iterator[None]:
    """What the database raises is a CommandError in one of these words, `{}` being its reason."""
    logging.getLogger("api").addHandler(logging.NullHandler())  # what fails is said once, below
    try:
        yield
    except CannotServe as error:
        raise CommandError(refusal.format(error)) from None
    except (DatabaseUnavailable, DatabaseError) as error:
        raise CommandError(failure.format(error)) from None


def write_no_more() -> None:
    """Else Python would try once more to write what is left, at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
