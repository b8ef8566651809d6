"""Which migrations this program knows, and whether a database has had them all, or others."""

import re
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent.parent.parent / "db" / "migrations"

# `migrate` says it where any role may read it; yoyo's own tables are the owner's business.
APPLIED: Final = """
select (select obj_description(c.oid, 'pg_class')
          from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'public' and c.relname = 'task') as applied"""

# By which a comment that a person wrote is told from the name of a migration.
_NAME: Final = re.compile(r"[0-9]{4}\.\S+")


def names(folder: Path = FOLDER) -> set[str]:
    """Of all migrations there are, as yoyo notes those that are applied."""
    return {file.stem for file in folder.glob("*.sql") if not file.stem.endswith(".rollback")}


def newest(folder: Path = FOLDER) -> str:
    """The name of the last migration there is."""
    return max(names(folder))


def are_behind(applied: str | None) -> bool:
    """Whether a database whose last migration is `applied` needs `task-api migrate`.

    One that is ahead does not: while a new version is rolled out, the old one goes on serving.
    """
    return applied is None or applied < newest()


def are_ahead(applied: str | None) -> bool:
    """Whether the last migration of a database, `applied`, is one of a newer program's."""
    return applied is not None and bool(_NAME.fullmatch(applied)) and applied > newest()
