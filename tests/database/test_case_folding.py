"""A word is found by Unicode's full case folding, in a database of any locale."""

from collections.abc import Iterator
from typing import Final

import psycopg
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from api.database.case_folding import _MAX_RUN, _folding, pattern
from tests.cluster import Cluster, TaskDatabase

# Of each kind of character: those that fold to others, to several, and those that never do.
FOLDED: Final = sorted({c for table in _folding() for found in table.values() for c in found})
EXPANDING: Final = [c for c in FOLDED if len(c.casefold()) > 1]
SPECIAL: Final = list(r"\^$.[]|()*+?{}-:=!<>,#&~%_'\"")
CHARACTERS: Final = st.one_of(
    st.sampled_from(FOLDED).map(lambda c: c.casefold()),
    st.sampled_from(FOLDED),
    st.sampled_from(EXPANDING),
    st.sampled_from("aAiIsSfF\u0131\u0130\u03b9\u0301"),
    st.sampled_from(SPECIAL),
)
LATIN: Final = st.text(st.sampled_from("sSß\u1e9eft\ufb00\ufb01\ufb03\ufb05iI\u0130"), min_size=1)


def texts(shortest: int, longest: int) -> st.SearchStrategy[str]:
    return st.lists(CHARACTERS, min_size=shortest, max_size=longest).map("".join)


@pytest.fixture(scope="module")
def connection(database: TaskDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        yield connection


def found(connection: psycopg.Connection, word: str, text: str) -> bool:
    row = connection.execute("select %s::text ~ %s", [text, pattern(word)]).fetchone()
    assert row is not None
    return bool(row[0])


def has_long_run(text: str) -> bool:
    folded = text.casefold()
    return any(letter * (_MAX_RUN + 1) in folded for letter in "sf")


# Without shrinking, which takes long; the examples are small.
@settings(
    max_examples=700,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
)
@given(
    before=texts(0, 4),
    word=st.one_of(texts(1, 8), LATIN),
    after=texts(0, 4),
    written=st.sampled_from(["upper", "lower", "title", "swapcase", "casefold", "strip"]),
    place=st.integers(0, 7),
)
def test_a_word_is_found_where_its_folding_is(
    connection: psycopg.Connection, before: str, word: str, after: str, written: str, place: int
) -> None:
    """In a text that has it, in another case, and in one that nearly has it."""
    assume(not has_long_run(before + word + after))
    there = getattr(word, written)()
    cut = there[:place] + there[place + 1 :]
    for text in (there, before + there + after, before + cut + after, before + after):
        for looked_for in (word, word.upper(), word.casefold()):
            expected = looked_for.casefold() in text.casefold()
            assert found(connection, looked_for, text) is expected, (looked_for, text)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("stras", "stra\u00df"),  # ends in the middle of a character
        ("se", "stra\u00dfe"),  # begins there
        ("\u0308", "\u0390"),  # is neither its first part nor its last
    ],
)
def test_a_word_may_be_part_of_a_character(
    connection: psycopg.Connection, word: str, text: str
) -> None:
    assert word in text.casefold()
    assert found(connection, word, text)


def test_a_long_run_is_found_as_it_is_written(connection: psycopg.Connection) -> None:
    assert found(connection, "S" * 64, "x" + "s" * 64)
    assert not found(connection, "S" * 64, "s" * 63)
    assert found(connection, "s" * _MAX_RUN, "\u00df" * (_MAX_RUN // 2))


def parts(text: str) -> list[str]:
    """The text, and if it has several characters, all that stands in it."""
    return [text[start:end] for end in range(len(text) + 1) for start in range(end)]


def test_every_character_that_folds_is_found_by_its_folding_and_finds_it(
    connection: psycopg.Connection,
) -> None:
    pairs = [(c, part) for c in FOLDED for part in parts(c.casefold())]
    pairs += [(c.casefold(), c) for c in FOLDED]
    shown, words = [text for text, _ in pairs], [pattern(word) for _, word in pairs]
    missed = connection.execute(
        "select text, word from unnest(%s::text[], %s::text[]) given (text, word)"
        " where not text ~ word",
        [shown, words],
    ).fetchall()
    assert missed == []
    assert len(FOLDED) > 1400


def test_beyond_the_last_letter_with_a_case_there_are_none() -> None:
    assert {c for c in map(chr, range(0x110000)) if c.casefold() != c} <= {*FOLDED}


@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "POSIX"])
def test_the_locale_of_the_database_does_not_matter(cluster: Cluster, locale: str) -> None:
    with psycopg.connect(cluster.superuser, autocommit=True) as connection:
        connection.execute("drop database if exists folding")
        connection.execute(
            f"create database folding template template0 encoding 'UTF8'"
            f" lc_collate '{locale}' lc_ctype '{locale}'".encode()
        )
        try:
            with psycopg.connect(cluster.superuser, dbname="folding") as there:
                for word, text in (
                    ("ΟΔΟΣ", "οδος"),
                    ("οδος", "ΟΔΟΣ"),
                    ("straße", "STRASSE"),
                    ("STRASSE", "Straße"),
                    ("ЖУКА", "жука"),
                    ("école", "ÉCOLE"),
                    ("office", "oﬃce"),
                    ("(A|B)*", "(a|b)*"),
                ):
                    assert found(there, word, text), (word, text)
                assert not found(there, "ecole", "École")
                assert not found(there, "\u0131sparta", "ISPARTA")
        finally:
            connection.execute("drop database folding with (force)")


def test_no_word_is_too_much_for_postgresql(connection: psycopg.Connection) -> None:
    """The longest patterns that the characters of a search can make."""
    words = ["ssssssssx" * 7, "ffffffffi" * 7, "ffi" * 21, "\u1fb7" * 21, "s" * 24, "s" * 64]
    words += ["".join(FOLDED[start : start + 64]) for start in range(0, len(FOLDED), 64)]
    words += ["".join(EXPANDING[start:]) for start in range(0, len(EXPANDING), 32)]
    for word in words:
        assert len(pattern(word[:64])) < 20_000
        assert found(connection, word[:64], f"x{word}x")
