"""Reads and runs the SQL checks, one file each in db/audit/."""

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from api.commands.audit.report import ROLE, Check, Checked, Finding, Level

FOLDER: Final = Path(__file__).parent.parent.parent.parent / "db" / "audit"
# Unqualified names in a check are PostgreSQL's own, and PostgreSQL prints all others with their
# schema (CVE-2018-1058).
_SEARCH_PATH: Final = "pg_catalog, pg_temp"
_SET: Final = "select pg_catalog.set_config(%s, %s, %s)"
_HEADER: Final = re.compile(r"-- (?P<id>[a-z_]+) · (?P<level>error|warn)\n-- (?P<title>.+)\n")


def checks() -> list[Check]:
    """Every check, sorted by name."""
    return [_read(file) for file in sorted(FOLDER.glob("*.sql"))]


def _read(file: Path) -> Check:
    text = file.read_text()
    header = _HEADER.match(text)
    if header is None or header["id"] != file.stem:
        raise ValueError(f"{file.name} does not begin with its name, level and title")
    comment = re.match(r"(--.*\n)+", text)
    assert comment is not None  # noqa: S101 - the header is one
    page = re.sub(r"(?m)^-- ?", "", comment[0]).strip()
    sql = text[comment.end() :].strip()
    return Check(header["id"], Level(header["level"]), header["title"], page, sql)


@dataclass(frozen=True)
class Subject:
    """The audited role, the setting with the user id, and the column with the owner of a row.
    The checks read them as `audit.role`, `audit.setting` and `audit.owner_column`."""

    role: str = ROLE
    setting: str = "app.user_id"
    owner_column: str = "user_id"

    def introduce(self, connection: psycopg.Connection[Any]) -> None:
        """Set them in the session, or until the current transaction is rolled back."""
        for name, value in asdict(self).items():
            connection.execute(_SET, [f"audit.{name}", value, False])


def run(check: Check, connection: psycopg.Connection[Any]) -> Checked:
    """Run one check on the live catalog. A failing query is reported as not checked.

    Call `Subject.introduce` on the connection first. The session is left unchanged.
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
