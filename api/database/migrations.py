"""The migrations that this program knows, and whether a database is behind or ahead of them."""

import re
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent.parent.parent / "db" / "migrations"

# `migrate` records it where any role may read it; only the owner may read yoyo's tables.
APPLIED: Final = """
select (select obj_description(c.oid, 'pg_class')
          from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'public' and c.relname = 'task') as applied"""

# The form of a migration's name; any other comment on the table is a person's.
_NAME: Final = re.compile(r"[0-9]{4}\.\S+")


def names(folder: Path = FOLDER) -> set[str]:
    """The names of all migrations, as yoyo records those that are applied."""
    return {file.stem for file in folder.glob("*.sql") if not file.stem.endswith(".rollback")}


def newest(folder: Path = FOLDER) -> str:
    """The name of the newest migration."""
    return max(names(folder))


def are_behind(applied: str | None) -> bool:
    """Whether a database whose last migration is `applied` needs `task-api migrate`.

    One that is ahead does not: an old version goes on serving while a new one is rolled out.
    """
    return applied is None or applied < newest()


def are_ahead(applied: str | None) -> bool:
    """Whether a database's last migration, `applied`, is from a newer version of this program."""
    return applied is not None and bool(_NAME.fullmatch(applied)) and applied > newest()
