"""However a policy file is written, each policy and each grant in it has its mutants."""

import re

import pytest

from tests.mutants.derived import FOLDER, Access, tables

FILES = [file for file in FOLDER.glob("*.sql") if "create policy" in file.read_text()]


def test_every_file_with_policies_is_one_of_a_table() -> None:
    assert {table.table for table in tables()} == {file.stem for file in FILES}
    assert len(FILES) >= 2


@pytest.mark.parametrize("table", tables(), ids=lambda table: table.table)
def test_every_policy_and_every_grant_has_its_mutants(table: Access) -> None:
    changed = {edit.old.strip() for mutant in table.mutants() for edit in mutant.edits}
    text = re.sub(r"--.*\n", "", table.text)
    statements = {f"{statement.strip()};" for statement in text.split(";") if statement.strip()}
    kinds = ("create policy ", "grant ", "alter table ")
    written = {statement for statement in statements if statement.startswith(kinds)}
    assert written == changed
    assert len(written) > 5
