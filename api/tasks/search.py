"""The words of a text search: their validation, and their bounds."""

from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from api.http.fields import shown, without_nul

MAX_SEARCH: Final = 200  # characters
MAX_WORDS: Final = 10
MAX_WORD: Final = 64  # characters

_WORD: Final = rf"[^\s\x00]{{1,{MAX_WORD}}}"
_PATTERN: Final = (
    r"^(?=[^\x00]*[^\s\x00-\x1f\x7f-\x9f])" rf"\s*{_WORD}(\s+{_WORD}){{0,{MAX_WORDS - 1}}}\s*$"
)


def _searchable(text: str) -> str:
    words = text.split()
    if len(words) > MAX_WORDS:
        raise PydanticCustomError("words", f"String should have at most {MAX_WORDS} words")
    if any(len(word) > MAX_WORD for word in words):
        raise PydanticCustomError(
            "word", f"String should have words of at most {MAX_WORD} characters"
        )
    return text


Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_SEARCH),
    AfterValidator(without_nul),
    AfterValidator(shown),
    AfterValidator(_searchable),
]
# A query parameter, which can be left out but not null.
QueryWords = Annotated[
    Words | None,
    WithJsonSchema(
        {"type": "string", "minLength": 1, "maxLength": MAX_SEARCH, "pattern": _PATTERN}
    ),
]
