"""What the document says about limits is what a client may rely on."""

from typing import Any

import httpx2
import pytest


@pytest.fixture
def document(server: str) -> Any:
    return httpx2.get(f"{server}/openapi.json", timeout=20).json()


@pytest.mark.parametrize("model", ["TaskCreate", "TaskUpdate"])
def test_a_title_has_1_to_200_characters(document: Any, model: str) -> None:
    title = document["components"]["schemas"][model]["properties"]["title"]
    assert (title["type"], title["minLength"], title["maxLength"]) == ("string", 1, 200)


def test_several_at_once_are_1_to_100(document: Any) -> None:
    body = document["paths"]["/api/tasks/bulk"]["post"]["requestBody"]
    tasks = body["content"]["application/json"]["schema"]
    assert (tasks["type"], tasks["minItems"], tasks["maxItems"]) == ("array", 1, 100)


@pytest.fixture
def parameters(document: Any) -> dict[str, Any]:
    """Of a list, each with its schema."""
    return {
        parameter["name"]: parameter["schema"]
        for parameter in document["paths"]["/api/tasks"]["get"]["parameters"]
        if parameter["in"] == "query"
    }


def test_a_page_has_1_to_1000_tasks_and_begins_at_0_to_10000(parameters: dict[str, Any]) -> None:
    assert (parameters["limit"]["minimum"], parameters["limit"]["maximum"]) == (1, 1000)
    assert (parameters["offset"]["minimum"], parameters["offset"]["maximum"]) == (0, 10_000)


def test_words_have_1_to_200_characters(parameters: dict[str, Any]) -> None:
    q = parameters["q"]
    assert (q["type"], q["minLength"], q["maxLength"]) == ("string", 1, 200)


def test_a_list_is_sorted_in_twelve_ways(document: Any, parameters: dict[str, Any]) -> None:
    sort = document["components"]["schemas"]["Sort"]["enum"]
    columns = {"created_at", "updated_at", "title", "due_date", "priority", "completed_at"}
    assert set(sort) == columns | {f"-{column}" for column in columns}
    assert parameters["sort"]["default"] == "-created_at"
