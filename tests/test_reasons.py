"""What a server or a driver says is passed on in one line, less what is secret in the URL."""

import pytest

from api.reasons import one_line

URL = "postgresql://alice:p%40ss'word@db.example.com/tasks?sslpassword=lock"


@pytest.mark.evidence("secrets-in-errors")
@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("the password is p@ss'word", "the password is ***"),
        ("as it is written, p%40ss'word", "as it is written, ***"),
        ("wholly encoded, p%40ss%27word", "wholly encoded, ***"),
        ('as Python has it, "p@ss\'word"', 'as Python has it, "***"'),
        (f"no such thing as {URL}", "no such thing as ***"),
        ("a key's lock", "a key's ***"),
        ("two\nlines\tand \x1b[2J\ud800", "two lines and [2J"),
        ("db.example.com does not know alice", "db.example.com does not know alice"),
    ],
)
def test_no_secret_is_told(said: str, told: str) -> None:
    assert one_line(said, URL) == told


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://alice:12/hush@db/tasks",
        "postgresql://alice:1#hush@db/tasks",
        "postgresql://alice:1?hush@db",
    ],
)
def test_a_password_that_is_taken_for_something_else_is_none_the_less_one(url: str) -> None:
    assert "hush" not in one_line("invalid port: 'hush'", url)


def test_a_password_of_the_environment_is_a_secret_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "hush")
    assert one_line("not hush", "postgresql://db/tasks") == "not ***"


def test_what_is_long_is_cut() -> None:
    assert len(one_line("x" * 10_000, URL)) < 600
