"""The guarded tables, in the words that statements on any of them are made of."""

from dataclasses import dataclass
from typing import Any, Final, LiteralString

import psycopg
import pytest


@dataclass(frozen=True)
class Table:
    """A table with people's rows. `key` names a row beside user_id."""

    name: LiteralString
    key: LiteralString
    columns: LiteralString  # that task_app gives a new row
    values: LiteralString  # for them, as %(owner)s
    text: LiteralString  # a column that task_app may change
    made: LiteralString  # one that the database alone gives a value

    def sql(self, statement: LiteralString) -> LiteralString:
        """The statement on this table: `{table}` is its name, and so on."""
        return statement.format(
            table=self.name,
            key=self.key,
            columns=self.columns,
            values=self.values,
            hers=self.values.replace("%(owner)s", "'alice'"),
            his=self.values.replace("%(owner)s", "'bob'"),
            nobodys=self.values.replace("%(owner)s", "''", 1).replace("%(owner)s", "'nobody'"),
            change=f"{self.text} = 'Taken'",
            text=self.text,
            made=self.made,
        )

    def given(self, connection: psycopg.Connection, owner: str) -> Any:
        """A row of that person's in which `text` is NULL or 'Buy milk': its key."""
        made = self.sql("insert into {table} ({columns}) values ({values}) returning {key}")
        row = connection.execute(made, {"owner": owner}).fetchone()
        assert row is not None
        return row[0]


TASK: Final = Table("task", "id", "user_id, title", "%(owner)s, 'Buy milk'", "title", "created_at")
# Everybody's key is the owner's name.
IDEMPOTENCY_KEY: Final = Table(
    "idempotency_key",
    "key",
    "user_id, key, fingerprint",
    "%(owner)s, %(owner)s, 'what was asked'",
    "body",
    "created_at",
)
# Those that the catalog knows: test_one_list.py holds them together.
TABLES: Final = (TASK, IDEMPOTENCY_KEY)
NAMES: Final = [table.name for table in TABLES]

each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
