"""Creates a user's row in any table, from the examples in the OpenAPI document."""

import re
from typing import Any, Final

from tests.openapi import DOCUMENT
from tests.people import Person

_PATHS: Final[dict[str, Any]] = DOCUMENT["paths"]
# The paths at which a row is made: those of a row follow from them.
COLLECTIONS: Final = [
    path
    for path, methods in _PATHS.items()
    if "post" in methods and any(re.fullmatch(rf"{path}/{{\w+}}", other) for other in _PATHS)
]


def body_of(operation: dict[str, Any]) -> Any:
    """The first example of what this operation takes."""
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    model = schema.get("items", schema)["$ref"].rpartition("/")[2]
    example = DOCUMENT["components"]["schemas"][model]["examples"][0]
    return [example] if schema.get("type") == "array" else example


def makes(person: Person, path: str) -> str:
    """The path of a new row that a route with this path is about."""
    made = (one for one in COLLECTIONS if f"{path}/".startswith(f"{one}/"))
    collection = next(made, COLLECTIONS[0])  # what is listed elsewhere, such as tags, is of tasks
    answer = person.http.post(collection, json=body_of(_PATHS[collection]["post"]))
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def id_of(row: str) -> int:
    return int(row.rpartition("/")[2])
