"""Who may import whom in api/: one way, without circles, from files that one can read at once."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import api

ROOT: Final = Path(api.__file__).parent
MAX_LINES: Final = 300

# Rooms from the top to the bottom. Each may import those of its own line's right side.
_BELOW: Final = {"forwarded", "postgres_url", "reasons", "setting_values", "text", "version"}
_SETTINGS: Final = {"settings", *_BELOW}
_BESIDE: Final = {"auth", "database", *_SETTINGS}
_FEATURES: Final = {"tasks", "sync", "idempotency"}
MAY_IMPORT: Final[dict[str, set[str]]] = {
    "cli": {"commands", "serving", "settings", "version"},
    "commands": {"main", "serving", *_FEATURES, "observability", "http", *_BESIDE},
    "main": {"serving", *_FEATURES, "observability", "http", *_BESIDE},
    "serving": {"observability", "http", *_SETTINGS},
    "tasks": {"sync", "idempotency", "observability", "http", *_BESIDE},
    "sync": {"http", *_BESIDE},
    "idempotency": {"http", *_BESIDE},
    "observability": {"http", *_BESIDE},
    "http": {*_BESIDE},
    "database": {"auth", *_SETTINGS},
    "auth": {*_SETTINGS},
    "settings": {*_BELOW},
    "setting_values": {"forwarded", "postgres_url", "text"},
    "forwarded": set(),
    "postgres_url": set(),
    "reasons": set(),
    "text": set(),
    "version": set(),
}


class Import(NamedTuple):
    """`module` imports `imported`, both by their dotted names, on this line."""

    module: str
    imported: str
    place: str
    deferred: bool  # inside a function, or for the type checker


def module_of(file: Path) -> str:
    parts = file.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def files() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


MODULES: Final = {module_of(file) for file in files()}


def imports(source: str, module: str, place: str) -> Iterator[Import]:
    tree = ast.parse(source)
    at_once = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{place}:{node.lineno} imports by dots"
            names = [
                name if (name := f"{node.module}.{alias.name}") in MODULES else node.module or ""
                for alias in node.names
            ]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "api":
                yield Import(module, name, f"{place}:{node.lineno}", id(node) not in at_once)


def all_imports() -> list[Import]:
    return [
        found
        for file in files()
        for found in imports(
            file.read_text(), module_of(file), file.relative_to(ROOT.parent).as_posix()
        )
    ]


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else "api"


def against_the_table(found: list[Import]) -> list[str]:
    return [
        f"{one.place}: {room(one.module)} may not import {one.imported}"
        for one in found
        if room(one.module) != room(one.imported)
        and room(one.imported) not in MAY_IMPORT.get(room(one.module), set())
    ]


def circle(found: list[Import]) -> list[str]:
    """The modules of a circle of imports that happen when a module is loaded, if there is one."""
    graph = {
        module: {one.imported for one in found if one.module == module and not one.deferred}
        for module in MODULES
    }
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return []
        for imported in sorted(graph.get(module, ())):
            if round_ := visit(imported, [*path, module]):
                return round_
        done.add(module)
        return []

    for module in sorted(graph):
        if round_ := visit(module, []):
            return round_
    return []


def test_each_room_imports_only_those_below_it() -> None:
    assert against_the_table(all_imports()) == []


def test_the_table_names_every_room_once_and_goes_one_way() -> None:
    assert {*MAY_IMPORT} == {room(module) for module in MODULES} - {"api"}
    above: set[str] = set()
    for name, below in MAY_IMPORT.items():
        assert not below & {name, *above}, f"{name} may import what is above it"
        above.add(name)


def test_no_imports_go_in_a_circle() -> None:
    assert circle(all_imports()) == []


def test_no_file_is_longer_than_one_can_read_at_once() -> None:
    lengths = {module_of(file): len(file.read_text().splitlines()) for file in files()}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


def test_a_package_has_no_face_that_hides_its_files() -> None:
    for file in ROOT.rglob("__init__.py"):
        code = [node for node in ast.parse(file.read_text()).body if not isinstance(node, ast.Expr)]
        assert code == [], f"{file} does more than say what it is"


def test_every_room_says_what_lives_in_it() -> None:
    for file in ROOT.rglob("__init__.py"):
        assert ast.get_docstring(ast.parse(file.read_text())), file


def test_tests_have_the_rooms_of_what_they_test() -> None:
    rooms = {folder.name for folder in ROOT.iterdir() if (folder / "__init__.py").exists()}
    for name in rooms:
        assert [*(ROOT.parent / "tests" / name).glob("test_*.py")], f"nothing tests {name}"


def test_what_is_wrong_is_named_with_its_file_and_line() -> None:
    source = "import re\n\n\ndef f() -> None:\n    from api.tasks import schemas\n"
    found = [*imports(source, "api.http.body", "api/http/body.py")]
    assert against_the_table(found) == ["api/http/body.py:5: http may not import api.tasks.schemas"]
    there = Import("api.auth.jwks", "api.auth.authenticator", "", deferred=False)
    assert circle([*all_imports(), there]) == [
        "api.auth.authenticator",
        "api.auth.jwks",
        "api.auth.authenticator",
    ]
