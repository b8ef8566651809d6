"""System programs that some tests need. Without one these tests are skipped, and the summary says
what to install; if CI is set they fail."""

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable
from typing import Final, NoReturn

import pytest

_WANTS: Final = "not installed: {}"
_WANTED: Final = re.compile(re.escape(_WANTS).replace(re.escape("{}"), "(.+)$"))


def program(name: str, package: str = "") -> str:
    """Where it is. `package` is what to install, unless it has the program's name."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        lacking(package or name)
    return found


def lacking(package: str) -> NoReturn:
    """The test needs this, which is not installed."""
    if os.environ.get("CI"):
        pytest.fail(_WANTS.format(package))
    pytest.skip(_WANTS.format(package))


def advice(reasons: Iterable[str]) -> list[str]:
    """What to install for the tests that were skipped for these reasons, one line each."""
    found = Counter(match[1] for reason in reasons if (match := _WANTED.search(reason)))
    return [f"{package}: {number} skipped without it" for package, number in sorted(found.items())]
