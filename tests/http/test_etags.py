"""Tags: how they are made, read and compared (RFC 9110, sections 8.8.3 and 13.1)."""

import contextlib
import time

import pytest

from api.http import etags
from api.http.problems import Failure, Kind

LISTS: dict[str, etags.Tags] = {
    "*": etags.ANY,
    " *\t": etags.ANY,
    '"3"': ((False, "3"),),
    'W/"3"': ((True, "3"),),
    '""': ((False, ""),),
    '"*"': ((False, "*"),),
    '"3", "4"': ((False, "3"), (False, "4")),
    '"3","4"': ((False, "3"), (False, "4")),
    '"3" \t, W/"4"': ((False, "3"), (True, "4")),
    ', "3",, ,"4" ,': ((False, "3"), (False, "4")),
    '"3,4"': ((False, "3,4"),),
    '"W/3"': ((False, "W/3"),),
    '"!#~\\"': ((False, "!#~\\"),),
}


@pytest.mark.parametrize(("value", "tags"), LISTS.items(), ids=LISTS)
def test_a_list_of_tags_is_read(value: str, tags: etags.Tags) -> None:
    assert etags.parsed("If-Match", value) == tags


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        ",",
        "3",
        '"3',
        '3"',
        "'3'",
        'w/"3"',
        'W/ "3"',
        'W"3"',
        '"3" "4"',
        '"3""4"',
        '"3", 4',
        '*, "3"',
        '"3", *',
        "**",
        '"3 4"',
        '"3\t"',
        '"3\x7f"',
        '"\u00e9"',
        '"\u0663"',
        '"3"\n',
        '"3";',
    ],
)
@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
def test_what_is_no_list_of_tags_is_refused(header: str, value: str) -> None:
    with pytest.raises(Failure) as refused:
        etags.parsed(header, value)
    assert refused.value.kind is Kind.MALFORMED_REQUEST
    assert header in refused.value.detail
    assert [error.get("header") for error in refused.value.errors] == [header]


@pytest.mark.evidence("many-faults")
@pytest.mark.parametrize("each", ['"3"', 'W/"3"', '""', '",,"'])
def test_a_list_has_a_hundred_tags_at_most(each: str) -> None:
    assert len(etags.parsed("If-Match", ",".join([each] * 100))) == 100
    for number in (101, 10_000):
        with pytest.raises(Failure) as refused:
            etags.parsed("If-Match", ", ".join([each] * number))
        assert refused.value.kind is Kind.MALFORMED_REQUEST


@pytest.mark.parametrize("part", [",", " ", "\t,", '"3",', '"3" , ', 'W/"', '"'])
def test_a_long_header_costs_no_more_than_its_length(part: str) -> None:
    began = time.perf_counter()
    for end in ("", "x", '"'):
        with contextlib.suppress(Failure):
            etags.parsed("If-Match", part * (60_000 // len(part)) + end)
    assert time.perf_counter() - began < 1


def test_a_task_has_a_strong_tag_and_a_list_a_weak_one() -> None:
    assert etags.of_version(3) == '"3"'
    tag = etags.weak_etag("[]", "<...>")
    assert etags.parsed("ETag", tag) == ((True, tag[3:-1]),)


def test_a_list_s_tag_tells_apart_what_is_different() -> None:
    made = [("a", "b"), ("ab", ""), ("a", "", "b"), ("b", "a"), ("a",), ("A", "b"), ("\u00e9", "b")]
    assert len({etags.weak_etag(*parts) for parts in made}) == len(made)
    assert etags.weak_etag("a", "b") == etags.weak_etag("a", "b")


@pytest.mark.parametrize(
    ("value", "versions"),
    [
        ("*", None),
        ('"3"', [3]),
        ('"3", "4"', [3, 4]),
        ('W/"3"', []),
        ('W/"3", "4"', [4]),
        ('"*"', []),
        ('""', []),
        ('"0"', []),
        ('"03"', []),
        ('"+3"', []),
        ('"-3"', []),
        ('"3.0"', []),
        ('"1e1"', []),
        ('"1_0"', []),
        ('"x3"', []),
        ('"999999999999999999"', [10**18 - 1]),
        ('"9999999999999999999"', []),  # PostgreSQL would not take it for a bigint
    ],
)
def test_only_a_strong_tag_of_a_version_means_one(value: str, versions: list[int] | None) -> None:
    assert etags.versions(etags.parsed("If-Match", value)) == versions


def test_whoever_says_nothing_means_any_version() -> None:
    assert etags.versions(None) is None


@pytest.mark.parametrize(
    ("value", "met"),
    [
        ("*", True),
        ('"3"', True),
        ('W/"3"', True),
        ('"2", W/"3"', True),
        ('"3", "2"', True),
        ('"2"', False),
        ('"33"', False),
        ('"03"', False),
        ('""', False),
        ('"W/3"', False),
        ('"*"', False),
    ],
)
@pytest.mark.parametrize("tag", ['"3"', 'W/"3"'])
def test_a_tag_is_met_whether_or_not_it_is_weak(value: str, met: bool, tag: str) -> None:
    assert etags.matches(etags.parsed("If-None-Match", value), tag) is met


def test_whoever_has_nothing_gets_everything() -> None:
    assert etags.matches(None, '"3"') is False
