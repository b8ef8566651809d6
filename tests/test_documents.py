"""What the documents name is there: tests, checks, files, links. They may not promise more."""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from pydantic.fields import FieldInfo

from api.cli import MAX_KEEP_ALIVE
from api.commands.audit.checks import checks
from api.commands.audit.target import KEYS
from api.http.problems import Kind
from api.http.rate_limits import MOST
from api.http.request_headers import REQUEST_HEADERS, RequestHeader
from api.serving.connections import KEEP_ALIVE
from api.settings import MigrationSettings, RoleSettings, Settings
from tests.checkout import ROOT, files
from tests.http.test_rate_limits import MEBIBYTES

MAX_README: Final = 200  # lines
# Each entry names the files of its day.
DIARY: Final = "bench/HISTORY.md"

ROLES: Final = "db/policies/00_roles.sql"
DOCUMENTS: Final = sorted(file.relative_to(ROOT).as_posix() for file in files("*.md"))
CHECKS: Final = {check.id: check for check in checks()}

# What the audit finds by other means than a check.
NOT_CHECKS: Final = {"drift", "probe", "provision"}
# Words of PostgreSQL's and PgBouncer's that look like the id of a check.
POSTGRESQL: Final = {
    "row_security",
    "row_security_active",
    "server_login_retry",
    "server_state",
    "server_version_num",
}

_NODE: Final = re.compile(r"(tests/[\w./-]+)::([\w:]+)")
_PATH: Final = re.compile(r"(?<![\w.$/-])(?:api|bench|db|deploy|docs|tests)/[\w./-]*\w/?")
_FILE: Final = re.compile(r"`([\w-][\w./-]*\.(?:json|lua|md|mjs|py|sql|toml|ts|txt|ya?ml))`")
_LINK: Final = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
_WORD: Final = re.compile(r"`([a-z]+(?:_[a-z]+)+)`")
_FENCE: Final = re.compile(r"(?ms)^ *```.*?^ *```")


def text_of(document: str) -> str:
    return (ROOT / document).read_text()


def names_in(file: Path) -> set[str]:
    """The tests of a file, as pytest names them, less their parameters."""
    return {
        node.name
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


def missing_tests(text: str) -> Iterator[str]:
    for file, name in _NODE.findall(text):
        if not (ROOT / file).is_file() or name not in names_in(ROOT / file):
            yield f"{file}::{name}"


def missing_paths(text: str, folder: Path = ROOT) -> Iterator[str]:
    """Paths of the repository; and files in backticks, of the repository or the given folder."""
    for path in _PATH.findall(text):
        if not (ROOT / path).exists():
            yield path
    for path in _FILE.findall(_FENCE.sub("", text)):
        if not (ROOT / path).exists() and not (folder / path).exists():
            yield path


def broken_links(text: str, folder: Path) -> Iterator[str]:
    for target, anchor in _LINK.findall(text):
        file = folder / target if target else None
        if file is not None and not file.exists():
            yield target
        elif anchor and anchor not in headings(file.read_text() if file else text):
            yield f"{target}#{anchor}"


def headings(text: str) -> set[str]:
    """The headings, as links name them."""
    lines = re.findall(r"(?m)^#+ (.+)$", _FENCE.sub("", text))
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}


def missing_checks(text: str) -> Iterator[str]:
    """Ids that are none: of the families there are, or in a column headed *audit*."""
    families = {name.partition("_")[0] for name in CHECKS}
    named = {word for word in _WORD.findall(text) if word.partition("_")[0] in families}
    named |= {word for cell in column(text, "audit") for word in re.findall(r"`(\w+)`", cell)}
    yield from sorted(named - {*CHECKS} - NOT_CHECKS - POSTGRESQL - {*KEYS})


def column(text: str, heading: str) -> Iterator[str]:
    """The cells below that heading, of every table that has it."""
    place = None
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            place = None
        elif place is not None and place < len(cells):
            yield cells[place]
        elif heading in cells:
            place = cells.index(heading)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_test_that_is_named_is_there(document: str) -> None:
    assert list(missing_tests(text_of(document))) == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_check_that_is_named_is_there(document: str) -> None:
    assert list(missing_checks(text_of(document))) == []


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name != DIARY])
def test_every_file_that_is_named_is_there(document: str) -> None:
    assert list(missing_paths(text_of(document), (ROOT / document).parent)) == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document: str) -> None:
    assert list(broken_links(text_of(document), (ROOT / document).parent)) == []


def test_every_check_is_in_the_table_of_checks_with_its_level_and_its_sentence() -> None:
    rows = {line for line in text_of("db/audit/README.md").splitlines() if line.startswith("| [")}
    assert rows == {
        f"| [`{check.id}`]({check.id}.sql) | {check.level} | {check.title} |"
        for check in CHECKS.values()
    }


def test_the_table_of_request_headers_is_the_list_of_the_program() -> None:
    text = text_of("docs/api.md")
    section = text.partition("## Request headers\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\S+)` \| (.*) \| (yes)? ?\| (yes)? ?\|$", section, re.MULTILINE)
    assert [RequestHeader(name, said, bool(c), bool(log)) for name, said, c, log in rows] == [
        *REQUEST_HEADERS
    ]


def test_what_is_not_there_is_noticed() -> None:
    here = "tests/test_documents.py"
    assert list(missing_tests(f"`{here}::test_every_link_leads_somewhere[x]`")) == []
    assert list(missing_tests(f"{here}::test_x, tests/x.py::test_x")) == [
        f"{here}::test_x",
        "tests/x.py::test_x",
    ]
    assert list(missing_checks("`role_superuser`, `task_app`, `row_security`, `role_x`")) == [
        "role_x"
    ]
    table = "| threat | audit |\n|---|---|\n| x | `roel_x`, `drift` |\n\n| `y` | `z` |"
    assert list(missing_checks(table)) == ["roel_x"]
    assert list(missing_paths("`api/main.py`, db/x.sql. GET /api/x, https://x.example/api/x")) == [
        "db/x.sql"
    ]
    files = "`x.py` `Makefile` `main.py` `auth` `pyproject.toml`\n```ts\n`y.ts`\n```\n"
    assert list(missing_paths(files, ROOT / "api")) == ["x.py"]
    assert list(
        broken_links("## A, b\n[x](#a-b) [x](#c) [x](y.md) [x](https://x.example)", ROOT)
    ) == [
        "#c",
        "y.md",
    ]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_heading_is_there_twice(document: str) -> None:
    lines = re.findall(r"(?m)^#+ (.+)$", _FENCE.sub("", text_of(document)))
    assert [line for line, times in Counter(lines).items() if times > 1] == []


def test_the_readme_is_short() -> None:
    assert len(text_of("README.md").splitlines()) <= MAX_README


def test_every_document_is_in_the_readme() -> None:
    for document in (ROOT / "docs").iterdir():
        assert f"| [docs/{document.name}](docs/{document.name}) |" in text_of("README.md")


def test_every_setting_is_in_the_table_of_the_environment() -> None:
    text = text_of("docs/deploying.md")
    for name in {*Settings.model_fields, *MigrationSettings.model_fields}:
        assert f"`{name.upper()}`" in text or name.startswith("otel_")  # they are the SDK's


def test_every_number_that_is_a_default_is_in_the_row_of_its_setting() -> None:
    table = [line for line in text_of("docs/deploying.md").splitlines() if line.startswith("| `")]
    numbers = {
        name: field.default
        for name, field in Settings.model_fields.items()
        if type(field.default) in (int, float)
    }
    assert len(numbers) > 4
    for name, default in numbers.items():
        (row,) = (line for line in table if f"`{name.upper()}`" in line.split(" | ")[0])
        assert re.search(rf" {default}\b", row), f"{name} is {default}"


class Timeout(NamedTuple):
    """A row of the table of timeouts."""

    default: float
    range: str


def timeouts() -> dict[str, Timeout]:
    section = text_of("docs/operating.md").partition("### Timeouts\n")[2].partition("\n### ")[0]
    rows = re.findall(r"(?m)^\| `([\w-]+)` \| ([\d.]+) \| ([\w. ]+) \| .+ \|.* \|$", section)
    assert len(rows) == section.count("\n| `")
    return {name: Timeout(float(default), range_) for name, default, range_ in rows}


def range_of(field: FieldInfo) -> str:
    """As pydantic's `gt`, `ge` and `le` say."""
    low, high = (
        next(
            f"{word}{getattr(limit, name):g}"
            for name, word in words
            for limit in field.metadata
            if hasattr(limit, name)
        )
        for words in ((("gt", "over "), ("ge", "")), (("le", ""),))
    )
    return f"{low} to {high}"


def constants() -> dict[str, float]:
    """The constants of the program that are seconds, by name."""
    found = re.compile(r"(?m)^(\w+): Final = ([\d_.e]+)  # seconds")
    named = [
        (name, float(value))
        for file in PROGRAM
        for name, value in found.findall(file.read_text())
        if name not in NO_WAITS
    ]
    assert len({*named}) == len(dict(named)), "one name for two"
    return dict(named)


PROGRAM: Final = [file for file in files("*.py") if file.is_relative_to(ROOT / "api")]
# The default and the bounds of settings; moments; how far apart clocks may be.
NO_WAITS: Final = {
    *("KEEP_ALIVE", "MAX_KEEP_ALIVE", "MAX_TIMEOUT", "_MILLISECOND", "_DAY"),
    *("_YEAR_10000", "_SILENT_OFFSET", "_MAX_SKEW"),
}
# The place of the seconds among the arguments.
WAITS: Final = {"sleep": 0, "timeout": 0, "call_later": 0, "wait_for": 1, "wait": 1, "to_thread": 1}
UNITS: Final = {0, 1000}


def waits(tree: ast.AST) -> Iterator[ast.expr]:
    """What says for how long, where something waits."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if name in WAITS and len(call.args) > WAITS[name]:
            yield call.args[WAITS[name]]
        yield from (word.value for word in call.keywords if (word.arg or "").endswith("timeout"))


def unnamed(tree: ast.AST) -> Iterator[str]:
    """Seconds that have no name in the table: numbers, lengths of time as text, other constants."""
    for node in (node for wait in waits(tree) for node in ast.walk(wait)):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            if node.value not in UNITS:
                yield str(node.value)
        elif isinstance(node, ast.Name) and node.id.isupper() and node.id not in timeouts():
            yield node.id
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and re.fullmatch(r"\d+ ?(ms|s|min)", str(node.value)):
            yield str(node.value)


def test_every_timeout_that_can_be_set_is_in_the_table_with_its_default_and_range() -> None:
    of_the_role = role_settings()
    settings = {
        name.upper(): Timeout(of_the_role.get(name, field.default), range_of(field))
        for kind in (Settings, RoleSettings)
        for name, field in kind.model_fields.items()
        if name.endswith("_timeout")
    }
    assert len(settings) >= 20
    settings["--keep-alive"] = Timeout(KEEP_ALIVE, f"1 to {MAX_KEEP_ALIVE}")
    assert {name: row for name, row in timeouts().items() if row.range != "fixed"} == settings


def test_every_other_timeout_and_interval_is_in_the_table_as_it_is() -> None:
    fixed = {name: row.default for name, row in timeouts().items() if row.range == "fixed"}
    of_the_role = {
        name: seconds
        for name, seconds in role_settings().items()
        if name not in RoleSettings.model_fields
    }
    assert fixed == constants() | of_the_role


@pytest.mark.parametrize("file", PROGRAM, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_nothing_waits_for_seconds_that_have_no_row_in_the_table(file: Path) -> None:
    assert [*unnamed(ast.parse(file.read_text()))] == []


def test_seconds_without_a_row_are_noticed() -> None:
    known = "asyncio.sleep(0); asyncio.timeout(self._timeout); connection.wait([x], PAUSE)"
    assert [*unnamed(ast.parse(known))] == []
    for waiting in ("asyncio.timeout(5)", "x.close(timeout=5)", "loop.call_later(5, f)", "'5s'"):
        assert len([*unnamed(ast.parse(waiting))]) == 1, waiting
    assert [*unnamed(ast.parse("connect(connect_timeout=_NEW + 1)"))] == ["_NEW", "1"]


def role_settings() -> dict[str, float]:
    """The lengths of time that the role has, in seconds."""
    found = re.findall(r"alter role task_app set (\w+) = '(\d+)s'", text_of(ROLES))
    return {name: float(seconds) for name, seconds in found}


def test_the_memory_of_the_rate_limits_is_as_it_is_measured() -> None:
    found = re.search(
        r"at most (\d+) MiB for users and as much for addresses \(the\s+([\d,]+) newest windows",
        text_of("docs/operating.md"),
    )
    assert found
    assert (found[1], found[2]) == (f"{MEBIBYTES}", f"{MOST:,}")


def test_every_kind_of_problem_is_in_the_table_of_errors() -> None:
    rows = re.findall(r"(?m)^\| `([a-z-]+)` \| ([45]\d\d) \|", text_of("docs/api.md"))
    assert rows == [(kind.slug, str(kind.status)) for kind in sorted(Kind, key=lambda k: k.status)]


def test_every_operation_is_in_the_table_of_routes() -> None:
    text = text_of("docs/api.md")
    for path, operations in json.loads(text_of("openapi.json"))["paths"].items():
        for method in operations:
            address = re.escape(re.sub(r"{\w+}", "{id}", path))
            line = rf"(?m)^\| .*`([A-Z`, ]*, `)?{method.upper()}(`, `[A-Z]+)? {address}"
            assert re.search(line, text), f"{method} {path}"
