"""What is exported and erased of any table, whatever its columns are called."""

from typing import Any

from sqlalchemy import BigInteger, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlmodel import col

from api.database import personal_rows
from api.database.personal_rows import PersonalRows
from api.database.statement import CALLER


class _Tables(DeclarativeBase):
    """Not among the models of the program."""


class Note(_Tables):
    __tablename__ = "note"
    user_id: Mapped[str] = mapped_column(Text, primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    words: Mapped[str] = mapped_column(Text)
    more_words: Mapped[str | None] = mapped_column(Text)


def rows_of(*columns: Any) -> PersonalRows:
    mine = col(Note.user_id) == CALLER
    return personal_rows.of(Note, "note", columns, mine, col(Note.id), first=0, batch=1)


def test_whatever_texts_a_table_has_its_pages_are_bounded_by_them() -> None:
    sql = rows_of(Note.id, Note.words, Note.more_words).export.sql
    assert "octet_length(page.words)" in sql
    assert "octet_length(page.more_words)" in sql
    assert "octet_length(page.id)" not in sql


def test_a_table_without_texts_is_exported_too() -> None:
    rows = rows_of(Note.id)
    assert rows.table == "note"
    assert "octet_length" not in rows.export.sql
