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
    change: LiteralString  # of a column that task_app may change; true of none that is new
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
            change=self.change,
            made=self.made,
        )

    def given(self, connection: psycopg.Connection, owner: str) -> Any:
        """A row of that person's: its key."""
        made = self.sql("insert into {table} ({columns}) values ({values}) returning {key}")
        row = connection.execute(made, {"owner": owner}).fetchone()
        assert row is not None
        return row[0]


# A person has one, so that their name is its key.
SYNC_HEAD: Final = Table(
    "sync_head", "user_id", "user_id, seq", "%(owner)s, 0", "seq = 999", "generation"
)
TASK_TOMBSTONE: Final = Table(
    "task_tombstone",
    "task_id",
    "user_id, task_id, seq",
    "%(owner)s, hashtext(%(owner)s), 1",
    "seq = 999",
    "deleted_at",
)
TASK: Final = Table(
    "task", "id", "user_id, title", "%(owner)s, 'Buy milk'", "title = 'Taken'", "created_at"
)
# Everybody's key is the owner's name.
IDEMPOTENCY_KEY: Final = Table(
    "idempotency_key",
    "key",
    "user_id, key, fingerprint",
    "%(owner)s, %(owner)s, 'what was asked'",
    "body = 'Taken'",
    "created_at",
)
# Those that the catalog knows: test_one_list.py holds them together. The head first: with a task a
# person has one.
TABLES: Final = (SYNC_HEAD, TASK_TOMBSTONE, TASK, IDEMPOTENCY_KEY)
NAMES: Final = [table.name for table in TABLES]

each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
