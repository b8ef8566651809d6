"""The checks are SQL, one file each in db/audit/; this runs them."""

import re
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from api.audit.report import Check, Checked, Finding, Level

FOLDER: Final = Path(__file__).parent.parent.parent / "db" / "audit"
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


def run(check: Check, connection: psycopg.Connection[Any]) -> Checked:
    """Ask one question of the live catalog. What cannot be asked is said, not passed over."""
    try:
        with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(check.sql.encode()).fetchall()
    except psycopg.Error as error:
        return Checked(check, not_checked=error.diag.message_primary or type(error).__name__)
    return Checked(check, tuple(Finding(**row | {"level": Level(row["level"])}) for row in rows))
