"""What Schemathesis cannot read in the document, for it is about what was sent before.

Nothing is switched off: a request that the document allows must be accepted, but for the few
refusals below, told by what the problem says and not by its status alone.
"""

from typing import Any, Final

import schemathesis
from hypothesis import strategies
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import RejectedPositiveData

# The generated ETag is seldom the task's, and a key may be generated a second time.
REFUSALS: Final = {"precondition-failed", "idempotency-key-reused"}
# What cannot be changed is seldom generated as it is stored.
DIFFERS: Final = {"It differs from what is stored, and cannot be changed."}

_keys: Final[set[str]] = set()  # the document's examples

# Headers are made of letters and digits alone, unless their format is known.
schemathesis.openapi.format("etags", strategies.sampled_from(["*", '"1"', 'W/"1"', '"1", "2"']))


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    for operations in raw_schema["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] in ("If-Match", "If-None-Match"):
                    parameter["schema"]["format"] = "etags"
                if parameter["name"] == "Idempotency-Key":
                    _keys.update(parameter["schema"]["examples"])


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """The example of a key is one for each action, or only the first one would be done."""
    if case.headers.get("Idempotency-Key") in _keys:
        case.headers["Idempotency-Key"] = f'"{case.id}"'


@schemathesis.hook
def filter_failure(
    context: HookContext, failure: Failure, case: Case[Any], response: Response
) -> bool:
    """Whether it is one. A cursor is opaque: nobody can make one up, nor say it with an offset."""
    if not isinstance(failure, RejectedPositiveData):
        return True
    problem = response.json()
    errors = problem.get("errors", [])
    return (
        problem["type"].rpartition(":")[2] not in REFUSALS
        and [error.get("parameter") for error in errors] != ["cursor"]
        and {error["detail"] for error in errors} != DIFFERS
    )
