"""Content negotiation by the Accept header (RFC 9110, section 12.5.1)."""

import re
from typing import Final

_WEIGHT: Final = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
_MAX_RANGES: Final = 50  # media ranges that are read; browsers send eight


def prefers_html(accept: str) -> bool:
    """Whether a client that sends this header prefers HTML to JSON, as browsers do."""
    weights = _weights(accept)
    return _weight(weights, "text/html") > _weight(weights, "application/json")


def _weight(weights: dict[str, float], media_type: str) -> float:
    """The weight of the most specific range that has this media type; 0 if none has."""
    ranges = (media_type, f"{media_type.partition('/')[0]}/*", "*/*")
    return next((weights[one] for one in ranges if one in weights), 0)


def _weights(accept: str) -> dict[str, float]:
    """Media ranges with their weights; a range with a malformed weight is left out."""
    found: dict[str, float] = {}
    for item in accept.lower().split(",")[:_MAX_RANGES]:
        media_range, *parameters = (part.strip() for part in item.split(";"))
        weight = next((one[2:].strip() for one in parameters if one.startswith("q=")), "1")
        if _WEIGHT.fullmatch(weight):
            found[media_range] = float(weight)
    return found
