"""What alice may call her tags, and which of them are one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from api.tasks.tags import MAX_TAG, MAX_TAGS, TagFilter, Tags, folded
from tests.test_text import INVISIBLE

TAGS: TypeAdapter[list[str]] = TypeAdapter(Tags)
FILTER: TypeAdapter[Any] = TypeAdapter(TagFilter)

_fit = st.text(
    st.characters(exclude_categories=["C", "Z", "M"], exclude_characters=","), min_size=1
).filter(lambda text: not set(text) & set("".join(INVISIBLE.values())))


def refused(adapter: TypeAdapter[Any], value: object) -> dict[tuple[int | str, ...], str]:
    """Where the value is wrong, and what is said about it."""
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(value)
    return {error["loc"]: error["msg"] for error in caught.value.errors()}


def test_tags_keep_their_order_and_are_trimmed() -> None:
    assert TAGS.validate_python([" urgent ", "home\t", "\u3000à la carte"]) == [
        "urgent",
        "home",
        "à la carte",
    ]


def test_a_task_need_not_have_tags() -> None:
    assert TAGS.validate_python([]) == []


@pytest.mark.parametrize(
    "again", ["HOME", "home", " Home "], ids=["capitals", "small letters", "spaces"]
)
def test_of_tags_that_differ_in_case_the_first_spelling_stays(again: str) -> None:
    assert TAGS.validate_python(["Home", "work", again]) == ["Home", "work"]


@pytest.mark.parametrize(
    ("one", "other"), [("Straße", "STRASSE"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("ﬁn", "FIN")]
)
def test_case_is_folded_as_unicode_says_and_not_letter_by_letter(one: str, other: str) -> None:
    assert TAGS.validate_python([one, other]) == [one]
    assert folded([one]) == folded([other])


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("", "at least 1 character"),
        ("  ", "at least 1 character"),
        ("\u200b", "blank"),
        ("home,work", "comma"),
        (",", "comma"),
        ("a\nb", "control"),
        ("a\tb", "control"),
        ("a\x7fb", "control"),
        ("a\x85b", "control"),
        ("a\0b", "U+0000"),
        ("a\ud800b", "unicode"),
        ("x" * 51, "at most 50 characters"),
        (7, "string"),
        (None, "string"),
        (True, "string"),
        (["home"], "string"),
    ],
    ids=repr,
)
def test_a_tag_that_cannot_be_one_is_refused_and_named_by_its_place(tag: object, said: str) -> None:
    faults = refused(TAGS, ["home", "work", "urgent", tag])
    assert [*faults] == [(3,)]
    assert said in faults[3,]


@pytest.mark.parametrize("text", INVISIBLE.values(), ids=INVISIBLE)
def test_a_tag_that_shows_nothing_is_refused(text: str) -> None:
    assert [*refused(TAGS, [text])] == [(0,)]


@pytest.mark.parametrize("letter", ["x", "\U0001f95b"], ids=["letters", "astral characters"])
def test_a_tag_has_at_most_50_of_what_unicode_counts(letter: str) -> None:
    longest = letter * MAX_TAG
    assert TAGS.validate_python([f" {longest} "]) == [longest]
    assert [*refused(TAGS, [longest + letter])] == [(0,)]


def test_a_task_has_at_most_20_tags() -> None:
    tags = [f"tag {number}" for number in range(MAX_TAGS)]
    assert TAGS.validate_python(tags) == tags
    assert refused(TAGS, [*tags, "one more"]).keys() == {()}


@pytest.mark.parametrize("value", ["home", "home,work", {"home": 1}, ("home",), 7, None], ids=repr)
def test_tags_are_an_array(value: object) -> None:
    assert refused(TAGS, value).keys() == {()}


@given(st.lists(_fit.map(lambda text: text[:MAX_TAG]), max_size=MAX_TAGS))
def test_whatever_tags_are_taken_they_are_taken_again_as_they_are(tags: list[str]) -> None:
    kept = TAGS.validate_python(tags)
    assert TAGS.validate_python(kept) == kept
    assert set(folded(kept)) == set(folded(tags))
    assert len(set(folded(kept))) == len(kept)
    assert FILTER.validate_python(",".join(kept or ["x"])) == (kept or ["x"])


def test_a_filter_names_tags_with_commas_between() -> None:
    found = FILTER.validate_python(" home,Urgent ,HOME")
    assert found == ["home", "Urgent"]
    assert json.loads(FILTER.dump_json(found)) == "home,Urgent"


def test_a_filter_without_a_tag_says_so() -> None:
    assert refused(FILTER, "") == {(): "String should have at least one tag"}


@pytest.mark.parametrize("text", ["home,", ",home", "home,,work", "home, ,work", " ", "a\0"])
def test_a_filter_with_a_tag_that_cannot_be_one_is_refused(text: str) -> None:
    assert refused(FILTER, text)


def test_a_filter_names_at_most_20_tags() -> None:
    assert len(FILTER.validate_python(",".join(map(str, range(20))))) == 20
    assert refused(FILTER, ",".join(map(str, range(21)))).keys() == {()}


def test_the_document_says_what_tags_are() -> None:
    schema = TAGS.json_schema()
    assert (schema["type"], schema["maxItems"]) == ("array", 20)
    item = schema["items"]
    assert (item["type"], item["minLength"], item["maxLength"]) == ("string", 1, 50)
    assert FILTER.json_schema()["type"] == "string"
