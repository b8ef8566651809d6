"""What Schemathesis cannot read in the document, for it is about what was sent before.

Nothing is switched off: a request that the document allows must be accepted, but for the few
refusals below, told by what the problem says and not by its status alone.
"""

import time
from collections.abc import Iterator
from typing import Any, Final

import jwt
import schemathesis
from hypothesis import strategies
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.openapi.checks import RejectedPositiveData

from api.tasks.due import TIME_ZONE_FORMAT, time_zones
from api.tasks.members import RULES
from api.tasks.repetition import MAX_INTERVAL, RULE_FORMAT
from api.tasks.tags import MAX_TAG
from tests.people import signed

# The generated ETag is seldom the task's, and a key may be generated a second time.
REFUSALS: Final = {"precondition-failed", "idempotency-key-reused"}
# What cannot be changed is seldom generated as it is stored.
DIFFERS: Final = {"It differs from what is stored, and cannot be changed."}

# What shows nothing, such as a soft hyphen alone, is more than a pattern says.
BLANK: Final = {"String should not be blank."}

# Nobody can make them up.
OPAQUE: Final = (["cursor"], ["since"], ["Last-Event-ID"])

# A member that needs another one comes alone.
NEEDS: Final = {f"{detail}." for _, detail in RULES.values()}

_keys: Final[set[str]] = set()  # the document's examples

# No pattern says which they are.
schemathesis.openapi.format(TIME_ZONE_FORMAT, strategies.sampled_from(sorted(time_zones())))
schemathesis.openapi.format(
    RULE_FORMAT,
    strategies.builds(
        "FREQ={};INTERVAL={}".format,
        strategies.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
        strategies.integers(1, MAX_INTERVAL),
    ),
)

# Headers are made of letters and digits alone, unless their format is known.
schemathesis.openapi.format("etags", strategies.sampled_from(["*", '"1"', 'W/"1"', '"1", "2"']))


def parts(part: Any) -> Iterator[dict[str, Any]]:
    """This part of the document and every one below it."""
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part:
        if isinstance(inner, dict | list):
            yield from parts(inner)


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    for part in parts(raw_schema["components"]["schemas"]):
        if part.get("format") == TIME_ZONE_FORMAT:  # of which a pattern says too little
            del part["pattern"], part["maxLength"]
        if part.get("maxLength") == MAX_TAG:  # white space around a tag is cut off
            part["pattern"] = part["pattern"].removeprefix(r"^\s*").removesuffix(r"\s*$")
            part["pattern"] = f"^{part['pattern']}$"
    for operations in raw_schema["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] in ("If-Match", "If-None-Match"):
                    parameter["schema"]["format"] = "etags"
                if parameter["name"] == "Idempotency-Key":
                    _keys.update(parameter["schema"]["examples"])


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """A stream would not end: its token has expired just now, and so it does at once.

    The example of a key is one for each action, or only the first one would be done.
    """
    bearer = str(case.headers.get("Authorization", ""))
    if case.path == "/api/tasks/events" and bearer.count(".") == 2:
        claims = jwt.decode(bearer.removeprefix("Bearer "), options={"verify_signature": False})
        case.headers["Authorization"] = f"Bearer {signed(claims | {'exp': int(time.time()) - 1})}"
    if case.headers.get("Idempotency-Key") in _keys:
        case.headers["Idempotency-Key"] = f'"{case.id}"'


@schemathesis.hook
def filter_failure(
    context: HookContext, failure: Failure, case: Case[Any], response: Response
) -> bool:
    """Whether it is one. A cursor is opaque: nobody can make one up, nor say it with an offset. An
    operation of a batch that is refused is so among the results."""
    if isinstance(failure, AcceptedNegativeData) and "results" in (given := response.json()):
        return all(result["status"] < 400 for result in given["results"])
    if not isinstance(failure, RejectedPositiveData):
        return True
    problem = response.json()
    errors = problem.get("errors", [])
    return (
        problem["type"].rpartition(":")[2] not in REFUSALS
        and [error.get("parameter", error.get("header")) for error in errors] not in OPAQUE
        and not {error["detail"] for error in errors} <= DIFFERS | NEEDS | BLANK
    )
