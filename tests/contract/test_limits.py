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


def test_a_page_has_1_to_1000_tasks_and_begins_at_0_or_later(document: Any) -> None:
    parameters = {
        parameter["name"]: parameter["schema"]
        for parameter in document["paths"]["/api/tasks"]["get"]["parameters"]
    }
    assert (parameters["limit"]["minimum"], parameters["limit"]["maximum"]) == (1, 1000)
    assert (parameters["offset"]["minimum"], parameters["offset"]["maximum"]) == (0, 2**53 - 1)
