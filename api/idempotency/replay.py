"""Idempotency-Key: a repeated request takes effect once, and its stored response is replayed.

Source: draft-ietf-httpapi-idempotency-key-header-07. The response is stored in the transaction of
the effect, so neither is committed without the other.
"""

import json
import re
from collections.abc import Awaitable, Callable, Sequence
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
_MAX_KEY: Final = 255
# For OpenAPI.
SCHEMA: Final = {
    "type": "string",
    "pattern": r'^("[ !#-\[\]-~]{1,255}"|[!#-+\--~]{1,255})$',
    "examples": ['"7d1f3a52-c3a4-4a0e-9b8d-0a3f5f6c2b11"'],
}
_CONTENT_HEADERS: Final = {"content-length", "content-type"}


def parsed(value: str) -> str:
    """Parse the Idempotency-Key header; the key. Raises `Failure`."""
    if quoted := _QUOTED.fullmatch(value):
        key = re.sub(r"\\(.)", r"\1", quoted[1])
    else:
        key = value if _BARE.fullmatch(value) else ""
    if not 1 <= len(key) <= _MAX_KEY:
        detail = f"It takes one key of 1 to {_MAX_KEY} characters of ASCII, best in double quotes."
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
    """The fingerprint of a request: the SHA-256 of its canonical JSON, in hex.

    Canonical: members sorted, no whitespace, values as validated. A model's members that were not
    sent, or equal their default, are left out: so the fingerprint survives a version that adds a
    member.
    """

    def sent(value: Any) -> Any:
        if isinstance(value, BaseModel):
            return value.model_dump(mode="json", exclude_unset=True, exclude_defaults=True)
        return to_jsonable_python(value)

    text = json.dumps(request, default=sent, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _with_defaults(request: object) -> str:
    """The fingerprint as earlier versions stored it, with defaults.

    It lets this version replay their responses, if the model has had no new member since. Delete it
    once no such version has run for `KEY_LIFETIME`.
    """
    text = json.dumps(request, default=to_jsonable_python, sort_keys=True)
    return sha256(text.encode()).hexdigest()


async def once(
    tx: Transaction,
    key: str | None,
    request: Sequence[object],
    effect: Callable[[], Awaitable[Response]],
    condition: object = None,
) -> Response:
    """The response of `effect`, or the stored one if the caller has used this key before.

    `request`: what identifies it: lists, models and JSON values; with the `condition` on which it
    was to be done, if there is one. Raises `Failure` when the key was used for another request, or
    while its first request is still running.
    """
    if key is None:
        return await effect()
    if condition is not None:
        request = [*request, condition]
    try:
        await _delete_expired(tx, key)
        claimed = await tx.row(queries.CLAIM_KEY, key=key, fingerprint=fingerprint(request))
    except DatabaseBusy:
        raise _still_running() from None
    if claimed is None:
        return await _replay(tx, key, request)
    response = await effect()
    headers = {k: v for k, v in response.headers.items() if k not in _CONTENT_HEADERS}
    await tx.row(
        queries.KEEP_ANSWER,
        key=key,
        status=response.status_code,
        headers=json.dumps(headers),
        body=bytes(response.body).decode(),
    )
    return response


async def _delete_expired(tx: Transaction, key: str) -> None:
    """Delete expired keys of the caller: this one, and up to MAX_FORGOTTEN others."""
    expired = await tx.each(queries.EXPIRED_KEYS, [{"age": KEY_LIFETIME, "limit": MAX_FORGOTTEN}])
    if expired:
        keys = {key, *(row["key"] for row in expired)}
        await tx.each(
            queries.FORGET_KEY, [{"key": key, "age": KEY_LIFETIME} for key in sorted(keys)]
        )


async def _replay(tx: Transaction, key: str, request: object) -> Response:
    saved = await tx.row(queries.STORED_RESPONSE, key=key, age=KEY_LIFETIME)
    if saved is None:
        raise _still_running()
    if saved["fingerprint"] not in (fingerprint(request), _with_defaults(request)):
        raise Failure(
            Kind.IDEMPOTENCY_KEY_REUSED,
            "This Idempotency-Key came with another request; make a new one for each action.",
            errors=[{"detail": "It was used before.", "header": "Idempotency-Key"}],
        )
    headers = json.loads(saved["headers"]) | {"Idempotency-Replayed": "true"}
    media_type = "application/json" if saved["body"] else None
    return Response(saved["body"], saved["status"], headers, media_type=media_type)


def _still_running() -> Failure:
    return Failure(
        Kind.REQUEST_IN_PROGRESS,
        "The request that first came with this Idempotency-Key is still running; try again.",
        headers={"Retry-After": "1"},  # seconds
    )
