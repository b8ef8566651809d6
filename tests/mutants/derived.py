"""Mutants of a table's access, derived from its file in db/policies/: each policy dropped, true for
everybody, or open to nobody known; each grant taken away, or widened."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlmodel import SQLModel

from tests.mutants.mutant import Edit, Mutant
from tests.needed import query_modules

FOLDER: Final = Path(__file__).parent.parent.parent / "db" / "policies"
ROLE: Final = "task_app"
CALLER: Final = "(select current_setting('app.user_id', true))"
MINE: Final = f"user_id = {CALLER}"
# By what it is called: the same condition, which holds for those who are nobody.
OPEN: Final = {
    "without an identity": f"user_id = coalesce({CALLER}, user_id)",
    "with an empty identity": f"{CALLER} = '' or {MINE}",
}
# What no policy governs, and all there is.
UNGOVERNED: Final = ("truncate", "references", "trigger", "maintain", "all")
USED_FOR_BOTH: Final = (
    "PostgreSQL takes using for with check where there is none; it is written out for the reader"
)
_POLICY: Final = re.compile(r"create policy (\w+) on (\w+) for (\w+) to \w+\n((?:.|\n)+?);\n")
_CLAUSE: Final = re.compile(r"^    (using|with check) \((.+)\)(?=;?$)", re.MULTILINE)
_GRANT: Final = re.compile(rf"grant ([\w, ]+?)(?: \(([\w, ]+)\))? on (\w+) to {ROLE};")
_ROW_SECURITY: Final = re.compile(r"alter table (\w+) (enable|force) row level security;")


@dataclass(frozen=True)
class Access:
    """The policy file of a table."""

    table: str
    text: str

    def mutants(self) -> list[Mutant]:
        return [*self._row_security(), *self._policies(), *self._grants()]

    def _row_security(self) -> Iterator[Mutant]:
        for found in _ROW_SECURITY.finditer(self.text):
            done = {"enable": "enabled", "force": "forced"}[found[2]]
            yield self._mutant(f"row security of {found[1]} is not {done}", found[0], "")

    def _policies(self) -> Iterator[Mutant]:
        for found in _POLICY.finditer(self.text):
            policy, text = f"policy {found[1]}", found[0]
            clauses = list(_CLAUSE.finditer(text))
            yield self._mutant(f"{policy} is dropped", text, "")
            yield self._mutant(f"{policy} is true", text, _CLAUSE.sub(r"    \1 (true)", text))
            if len(clauses) > 1:
                using, check = clauses
                for clause in clauses:
                    true = text.replace(clause[0], f"    {clause[1]} (true)")
                    yield self._mutant(f"{policy} has {clause[1]} (true)", text, true)
                if using[2] == check[2]:
                    less = text.replace(f"\n{check[0]}", "")
                    yield self._mutant(f"{policy} has no with check", text, less, USED_FOR_BOTH)
            if all(clause[2] == MINE for clause in clauses):
                for who, condition in OPEN.items():
                    fails_open = text.replace(MINE, condition)
                    yield self._mutant(f"{policy} fails open {who}", text, fails_open)

    def _grants(self) -> Iterator[Mutant]:
        columns = SQLModel.metadata.tables[self.table].columns.keys()
        grants = list(_GRANT.finditer(self.text))
        for found in grants:
            grant, privileges = found[0], found[1].split(", ")
            granted = found[2].split(", ") if found[2] else []
            for one in granted or privileges:
                kept = ", ".join(other for other in granted or privileges if other != one)
                narrowed = grant.replace(found[2] or found[1], kept, 1) if kept else ""
                what = f"{found[1]} ({one})" if granted else one
                yield self._mutant(f"{what} on {self.table} is not granted", grant, narrowed)
            if granted:
                yield self._widened(grant, found[1])
            for column in columns if granted else []:
                if column not in granted:
                    yield self._widened(grant, f"{found[1]} ({column})")
            for privilege in privileges:
                yield self._widened(grant, privilege, to="public")
                yield self._widened(grant, privilege, to=f"{ROLE} with grant option")
        for privilege in UNGOVERNED:
            yield self._widened(grants[0][0], privilege)

    def _widened(self, grant: str, privilege: str, to: str = ROLE) -> Mutant:
        more = f"{privilege} on {self.table} to {to}"
        return self._mutant(f"{more} is granted", grant, f"{grant}\ngrant {more};")

    def _mutant(self, name: str, old: str, new: str, equivalent: str = "") -> Mutant:
        edit = Edit(f"db/policies/{self.table}.sql", old, new)
        return Mutant(name, (edit,), equivalent=equivalent)


def tables() -> list[Access]:
    """What each of these files says; 00_roles.sql is about no table."""
    query_modules()  # whose tables are in the metadata then
    return [
        Access(file.stem, file.read_text())
        for file in sorted(FOLDER.glob("*.sql"))
        if file.stem in SQLModel.metadata.tables
    ]
