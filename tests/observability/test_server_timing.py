"""Server-Timing: how long what took, told to those front ends that may call."""

import re
from collections.abc import Iterator

import pytest

from tests.cluster import TaskDatabase
from tests.people import Person
from tests.server import people_of

FRONT_END = "https://app.example.com"


@pytest.fixture
def timed_alice(database: TaskDatabase) -> Iterator[Person]:
    with people_of(database, cors_origins=FRONT_END, server_timing="on") as people:
        yield people.person("alice")


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/api/tasks", ["total", "auth", "db"]),
        ("/api/tasks/7", ["total", "auth", "db"]),
        ("/api/tasks?title=x", ["total", "auth"]),
        ("/nowhere", ["total"]),
    ],
)
def test_each_answer_says_how_long_its_parts_took(
    timed_alice: Person, path: str, parts: list[str]
) -> None:
    told = timed_alice.http.get(path).headers["Server-Timing"].split(", ")
    found = [re.fullmatch(r"([a-z]+);dur=(\d+\.\d\d)", one) for one in told]
    times = {one[1]: float(one[2]) for one in found if one}
    assert list(times) == parts
    assert times["total"] > 0
    assert times["total"] >= sum(times.values()) - times["total"] - 0.02  # rounded


def test_a_stranger_is_told_how_long_it_took_to_turn_them_away(timed_alice: Person) -> None:
    answer = timed_alice.http.get("/api/tasks", headers={"Authorization": "Bearer x"})
    assert "auth;dur=" in answer.headers["Server-Timing"]
    assert "db" not in answer.headers["Server-Timing"]


def test_a_page_of_a_front_end_may_read_it_and_no_other(timed_alice: Person) -> None:
    ours = timed_alice.http.get("/api/tasks", headers={"Origin": FRONT_END})
    assert ours.headers["Timing-Allow-Origin"] == FRONT_END
    for headers in ({"Origin": "https://evil.example.com"}, {}):
        answer = timed_alice.http.get("/api/tasks", headers=headers)
        assert "Timing-Allow-Origin" not in answer.headers


def test_by_default_nobody_is_told(alice: Person) -> None:
    answer = alice.http.get("/api/tasks", headers={"Origin": FRONT_END})
    assert answer.headers["Access-Control-Allow-Origin"] == FRONT_END
    assert not {"server-timing", "timing-allow-origin"} & set(answer.headers)
