"""What PostgreSQL does to run a statement for somebody: `explain (analyze, buffers)`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from api.statement import Statement


@dataclass(frozen=True)
class Plan:
    """One run of a statement: pages touched, rows fetched in vain, and how `task` is entered."""

    pages: int
    removed: int
    entries: list[str]  # conditions on its indexes, or the kind of scan where there is none


def plan(url: str, person: str, statement: Statement, values: dict[str, Any]) -> Plan:
    """The statement as the serving role runs it on behalf of `person`, undone afterwards."""
    with psycopg.connect(url, cursor_factory=psycopg.RawCursor) as connection:
        connection.execute("select set_config('app.user_id', $1, true)", [person])
        explain = f"explain (analyze, buffers, format json) {statement.sql}".encode()
        for _ in range(2):  # the first reads the catalog, too
            answer = connection.execute(explain, statement.arguments(person, dict(values)))
            root = answer.fetchall()[0][0][0]["Plan"]
        connection.rollback()
    nodes = list(_nodes(root))
    return Plan(
        pages=root["Shared Hit Blocks"] + root["Shared Read Blocks"],
        removed=sum(node.get("Rows Removed by Filter", 0) for node in nodes),
        entries=[
            node.get("Index Cond") or node.get("Recheck Cond") or node["Node Type"]
            for node in nodes
            if node["Node Type"].endswith("Scan") and node.get("Relation Name") == "task"
        ],
    )


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)
