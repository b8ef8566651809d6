"""What the policies, grants and row security of each table say, and what may stand beside them."""

from typing import Final

from tests.mutants.derived import MINE, tables
from tests.mutants.mutant import Mutant, mutants

_POLICIES: Final = "db/policies/task.sql"
_SELECT: Final = f"create policy task_select on task for select to task_app\n    using ({MINE});"
_GRANT: Final = "grant select, delete on task to task_app;"

POLICIES: Final[list[Mutant]] = [
    *(mutant for table in tables() for mutant in table.mutants()),
    *mutants(
        _POLICIES,
        (
            "a second policy lets everything be read",
            _SELECT,
            f"{_SELECT}\ncreate policy stray on task for select to task_app using (true);",
        ),
        (
            "everybody may execute task_touch",
            "revoke all on function task_touch() from public;",
            "",
        ),
        *(
            (f"{more} is granted", _GRANT, f"{_GRANT}\ngrant {more};")
            for more in (
                "select (title) on task to public",
                "usage on sequence task_id_seq to task_app",
                "select on sequence task_id_seq to task_app",
                "update on sequence task_id_seq to task_app",
                "execute on function task_touch() to task_app",
                "create on schema public to task_app",
            )
        ),
    ),
]
