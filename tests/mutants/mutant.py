"""What a mutant is: the program with one of its guards taken away."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Edit:
    """A text that is in the file exactly `count` times, and what is written instead."""

    file: str
    old: str
    new: str
    count: int = 1


@dataclass(frozen=True)
class Mutant:
    """The program without one of its guards."""

    name: str
    edits: tuple[Edit, ...]
    refusal: str = ""  # the words in which the program itself refuses to start, before any test
    equivalent: str = ""  # why no test could tell it from the program
    witness: str = ""  # the test that is asked first, in tests/: file, or file::name

    def and_also(self, *edits: Edit) -> "Mutant":
        return replace(self, edits=(*self.edits, *edits))


def mutants(
    file: str,
    *rows: tuple[str, str, str],
    refusal: str = "",
    equivalent: str = "",
    witness: str = "",
) -> list[Mutant]:
    """Mutants of one file, each a name, an old text and a new one."""
    return [
        Mutant(name, (Edit(file, old, new),), refusal, equivalent, witness)
        for name, old, new in rows
    ]
