"""Content negotiation by the Accept header (RFC 9110, section 12.5.1)."""

import re
from typing import Final

_WEIGHT: Final = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
_MAX_RANGES: Final = 50  # media ranges that are read; browsers send eight


def prefers_html(accept: str) -> bool:
    """Whether a client that sends this header prefers HTML to JSON, as browsers do.

    Of equal weights the one that is named more closely counts: `text/html, */*` prefers HTML.
    """
    weights = _weights(accept)
    return _preference(weights, "text/html") > _preference(weights, "application/json")


def _preference(weights: dict[str, float], media_type: str) -> tuple[float, int]:
    """The weight of the most specific range that has this media type, and how specific it is; zeros
    if it is not accepted."""
    ranges = ("*/*", f"{media_type.partition('/')[0]}/*", media_type)
    specific = max((n for n, one in enumerate(ranges) if one in weights), default=0)
    weight = weights.get(ranges[specific], 0)
    return weight, specific if weight else 0


def _weights(accept: str) -> dict[str, float]:
    """Media ranges with their weights; a range with a malformed weight is left out."""
    found: dict[str, float] = {}
    for item in accept.lower().split(",")[:_MAX_RANGES]:
        media_range, *parameters = (part.strip() for part in item.split(";"))
        weight = next((one[2:].strip() for one in parameters if one.startswith("q=")), "1")
        if _WEIGHT.fullmatch(weight):
            found[media_range] = float(weight)
    return found
