"""Completing a task that repeats makes the next one: once, and with all of its text."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx2
import psycopg
import pytest

from tests.cluster import TaskDatabase
from tests.locks import held
from tests.people import Person
from tests.problems import problem

FAR: Final = "2999-01-31"  # in no zone today
Completes = Callable[[Person, dict[str, Any]], httpx2.Response]


def by(method: str, suffix: str, body: object) -> Completes:
    return lambda person, task: person.http.request(
        method, f"/api/tasks/{task['id']}{suffix}", json=body
    )


WAYS: Final[dict[str, Completes]] = {
    "complete": by("PATCH", "/complete", {"completed": True}),
    "toggle": by("PATCH", "/complete", {}),
    "PUT": by("PUT", "", {"completed": True}),
    "PATCH": by("PATCH", "", {"completed": True}),
}
each_way = pytest.mark.parametrize("way", WAYS)


def completes(person: Person, task: dict[str, Any], way: str = "complete") -> dict[str, Any]:
    answer = WAYS[way](person, task)
    assert answer.status_code == 200, answer.text
    done: dict[str, Any] = answer.json()
    assert done["completed"] is True
    return done


def follows(person: Person, done: dict[str, Any]) -> dict[str, Any]:
    """The task that follows one that was completed."""
    assert done["next_id"] is not None
    found = person.sees(done["next_id"])
    assert found is not None
    return found


def changes(person: Person, task: dict[str, Any], **members: Any) -> dict[str, Any]:
    answer = person.http.patch(f"/api/tasks/{task['id']}", json=members)
    assert answer.status_code == 200, answer.text
    changed: dict[str, Any] = answer.json()
    return changed


def day(days: int, zone: str = "UTC") -> str:
    """The day that is so many days from today."""
    return (datetime.now(ZoneInfo(zone)).date() + timedelta(days)).isoformat()


# the next one


@each_way
def test_the_next_one_has_all_but_the_day_and_the_completed_one_keeps_its_text(
    alice: Person, way: str
) -> None:
    task = alice.creates(
        "Pay the rent",
        description="By transfer",
        priority="high",
        tags=["Home", "money"],
        due_date="2999-01-15",
        due_time="09:30",
        time_zone="Europe/Berlin",
        repeat="FREQ=MONTHLY",
    )
    done = completes(alice, task, way)
    own = {name: done[name] for name in ("completed_at", "updated_at", "version", "next_id")}
    assert done == task | own | {"completed": True, "repeat": None}
    assert done["version"] > task["version"]
    assert alice.sees(task["id"]) == done
    following = follows(alice, done)
    own = {name: following[name] for name in ("id", "created_at", "updated_at")}
    assert following == task | own | {"due_date": "2999-02-15", "version": 1}
    assert following["id"] > task["id"]
    assert alice.lists(sort="created_at") == [done, following]
    assert alice.lists(tags="HOME", completed="false") == [following]


@each_way
def test_the_answer_is_of_the_task_as_it_is_then(alice: Person, way: str) -> None:
    task = alice.creates(due_date=FAR, repeat="FREQ=DAILY")
    answer = WAYS[way](alice, task)
    assert answer.json() == alice.sees(task["id"])
    assert answer.headers["ETag"] == f'"{answer.json()["version"]}"'


def test_each_next_one_is_followed_by_another(alice: Person) -> None:
    task, days = alice.creates(due_date="2999-01-01", repeat="FREQ=WEEKLY;BYDAY=TU,FR"), []
    for _ in range(4):
        task = follows(alice, completes(alice, task))
        days.append(task["due_date"])
    assert days == ["2999-01-04", "2999-01-08", "2999-01-11", "2999-01-15"]


@pytest.mark.parametrize(
    ("rule", "first", "days"),
    [
        ("FREQ=MONTHLY", "2998-01-31", ["2998-02-28", "2998-03-31", "2998-04-30", "2998-05-31"]),
        ("FREQ=YEARLY", "2996-02-29", ["2997-02-28", "2998-02-28", "2999-02-28", "3000-02-28"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "2998-01-31", ["2998-03-31", "2998-05-31"]),
        ("FREQ=DAILY;INTERVAL=3", "2998-12-30", ["2999-01-02", "2999-01-05"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", "2998-01-26", ["2998-02-23", "2998-03-30"]),
    ],
)
def test_the_day_of_the_month_is_kept_over_shorter_months(
    alice: Person, rule: str, first: str, days: list[str]
) -> None:
    task, found = alice.creates(due_date=first, repeat=rule), []
    for _ in days:
        task = changes(alice, follows(alice, completes(alice, task)), title="Another title")
        found.append(task["due_date"])
    assert found == days


def test_a_series_that_was_given_another_day_goes_on_from_there(alice: Person) -> None:
    task = alice.creates(due_date="2998-01-31", repeat="FREQ=MONTHLY")
    second = follows(alice, completes(alice, task))
    assert second["due_date"] == "2998-02-28"
    changes(alice, second, due_date="2998-02-20")
    changes(alice, second, due_date="2998-02-28")
    assert follows(alice, completes(alice, second))["due_date"] == "2998-03-28"


def test_sent_back_as_it_was_read_it_keeps_the_day_of_the_month(alice: Person) -> None:
    task = alice.creates(due_date="2998-01-31", repeat="FREQ=MONTHLY")
    second = follows(alice, completes(alice, task))
    done = alice.http.put(f"/api/tasks/{second['id']}", json=second | {"completed": True}).json()
    assert follows(alice, done)["due_date"] == "2998-03-31"


def test_what_is_said_with_it_counts(alice: Person) -> None:
    task = alice.creates(due_date="2999-01-01", repeat="FREQ=DAILY")
    done = changes(alice, task, completed=True, title="New", due_date="2999-01-10", tags=["x"])
    following = follows(alice, done)
    assert (following["title"], following["tags"]) == ("New", ["x"])
    assert following["due_date"] == "2999-01-11"
    given = changes(
        alice, alice.creates(), completed=True, due_date="2999-01-01", repeat="FREQ=DAILY"
    )
    assert follows(alice, given)["due_date"] == "2999-01-02"
    taken = changes(alice, following, completed=True, repeat=None)
    assert (taken["next_id"], taken["repeat"]) == (None, None)


# from when


def test_what_is_overdue_is_due_next_on_a_day_that_is_not_past(alice: Person) -> None:
    task = alice.creates(due_date=day(-10), repeat="FREQ=DAILY;INTERVAL=3")
    assert follows(alice, completes(alice, task))["due_date"] == day(2)
    task = alice.creates(due_date=day(-9), repeat="FREQ=DAILY;INTERVAL=3")
    assert follows(alice, completes(alice, task))["due_date"] == day(0)


def test_from_completion_it_counts_from_the_day_of_completion(alice: Person) -> None:
    for due_date in (day(-100), day(0), day(100)):
        task = alice.creates(
            due_date=due_date, repeat="FREQ=DAILY;INTERVAL=3", repeat_from="completion"
        )
        following = follows(alice, completes(alice, task))
        assert (following["due_date"], following["repeat_from"]) == (day(3), "completion")


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_today_is_the_day_in_the_zone_of_the_task(alice: Person, zone: str) -> None:
    task = alice.creates(due_date=day(-5), due_time="12:00", time_zone=zone, repeat="FREQ=DAILY")
    before = day(0, zone)
    following = follows(alice, completes(alice, task))
    assert following["due_date"] in {before, day(0, zone)}
    assert (following["due_time"], following["time_zone"]) == ("12:00", zone)


@each_way
def test_a_zone_that_only_a_newer_server_knows_is_no_obstacle(
    alice: Person, database: TaskDatabase, way: str
) -> None:
    task = alice.creates(due_date=day(-5), due_time="12:00", repeat="FREQ=DAILY")
    with psycopg.connect(database.superuser) as newer:
        newer.execute("update task set time_zone = 'Moon/Base' where id = %s", [task["id"]])
    before = day(0)
    following = follows(alice, completes(alice, task, way))
    assert following["due_date"] in {before, day(0)}
    assert following["time_zone"] == "Moon/Base"


def test_the_time_on_the_wall_stays_when_clocks_are_changed(alice: Person) -> None:
    task = alice.creates(
        due_date="2037-03-28", due_time="02:30", time_zone="Europe/Berlin", repeat="FREQ=DAILY"
    )
    for expected in ("2037-03-29", "2037-03-30"):
        task = follows(alice, completes(alice, task))
        assert (task["due_date"], task["due_time"]) == (expected, "02:30")


# until when


def test_a_count_counts_down_and_ends_the_series(alice: Person) -> None:
    task = alice.creates(due_date="2999-01-01", repeat="FREQ=DAILY;COUNT=3")
    left = []
    for _ in range(2):
        task = follows(alice, completes(alice, task))
        left.append(task["repeat"])
    assert left == ["FREQ=DAILY;COUNT=2", "FREQ=DAILY;COUNT=1"]
    last = completes(alice, task)
    assert (last["next_id"], last["repeat"]) == (None, None)
    assert len(alice.lists()) == 3


def test_skipped_days_count_too(alice: Person) -> None:
    task = alice.creates(due_date=day(-3), repeat="FREQ=DAILY;COUNT=5")
    following = follows(alice, completes(alice, task))
    assert (following["due_date"], following["repeat"]) == (day(0), "FREQ=DAILY;COUNT=2")
    task = alice.creates(due_date=day(-3), repeat="FREQ=DAILY;COUNT=3")
    assert completes(alice, task)["next_id"] is None


def test_the_last_day_of_a_rule_ends_the_series(alice: Person) -> None:
    task = alice.creates(due_date="2999-01-01", repeat="FREQ=DAILY;UNTIL=29990102")
    second = follows(alice, completes(alice, task))
    assert (second["due_date"], second["repeat"]) == ("2999-01-02", "FREQ=DAILY;UNTIL=29990102")
    last = completes(alice, second)
    assert (last["next_id"], last["repeat"]) == (None, None)


@pytest.mark.parametrize("repeat_from", ["due", "completion"])
def test_at_the_end_of_time_a_series_ends(alice: Person, repeat_from: str) -> None:
    task = alice.creates(due_date="9999-12-31", repeat="FREQ=DAILY", repeat_from=repeat_from)
    assert (completes(alice, task)["next_id"] is None) == (repeat_from == "due")


# once


@each_way
def test_completing_again_makes_nothing(alice: Person, way: str) -> None:
    done = completes(alice, alice.creates(due_date=FAR, repeat="FREQ=DAILY"), way)
    for again in ("complete", "PUT", "PATCH"):
        assert completes(alice, done, again) == done
    assert len(alice.lists()) == 2


@each_way
def test_nor_does_undoing_and_doing_it(alice: Person, way: str) -> None:
    done = completes(alice, alice.creates(due_date=FAR, repeat="FREQ=DAILY"))
    undone = changes(alice, done, completed=False)
    assert (undone["next_id"], undone["repeat"]) == (done["next_id"], None)
    assert undone["completed_at"] is None
    redone = completes(alice, undone, way)
    assert redone["next_id"] == done["next_id"]
    assert len(alice.lists()) == 2


def test_a_task_that_was_created_completed_makes_none(alice: Person) -> None:
    task = alice.creates(due_date=FAR, repeat="FREQ=DAILY", completed=True)
    assert (task["next_id"], task["repeat"]) == (None, "FREQ=DAILY")
    for way in ("complete", "PUT", "PATCH"):
        assert completes(alice, task, way) == task
    assert alice.http.put(f"/api/tasks/{task['id']}", json=task).json() == task
    assert alice.lists() == [task]
    undone = changes(alice, task, completed=False)
    assert follows(alice, completes(alice, undone))["due_date"] == "2999-02-01"


def test_a_completed_one_that_is_given_a_rule_makes_none_until_it_is_completed(
    alice: Person,
) -> None:
    first = completes(alice, alice.creates(due_date=FAR))
    given = changes(alice, first, repeat="FREQ=WEEKLY")
    assert (given["next_id"], given["repeat"]) == (None, "FREQ=WEEKLY")
    assert completes(alice, given) == given
    assert len(alice.lists()) == 1
    again = completes(alice, changes(alice, given, completed=False))
    assert follows(alice, again)["due_date"] == "2999-02-07"


@each_way
@pytest.mark.parametrize("deleted", [False, True])
def test_what_has_been_followed_is_not_followed_again_whatever_rule_it_is_given(
    alice: Person, way: str, deleted: bool
) -> None:
    done = completes(alice, alice.creates(due_date=FAR, repeat="FREQ=DAILY"))
    if deleted:
        alice.http.delete(f"/api/tasks/{done['next_id']}")
    given = changes(alice, done, completed=False, repeat="FREQ=WEEKLY")
    again = completes(alice, given, way)
    assert (again["next_id"], again["repeat"]) == (done["next_id"], "FREQ=WEEKLY")
    assert len(alice.lists()) == 2 - deleted


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_all_of_it_sent_twice_makes_one(alice: Person, method: str) -> None:
    body = {"title": "x", "due_date": FAR, "repeat": "FREQ=DAILY"}
    path = f"/api/tasks/{alice.creates(**body)['id']}"
    answers = [
        alice.http.request(method, path, json=body | {"completed": completed})
        for completed in (True, True, False, True)
    ]
    assert len({answer.json()["next_id"] for answer in answers}) == 1
    assert len(alice.lists()) == 2


@pytest.mark.parametrize("key", ["one", None])
def test_a_retry_makes_no_second_one(alice: Person, key: str | None) -> None:
    task = alice.creates(due_date=FAR, repeat="FREQ=DAILY")
    headers = {} if key is None else {"Idempotency-Key": key}
    path, body = f"/api/tasks/{task['id']}/complete", {"completed": True}
    answers = [alice.http.patch(path, json=body, headers=headers) for _ in range(3)]
    assert [answer.json() for answer in answers] == [answers[0].json()] * 3
    assert len(alice.lists()) == 2


def test_a_toggle_with_a_key_is_done_once(alice: Person) -> None:
    task = alice.creates(due_date=FAR, repeat="FREQ=DAILY")
    path, headers = f"/api/tasks/{task['id']}/complete", {"Idempotency-Key": "one"}
    answers = [alice.http.patch(path, headers=headers) for _ in range(2)]
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert answers[0].json() == answers[1].json() == alice.sees(task["id"])
    assert len(alice.lists()) == 2


@pytest.mark.parametrize("if_match", ['"999"', 'W/"1"'])
@each_way
def test_what_is_not_as_it_was_makes_none(alice: Person, way: str, if_match: str) -> None:
    task = alice.creates(due_date=FAR, repeat="FREQ=DAILY")
    suffix = "/complete" if way in ("complete", "toggle") else ""
    method = "PUT" if way == "PUT" else "PATCH"
    body = None if way == "toggle" else {"completed": True}
    answer = alice.http.request(
        method, f"/api/tasks/{task['id']}{suffix}", json=body, headers={"If-Match": if_match}
    )
    assert problem(answer, 412)["current"] == task
    assert alice.lists() == [task]


def test_completed_already_it_still_has_to_be_as_it_was(alice: Person) -> None:
    task = alice.creates(completed=True)
    path, body = f"/api/tasks/{task['id']}/complete", {"completed": True}
    answer = alice.http.patch(path, json=body, headers={"If-Match": '"2"'})
    assert problem(answer, 412)["current"] == task
    answer = alice.http.patch(path, json=body, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()) == (200, task)


@pytest.mark.parametrize("ways", [("complete", "complete"), ("PUT", "complete"), ("PATCH", "PUT")])
def test_two_who_complete_it_at_the_same_moment_make_one(
    alice: Person, database: TaskDatabase, ways: tuple[str, str]
) -> None:
    task = alice.creates(due_date=FAR, repeat="FREQ=DAILY")
    lock = "select from task where id = %s for update"
    with ThreadPoolExecutor(2) as pool:
        with held(database.superuser, lock, task["id"]) as waiting:
            both = [pool.submit(completes, alice, task, way) for way in ways]
            waiting(2)
        first, second = (one.result() for one in both)
    assert first["next_id"] == second["next_id"] is not None
    assert len(alice.lists()) == 2


def test_of_many_toggles_at_once_one_makes_it(alice: Person) -> None:
    task = alice.creates(due_date=FAR, repeat="FREQ=DAILY")
    with ThreadPoolExecutor(8) as pool:
        answers = [*pool.map(lambda _: WAYS["toggle"](alice, task), range(8))]
    assert {answer.status_code for answer in answers} == {200}
    assert len(alice.lists()) == 2
    assert [task["repeat"] for task in alice.lists()].count(None) == 1


# what stays


def test_the_next_one_s_id_stays_when_that_is_deleted(alice: Person) -> None:
    done = completes(alice, alice.creates(due_date=FAR, repeat="FREQ=DAILY"))
    assert alice.http.delete(f"/api/tasks/{done['next_id']}").status_code == 204
    assert alice.sees(done["id"]) == done


def test_clearing_what_is_completed_ends_no_series(alice: Person) -> None:
    done = completes(alice, alice.creates(due_date=FAR, repeat="FREQ=DAILY"))
    assert alice.http.delete("/api/tasks?completed=true").json() == {"deleted": 1}
    (left,) = alice.lists()
    assert (left["id"], left["repeat"]) == (done["next_id"], "FREQ=DAILY")


def test_bob_completes_nothing_of_hers(alice: Person, bob: Person) -> None:
    task = alice.creates(due_date=FAR, repeat="FREQ=DAILY")
    for way in WAYS:
        assert WAYS[way](bob, task).status_code == 404
    assert alice.lists() == [task]
    assert bob.lists() == []
