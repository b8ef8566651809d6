"""The document that front ends make their types from."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from sqlmodel import SQLModel

from api.http.problems import Kind
from tests.contract.test_answers import COMPONENTS, OPERATIONS, resolved, valid
from tests.openapi import DOCUMENT

SCHEMAS = COMPONENTS["schemas"]
READ = {"ChangedTasks", "Task", "TagCount", "Deleted", "Health", "BatchResults", "BatchResult"}
OPERATIONS_OF_A_BATCH = {
    "CreateOperation": "TaskCreate",
    "UpdateOperation": "TaskUpdate",
    "CompleteOperation": "TaskComplete",
    "DeleteOperation": None,
}
SENT = {"TaskCreate", "TaskUpdate", "TaskComplete", "Batch", *OPERATIONS_OF_A_BATCH}
# Members that are there only if there is something to say.
SOMETIMES = {"warnings", "body"}
PROBLEMS = {"Problem", "ProblemType", "InputError"}
USER_ROUTES = {
    "listTasks": "GET /api/tasks",
    "createTask": "POST /api/tasks",
    "deleteCompletedTasks": "DELETE /api/tasks",
    "createTasks": "POST /api/tasks/bulk",
    "runBatch": "POST /api/tasks/batch",
    "getTask": "GET /api/tasks/{task_id}",
    "putTask": "PUT /api/tasks/{task_id}",
    "updateTask": "PATCH /api/tasks/{task_id}",
    "deleteTask": "DELETE /api/tasks/{task_id}",
    "completeTask": "PATCH /api/tasks/{task_id}/complete",
    "listTags": "GET /api/tags",
    "listChanges": "GET /api/tasks/changes",
}
HEALTH_ROUTES = {"live": "GET /livez", "ready": "GET /readyz"}
CHANGING = {"putTask", "updateTask", "completeTask", "deleteTask"}
KEYED = CHANGING | {"createTask", "createTasks", "deleteCompletedTasks", "runBatch"}


def parts(part: Any) -> Iterator[dict[str, Any]]:
    """This part of the document and every one below it."""
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part:
        if isinstance(inner, dict | list):
            yield from parts(inner)


def parameters(operation: dict[str, Any], place: str) -> dict[str, dict[str, Any]]:
    """The schema of each parameter that is in this place."""
    return {
        parameter["name"]: parameter["schema"]
        for parameter in operation.get("parameters", [])
        if parameter["in"] == place
    }


def test_the_document_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_every_route_is_there_under_a_name_of_its_own() -> None:
    named = {name: f"{method} {path}" for name, (method, path, _) in OPERATIONS.items()}
    assert named == USER_ROUTES | HEALTH_ROUTES
    assert sum(len(methods) for methods in DOCUMENT["paths"].values()) == len(named)


def test_the_api_is_on_the_server_of_the_document() -> None:
    assert [server["url"] for server in DOCUMENT["servers"]] == ["/"]


def test_every_component_is_used_and_every_used_one_is_there() -> None:
    there = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "headers", "responses")
        for name in COMPONENTS[kind]
    }
    assert {part["$ref"] for part in parts(DOCUMENT) if "$ref" in part} == there
    assert set(SCHEMAS) == READ | SENT | PROBLEMS | {"Sort"}


@pytest.mark.parametrize("name", sorted(SENT))
def test_what_is_sent_takes_no_unknown_member(name: str) -> None:
    assert SCHEMAS[name]["additionalProperties"] is False


def test_what_is_read_may_have_more_members_one_day() -> None:
    for name in SCHEMAS.keys() - SENT:
        for part in parts(SCHEMAS[name]):
            assert part.get("additionalProperties") is not False


@pytest.mark.parametrize("name", ["Sort", "ProblemType"])
def test_a_value_that_is_no_name_has_one_for_generated_clients(name: str) -> None:
    names, values = SCHEMAS[name]["x-enum-varnames"], SCHEMAS[name]["enum"]
    assert len({*names}) == len(names) == len(values)
    assert all(re.fullmatch("[A-Z][A-Z_]*", one) for one in names)


def test_of_a_list_s_parameters_the_cursor_is_the_first() -> None:
    assert OPERATIONS["listTasks"][2]["parameters"][0]["name"] == "cursor"


@pytest.mark.parametrize("name", sorted(READ))
def test_what_is_read_has_every_member_but_some(name: str) -> None:
    always = [member for member in SCHEMAS[name]["properties"] if member not in SOMETIMES]
    assert SCHEMAS[name]["required"] == always


@pytest.mark.parametrize(("name", "body"), OPERATIONS_OF_A_BATCH.items())
def test_an_operation_of_a_batch_takes_what_its_route_takes(name: str, body: str | None) -> None:
    members, ofs = ({**SCHEMAS[one]["properties"]} if one else {} for one in (name, body))
    assert members.pop("op") == {"type": "string", "const": name.removesuffix("Operation").lower()}
    assert ofs.items() <= members.items()
    beside = set() if body == "TaskCreate" else {"id", "uid", "if_version"}
    assert members.keys() - ofs.keys() == beside - ofs.keys()
    required = SCHEMAS[body].get("required", []) if body else []
    assert {*SCHEMAS[name]["required"]} == {"op", *required}


def test_only_a_new_task_s_title_must_be_sent() -> None:
    assert SCHEMAS["TaskCreate"]["required"] == ["title"]
    assert "required" not in SCHEMAS["TaskUpdate"]
    assert "required" not in SCHEMAS["TaskComplete"]


@pytest.mark.parametrize("name", ["Task", "TaskCreate", "TaskUpdate"])
def test_only_what_can_be_null_in_the_table_can_be_null(name: str) -> None:
    nullable = {
        member
        for member, schema in SCHEMAS[name]["properties"].items()
        if {"type": "null"} in schema.get("anyOf", [])
    }
    columns = SQLModel.metadata.tables["task"].columns
    members = [columns[member] for member in SCHEMAS[name]["properties"]]
    # null in a request means the default
    defaults = set() if name == "Task" else {"tags", "repeat_from"}
    assert nullable == {column.name for column in members if column.nullable} | defaults
    assert "description" in nullable


def test_what_may_be_said_of_a_new_task_may_be_changed_and_is_shown() -> None:
    created, changed, shown = (
        {*SCHEMAS[name]["properties"]} for name in ("TaskCreate", "TaskUpdate", "Task")
    )
    assert created < changed
    assert changed == shown  # what was read may be sent back whole


def test_a_parameter_is_one_value_and_never_null() -> None:
    for _, _, operation in OPERATIONS.values():
        for parameter in operation.get("parameters", []):
            assert resolved(parameter["schema"])["type"] in ("boolean", "integer", "string")


def test_a_header_has_its_own_name_and_is_a_text_that_may_be_left_out() -> None:
    headers = {
        name: parameters(operation, "header") for name, (*_, operation) in OPERATIONS.items()
    }
    assert {name for name in headers if "Idempotency-Key" in headers[name]} == KEYED
    assert {name for name in headers if "If-Match" in headers[name]} == CHANGING
    assert set(headers["listTasks"]) == {"If-None-Match", "Prefer"}
    assert set(headers["getTask"]) == set(headers["listTags"]) == {"If-None-Match"}
    for _, _, operation in OPERATIONS.values():
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "header":
                assert parameter["schema"]["type"] == "string"
                assert not parameter["required"]


def test_a_bearer_token_is_for_the_routes_of_users_and_for_nothing_else() -> None:
    (scheme,) = COMPONENTS["securitySchemes"].values()
    assert COMPONENTS["securitySchemes"] == {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": scheme["description"],
        }
    }
    for source in ("Better Auth", "`GET /api/auth/token`", "`task-api token alice`"):
        assert source in scheme["description"]
    secured = {name for name, (_, _, operation) in OPERATIONS.items() if "security" in operation}
    assert secured == set(USER_ROUTES)
    for name in secured:
        assert OPERATIONS[name][2]["security"] == [{"bearer": []}]
    assert "security" not in DOCUMENT


def test_every_failure_is_a_problem() -> None:
    for _, _, operation in OPERATIONS.values():
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                ((media_type, content),) = resolved(response)["content"].items()
                assert media_type == "application/problem+json"
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
                assert {example["value"]["status"] for example in content["examples"].values()} == {
                    int(status)
                }


def test_a_problem_has_a_type_and_a_request_and_perhaps_errors_and_the_task_as_it_is() -> None:
    problem = SCHEMAS["Problem"]
    assert problem["required"] == ["type", "title", "status", "detail", "request_id"]
    assert [*problem["properties"]] == [*problem["required"], "errors", "current"]
    known, any_other = problem["properties"]["type"]["anyOf"]
    assert resolved(known)["enum"] == [kind.uri for kind in Kind]
    assert any_other == {"type": "string"}
    assert problem["properties"]["errors"]["items"] == {"$ref": "#/components/schemas/InputError"}
    assert problem["properties"]["current"]["$ref"] == "#/components/schemas/Task"


def test_every_example_is_what_its_schema_says() -> None:
    examples = [
        (example, part)
        for part in parts(DOCUMENT)
        if isinstance(part.get("examples"), list)
        for example in part["examples"]
    ]
    of_problems = [
        (example["value"], part["schema"])
        for part in parts(DOCUMENT)
        if "schema" in part
        for example in part.get("examples", {}).values()
    ]
    assert of_problems
    for example, schema in examples + of_problems:
        valid(example, schema)


def test_every_body_has_an_example() -> None:
    for name, (_, _, operation) in OPERATIONS.items():
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        for body in bodies + [resolved(response) for response in operation["responses"].values()]:
            for content in body.get("content", {}).values():
                schema = content["schema"]
                model = resolved(schema["items"] if schema.get("type") == "array" else schema)
                assert "examples" in content or "examples" in model, name


def test_a_title_is_as_long_in_the_table_as_in_the_document(as_owner: psycopg.Connection) -> None:
    checks = as_owner.execute(
        "select pg_get_constraintdef(oid) from pg_constraint"
        " where conrelid = 'task'::regclass and contype = 'c'"
    ).fetchall()
    limits = dict(re.findall(r"char_length\((\w+)\) <= (\d+)", str(checks)))
    created = SCHEMAS["TaskCreate"]["properties"]
    assert int(limits["title"]) == created["title"]["maxLength"]
    assert int(limits["description"]) == created["description"]["anyOf"][0]["maxLength"]
