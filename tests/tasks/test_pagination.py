"""A cursor says where to go on in one person's list, and says it in one way only."""

from typing import Any, Final

import pytest

from api.auth.authenticator import User
from api.http.problems import Failure, Kind
from api.tasks.pagination import Position, bound
from api.tasks.schemas import Sort, TaskPage

ALICE: Final = User("alice")
ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
DATE: Final = "2026-11-21T08:00:00.123456Z"
LARGEST: Final = 2**53 - 1
BY_TITLE: Final = TaskPage(sort=Sort.TITLE)
NEWEST: Final = TaskPage()
HERS: Final = bound(ALICE, BY_TITLE)

TITLES: Final = [
    "Buy milk",
    "x",
    '"',
    "\\",
    "\n\t\x01\x7f\u2028",
    "\u00e9",
    "\u65e5\u672c\u8a9e",
    "\U0001f95b" * 200,
    "\x01" * 200,
]


def refused(cursor: str, to: str = HERS, sort: Sort = Sort.TITLE) -> bool:
    try:
        Position.at(cursor, to, sort)
    except Failure as failure:
        parameters = [error["parameter"] for error in failure.errors]
        return (failure.kind, parameters) == (Kind.MALFORMED_REQUEST, ["cursor"])
    return False


@pytest.mark.parametrize("title", TITLES, ids=lambda title: ascii(title[:20]))
@pytest.mark.parametrize("task_id", [1, 7, LARGEST])
def test_a_position_comes_back_out_of_its_cursor(title: str, task_id: int) -> None:
    positions = [Position("after", title, task_id), Position("before", title, task_id)]
    cursors = [position.cursor(HERS) for position in positions]
    assert [Position.at(cursor, HERS, Sort.TITLE) for cursor in cursors] == positions
    assert cursors[0] != cursors[1]
    for cursor in cursors:
        assert set(cursor) <= set(ALPHABET)
        assert len(cursor) < 2_000


def test_a_date_comes_back_to_the_microsecond() -> None:
    to = bound(ALICE, NEWEST)
    position = Position.at(Position("after", DATE, 7).cursor(to), to, Sort.NEWEST)
    values = position.values(Sort.NEWEST)
    assert values["at_id"] == 7
    assert f"{values['at']:%Y-%m-%dT%H:%M:%S.%fZ}" == DATE


@pytest.mark.parametrize("title", ["Buy milk", "Buy bread", "Buy beer"])  # all lengths of base64
def test_no_single_character_of_a_cursor_can_be_another(title: str) -> None:
    cursor = Position("after", title, 7).cursor(HERS)
    assert not refused(cursor)
    others = ALPHABET + "+/=. \n\0%\u00e9"
    for place, character in enumerate(cursor):
        for other in others.replace(character, ""):
            assert refused(cursor[:place] + other + cursor[place + 1 :])
    for place in range(len(cursor) + 1):
        assert place == len(cursor) or refused(cursor[:place] + cursor[place + 1 :])
        for other in others:
            assert refused(cursor[:place] + other + cursor[place:])


def test_no_part_of_a_cursor_is_one() -> None:
    cursor = Position("after", "Buy milk", 7).cursor(HERS)
    for start in range(len(cursor)):
        for end in range(start, len(cursor) + 1):
            assert refused(cursor[start:end]) or (start, end) == (0, len(cursor))


def test_a_cursor_is_of_one_person_s_list() -> None:
    pages = [
        TaskPage(),
        TaskPage(completed=True),
        TaskPage(completed=False),
        TaskPage(q="milk"),
        TaskPage(q="Milk"),
        *(TaskPage(sort=sort) for sort in Sort if sort is not Sort.NEWEST),
        *(
            TaskPage.model_validate({name: date})
            for name in ("created_after", "created_before", "updated_after", "updated_before")
            for date in ("2026-11-21T08:00:00Z", "2026-11-21T08:00:00.000001Z")
        ),
    ]
    lists = [bound(user, page) for user in (ALICE, User("alic"), User("bob")) for page in pages]
    position = Position("after", DATE, 7)
    for to in lists:
        cursor = position.cursor(to)
        assert [other for other in lists if not refused(cursor, other, Sort.NEWEST)] == [to]


def test_whose_a_list_is_and_what_it_is_of_are_not_mixed_up() -> None:
    assert bound(ALICE, TaskPage(q="bob")) != bound(User("bob"), TaskPage(q="alice"))


def test_a_list_is_the_same_wherever_a_page_begins_and_however_long_it_is() -> None:
    plain = bound(ALICE, TaskPage())
    assert bound(ALICE, TaskPage(limit=3)) == plain
    assert bound(ALICE, TaskPage(offset=3)) == plain
    assert bound(ALICE, TaskPage(sort=Sort.NEWEST)) == plain
    assert bound(ALICE, TaskPage(cursor="x")) == plain


# Whoever reads this program can make a cursor with the right digest.
FORGED: Final[list[tuple[Sort, Any, Any, Any]]] = [
    (Sort.TITLE, "sideways", "x", 1),
    (Sort.TITLE, "top", "x", 1),
    (Sort.TITLE, "", "x", 1),
    (Sort.TITLE, None, "x", 1),
    (Sort.TITLE, ["after"], "x", 1),
    (Sort.TITLE, {}, "x", 1),
    (Sort.TITLE, "after", None, 1),
    (Sort.TITLE, "after", 7, 1),
    (Sort.TITLE, "after", ["x"], 1),
    (Sort.TITLE, "after", "\0", 1),
    (Sort.TITLE, "after", "x", "1"),
    (Sort.TITLE, "after", "x", 1.0),
    (Sort.TITLE, "after", "x", 1.5),
    (Sort.TITLE, "after", "x", True),
    (Sort.TITLE, "after", "x", None),
    (Sort.TITLE, "after", "x", 0),
    (Sort.TITLE, "after", "x", -1),
    (Sort.TITLE, "after", "x", LARGEST + 1),
    (Sort.TITLE, "after", "x", 2**63),
    (Sort.TITLE, "after", "x", 2**100),
    (Sort.TITLE, "after", "x", float("nan")),
    (Sort.NEWEST, "after", "", 1),
    (Sort.NEWEST, "after", "x", 1),
    (Sort.NEWEST, "after", "2026-13-21T08:00:00.123456Z", 1),
    (Sort.NEWEST, "after", "0000-11-21T08:00:00.123456Z", 1),
    (Sort.NEWEST, "after", "0001-01-01T00:00:00.000000+00:01", 1),
    (Sort.NEWEST, "before", "9999-12-31T23:59:59.999999-00:01", 1),
    (Sort.UPDATED_ASC, "after", "infinity", 1),
]


@pytest.mark.evidence("cursors")
@pytest.mark.parametrize(("sort", "start", "value", "task_id"), FORGED, ids=repr)
def test_a_forged_cursor_holds_nothing_that_a_real_one_does_not(
    sort: Sort, start: Any, value: Any, task_id: Any
) -> None:
    to = bound(ALICE, TaskPage(sort=sort))
    assert refused(Position(start, value, task_id).cursor(to), to, sort)
