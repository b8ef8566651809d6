"""Every statement that the program can make, as JSON: `python -m tests.every_statement [SETS]`.

These are all that are made while the modules of `api` are imported, and all that functions with the
return type `Statement` return for each of the arguments of `_given`. SETS are those of filters:
`few` (none, each, two and all of them), `every`, or `none`, for who wants each place once.
"""

import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import combinations, product
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

ROOT: Final = Path(__file__).parent.parent
Sets = Literal["none", "few", "every"]


class Made(NamedTuple):
    """A statement: the file and line that made it, and the number of the caller's parameter.

    `at_import`: there before anybody asks for it.
    """

    place: str
    sql: str
    caller: int
    at_import: bool


@cache
def every_statement(sets: Sets = "few") -> tuple[Made, ...]:
    """Those that a fresh process makes."""
    command = [sys.executable, "-m", "tests.every_statement", sets]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return tuple(Made(*one) for one in json.loads(done.stdout))


def _given(sets: str) -> dict[str, list[Any]]:
    """What the functions are given, by the parameter's name."""
    queries, schemas = map(importlib.import_module, ("api.tasks.queries", "api.tasks.schemas"))
    names = sorted(queries.FILTERS)
    sizes = {"none": [0], "few": [0, 1, 2, len(names)], "every": [*range(len(names) + 1)]}[sets]
    return {
        "sort": [*schemas.Sort],
        "filters": [frozenset(some) for size in sizes for some in combinations(names, size)],
        "start": ["top", "after", "before"],
        "long": [False, True],
        "limit": [1, queries.SHORT_PAGE, queries.SHORT_PAGE + 1],
    }


def _makers() -> Iterator[Any]:
    """The functions that return statements, less those that are called at import."""
    for module in [module for name, module in sys.modules.items() if name.startswith("api.")]:
        for name, found in vars(module).items():
            if (
                getattr(found, "__module__", "") == module.__name__
                and callable(found)
                and not inspect.isclass(found)
                and inspect.signature(found).return_annotation in _STATEMENT
                and not name.startswith("_")
            ):
                yield found


def _main() -> None:
    statement = importlib.import_module("api.database.statement").Statement
    _STATEMENT.add(statement)
    made: dict[str, Made] = {}
    importing = True
    compile_ = statement.__init__

    def record(self: Any, expression: Any) -> None:
        compile_(self, expression)
        caller = inspect.currentframe()
        assert caller
        assert caller.f_back
        code = caller.f_back.f_code
        place = f"{Path(code.co_filename).relative_to(ROOT)}:{caller.f_back.f_lineno}"
        parameters = self._parameters
        number = parameters.index("caller") + 1
        made.setdefault(self.sql, Made(place, self.sql, number, importing))

    statement.__init__ = record
    for module in pkgutil.walk_packages([str(ROOT / "api")], "api."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    importing = False
    given = _given(*sys.argv[1:] or ["few"])
    for maker in _makers():
        parameters = inspect.signature(maker).parameters
        if unknown := parameters.keys() - given.keys():
            raise SystemExit(f"{maker.__name__}: say in `_given` what {sorted(unknown)} can be")
        for values in product(*(given[name] for name in parameters)):
            arguments = dict(zip(parameters, values, strict=True))
            by_name = {
                name: arguments.pop(name)
                for name, parameter in parameters.items()
                if parameter.kind is parameter.KEYWORD_ONLY
            }
            maker(*arguments.values(), **by_name)
    print(json.dumps([*made.values()]))


_STATEMENT: Final[set[Any]] = {"Statement"}

if __name__ == "__main__":
    _main()
