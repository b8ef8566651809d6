"""Error responses: problem details (RFC 9457) for every failure."""

import asyncio
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, Final, NotRequired

from fastapi import Response
from pydantic import Field
from starlette.requests import ClientDisconnect
from typing_extensions import TypedDict

from api.auth.authenticator import Unauthorized
from api.auth.jwks import KeysUnavailable
from api.database.errors import CommitInterrupted, DatabaseError, DatabaseUnavailable

MEDIA_TYPE: Final = "application/problem+json"
MAX_ERRORS: Final = 100  # in one problem; a body of a megabyte can hold a hundred thousand
MAX_PROBLEM: Final = 64 * 1024  # bytes
CLOSE_CONNECTION: Final = {"Connection": "close"}  # headers of a connection's last response

READ_ONLY_DIFFERS: Final = "It differs from what is stored, and cannot be changed."
_IN_DOUBT: Final = (
    "It was interrupted while it was committed, so nobody knows whether it was done; look, "
    "or send it again with the same Idempotency-Key, if it had one."
)

_log = logging.getLogger(__name__)


class Kind(Enum):
    """Every kind of problem, with its status and title. Its `type` is derived from its name."""

    MALFORMED_REQUEST = 400, "The request is malformed"
    UNAUTHORIZED = 401, "Authentication required"
    NO_SUCH_TASK = 404, "There is no such task"
    NO_SUCH_ADDRESS = 404, "There is nothing at this address"
    METHOD_NOT_ALLOWED = 405, "The address does not take this method"
    REQUEST_TIMEOUT = 408, "The request did not arrive in time"
    REQUEST_IN_PROGRESS = 409, "The same request is still running"
    WAS_DELETED = 409, "The task was deleted"
    SYNC_TOKEN_EXPIRED = 410, "The sync token has expired"
    PRECONDITION_FAILED = 412, "The task has changed"
    CONTENT_TOO_LARGE = 413, "The body is too large"
    UNSUPPORTED_MEDIA_TYPE = 415, "The body is not JSON in UTF-8"
    INVALID_INPUT = 422, "The input is not valid"
    IDEMPOTENCY_KEY_REUSED = 422, "The key was used for another request"
    FAILED_DEPENDENCY = 424, "Another operation of the batch failed"
    RATE_LIMITED = 429, "Too many requests"
    HEAD_TOO_LARGE = 431, "The head of the request is too large"
    INTERNAL_ERROR = 500, "The server failed"
    UNAVAILABLE = 503, "The server cannot serve just now"

    def __init__(self, status: int, title: str) -> None:
        self.status = status
        self.title = title

    @property
    def slug(self) -> str:
        """Its name in docs/api.md, and the last part of its `type`."""
        return self.name.lower().replace("_", "-")

    @property
    def uri(self) -> str:
        """The `type` of its problems."""
        return f"urn:task-api:problem:{self.slug}"


class InputError(TypedDict):
    """One thing wrong, and where: a JSON pointer into the body, a parameter, or a header."""

    detail: str
    pointer: NotRequired[str]
    parameter: NotRequired[str]
    header: NotRequired[str]


class Problem(TypedDict):
    """Why a request failed (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: NotRequired[Sequence[InputError]]
    current: NotRequired[Annotated[Any, Field(description="The task as it is now")]]


class ProblemResponse(Response):
    """A response whose body is a problem."""

    kind: Kind


class Failure(Exception):
    """A request fails, with a problem as its response. `detail` never quotes the input."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        errors: Sequence[InputError] = (),
        headers: Mapping[str, str] | None = None,
        current: str | None = None,
    ) -> None:
        """`current`: the current state of the resource, as JSON text."""
        super().__init__(detail)
        self.kind, self.detail, self.errors = kind, detail, errors
        self.headers, self.current = headers, current


class InvalidInput(Failure):
    """The input is well-formed but invalid: one entry for each error."""

    def __init__(self, errors: Sequence[InputError]) -> None:
        detail = "The input is not what this address takes."
        if len(errors) > MAX_ERRORS:
            detail = f"{detail} Of what is wrong, the first {MAX_ERRORS} are listed."
        super().__init__(Kind.INVALID_INPUT, detail, errors=errors[:MAX_ERRORS])


class MalformedHeader(Failure):
    """A request header cannot be parsed."""

    def __init__(self, header: str, detail: str) -> None:
        """`detail`: what the header takes."""
        super().__init__(
            Kind.MALFORMED_REQUEST,
            f"The header {header} is malformed.",
            errors=[{"detail": detail, "header": header}],
        )


# The exceptions that `answer` expects, except cancellations.
KNOWN: Final = (
    *(Failure, Unauthorized, KeysUnavailable, ClientDisconnect),
    *(DatabaseUnavailable, DatabaseError, TimeoutError),
)


def unavailable(
    detail: str, errors: Sequence[InputError] = (), headers: Mapping[str, str] | None = None
) -> Failure:
    """A 503: the same request may succeed in some seconds."""
    later = {"Retry-After": "2"} | dict(headers or {})
    return Failure(Kind.UNAVAILABLE, detail, errors=errors, headers=later)


def crowded() -> Failure:
    """A 503 when there are too many connections."""
    return unavailable("Too many are connected; try again.", headers=CLOSE_CONNECTION)


def no_such_address() -> Failure:
    """A 404: no route has this path."""
    return Failure(Kind.NO_SUCH_ADDRESS, "There is nothing at this address.")


def method_not_allowed(allowed: Iterable[str]) -> Failure:
    """A 405: the routes with this path take other methods."""
    methods = ", ".join(sorted(allowed))
    detail = f"This address takes {methods}."
    return Failure(Kind.METHOD_NOT_ALLOWED, detail, headers={"Allow": methods})


def log_fault(error: BaseException) -> None:
    """Log an unexpected exception with its traceback."""
    _log.error("a fault of this program", exc_info=error)


def answer(error: BaseException, request_id: str) -> ProblemResponse:
    """The problem response for an exception. Logs unexpected ones."""
    failure = error if isinstance(error, Failure) else _failure(error)
    problem: dict[str, object] = {
        "type": failure.kind.uri,
        "title": failure.kind.title,
        "status": failure.kind.status,
        "detail": failure.detail,
        "request_id": request_id,
    }
    body = _body(problem, failure.errors, failure.current)
    response = ProblemResponse(body, failure.kind.status, failure.headers, media_type=MEDIA_TYPE)
    response.kind = failure.kind
    return response


def _body(problem: dict[str, object], errors: Sequence[InputError], current: str | None) -> bytes:
    """The problem with its errors and `current`, truncated to MAX_PROBLEM."""
    content = _json(problem, errors, current)
    if len(content) > MAX_PROBLEM:
        problem = problem | {"detail": f"{problem['detail']} Not all of it has room here."}
    while len(content) > MAX_PROBLEM and (errors or current):
        errors, current = errors[: len(errors) // 2], None
        content = _json(problem, errors, current)
    return content


def _json(problem: dict[str, object], errors: Sequence[InputError], current: str | None) -> bytes:
    body = json.dumps(problem | {"errors": errors} if errors else problem, ensure_ascii=False)
    if current is not None:
        body = f'{body[:-1]}, "current": {current}}}'
    return body.encode()


def _failure(error: BaseException) -> Failure:
    match error:
        case Unauthorized():
            challenge = 'Bearer error="invalid_token"' if error.presented else "Bearer"
            return Failure(Kind.UNAUTHORIZED, str(error), headers={"WWW-Authenticate": challenge})
        case ClientDisconnect():  # the response reaches no client
            return Failure(Kind.MALFORMED_REQUEST, "The body did not arrive.")
        case KeysUnavailable():
            return unavailable("Tokens cannot be verified just now; try again.")
        case DatabaseUnavailable(in_doubt=True) | TimeoutError(__cause__=CommitInterrupted()):
            return unavailable(_IN_DOUBT)
        case CommitInterrupted():  # the time to stop is over
            return unavailable(_IN_DOUBT, headers=CLOSE_CONNECTION)
        case DatabaseUnavailable():
            return unavailable("The database cannot serve just now; try again.")
        case TimeoutError():
            return unavailable("It took too long; try again.")
        case asyncio.CancelledError():  # the time to stop is over
            return unavailable("The server is stopping; try again.", headers=CLOSE_CONNECTION)
        case DatabaseError():  # logged where it was raised
            pass
        case _:
            log_fault(error)
    return Failure(Kind.INTERNAL_ERROR, "The server met a fault of its own.")
