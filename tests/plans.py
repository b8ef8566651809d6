"""The execution plan of a statement for a user: `explain (analyze, buffers)`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import sql

from api.database.statement import Statement

# A plan made for the values at hand, or once for all, as the serving role has it.
Mode = Literal["force_custom_plan", "force_generic_plan"]


@dataclass(frozen=True)
class Plan:
    """One run of a statement: pages touched, rows of `task` fetched, those of them that were
    fetched in vain, rows of anything that windows go over, and how it is entered."""

    pages: int
    rows: int
    removed: int
    windowed: int
    entries: list[str]  # conditions on its indexes, or the kind of scan where there is none


def executed(name: str, person: str, statement: Statement, values: dict[str, Any]) -> sql.Composed:
    """What executes the statement, prepared under that name, on behalf of `person`."""
    arguments = map(sql.Literal, statement.arguments(person, dict(values)))
    return sql.SQL("execute {} ({})").format(sql.Identifier(name), sql.SQL(", ").join(arguments))


def plan(
    url: str,
    person: str,
    statement: Statement,
    values: dict[str, Any],
    mode: Mode = "force_generic_plan",
) -> Plan:
    """The statement as the serving role runs it on behalf of `person`, undone afterwards."""
    with psycopg.connect(url) as connection:
        connection.execute("select set_config('app.user_id', %s, true)", [person])
        connection.execute("select set_config('plan_cache_mode', %s, true)", [mode])
        connection.execute(f"prepare asked as {statement.sql}".encode())
        execute = executed("asked", person, statement, values)
        explain = sql.SQL("explain (analyze, buffers, format json) {}").format(execute)
        for _ in range(2):  # the first reads the catalog, too
            with connection.transaction(force_rollback=True):
                answer = connection.execute(explain)
                root = answer.fetchall()[0][0][0]["Plan"]
        connection.rollback()
    nodes = list(_nodes(root))
    scans = [
        node
        for node in nodes
        if node["Node Type"].endswith("Scan") and node.get("Relation Name") == "task"
    ]
    removed = sum(
        node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0)
        for node in nodes
    )
    return Plan(
        pages=root["Shared Hit Blocks"] + root["Shared Read Blocks"],
        rows=sum(round(node["Actual Rows"] * node["Actual Loops"]) for node in scans) + removed,
        removed=removed,
        windowed=sum(_given(node) for node in nodes if node["Node Type"] == "WindowAgg"),
        entries=[
            node.get("Index Cond") or node.get("Recheck Cond") or node["Node Type"]
            for node in scans
        ],
    )


def _given(node: dict[str, Any]) -> int:
    """How many rows a node is given by those below it."""
    return sum(round(below["Actual Rows"] * below["Actual Loops"]) for below in node["Plans"])


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)
