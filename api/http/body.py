"""Request bodies: JSON in UTF-8 of a bounded length, read once and validated strictly.

The number of reported errors is bounded, too: a megabyte can hold a hundred thousand.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, Final
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from api.http.problems import CLOSE_CONNECTION, MAX_ERRORS, Failure, InputError, InvalidInput, Kind
from api.http.timeouts import Deadlines

MAX_BODY: Final = 64 * 1024  # bytes
MAX_BULK_BODY: Final = 1024 * 1024  # bytes
_MAX_NAME: Final = 64  # characters of an unknown member's name in an error
# What else a URI fragment may hold as it is (RFC 3986, section 3.5).
_OF_FRAGMENTS: Final = "!$&'()*+,;=:@?"
# A merge patch (RFC 7396) is JSON with a media type of its own.
_JSON: Final = {"application/json", "application/merge-patch+json"}
_UTF_8: Final = {"utf-8", "utf8"}  # many clients write the second
_NOT_ENCODED: Final = {b"identity", b""}  # a list may have empty elements (RFC 9110, section 5.6.1)
# name=token or name="quoted", after semicolons (RFC 9110, sections 5.6.4 and 5.6.6)
_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_NAMED: Final = rf'({_WORD})=(?:({_WORD})|"((?:[^"\\]|\\.)*+)")'
_PARAMETER: Final = re.compile(_NAMED)
_PARAMETERS: Final = re.compile(rf"(?:[ \t]*+;[ \t]*+(?:{_NAMED})?)*+[ \t]*+")
# Brackets outside strings: nested lists and objects are what the parser needs longest for. A valid
# body has one list of some objects, and one in each of them.
_MAX_BRACKETS: Final = 1000  # of one kind
_TOO_MANY: Final = {
    bracket: re.compile(
        rb'(?s)(?:(?:[^"%b]++|"(?:[^"\\]++|\\.)*+")*+%b){%d}'
        % (re.escape(bracket), re.escape(bracket), _MAX_BRACKETS + 1)
    )
    for bracket in (b"[", b"{")
}
# Pydantic's messages with the JSON names of Python's types.
_MESSAGES: Final = {
    "dict_type": "Input should be an object",
    "model_type": "Input should be an object",
    "list_type": "Input should be a valid array",
}


def values(scope: Scope, name: bytes) -> list[str]:
    """The values of the request header `name` (in lower case), one for each of its lines."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def names(known: Iterable[str]) -> str:
    """Names joined for an error message."""
    return ", ".join(known) or "none"


async def read(scope: Scope, receive: Receive, max_bytes: int, deadlines: Deadlines) -> bytes:
    """Read a request body of at most `max_bytes`. Raises `Failure` and `ClientDisconnect`.

    Content-Type and Content-Encoding are checked only if there is a body (RFC 9110, section 8.3),
    before the rest of it is read.
    """
    lines = [line for line in scope["headers"] if line[0].startswith(b"content-")]
    announced = any(name == b"content-length" and value.strip(b"0") for name, value in lines)
    if announced:
        _require_json(lines)
    content, more = bytearray(), True
    try:
        with deadlines.one():
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                part = message.get("body", b"")
                if part and not content and not announced:
                    _require_json(lines)
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


def _require_json(lines: list[tuple[bytes, bytes]]) -> None:
    """Raises `Failure` unless these headers announce JSON in UTF-8 without a content encoding."""
    types = [value for name, value in lines if name == b"content-type"]
    if not types or not all(map(_is_json, types)):
        raise Failure(
            Kind.UNSUPPORTED_MEDIA_TYPE, "Send JSON in UTF-8: Content-Type: application/json."
        )
    for name, value in lines:
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
    """The model that validates a body: an object, or an array of objects. Raises `TypeError` for
    any other.

    An array of objects, or an object with a member that is one, may be as long as MAX_BULK_BODY.
    """

    def __init__(self, kind: Any) -> None:
        self._model: TypeAdapter[Any] = TypeAdapter(kind)
        schema = self._model.json_schema()
        one = schema.get("items", schema)
        if "anyOf" in one:  # or None, where there is no body
            one = one["anyOf"][0]
        if "$ref" in one:
            one = schema["$defs"][one["$ref"].rpartition("/")[2]]
        if "properties" not in one:
            raise TypeError("a body is one model, or a list of one")
        self._is_array = schema.get("type") == "array"
        arrays = [part for part in (schema, *one["properties"].values()) if _is_of_objects(part)]
        self._max_items: int | None = arrays[0].get("maxItems", 1) if arrays else None
        self.max_bytes: Final = MAX_BULK_BODY if arrays else MAX_BODY
        self._members = list(one["properties"])

    def parsed(self, content: bytes) -> Any:
        """Parse and validate the JSON text. Raises `Failure`."""
        if _has_too_many(content, b"["):
            raise Failure(Kind.MALFORMED_REQUEST, "The body holds too many lists.")
        if self._max_items is not None and _has_too_many(content, b"{"):
            detail = f"Input should have at most {self._max_items} objects."
            raise InvalidInput([{"detail": detail, "pointer": "#"}])
        try:
            value = from_json(content, allow_inf_nan=False)
        except ValueError as error:
            raise Failure(Kind.MALFORMED_REQUEST, f"The body is not JSON: {error}.") from None
        return self.validated(value)

    def validated(self, value: Any) -> Any:
        """Validate a JSON value. Raises `Failure`."""
        # Pydantic would build an error for every unknown member before any can be reported.
        if not isinstance(value, dict) or len(value) > len(self._members):
            unknown = list(islice(self._unknown(value), MAX_ERRORS + 1))
            if len(unknown) > MAX_ERRORS:
                raise InvalidInput(unknown)
        try:
            return self._model.validate_python(value)
        except ValidationError as error:
            failures = error.errors(include_url=False, include_input=False)
        raise InvalidInput([self._error(value, failure) for failure in failures[: MAX_ERRORS + 1]])

    def _unknown(self, value: Any) -> Iterator[InputError]:
        """An error for each unknown member."""
        several = self._is_array and isinstance(value, list)
        for number, item in enumerate(value[: self._max_items] if several else [value]):
            if isinstance(item, dict):
                place = [number] if several else []
                unknown = (name for name in item if name not in self._members)
                yield from (self._unknown_member(*place, name) for name in unknown)

    def _unknown_member(self, *location: int | str) -> InputError:
        detail = f"An unknown member; known are: {names(self._members)}."
        return {"detail": detail, "pointer": _pointer(*location)}

    def _error(self, value: Any, failure: Any) -> InputError:
        location = _within(value, failure["loc"])
        if failure["type"] == "missing":
            location.append(failure["loc"][-1])
        if failure["type"] == "extra_forbidden" and len(location) == 1 + self._is_array:
            return self._unknown_member(*location)
        message = _MESSAGES.get(failure["type"], failure["msg"])
        return {"detail": f"{message}.", "pointer": _pointer(*location)}


def _is_of_objects(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "array" and "type" not in schema["items"]


def _within(value: Any, location: Iterable[int | str]) -> list[int | str]:
    """The parts of an error's location that are places in the body. Pydantic also names what it
    tried there, such as one type of a union."""
    found = []
    for part in location:
        is_place = isinstance(value, dict) and part in value
        if is_place or (isinstance(value, list) and part in range(len(value))):
            value = value[part]
            found.append(part)
    return found


def _pointer(*location: int | str) -> str:
    """The JSON pointer of a place in the body, as a URI fragment (RFC 6901, section 6), with
    `_MAX_NAME` characters of a name at most."""
    parts = (str(part)[:_MAX_NAME].replace("~", "~0").replace("/", "~1") for part in location)
    return "/".join(["#", *(quote(part, safe=_OF_FRAGMENTS) for part in parts)])
