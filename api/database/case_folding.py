"""Case-insensitive search for a word, by Unicode's full case folding, in any database with UTF8.

PostgreSQL's `lower` and `(?i)` depend on the database's locale, and fold no character to several
(`ß` to `ss`). So a word becomes a regular expression that lists at each place what folds to the
same. Its automaton reads each character of a text once, where LIKE and strpos backtrack and take
the length of the text times that of the word.
"""

from collections import defaultdict
from functools import cache
from typing import Final, NamedTuple

# Unicode has no letters with a case from here on.
_END: Final = 0x1F000
# The number of ways through characters whose spans overlap, such as `sss`, is exponential in their
# number. What is longer is compared character by character.
_MAX_RUN: Final = 8  # characters
_SPECIAL: Final = frozenset(r"\^$.[]|()*+?{}")


class _Folding(NamedTuple):
    """The characters that fold to a text, and to one that begins, ends or goes on around it."""

    whole: defaultdict[str, str]
    begins: defaultdict[str, str]
    ends: defaultdict[str, str]
    around: defaultdict[str, str]


def pattern(word: str) -> str:
    """A regular expression of PostgreSQL for the texts whose case folding holds that of `word`."""
    word = word.casefold()
    spans = _spans(word)
    found, place = [], 0
    for start, end in _runs(spans):
        found += [_class(spans[at, at + 1]) for at in range(place, start)]
        found.append(_ways(spans, start, end))
        place = end
    found += [_class(spans[at, at + 1]) for at in range(place, len(word))]
    return "".join(found)


@cache
def _folding() -> _Folding:
    table = _Folding(*(defaultdict(str) for _ in _Folding._fields))
    for character in map(chr, range(_END)):
        folded = character.casefold()
        if folded != character:
            table.whole[folded] += character
        for length in range(1, len(folded)):
            table.begins[folded[:length]] += character
            table.ends[folded[length:]] += character
        if len(folded) > 2:
            table.around[folded[1:-1]] += character
    return table


def _spans(word: str) -> dict[tuple[int, int], str]:
    """The characters of a text that can stand for a part of the folded word, by its start and end.

    The first and the last of them may stand for more than is looked for: `s` is in `ß`.
    """
    table, length = _folding(), len(word)
    spans = {}
    for start in range(length):
        for end in range(start + 1, min(start + 3, length) + 1):
            part = word[start:end]
            characters = table.whole.get(part, "") + (part if end == start + 1 else "")
            characters += table.ends.get(part, "") if start == 0 else ""
            characters += table.begins.get(part, "") if end == length else ""
            characters += table.around.get(part, "") if part == word else ""
            if characters:
                spans[start, end] = characters
    return spans


def _runs(spans: dict[tuple[int, int], str]) -> list[tuple[int, int]]:
    """Where spans of several characters overlap, up to _MAX_RUN characters."""
    runs: list[tuple[int, int]] = []
    for start, end in sorted(span for span in spans if span[1] - span[0] > 1):
        if runs and start < runs[-1][1]:
            start, end = runs[-1][0], max(end, runs.pop()[1])
        runs.append((start, end))
    return [run for run in runs if run[1] - run[0] <= _MAX_RUN]


def _ways(spans: dict[tuple[int, int], str], start: int, end: int) -> str:
    """All ways from one place to the other."""
    if start == end:
        return ""
    ways = [
        _class(characters) + _ways(spans, there, end)
        for (here, there), characters in spans.items()
        if here == start and there <= end
    ]
    return ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"


def _class(characters: str) -> str:
    if len(characters) > 1:  # letters and their marks
        return f"[{''.join(sorted({*characters}))}]"
    return f"\\{characters}" if characters in _SPECIAL else characters
