"""What a reader would see, and what can name somebody."""

import sys
import unicodedata

import pytest

from api.text import is_blank, is_identifier

INVISIBLE = {
    "nothing": "",
    "spaces": "   ",
    "tab-and-newline": "\t\n\r",
    "nul": "\0",
    "c1-control": "\x85\x9f",
    "no-break-space": "\u00a0",
    "soft-hyphen": "\u00ad",
    "ideographic-space": "\u3000",
    "zero-width-space": "\u200b",
    "joiners": "\u200c\u200d\u2060",
    "direction-marks": "\u200e\u200f\u061c",
    "direction-overrides": "\u202a\u202e\u2066\u2069",
    "byte-order-mark": "\ufeff",
    "hangul-fillers": "\u115f\u1160\u3164\uffa0",
    "braille-blank": "\u2800",
    "variation-selectors": "\ufe0f\U000e0100",
    "tags": "\U000e0001\U000e0020",
    "musical-controls": "\U0001d173",
}


@pytest.mark.evidence("nobody")
@pytest.mark.parametrize("text", INVISIBLE.values(), ids=INVISIBLE)
def test_what_shows_nothing_is_blank_and_names_nobody(text: str) -> None:
    assert is_blank(text)
    assert not is_identifier(text)


@pytest.mark.parametrize("text", [t for t in INVISIBLE.values() if t], ids=[*INVISIBLE][1:])
def test_one_visible_character_among_them_makes_text_and_still_no_name(text: str) -> None:
    assert not is_blank(f"{text}a{text}")
    assert not is_identifier(f"alice{text}")


def test_every_space_separator_and_control_of_unicode_is_blank() -> None:
    unseen = (chr(n) for n in range(sys.maxunicode + 1))
    kinds = {"Zs", "Zl", "Zp", "Cc"}
    assert [c for c in unseen if unicodedata.category(c) in kinds and not is_blank(c)] == []


@pytest.mark.parametrize("text", ["a", "0", ".", "é", "日", "🦊", "\U0010fffd"])
def test_what_shows_something_is_not_blank(text: str) -> None:
    assert not is_blank(text)


@pytest.mark.parametrize(
    "name",
    ["a", "0", "4f9Xk2ZqB7mN1cV8sD3hJ6tR5wY0uEaL", "0b0c4f9e-7d1e-4a55-9a53-6f2c9a3f1b11", "é|日"],
)
def test_a_user_id_need_not_be_a_uuid(name: str) -> None:
    assert is_identifier(name)


@pytest.mark.parametrize(
    ("length", "fits"), [(1, True), (255, True), (256, False), (10_000, False)]
)
def test_a_user_id_has_at_most_255_characters(length: int, fits: bool) -> None:
    assert is_identifier("🦊" * length) is fits


@pytest.mark.parametrize("point", [0xD800, 0xDBFF, 0xDC00, 0xDFFF], ids=hex)
def test_a_lone_surrogate_names_nobody(point: int) -> None:
    assert not is_identifier(f"alice{chr(point)}")
