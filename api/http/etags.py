"""ETags of tasks and lists, and the headers If-Match and If-None-Match (RFC 9110)."""

import re
from functools import partial
from hashlib import blake2b
from typing import Annotated, Final

from fastapi import Header
from pydantic import WithJsonSchema

from api.http.fields import ParsedBy
from api.http.problems import MalformedHeader

# W/"..." or "...", in a list (RFC 9110, sections 8.8.3 and 13.1.1); obs-text is refused.
_TAG: Final = r'(W/)?"([\x21\x23-\x7e]*)"'
_LIST: Final = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*")
_EACH: Final = re.compile(_TAG)
MAX_TAGS: Final = 100  # in one header
_VERSION: Final = re.compile("[1-9][0-9]{0,17}")
# What Apache (`-gzip`), Caddy and others append to the tag of what they compress.
_SUFFIXED: Final = re.compile("[1-9][0-9]{0,17}-+[a-z]+")
_MISMATCH: Final = "The task is not what it was any more; look at what it is now, and decide."
_OF_PROXIES: Final = (
    "If-Match has a {} it, and that never matches (RFC 9110, section 13.1.1); send the task's"
    ' `version` in double quotes, such as "3".'
)
_WEAK: Final = _OF_PROXIES.format("weak tag, as compressing proxies make of")
_WITH_SUFFIX: Final = _OF_PROXIES.format("tag with a suffix, as compressing proxies append to")

# Of both headers, for OpenAPI.
SCHEMA: Final = {
    "type": "string",
    "pattern": rf'^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*"){{0,{MAX_TAGS - 1}}})$',
    "examples": ['"1"'],
}

# (is weak, opaque part) of each ETag.
Tags = tuple[tuple[bool, str], ...]
ANY: Final[Tags] = ((True, "*"),)


def parsed(header: str, value: str) -> Tags:
    """Parse the list of ETags in a header. Raises `Failure`."""
    if value.strip() == "*":
        return ANY
    if value.count('"') > 2 * MAX_TAGS:
        raise MalformedHeader(header, f"It takes {MAX_TAGS} ETags at most.")
    if not _LIST.fullmatch(value):
        raise MalformedHeader(header, 'It takes * or a list of ETags such as "3", "4".')
    return tuple((bool(weak), opaque) for weak, opaque in _EACH.findall(value))


IfMatch = Annotated[
    Tags | None,
    Header(
        alias="If-Match",
        description="Only if the task is still what this ETag says (RFC 9110, section 13.1.1)",
    ),
    ParsedBy(partial(parsed, "If-Match")),
    WithJsonSchema(SCHEMA),
]
IfNoneMatch = Annotated[
    Tags | None,
    Header(
        alias="If-None-Match",
        description="Only if it is no longer what this ETag says (RFC 9110, section 13.1.2)",
    ),
    ParsedBy(partial(parsed, "If-None-Match")),
    WithJsonSchema(SCHEMA),
]


def of_version(version: int) -> str:
    """The strong ETag of a task."""
    return f'"{version}"'


def weak_etag(*parts: str) -> str:
    """A weak ETag: a digest of these parts."""
    digest = blake2b("\n".join(parts).encode(), digest_size=12).hexdigest()
    return f'W/"{digest}"'


def versions(tags: Tags | None, version: int | None = None) -> list[int] | None:
    """The versions of a task that match these ETags by strong comparison, and are `version` if one
    is given; None: any version."""
    given = None if version is None else [version]
    if tags is None or tags is ANY:
        return given
    matching = [int(opaque) for weak, opaque in tags if not weak and _VERSION.fullmatch(opaque)]
    return [one for one in matching if given is None or one in given]


def mismatch(tags: Tags | None, tag: str) -> str:
    """Why a task with this ETag is not as If-Match and the body expect it, for a 412."""
    if tags is None or any(not weak and f'"{opaque}"' == tag for weak, opaque in tags):
        return _MISMATCH
    if any(weak for weak, _ in tags if tags is not ANY):
        return _WEAK
    if any(_SUFFIXED.fullmatch(opaque) for _, opaque in tags):
        return _WITH_SUFFIX
    return _MISMATCH


def matches(tags: Tags | None, tag: str) -> bool:
    """Is this tag one of them, by weak comparison?"""
    if tags is None:
        return False
    return tags is ANY or any(f'"{opaque}"' == tag.removeprefix("W/") for _, opaque in tags)
