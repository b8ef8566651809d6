"""`make evidence`: write which tests prove each row of SECURITY.md, from the marks on the tests.

A mark on a test has the ids of the rows: `@pytest.mark.evidence("no-token", "csrf")`.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.checkout import ROOT, files

FILE: Final = ROOT / "SECURITY.md"
HEADINGS: Final = ["id", "threat", "wall", "test", "audit"]
MARK: Final = "pytest.mark.evidence"


def marks(tests: Iterable[Path], root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Each id of a row with a test that is marked with it, as `file::name`.

    Raises `ValueError` for a mark that is not on a test, which pytest would not heed either.
    """
    for file in tests:
        if MARK not in (text := file.read_text()):
            continue
        tree, place = ast.parse(text), file.relative_to(root).as_posix()
        found = 0
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for mark in filter(_is_mark, node.decorator_list):
                    found += 1
                    yield from ((row, f"{place}::{node.name}") for row in _ids(mark))
        if found != sum(map(_is_mark, ast.walk(tree))):
            raise ValueError(f"{place}: a mark of evidence that is not on a test")


def _is_mark(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == MARK


def _ids(mark: ast.expr) -> list[str]:
    return [ast.literal_eval(argument) for argument in getattr(mark, "args", [])]


def rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of the tables of threats: the number of the line, and its cells."""
    within = False
    for number, line in enumerate(text.split("\n")):
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if cells == HEADINGS:
            within = True
        elif not cells:
            within = False
        elif within and set("".join(cells)) != {"-"}:
            yield number, cells


def row_id(cells: list[str]) -> str:
    """By which tests name the row."""
    return cells[0].strip("`")


def written(text: str, tests: Mapping[str, Iterable[str]]) -> str:
    """The text with these tests in its tables, by the ids of the rows."""
    lines = text.split("\n")
    for number, cells in rows(text):
        cells[3] = ", ".join(f"`{test}`" for test in sorted(tests.get(row_id(cells), ())))
        lines[number] = f"| {' | '.join(cells)} |".replace("|  |", "| |")
    return "\n".join(lines)


def proofs() -> dict[str, list[str]]:
    """The tests of each row, by its id, as the marks say."""
    found = defaultdict(list)
    for row, test in marks(files("test_*.py", ROOT / "tests")):
        found[row].append(test)
    return found


if __name__ == "__main__":
    FILE.write_text(written(FILE.read_text(), proofs()))
    print(f"wrote {FILE.name}; look at what changed before you commit it")
