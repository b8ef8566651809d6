"""Which migrations this program knows, and whether a database has had them all."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent.parent / "db" / "migrations"

# `migrate` says it where any role may read it; yoyo's own tables are the owner's business.
APPLIED: Final = "select obj_description(to_regclass('task'), 'pg_class') as applied"


def newest(folder: Path = FOLDER) -> str:
    """The name of the last migration there is."""
    return max(file.stem for file in folder.glob("*.sql") if not file.stem.endswith(".rollback"))


def are_behind(applied: str | None) -> bool:
    """Whether a database whose last migration is `applied` needs `task-api migrate`.

    One that is ahead does not: while a new version is rolled out, the old one goes on serving.
    """
    return applied is None or applied < newest()
