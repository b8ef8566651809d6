"""Each error of the database is counted once, by one of a fixed set of labels."""

import asyncpg
import pytest

from api.database import errors


def of_the_server(sqlstate: str) -> Exception:
    fields = {"S": "ERROR", "V": "ERROR", "C": sqlstate, "M": "a message"}
    error: Exception = asyncpg.PostgresError.new(fields)
    return error


@pytest.mark.parametrize(
    ("error", "label"),
    [
        (of_the_server("42501"), "42501"),
        (of_the_server("42P01"), "42"),
        (of_the_server("55P03"), "55P03"),
        (of_the_server("57014"), "57014"),
        (of_the_server("57P01"), "57"),
        (of_the_server("53300"), "53300"),
        (of_the_server("XX000"), "XX"),
        (of_the_server("ZZ123"), "other"),  # whoever writes a function may raise any
        (of_the_server("alice"), "other"),
        (ConnectionResetError(), "none"),
        (TimeoutError(), "none"),
        (asyncpg.InterfaceError("a message"), "none"),
    ],
)
def test_an_error_is_counted_by_a_label_of_a_fixed_set(
    error: Exception, label: str, counted: list[str]
) -> None:
    errors.translated(error)
    assert counted == [label]
    assert label in errors.LABELS


def test_the_set_of_labels_is_that_of_the_manual() -> None:
    assert {"08", "22", "23", "28", "40", "42", "53", "55", "57", "58", "XX"} <= {*errors.LABELS}
    assert len(errors.LABELS) < 60


def test_a_connection_that_cannot_be_had_and_a_misuse_are_counted_too(counted: list[str]) -> None:
    errors.unreachable("no connection in time")
    errors.unreachable("refused", "28P01")
    errors.misused("asked after its end")
    assert counted == ["none", "28", "none"]
