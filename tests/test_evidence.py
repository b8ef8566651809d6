"""SECURITY.md names the tests that are marked with the ids of its rows, and every row has one."""

from collections import Counter
from pathlib import Path

import pytest

from tests import evidence


def ids() -> list[str]:
    return [evidence.row_id(cells) for _, cells in evidence.rows(evidence.FILE.read_text())]


def test_security_md_is_what_make_evidence_writes() -> None:
    text = evidence.FILE.read_text()
    assert evidence.written(text, evidence.proofs()) == text, "run: make evidence"


def test_every_threat_has_a_test() -> None:
    assert len(ids()) > 90
    proofs = evidence.proofs()
    assert [row for row in ids() if row not in proofs] == []


def test_every_mark_names_a_threat() -> None:
    assert {*evidence.proofs()} - {*ids()} == set()


def test_no_two_threats_have_one_id() -> None:
    assert [row for row, times in Counter(ids()).items() if times > 1] == []


def test_every_table_of_threats_has_ids() -> None:
    heads = [line for line in evidence.FILE.read_text().splitlines() if "| threat |" in line]
    assert {*heads} == {"| id | threat | wall | test | audit |"}


TABLE = """
| id | threat | wall | test | audit |
|---|---|---|---|---|
| `csrf` | a | b | old | |
| `cors` | a | b | | `drift` |

| `not` | a | b | old | table |
"""


def test_the_tests_of_a_row_are_written_into_it_and_nothing_else() -> None:
    found = evidence.written(TABLE, {"csrf": ["tests/b.py::test_b", "tests/a.py::test_a"]})
    assert found == TABLE.replace(
        "b | old | |", "b | `tests/a.py::test_a`, `tests/b.py::test_b` | |"
    )


@pytest.mark.parametrize(
    "source",
    [
        'pytestmark = pytest.mark.evidence("csrf")',
        'class TestIt:\n    @pytest.mark.evidence("csrf")\n    def test_it(self): ...',
        'row = pytest.mark.parametrize("n", [pytest.param(1, marks=pytest.mark.evidence("csrf"))])',
    ],
)
def test_a_mark_elsewhere_is_refused(tmp_path: Path, source: str) -> None:
    (file := tmp_path / "test_it.py").write_text(source)
    with pytest.raises(ValueError, match="not on a test"):
        list(evidence.marks([file], tmp_path))


def test_a_mark_names_as_many_rows_as_it_likes(tmp_path: Path) -> None:
    (file := tmp_path / "test_it.py").write_text(
        '@pytest.mark.evidence("csrf", "cors")\n@slow\ndef test_it(): ...'
    )
    assert list(evidence.marks([file], tmp_path)) == [
        ("csrf", "test_it.py::test_it"),
        ("cors", "test_it.py::test_it"),
    ]
