"""The document that front ends make their types from, and the table they end in."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from sqlalchemy.dialects import postgresql

from api.models import Task
from tests.contract.test_answers import DOCUMENT, OPERATIONS

SCHEMAS = DOCUMENT["components"]["schemas"]
READ = {"TaskRead", "Health"}
SENT = {"TaskCreate", "TaskUpdate", "TaskComplete"}
TASK_ROUTES = {
    "listTasks": "GET /api/tasks",
    "createTask": "POST /api/tasks",
    "getTask": "GET /api/tasks/{task_id}",
    "putTask": "PUT /api/tasks/{task_id}",
    "updateTask": "PATCH /api/tasks/{task_id}",
    "completeTask": "PATCH /api/tasks/{task_id}/complete",
    "deleteTask": "DELETE /api/tasks/{task_id}",
}
HEALTH_ROUTES = {"live": "GET /livez", "ready": "GET /readyz"}


def references(part: Any) -> Iterator[str]:
    """Every `$ref` below this part of the document."""
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_the_document_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_every_route_is_there_under_a_name_of_its_own() -> None:
    named = {name: f"{method} {path}" for name, (method, path, _) in OPERATIONS.items()}
    assert named == TASK_ROUTES | HEALTH_ROUTES
    assert sum(len(methods) for methods in DOCUMENT["paths"].values()) == len(named)


def test_every_schema_is_used_and_every_used_one_is_there() -> None:
    assert {ref.removeprefix("#/components/schemas/") for ref in references(DOCUMENT)} == set(
        SCHEMAS
    )
    assert set(SCHEMAS) == READ | SENT | {"Problem", "InputError"}


@pytest.mark.parametrize("name", sorted(SENT))
def test_what_is_sent_takes_no_unknown_member(name: str) -> None:
    assert SCHEMAS[name]["additionalProperties"] is False


@pytest.mark.parametrize("name", sorted(READ))
def test_what_is_read_has_every_member(name: str) -> None:
    assert SCHEMAS[name]["required"] == list(SCHEMAS[name]["properties"])


def test_only_a_new_task_s_title_must_be_sent() -> None:
    assert SCHEMAS["TaskCreate"]["required"] == ["title"]
    assert "required" not in SCHEMAS["TaskUpdate"]
    assert "required" not in SCHEMAS["TaskComplete"]


@pytest.mark.parametrize("name", ["TaskRead", "TaskCreate", "TaskUpdate"])
def test_only_a_description_can_be_null(name: str) -> None:
    nullable = {
        member
        for member, schema in SCHEMAS[name]["properties"].items()
        if {"type": "null"} in schema.get("anyOf", [])
    }
    assert nullable == {"description"}
    types = {part["type"] for part in SCHEMAS[name]["properties"]["description"]["anyOf"]}
    assert types == {"string", "null"}


def test_a_parameter_is_never_null() -> None:
    for _, _, operation in OPERATIONS.values():
        for parameter in operation.get("parameters", []):
            assert parameter["schema"]["type"] in ("boolean", "integer")


def test_a_bearer_token_is_for_the_task_routes_and_for_nothing_else() -> None:
    assert DOCUMENT["components"]["securitySchemes"] == {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    secured = {name for name, (_, _, operation) in OPERATIONS.items() if "security" in operation}
    assert secured == set(TASK_ROUTES)
    for name in secured:
        assert OPERATIONS[name][2]["security"] == [{"bearer": []}]
    assert "security" not in DOCUMENT


def test_every_failure_is_a_problem() -> None:
    for _, _, operation in OPERATIONS.values():
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert response["content"] == {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                }
    assert SCHEMAS["Problem"]["required"] == ["type", "title", "status", "detail"]


def test_the_model_is_the_table(as_owner: psycopg.Connection) -> None:
    catalog = as_owner.execute(
        """
        select attname, format_type(atttypid, atttypmod), attnotnull, atthasdef,
               attidentity = 'a', attnum = any (conkey), array_position(conkey, attnum)
          from pg_attribute
          join pg_constraint on conrelid = attrelid and contype = 'p'
         where attrelid = 'task'::regclass and attnum > 0 and not attisdropped
         order by attnum
        """
    ).fetchall()
    table = Task.__table__  # type: ignore[attr-defined]
    key = [column.name for column in table.primary_key.columns]
    model = [
        (
            column.name,
            column.type.compile(dialect=postgresql.dialect()).lower(),  # type: ignore[no-untyped-call]
            not column.nullable,
            column.server_default is not None and column.identity is None,
            column.identity is not None and column.identity.always,
            column.name in key,
            key.index(column.name) + 1 if column.name in key else None,
        )
        for column in table.columns
    ]
    assert model == catalog


def test_ids_end_where_the_model_says(as_owner: psycopg.Connection) -> None:
    table = Task.__table__  # type: ignore[attr-defined]
    end = as_owner.execute(
        "select seqmax from pg_sequence"
        " where seqrelid = pg_get_serial_sequence('task', 'id')::regclass"
    ).fetchone()
    assert end == (table.columns["id"].identity.maxvalue,)


def test_a_title_is_as_long_in_the_table_as_in_the_document(as_owner: psycopg.Connection) -> None:
    checks = as_owner.execute(
        "select pg_get_constraintdef(oid) from pg_constraint"
        " where conrelid = 'task'::regclass and contype = 'c'"
    ).fetchall()
    limits = dict(re.findall(r"char_length\((\w+)\) <= (\d+)", str(checks)))
    created = SCHEMAS["TaskCreate"]["properties"]
    assert int(limits["title"]) == created["title"]["maxLength"]
    assert int(limits["description"]) == created["description"]["anyOf"][0]["maxLength"]
