"""The body of a request: JSON in UTF-8 of a bounded length, read once, and strictly.

Whatever is wrong with it is counted before it is told: a megabyte has room for a hundred thousand
faults.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice, repeat
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from api.http.problems import CLOSE_CONNECTION, MAX_ERRORS, Failure, InputError, InvalidInput, Kind
from api.http.timeouts import Deadlines

MAX_BODY: Final = 64 * 1024  # bytes
MAX_BULK_BODY: Final = 1024 * 1024  # bytes
BODY_TIMEOUT: Final = 10.0  # seconds for a whole body
# A merge patch (RFC 7396) is JSON with a media type of its own.
_JSON: Final = {"application/json", "application/merge-patch+json"}
_UTF_8: Final = {"utf-8", "utf8"}  # the second is what many call it
_NOT_ENCODED: Final = {b"identity", b""}  # of a list, in which elements may be empty
# name=token or name="quoted", after semicolons (RFC 9110, sections 5.6.4 and 5.6.6)
_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_NAMED: Final = rf'({_WORD})=(?:({_WORD})|"((?:[^"\\]|\\.)*+)")'
_PARAMETER: Final = re.compile(_NAMED)
_PARAMETERS: Final = re.compile(rf"(?:[ \t]*+;[ \t]*+(?:{_NAMED})?)*+[ \t]*+")
# Lists and objects in no text, which take the parser longer than anything else. No body that is
# taken has more than a list and some objects.
_MAX_BRACKETS: Final = 1000  # of a kind
_TOO_MANY: Final = {
    bracket: re.compile(
        rb'(?s)(?:(?:[^"%b]++|"(?:[^"\\]++|\\.)*+")*+%b){%d}'
        % (re.escape(bracket), re.escape(bracket), _MAX_BRACKETS + 1)
    )
    for bracket in (b"[", b"{")
}
# As JSON calls what Python calls otherwise.
_MESSAGES: Final = {
    "dict_type": "Input should be an object",
    "model_type": "Input should be an object",
    "list_type": "Input should be a valid array",
}


def values(scope: Scope, name: bytes) -> list[str]:
    """Those of the header of this name, a line each."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def names(known: Iterable[str]) -> str:
    """As they stand in a sentence."""
    return ", ".join(known) or "none"


async def read(scope: Scope, receive: Receive, max_bytes: int, deadlines: Deadlines) -> bytes:
    """The body, if it is JSON and not too large.

    What the header says of a body is judged when there is one (RFC 9110, section 8.3), and then
    before the rest of it is read.
    """
    said = [line for line in scope["headers"] if line[0].startswith(b"content-")]
    announced = any(name == b"content-length" and value.strip(b"0") for name, value in said)
    if announced:
        _demand_json(said)
    content, more = bytearray(), True
    try:
        with deadlines.one():
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                part = message.get("body", b"")
                if part and not content and not announced:
                    _demand_json(said)
                content += part
                if len(content) > max_bytes:
                    raise Failure(
                        Kind.CONTENT_TOO_LARGE, f"A body may have {max_bytes} bytes at most."
                    )
                more = message.get("more_body", False)
    except TimeoutError:
        raise Failure(
            Kind.REQUEST_TIMEOUT, "The body came too slowly.", headers=CLOSE_CONNECTION
        ) from None
    return bytes(content)


def _demand_json(said: list[tuple[bytes, bytes]]) -> None:
    """Raises `Failure` unless these headers say that the body is JSON in UTF-8, as it is."""
    types = [value for name, value in said if name == b"content-type"]
    if not types or not all(map(_is_json, types)):
        raise Failure(
            Kind.UNSUPPORTED_MEDIA_TYPE, "Send JSON in UTF-8: Content-Type: application/json."
        )
    for name, value in said:
        if name == b"content-encoding" and not _NOT_ENCODED.issuperset(
            coding.strip(b" \t") for coding in value.lower().split(b",")
        ):
            raise Failure(Kind.UNSUPPORTED_MEDIA_TYPE, "Send the body without a content encoding.")


@lru_cache(64)
def _is_json(content_type: bytes) -> bool:
    media_type, semicolon, parameters = content_type.decode("latin-1").partition(";")
    if media_type.strip(" \t").lower() not in _JSON:
        return False
    if not _PARAMETERS.fullmatch(semicolon + parameters):
        return False
    charsets = (
        re.sub(r"\\(.)", r"\1", quoted) if quoted else token
        for name, token, quoted in _PARAMETER.findall(parameters)
        if name.lower() == "charset"
    )
    return all(charset.lower() in _UTF_8 for charset in charsets)


def _has_too_many(content: bytes, bracket: bytes) -> bool:
    return content.count(bracket) > _MAX_BRACKETS and _TOO_MANY[bracket].match(content) is not None


class Body:
    """What a body must be: an object, or some of them."""

    def __init__(self, kind: Any) -> None:
        self._model: TypeAdapter[Any] = TypeAdapter(kind)
        schema = self._model.json_schema()
        one = next(iter(schema.get("$defs", {}).values()), schema)
        self._several = schema.get("type") == "array"
        self._most_items: int = schema.get("maxItems", 1)
        self.max_bytes: Final = MAX_BULK_BODY if self._several else MAX_BODY
        self._members = list(one["properties"])

    def parsed(self, content: bytes) -> Any:
        """What the content says. Raises `Failure`."""
        if _has_too_many(content, b"["):
            raise Failure(Kind.MALFORMED_REQUEST, "The body holds too many lists.")
        if self._several and _has_too_many(content, b"{"):
            detail = f"Input should have at most {self._most_items} objects."
            raise InvalidInput([{"detail": detail, "pointer": "#"}])
        try:
            value = from_json(content, allow_inf_nan=False)
        except ValueError as error:
            raise Failure(Kind.MALFORMED_REQUEST, f"The body is not JSON: {error}.") from None
        # Pydantic would make an error of each unknown member before the first could be told.
        if not isinstance(value, dict) or len(value) > len(self._members):
            unknown = list(islice(self._unknown(value), MAX_ERRORS + 1))
            if len(unknown) > MAX_ERRORS:
                raise InvalidInput(unknown)
        try:
            return self._model.validate_python(value)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False)
        raise InvalidInput([self._error(fault) for fault in faults[: MAX_ERRORS + 1]])

    def _unknown(self, value: Any) -> Iterator[InputError]:
        """An error for each member that is not known. Its name is not told: it may be anything."""
        detail = f"An unknown member; known are: {names(self._members)}."
        several = self._several and isinstance(value, list)
        for number, item in enumerate(value[: self._most_items] if several else [value]):
            if isinstance(item, dict):
                error: InputError = {
                    "detail": detail,
                    "pointer": f"#/{number}" if several else "#",
                }
                yield from repeat(error, len(item) - sum(name in item for name in self._members))

    def _error(self, fault: Any) -> InputError:
        unknown = fault["type"] == "extra_forbidden"
        place = fault["loc"][: 1 + self._several - unknown]
        message = _MESSAGES.get(fault["type"], fault["msg"])
        return {
            "detail": f"An unknown member; known are: {names(self._members)}."
            if unknown
            else f"{message}.",
            "pointer": "/".join(["#", *map(str, place)]),
        }
