"""The checks are SQL, one file each in db/audit/; this runs them."""

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from api.commands.audit.report import ROLE, Check, Checked, Finding, Level

FOLDER: Final = Path(__file__).parent.parent.parent.parent / "db" / "audit"
# Names that a check does not qualify are PostgreSQL's own, and what it names is printed with its
# schema (CVE-2018-1058).
_SEARCH_PATH: Final = "pg_catalog, pg_temp"
_SET: Final = "select pg_catalog.set_config(%s, %s, %s)"
_HEAD: Final = re.compile(r"-- (?P<id>[a-z_]+) · (?P<level>error|warn)\n-- (?P<title>.+)\n")


def checks() -> list[Check]:
    """Every check, in the order of its name."""
    return [_read(file) for file in sorted(FOLDER.glob("*.sql"))]


def _read(file: Path) -> Check:
    text = file.read_text()
    head = _HEAD.match(text)
    if head is None or head["id"] != file.stem:
        raise ValueError(f"{file.name} does not begin with its name, level and title")
    comment = re.match(r"(--.*\n)+", text)
    assert comment is not None  # noqa: S101 - the head is one
    page = re.sub(r"(?m)^-- ?", "", comment[0]).strip()
    sql = text[comment.end() :].strip()
    return Check(head["id"], Level(head["level"]), head["title"], page, sql)


@dataclass(frozen=True)
class Subject:
    """Whose reach is judged, the setting that says who is asking, and the column that says whose a
    row is. The checks read them as `audit.role`, `audit.setting` and `audit.owner_column`."""

    role: str = ROLE
    setting: str = "app.user_id"
    owner_column: str = "user_id"

    def introduce(self, connection: psycopg.Connection[Any]) -> None:
        """Set them for the session; in a transaction, until it is rolled back."""
        for name, value in asdict(self).items():
            connection.execute(_SET, [f"audit.{name}", value, False])


def run(check: Check, connection: psycopg.Connection[Any]) -> Checked:
    """Ask one question of the live catalog. What cannot be asked is said, not passed over.

    The session has been told whom it is about (`Subject.introduce`), and stays as it was.
    """
    try:
        with (
            connection.transaction(force_rollback=True),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            cursor.execute(_SET, ["search_path", _SEARCH_PATH, True])
            rows = cursor.execute(check.sql.encode()).fetchall()
    except psycopg.Error as error:
        return Checked(check, not_checked=error.diag.message_primary or type(error).__name__)
    return Checked(check, tuple(Finding(**row | {"level": Level(row["level"])}) for row in rows))
