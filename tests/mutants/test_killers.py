"""What is remembered of killers is about mutants and tests that there are."""

from pathlib import Path
from typing import Final

import pytest

from tests.mutants import killers
from tests.mutants.__main__ import shares
from tests.mutants.table import MUTANTS
from tests.mutants.trial import ROOT

KILLERS: Final = killers.read()


def test_no_two_mutants_have_one_name() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert sorted(set(names)) == sorted(names)


def test_a_killer_is_remembered_of_mutants_that_there_are_and_can_be_killed() -> None:
    can_be_killed = {mutant.name for mutant in MUTANTS if not mutant.equivalent}
    assert set(KILLERS) <= can_be_killed


@pytest.mark.parametrize("node", sorted({node.partition("[")[0] for node in KILLERS.values()}))
def test_a_killer_is_a_test_that_there_is(node: str) -> None:
    file, _, function = node.partition("::")
    source = Path(ROOT, file).read_text()
    assert not function or f"def {function}(" in source


def test_killers_are_written_in_the_order_in_which_a_run_writes_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(killers, "FILE", tmp_path / "killers.json")
    killers.write(KILLERS)
    assert killers.FILE.read_text() == Path(killers.__file__).with_name("killers.json").read_text()


@pytest.mark.parametrize("among", [1, 3, 1000])
def test_each_killer_is_tried_without_a_mutant_once_beside_those_of_its_file(among: int) -> None:
    found = shares(KILLERS.values(), among)
    assert sorted(test for share in found for test in share) == sorted({*KILLERS.values()})
    files = [{test.partition("::")[0] for test in share} for share in found]
    assert all(files)
    assert sum(map(len, files)) == len(set().union(*files))
