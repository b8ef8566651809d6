"""What was measured, for people to read: Markdown on stdout."""

from collections.abc import Iterable


def table(head: list[str], rows: Iterable[Iterable[object]]) -> None:
    """Print it; numbers to three digits that matter."""
    print("", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", sep="\n")
    for row in rows:
        print(f"| {' | '.join(map(_cell, row))} |")
    print(flush=True)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return str(value)
