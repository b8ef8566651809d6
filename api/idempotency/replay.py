"""The same request sent again has its effect once: draft-ietf-httpapi-idempotency-key-header-07.

What was answered is written in the transaction of the effect, so neither is ever there alone.
"""

import json
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Any, Final

from fastapi import Header, Response
from pydantic import BaseModel, WithJsonSchema
from pydantic_core import to_jsonable_python

from api.database.errors import DatabaseBusy
from api.database.session import Transaction
from api.http.fields import ParsedBy
from api.http.problems import Failure, Kind, MalformedHeader
from api.idempotency import queries

KEY_LIFETIME: Final = timedelta(hours=24)
MAX_FORGOTTEN: Final = 50  # expired keys that a request deletes; each may hold a megabyte
# A string of RFC 8941, section 3.3.3, or what most clients send: the same without quotes.
_QUOTED: Final = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_BARE: Final = re.compile(r"[\x21\x23-\x2b\x2d-\x7e]+")
_MOST: Final = 255
# For OpenAPI.
SCHEMA: Final = {
    "type": "string",
    "pattern": r'^("[ !#-\[\]-~]{1,255}"|[!#-+\--~]{1,255})$',
    "examples": ['"7d1f3a52-c3a4-4a0e-9b8d-0a3f5f6c2b11"'],
}
_ABOUT_THE_BODY: Final = {"content-length", "content-type"}


def parsed(value: str) -> str:
    """The key in the header. Raises `Failure`."""
    if quoted := _QUOTED.fullmatch(value):
        key = re.sub(r"\\(.)", r"\1", quoted[1])
    else:
        key = value if _BARE.fullmatch(value) else ""
    if not 1 <= len(key) <= _MOST:
        detail = f"It takes one key of 1 to {_MOST} characters of ASCII, best in double quotes."
        raise MalformedHeader("Idempotency-Key", detail)
    return key


KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Makes it safe to send this again: new for each action, the same for each try"
        " (draft-ietf-httpapi-idempotency-key-header-07)",
    ),
    ParsedBy(parsed),
    WithJsonSchema(SCHEMA),
]


def fingerprint(request: object) -> str:
    """What tells a request from others: the SHA-256 of what the client sent, as canonical JSON.

    Canonical: members sorted, no whitespace, values as they were validated. Of a model, a member
    that was not sent, or sent with its default value, does not count: so a request is the same
    before and after a version that adds a member.
    """

    def sent(value: Any) -> Any:
        if isinstance(value, BaseModel):
            return value.model_dump(mode="json", exclude_unset=True, exclude_defaults=True)
        return to_jsonable_python(value)

    text = json.dumps(request, default=sent, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _with_defaults(request: object) -> str:
    """The fingerprint as it was stored when defaults counted.

    A request that was answered by such a version is replayed by this one, if its model has had no
    new member since. To be deleted once none has run for `KEY_LIFETIME`.
    """
    text = json.dumps(request, default=to_jsonable_python, sort_keys=True)
    return sha256(text.encode()).hexdigest()


async def once(
    tx: Transaction, key: str | None, request: object, effect: Callable[[], Awaitable[Response]]
) -> Response:
    """The answer of `effect`, or what it was when the caller first used this key.

    `request` is what was asked: lists, models and what JSON has. Raises `Failure` when the key was
    used for something else, or is being used just now.
    """
    if key is None:
        return await effect()
    try:
        await _forget_expired(tx, key)
        claimed = await tx.row(queries.CLAIM_KEY, key=key, fingerprint=fingerprint(request))
    except DatabaseBusy:
        raise _still_running() from None
    if claimed is None:
        return await _again(tx, key, request)
    response = await effect()
    headers = {k: v for k, v in response.headers.items() if k not in _ABOUT_THE_BODY}
    await tx.row(
        queries.KEEP_ANSWER,
        key=key,
        status=response.status_code,
        headers=json.dumps(headers),
        body=bytes(response.body).decode(),
    )
    return response


async def _forget_expired(tx: Transaction, key: str) -> None:
    """Of the caller's keys: this one, and some others."""
    expired = await tx.each(queries.EXPIRED_KEYS, [{"age": KEY_LIFETIME, "limit": MAX_FORGOTTEN}])
    if expired:
        keys = {key, *(row["key"] for row in expired)}
        await tx.each(
            queries.FORGET_KEY, [{"key": key, "age": KEY_LIFETIME} for key in sorted(keys)]
        )


async def _again(tx: Transaction, key: str, request: object) -> Response:
    kept = await tx.row(queries.STORED_RESPONSE, key=key, age=KEY_LIFETIME)
    if kept is None:
        raise _still_running()
    if kept["fingerprint"] not in (fingerprint(request), _with_defaults(request)):
        raise Failure(
            Kind.IDEMPOTENCY_KEY_REUSED,
            "This Idempotency-Key came with another request; make a new one for each action.",
            errors=[{"detail": "It was used before.", "header": "Idempotency-Key"}],
        )
    headers = json.loads(kept["headers"]) | {"Idempotency-Replayed": "true"}
    return Response(kept["body"], kept["status"], headers, media_type="application/json")


def _still_running() -> Failure:
    return Failure(
        Kind.REQUEST_IN_PROGRESS,
        "The request that first came with this Idempotency-Key is still running; try again.",
        headers={"Retry-After": "1"},  # seconds
    )
