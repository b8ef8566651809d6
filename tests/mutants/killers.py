"""Which test killed a mutant last time: that one is asked first, alone."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("killers.json")


def read() -> dict[str, str]:
    """By the name of a mutant, the node id of the test that killed it."""
    found: dict[str, str] = json.loads(FILE.read_text())
    return found


def write(killers: Mapping[str, str]) -> None:
    """Sorted, so that a run changes the lines of what has changed."""
    FILE.write_text(json.dumps(killers, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
