"""The OpenAPI document: headers, problems and examples that FastAPI does not generate."""

import json
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter

from api.http.fields import EXAMPLES, VARNAMES
from api.http.problems import MEDIA_TYPE, InputError, Kind, Problem

Responses = dict[int | str, dict[str, Any]]

# Kinds of problems, for `failures`: of each route of a user, of one with a body, of one that takes
# an Idempotency-Key.
ALWAYS: Final = (
    Kind.UNAUTHORIZED,
    Kind.INVALID_INPUT,
    Kind.RATE_LIMITED,
    Kind.INTERNAL_ERROR,
    Kind.UNAVAILABLE,
)
BODY: Final = (
    Kind.MALFORMED_REQUEST,
    Kind.REQUEST_TIMEOUT,
    Kind.CONTENT_TOO_LARGE,
    Kind.UNSUPPORTED_MEDIA_TYPE,
)
KEYED: Final = (Kind.REQUEST_IN_PROGRESS, Kind.IDEMPOTENCY_KEY_REUSED)

_SCHEMA: Final = "#/components/schemas/{model}"
_HEADER: Final = "#/components/headers/{}"
_RESPONSE: Final = "#/components/responses/{}"
_HEADERS: Final = {
    "Cache-Control": "Always `private, no-cache`",
    "ETag": "What the answer is, in a few characters (RFC 9110, section 8.8.3)",
    "Idempotency-Replayed": "`true`: this was answered before, and nothing was done again",
    "Link": "`first`, and `next` and `prev` where they exist (RFC 8288)",
    "Location": "The address of the new task",
    "Preference-Applied": "Which preference was heeded (RFC 7240)",
    "RateLimit": "How many more requests `r` the user has for the next `t` seconds"
    " (draft-ietf-httpapi-ratelimit-headers-10)",
    "RateLimit-Policy": "How many requests `q` a user has for `w` seconds",
    "Retry-After": "Seconds",
    "Vary": "Always `Authorization, Origin`",
    "WWW-Authenticate": "Authentication challenge (RFC 6750)",
    "X-Request-Id": "The request's id, also in the log: the client's own, or a new one",
    "X-Total-Count": "How many tasks the whole list has, for `Prefer: count=exact`",
}
_NUMBERS: Final = {"Retry-After", "X-Total-Count"}
_OF_USERS: Final = ("RateLimit", "RateLimit-Policy")
_SOMETIMES: Final = {
    *("Idempotency-Replayed", "Preference-Applied", "Retry-After", "X-Total-Count"),
    *_OF_USERS,
}
_ON_ALL: Final = ("Cache-Control", "Vary", "X-Request-Id")
_OF_FAILURES: Final = {
    401: ("WWW-Authenticate",),
    409: ("Retry-After",),
    412: ("ETag",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}

# The values of a problem's `type`, which is open: a new one breaks no client.
_PROBLEM_TYPE: Final = {
    "type": "string",
    "description": "The kinds of problems. A later version may have others.",
    "enum": [kind.uri for kind in Kind],
    VARNAMES: [kind.name for kind in Kind],
}

_ERRORS: Final[dict[Kind, InputError]] = {
    Kind.INVALID_INPUT: {"detail": "String should not be blank.", "pointer": "#/title"},
    Kind.IDEMPOTENCY_KEY_REUSED: {"detail": "It was used before.", "header": "Idempotency-Key"},
}


def responses(status: int, *headers: str) -> Responses:
    """OpenAPI `responses` of a route: this status with these headers."""
    described = {"headers": {name: {"$ref": _HEADER.format(name)} for name in headers}}
    return {status: described | ({"description": "Not modified"} if status == 304 else {})}


def failures(*kinds: Kind) -> Responses:
    """OpenAPI `responses` of a route for these kinds of problems."""
    found: Responses = {}
    for status in sorted({kind.status for kind in kinds}):
        these = [kind for kind in kinds if kind.status == status]
        examples = {kind.slug: {"summary": kind.title, "value": _example(kind)} for kind in these}
        schema = {"$ref": _SCHEMA.format(model="Problem")}
        found |= responses(status, *_OF_FAILURES.get(status, ()))
        found[status]["description"] = "; ".join(kind.title for kind in these)
        found[status]["content"] = {MEDIA_TYPE: {"schema": schema, "examples": examples}}
    return found


def _example(kind: Kind) -> dict[str, Any]:
    problem = {
        "type": kind.uri,
        "title": kind.title,
        "status": kind.status,
        "detail": f"{kind.title}.",
        "request_id": "5e0c1b7a2f41-7",
    }
    errors = {"errors": [_ERRORS[kind]]} if kind in _ERRORS else {}
    return problem | errors


def with_components(document: dict[str, Any], current: type[BaseModel]) -> dict[str, Any]:
    """The document with the components that `responses` and `failures` refer to, and with the
    headers of every response.

    `current`: the model of the `current` member of a PRECONDITION_FAILED problem.
    """
    _, problems = TypeAdapter.json_schemas(
        [(kind.__name__, "serialization", TypeAdapter(kind)) for kind in (Problem, current)],
        ref_template=_SCHEMA,
    )
    schemas = document["components"]["schemas"] | problems["$defs"]
    for schema in schemas.values():
        if texts := schema.pop(EXAMPLES, None):
            schema["examples"] = [json.loads(text) for text in texts]
    members = schemas["Problem"]["properties"]
    schemas["ProblemType"] = _PROBLEM_TYPE
    members["type"] = {"anyOf": [{"$ref": _SCHEMA.format(model="ProblemType")}, {"type": "string"}]}
    members["current"] = {"$ref": _SCHEMA.format(model=current.__name__)} | members["current"]
    headers = {
        name: {
            "description": description,
            "required": name not in _SOMETIMES,
            "schema": {"type": "integer" if name in _NUMBERS else "string"},
        }
        for name, description in _HEADERS.items()
    }
    failed: dict[str, Any] = {}
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                there = response.setdefault("headers", {})
                known = "security" in operation and status != "401"
                names = _ON_ALL + _OF_USERS if known else _ON_ALL
                there |= {name: {"$ref": _HEADER.format(name)} for name in names}
                problem = response.get("content", {}).get(MEDIA_TYPE, {})
                if "examples" in problem:  # shared by all routes
                    name = "-or-".join(problem["examples"])
                    if changed := problem["examples"].get(Kind.PRECONDITION_FAILED.slug):
                        changed["value"]["current"] = schemas[current.__name__]["examples"][0]
                    if failed.setdefault(name, response) == response:
                        operation["responses"][status] = {"$ref": _RESPONSE.format(name)}
    document["components"] |= {"schemas": schemas, "headers": headers, "responses": failed}
    return {name: part if name == "info" else _untitled(part) for name, part in document.items()}


_DATA: Final = {"examples", "example", "default", "const", "enum"}  # no schemas


def _untitled(part: Any) -> Any:
    """Without the titles that Pydantic derives from names, such as `Created At`."""
    if isinstance(part, list):
        return [_untitled(item) for item in part]
    if isinstance(part, float) and part.is_integer():  # FastAPI has bounds of integers as floats
        return int(part)
    if not isinstance(part, dict):
        return part
    return {
        name: value if name in _DATA else _untitled(value)
        for name, value in part.items()
        if name != "title" or isinstance(value, dict)  # a property may be named `title`
    }
