"""Text checks: blank characters (Unicode), and user identifiers."""

import re
from typing import Final

# White space, controls, and invisible characters: Default_Ignorable_Code_Point of
# DerivedCoreProperties.txt (Unicode 16), and the blank Braille pattern. Listed rather than looked
# up, so that characters newer than Python's tables do not count as blank.
_BLANK: Final = (
    r"\s\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_SHOWN: Final = re.compile(f"[^{_BLANK}]")
_UNFIT: Final = re.compile(f"[{_BLANK}\ud800-\udfff]")


def is_blank(text: str) -> bool:
    """Whether text shows nothing: `''`, spaces, zero-width characters."""
    return _SHOWN.search(text) is None


def is_identifier(text: str) -> bool:
    """Whether text can be a user id: 1..255 characters, none blank, control or surrogate."""
    return 1 <= len(text) <= 255 and _UNFIT.search(text) is None
