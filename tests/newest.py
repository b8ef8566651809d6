"""The requirements in pyproject.toml; `python -m tests.newest` prints them without upper bounds.

`make newest` installs them. It runs before anything is installed, so it needs only Python.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
_PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: Final[dict[str, list[str]]] = _PROJECT["optional-dependencies"]
_ITSELF: Final = re.compile(rf"{_PROJECT['name']}\[([\w,-]+)\]")
_UPPER_BOUND: Final = re.compile(r",?\s*<=?\s*[\w.]+")


def declared(*extras: str) -> Iterator[str]:
    """The requirements of the program, and of these extras of it; an extra may name others."""
    yield from _PROJECT["dependencies"]
    for extra in extras:
        yield from _of(extra)


def _of(extra: str) -> Iterator[str]:
    for requirement in EXTRAS[extra]:
        if itself := _ITSELF.fullmatch(requirement):
            for other in itself[1].split(","):
                yield from _of(other)
        else:
            yield requirement


def unbounded(requirement: str) -> str:
    """The requirement with its lower bound alone."""
    return _UPPER_BOUND.sub("", requirement)


if __name__ == "__main__":
    print(*map(unbounded, declared("dev")), sep="\n")
