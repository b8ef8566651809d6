"""Idempotency-Key: a request that is sent again has its effect once."""

import http.client
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx2
import psycopg
import pytest

from tests.cluster import TaskDatabase
from tests.locks import held
from tests.people import People, Person
from tests.problems import problem
from tests.program import run
from tests.server import people_of

MISSING = 2**53 - 1
KEY = '"7d1f3a52"'


@dataclass
class Action:
    """Something that should be done once: a method, an address, a body, and its effect."""

    person: Person
    method: str
    address: str
    body: Any
    status: int

    def sends(self, key: str | None = KEY, **headers: str) -> httpx2.Response:
        if key is not None:
            headers["Idempotency-Key"] = key
        given = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
        return self.person.http.request(self.method, self.address, json=self.body, headers=given)

    def effects(self) -> int:
        """How often it was done."""
        tasks = self.person.lists()
        if self.method == "PATCH":
            (task,) = tasks
            etag = self.person.http.get(f"/api/tasks/{task['id']}").headers["ETag"]
            return int(etag.strip('"')) - 1
        return len(tasks) // (len(self.body) if isinstance(self.body, list) else 1)


def creating(alice: Person) -> Action:
    return Action(alice, "POST", "/api/tasks", {"title": "Buy milk \U0001f95b"}, 201)


def creating_several(alice: Person) -> Action:
    body = [{"title": f"Buy \u201cmilk\u201d {n}", "completed": n == 1} for n in range(3)]
    return Action(alice, "POST", "/api/tasks/bulk", body, 201)


def toggling(alice: Person) -> Action:
    return Action(alice, "PATCH", f"/api/tasks/{alice.creates()['id']}/complete", None, 200)


ACTIONS: dict[str, Callable[[Person], Action]] = {
    "create": creating,
    "create several": creating_several,
    "toggle": toggling,
}


@pytest.fixture(params=ACTIONS)
def action(request: pytest.FixtureRequest, alice: Person) -> Action:
    return ACTIONS[request.param](alice)


@pytest.fixture
def as_superuser(database: TaskDatabase) -> Iterator[psycopg.Connection]:
    """The only one who can see what is remembered of everybody, and make it older."""
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        yield connection


@pytest.fixture
def own_people(own_database: TaskDatabase) -> Iterator[People]:
    """The people of an API whose database a test may break."""
    with people_of(own_database) as people:
        yield people


def remembered(as_superuser: psycopg.Connection, person: Person) -> list[str]:
    rows = as_superuser.execute(
        "select key from idempotency_key where user_id = %s order by key", [person.id]
    )
    return [key for (key,) in rows]


def is_replayed(answer: httpx2.Response, first: httpx2.Response) -> bool:
    """Is it the first answer again, which says so?"""
    if "Idempotency-Replayed" not in answer.headers:
        return False
    assert answer.headers["Idempotency-Replayed"] == "true"
    assert (answer.status_code, answer.content) == (first.status_code, first.content)
    own = {"date", "x-request-id", "idempotency-replayed", "ratelimit"}
    assert {k: v for k, v in answer.headers.items() if k not in own} == {
        k: v for k, v in first.headers.items() if k not in own
    }
    return True


# again


def test_what_is_sent_again_is_done_once_and_answered_as_before(action: Action) -> None:
    first = action.sends()
    assert first.status_code == action.status
    assert "Idempotency-Replayed" not in first.headers
    assert ("Location" in first.headers) is (action.address == "/api/tasks")
    assert ("ETag" in first.headers) is (action.address != "/api/tasks/bulk")
    ids = {first.headers["X-Request-Id"]}
    for _ in range(2):
        again = action.sends()
        assert is_replayed(again, first)
        ids.add(again.headers["X-Request-Id"])
        assert action.effects() == 1
    assert len(ids) == 3  # each is a request of its own


def test_without_a_key_it_is_done_each_time(action: Action) -> None:
    for times in (1, 2):
        answer = action.sends(None)
        assert answer.status_code == action.status
        assert "Idempotency-Replayed" not in answer.headers
        assert action.effects() == times


def test_with_another_key_it_is_done_again(action: Action) -> None:
    answers = {}
    for times, key in enumerate(('"k"', '"K"', '"k "', '" k"', '"kk"'), 1):
        answers[key] = action.sends(key)
        assert answers[key].status_code == action.status
        assert "Idempotency-Replayed" not in answers[key].headers
        assert action.effects() == times
    for key, first in answers.items():
        assert is_replayed(action.sends(key), first)


def test_what_changed_in_between_stays_as_it_is(action: Action) -> None:
    first = action.sends()
    task = action.person.lists()[0]
    address = f"/api/tasks/{task['id']}"
    changed = action.person.http.put(address, json={"title": "Buy bread"}).json()
    assert is_replayed(action.sends(), first)
    assert action.person.sees(task["id"]) == changed


def test_what_was_deleted_in_between_stays_away(action: Action) -> None:
    first = action.sends()
    for task in action.person.lists():
        action.person.http.delete(f"/api/tasks/{task['id']}")
    assert is_replayed(action.sends(), first)
    assert action.person.lists() == []


def test_the_answer_is_given_again_to_a_front_end_too(action: Action) -> None:
    first = action.sends()
    again = action.sends(Origin="https://app.example.com")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content == first.content
    assert again.headers["Access-Control-Allow-Origin"] == "https://app.example.com"


def test_what_was_done_on_a_condition_is_not_compared_again(alice: Person) -> None:
    action = toggling(alice)
    first = action.sends(**{"If-Match": '"1"'})
    assert first.status_code == 200
    assert is_replayed(action.sends(**{"If-Match": '"1"'}), first)
    problem(action.sends('"another"', **{"If-Match": '"1"'}), 412)
    assert action.effects() == 1


# what a key is

QUOTE = '\\"'  # as it stands in a string
SAME_KEYS = {
    "with quotes and without": ("7d1f", '"7d1f"'),
    "a backslash": ("a\\b", '"a\\\\b"'),
    "one character": ("x", '"x"'),
    "255 characters": ("x" * 255, f'"{"x" * 255}"'),
    "255 quotes": (f'"{QUOTE * 255}"', f'"{QUOTE * 255}"'),
    "a space": ('" "', '" "'),
    "a list, in quotes": ('"a, b"', '"a, b"'),
    "a quote": ('"a\\"b"', '"a\\"b"'),
    "a parameter's signs": ("a;b=c", '"a;b=c"'),
    "every sign": ("!#$%&'()*+-./:;<=>?@[]^_`{|}~", '"!#$%&\'()*+-./:;<=>?@[]^_`{|}~"'),
}


@pytest.mark.parametrize(("one", "other"), SAME_KEYS.values(), ids=SAME_KEYS)
def test_a_key_may_be_written_so_or_so(alice: Person, one: str, other: str) -> None:
    action = creating(alice)
    first = action.sends(one)
    assert first.status_code == 201
    assert is_replayed(action.sends(other), first)
    assert is_replayed(action.sends(one), first)
    assert action.effects() == 1


MALFORMED = {
    "nothing": "",
    "an empty string": '""',
    "256 characters": "x" * 256,
    "256 characters in quotes": f'"{"x" * 256}"',
    "5,000 characters": "x" * 5_000,
    "a quote before": '"mark7f3a',
    "a quote behind": 'mark7f3a"',
    "a quote within": 'a"mark7f3a',
    "a quote within quotes": '"a"mark7f3a"',
    "two words": "a mark7f3a",
    "a list": "a,mark7f3a",
    "a list of strings": '"a", "mark7f3a"',
    "a string and something": '"mark7f3a" x',
    "a string with a parameter": '"mark7f3a";a=1',
    "an escaped letter": '"a\\mark7f3a"',
    "a string that ends in an escape": '"mark7f3a\\"',
    "Latin-1": "mark7f3a\u00e9",
    "Latin-1 in quotes": '"mark7f3a\u00e9"',
    "UTF-8": "mark7f3a\u00c3\u00a9",
    "UTF-8 in quotes": '"mark7f3a\u00c3\u00a9"',
    "a tab": "a\tmark7f3a",
    "a tab in quotes": '"a\tmark7f3a"',
}


@pytest.mark.parametrize("key", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_key_is_refused(alice: Person, key: str) -> None:
    action = creating(alice)
    (error,) = problem(action.sends(key), 400, "malformed-request")["errors"]
    assert error["header"] == "Idempotency-Key"
    assert action.effects() == 0


def test_two_lines_are_no_key(action: Action) -> None:
    answer = action.sends('"one"', **{"idempotency-key": '"another"'})
    (error,) = problem(answer, 400, "malformed-request")["errors"]
    assert error["header"] == "Idempotency-Key"
    assert action.effects() == 0


# another request


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"title": "x"}, {"title": " x ", "description": None, "completed": False}),
        ({"title": "x", "completed": True}, {"completed": True, "title": "x"}),
    ],
)
def test_a_request_is_what_it_says_however_it_is_written(
    alice: Person, one: dict[str, Any], other: dict[str, Any]
) -> None:
    first = Action(alice, "POST", "/api/tasks", one, 201).sends()
    assert is_replayed(Action(alice, "POST", "/api/tasks", other, 201).sends(), first)
    assert len(alice.lists()) == 1


CREATE = ("POST", "/api/tasks")
BULK = ("POST", "/api/tasks/bulk")
ONE = {"title": "Buy milk"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((*CREATE, ONE), (*CREATE, {"title": "Buy bread"})),
        ((*CREATE, ONE), (*CREATE, ONE | {"description": ""})),
        ((*CREATE, ONE), (*CREATE, ONE | {"completed": True})),
        ((*CREATE, ONE), (*BULK, [ONE])),
        ((*BULK, [ONE]), (*CREATE, ONE)),
        ((*BULK, [ONE]), (*BULK, [ONE, ONE])),
        ((*BULK, [ONE, {"title": "x"}]), (*BULK, [{"title": "x"}, ONE])),
        ((*CREATE, ONE), ("PATCH", "/api/tasks/{}/complete", None)),
        (("PATCH", "/api/tasks/{}/complete", None), (*CREATE, ONE)),
        (
            ("PATCH", "/api/tasks/{}/complete", None),
            ("PATCH", "/api/tasks/{}/complete", {"completed": True}),
        ),
        (
            ("PATCH", "/api/tasks/{}/complete", {"completed": True}),
            ("PATCH", "/api/tasks/{}/complete", {"completed": False}),
        ),
        (
            ("PATCH", "/api/tasks/{}/complete", None),
            ("PATCH", "/api/tasks/{other}/complete", None),
        ),
    ],
)
def test_a_key_is_not_for_another_request(
    alice: Person, one: tuple[str, str, Any], other: tuple[str, str, Any]
) -> None:
    places = alice.creates("here")["id"], alice.creates("there")["id"]

    def sends(method: str, address: str, body: Any) -> httpx2.Response:
        address = address.format(places[0], other=places[1])
        return Action(alice, method, address, body, 0).sends()

    first = sends(*one)
    assert first.is_success
    after = alice.lists()
    (error,) = problem(sends(*other), 422, "idempotency-key-reused")["errors"]
    assert error["header"] == "Idempotency-Key"
    assert alice.lists() == after
    assert is_replayed(sends(*one), first)
    assert alice.lists() == after


# failures


def test_a_refusal_does_not_use_the_key_up(alice: Person, as_superuser: psycopg.Connection) -> None:
    task = alice.creates()
    complete = f"/api/tasks/{task['id']}/complete"
    for method, address, body, headers, status in (
        ("POST", "/api/tasks", {"title": ""}, {}, 422),
        ("POST", "/api/tasks", {"title": 7}, {}, 422),
        ("POST", "/api/tasks?x=1", {"title": "x"}, {}, 422),
        ("POST", "/api/tasks/bulk", [{"title": "x"}, {"title": ""}], {}, 422),
        ("PATCH", f"/api/tasks/{MISSING}/complete", None, {}, 404),
        ("PATCH", complete, None, {"If-Match": '"7"'}, 412),
        ("PATCH", complete, None, {"If-Match": "7"}, 400),
        ("POST", "/api/tasks", {"title": "x"}, {"Authorization": "Bearer x"}, 401),
    ):
        headers = {"Idempotency-Key": KEY} | headers
        problem(alice.http.request(method, address, json=body, headers=headers), status)
        assert remembered(as_superuser, alice) == []
    done = alice.http.patch(complete, headers={"Idempotency-Key": KEY, "If-Match": '"1"'})
    assert done.status_code == 200
    assert "Idempotency-Replayed" not in done.headers
    assert remembered(as_superuser, alice) == [KEY.strip('"')]


def test_a_fault_does_not_use_the_key_up(own_people: People, own_database: TaskDatabase) -> None:
    with psycopg.connect(own_database.superuser, autocommit=True) as as_superuser:
        for make in ACTIONS.values():
            action = make(own_people.person("alice"))
            as_superuser.execute("alter table task add constraint no check (false) not valid")
            problem(action.sends(), 500, "internal-error")
            as_superuser.execute("alter table task drop constraint no")
            assert remembered(as_superuser, action.person) == []
            first = action.sends()
            assert first.status_code == action.status
            assert is_replayed(action.sends(), first)
            assert action.effects() == 1


# at the same time


def test_of_many_at_once_one_does_it_and_the_others_hear_of_it(action: Action) -> None:
    with ThreadPoolExecutor(6) as pool:
        for n in range(1, 6):
            answers = [*pool.map(action.sends, [f'"{n}"'] * 6)]
            (first,) = [one for one in answers if "Idempotency-Replayed" not in one.headers]
            assert first.status_code == action.status
            assert sum(is_replayed(one, first) for one in answers) == 5
            assert action.effects() == n


WHOLE_TABLE = "lock table task in exclusive mode"


def test_what_comes_while_the_first_is_running_waits_for_its_answer(
    action: Action, database: TaskDatabase
) -> None:
    with ThreadPoolExecutor(2) as pool:
        with held(database.superuser, WHOLE_TABLE) as waiting:
            first = pool.submit(action.sends)
            waiting(1)
            second = pool.submit(action.sends)
            waiting(2)
        assert first.result().status_code == action.status
        assert is_replayed(second.result(), first.result())
    assert action.effects() == 1


@pytest.mark.evidence("key-existence")
def test_other_people_do_not_wait(alice: Person, bob: Person, database: TaskDatabase) -> None:
    task = alice.creates()
    action = Action(alice, "PATCH", f"/api/tasks/{task['id']}/complete", None, 200)
    row = "select from task where id = %s for update"
    with ThreadPoolExecutor(2) as pool:
        with held(database.superuser, row, task["id"]) as waiting:
            running = pool.submit(action.sends)
            waiting(1)
            # of one person's writes the second waits for the first, whatever its key
            other = pool.submit(creating(alice).sends, '"another"')
            waiting(2)
            assert creating(bob).sends().status_code == 201
            waiting(2)
        assert running.result().status_code == 200
        assert other.result().status_code == 201


def test_when_the_first_is_killed_nothing_of_it_is_left(
    action: Action, database: TaskDatabase, as_superuser: psycopg.Connection
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with held(database.superuser, WHOLE_TABLE) as waiting:
            first = pool.submit(action.sends)
            (pid,) = waiting(1)
            as_superuser.execute("select pg_terminate_backend(%s)", [pid])
            problem(first.result(), 503, "unavailable")
        assert action.effects() == 0
        assert remembered(as_superuser, action.person) == []
    again = action.sends()
    assert again.status_code == action.status
    assert "Idempotency-Replayed" not in again.headers
    assert action.effects() == 1


def test_when_the_first_is_killed_it_is_done_once_and_both_hear_of_it(
    action: Action, database: TaskDatabase, as_superuser: psycopg.Connection
) -> None:
    with ThreadPoolExecutor(2) as pool:
        with held(database.superuser, WHOLE_TABLE) as waiting:
            first = pool.submit(action.sends)
            (pid,) = waiting(1)
            second = pool.submit(action.sends)
            waiting(2)
            as_superuser.execute("select pg_terminate_backend(%s)", [pid])
        answers = [first.result(), second.result()]
    assert [answer.status_code for answer in answers] == [action.status] * 2
    did, heard = sorted(answers, key=lambda answer: "Idempotency-Replayed" in answer.headers)
    assert "Idempotency-Replayed" not in did.headers
    assert is_replayed(heard, did)
    assert action.effects() == 1


def test_who_lost_the_connection_hears_what_was_done(
    action: Action, database: TaskDatabase
) -> None:
    person = action.person
    with held(database.superuser, WHOLE_TABLE) as waiting:
        connection = http.client.HTTPConnection(str(person.http.base_url.netloc, "ascii"))
        sent = person.http.build_request(
            action.method, action.address, json=action.body, headers={"Idempotency-Key": KEY}
        )
        connection.request(action.method, action.address, sent.content, {**sent.headers})
        waiting(1)
        connection.close()
    answer = action.sends()
    assert answer.status_code == action.status
    assert answer.headers["Idempotency-Replayed"] == "true"
    assert action.effects() == 1


def test_who_asks_while_it_takes_long_is_told_to_come_back(
    own_people: People, own_database: TaskDatabase
) -> None:
    with psycopg.connect(own_database.owner, autocommit=True) as owner:
        # longer than task_app waits for another's transaction, shorter than a statement may take
        owner.execute(
            "create function dawdle() returns trigger language plpgsql as"
            " $$ begin perform pg_sleep(4); return new; end $$"
        )
        owner.execute("create trigger dawdle before insert on task execute function dawdle()")
    action = creating(own_people.person("alice"))
    other = Action(action.person, "POST", "/api/tasks", {"title": "Buy bread"}, 201)
    sleeping = "select from pg_stat_activity where wait_event = 'PgSleep'"
    with (
        ThreadPoolExecutor(3) as pool,
        psycopg.connect(own_database.superuser, autocommit=True) as as_superuser,
    ):
        first = pool.submit(action.sends)
        while not as_superuser.execute(sleeping).fetchall():
            assert not first.done()
            time.sleep(0.02)
        for told in [pool.submit(action.sends), pool.submit(other.sends)]:
            problem(told.result(), 409, "request-in-progress")
            assert int(told.result().headers["Retry-After"]) > 0
        assert not first.done()
    assert first.result().status_code == 201
    assert is_replayed(action.sends(), first.result())
    assert action.effects() == 1


# a day later


def ages(as_superuser: psycopg.Connection, person: Person, by: str) -> None:
    as_superuser.execute(
        "update idempotency_key set created_at = now() - %s::interval where user_id = %s",
        [by, person.id],
    )


def test_what_is_not_a_day_old_is_remembered(
    action: Action, as_superuser: psycopg.Connection
) -> None:
    first = action.sends()
    ages(as_superuser, action.person, "23 hours 59 minutes")
    assert is_replayed(action.sends(), first)
    assert action.effects() == 1


def test_after_a_day_the_key_is_as_new(action: Action, as_superuser: psycopg.Connection) -> None:
    first = action.sends()
    ages(as_superuser, action.person, "24 hours 1 second")
    again = action.sends()
    assert again.status_code == action.status
    assert "Idempotency-Replayed" not in again.headers
    assert again.content != first.content
    assert action.effects() == 2
    assert is_replayed(action.sends(), again)


def test_after_a_day_the_key_may_be_for_something_else(
    alice: Person, as_superuser: psycopg.Connection
) -> None:
    creating(alice).sends()
    ages(as_superuser, alice, "25 hours")
    assert creating_several(alice).sends().status_code == 201


def test_with_each_new_key_the_old_ones_are_forgotten(
    alice: Person, as_superuser: psycopg.Connection
) -> None:
    for key in "abc":
        creating(alice).sends(key)
    assert remembered(as_superuser, alice) == ["a", "b", "c"]
    ages(as_superuser, alice, "25 hours")
    creating(alice).sends("d")
    assert remembered(as_superuser, alice) == ["d"]


def given_answers(
    as_superuser: psycopg.Connection, person: Person, number: int, *, size: int = 10
) -> None:
    """Answers of these many bytes, kept under the keys `old 0001` and so on, and expired."""
    as_superuser.execute(
        "insert into idempotency_key (user_id, key, fingerprint, status, headers, body, created_at)"
        " select %s, 'old ' || lpad(n::text, 4, '0'), 'f', 201, '{}', repeat('a', %s),"
        "  now() - interval '25 hours' + n * interval '1 ms' from generate_series(1, %s::int) as n",
        [person.id, size, number],
    )


@pytest.mark.evidence("many-expired-keys")
def test_of_the_old_keys_fifty_are_forgotten_at_a_time_the_oldest_first(
    alice: Person, bob: Person, as_superuser: psycopg.Connection
) -> None:
    for person in (alice, bob):
        given_answers(as_superuser, person, 120)
    for n, left in enumerate([70, 20, 0, 0], start=1):
        assert creating(alice).sends(f"new-{n}").status_code == 201
        old = [key for key in remembered(as_superuser, alice) if key.startswith("old")]
        assert old == [f"old {k:04}" for k in range(121 - left, 121)]
    assert len(remembered(as_superuser, bob)) == 120


def test_a_key_that_has_expired_is_as_new_though_older_ones_are_still_kept(
    alice: Person, as_superuser: psycopg.Connection
) -> None:
    given_answers(as_superuser, alice, 120)
    first = creating(alice).sends('"old 0119"')
    assert first.status_code == 201
    assert "Idempotency-Replayed" not in first.headers
    assert is_replayed(creating(alice).sends('"old 0119"'), first)
    assert len(alice.lists()) == 1


@pytest.mark.evidence("many-expired-keys")
def test_nobody_waits_for_an_old_key_that_another_request_deletes(
    alice: Person, database: TaskDatabase, as_superuser: psycopg.Connection
) -> None:
    given_answers(as_superuser, alice, 120)
    lock = "select from idempotency_key where user_id = %s and key < 'old 0040' for update"
    with held(database.superuser, lock, alice.id) as waiting:
        assert creating(alice).sends("new").status_code == 201
        waiting(0)
    left = [*range(1, 40), *range(90, 121)]  # those that are locked, and the newest
    assert remembered(as_superuser, alice) == ["new", *(f"old {n:04}" for n in left)]


@pytest.mark.parametrize("locked", ["old 0002", "%"])
def test_who_comes_with_an_expired_key_that_is_in_use_is_told_so(
    alice: Person, database: TaskDatabase, as_superuser: psycopg.Connection, locked: str
) -> None:
    given_answers(as_superuser, alice, 3)
    lock = "select from idempotency_key where user_id = %s and key like %s for update"
    with held(database.superuser, lock, alice.id, locked):
        problem(creating(alice).sends('"old 0002"'), 409, "request-in-progress")
    assert creating(alice).sends('"old 0002"').status_code == 201


@pytest.mark.evidence("many-expired-keys")
@pytest.mark.slow
def test_many_long_answers_that_have_expired_do_not_lock_anybody_out(
    own_database: TaskDatabase,
) -> None:
    """As on a slower machine: the role has 0.7 seconds for a statement."""
    with psycopg.connect(own_database.superuser, autocommit=True) as as_superuser:
        (name,) = as_superuser.execute("select current_database()").fetchone() or ("",)
        as_superuser.execute(
            f"alter role task_app in database {name} set statement_timeout = '700ms'".encode()
        )
        # as answers are whose texts cannot be compressed
        as_superuser.execute("alter table idempotency_key alter body set storage external")
        with people_of(own_database) as people:
            alice = people.person("alice")
            given_answers(as_superuser, alice, 1500, size=960_000)
            for n in range(1, 6):
                assert creating(alice).sends(f"new-{n}").status_code == 201
                assert len(remembered(as_superuser, alice)) == 1500 - 49 * n
            assert len(alice.lists()) == 5


def test_a_sweep_keeps_what_it_has_done_when_it_cannot_go_on(
    own_people: People, own_database: TaskDatabase
) -> None:
    alice = own_people.person("alice")
    with psycopg.connect(own_database.superuser, autocommit=True) as as_superuser:
        given_answers(as_superuser, alice, 250)
        lock = "select from idempotency_key where key = 'old 0210' for update"
        with held(own_database.superuser, lock):
            outcome = run("sweep", MIGRATION_DATABASE_URL=own_database.owner)
            assert "another transaction holds" in outcome.refusal()
        assert remembered(as_superuser, alice) == [f"old {n:04}" for n in range(201, 251)]
        outcome = run("sweep", MIGRATION_DATABASE_URL=own_database.owner)
        assert (outcome.code, outcome.out) == (0, "swept 50\n")


def test_the_owner_sweeps_what_has_expired_of_everybody_and_nothing_else(
    own_people: People, own_database: TaskDatabase
) -> None:
    alice, bob, carol = (own_people.person(name) for name in ("alice", "bob", "carol"))
    with psycopg.connect(own_database.superuser, autocommit=True) as as_superuser:
        for person, age in (
            (alice, "24 hours 1 second"),
            (bob, "3 days"),
            (carol, "23 hours 59 minutes"),
        ):
            creating(person).sends("old")
            ages(as_superuser, person, age)
        kept = creating(carol).sends("new")

        with psycopg.connect(own_database.owner) as owner:
            assert owner.execute("show is_superuser").fetchone() == ("off",)
            # the policy alone: what has not expired is out of the owner's sight, and reach
            assert owner.execute("select count(*) from idempotency_key").fetchone() == (2,)
            assert owner.execute("delete from idempotency_key").rowcount == 2
            owner.rollback()

        outcome = run("sweep", MIGRATION_DATABASE_URL=own_database.owner)
        assert (outcome.code, outcome.out, outcome.err) == (0, "swept 2\n", "")
        assert remembered(as_superuser, alice) == remembered(as_superuser, bob) == []
        assert remembered(as_superuser, carol) == ["new", "old"]
    assert is_replayed(creating(carol).sends("new"), kept)
    assert len(alice.lists()) == len(bob.lists()) == 1  # tasks stay


@pytest.mark.parametrize("path", ["", "/bulk"])
def test_members_at_their_default_make_no_other_request(alice: Person, path: str) -> None:
    """So a retry is the same though the version that gets it knows more members."""
    defaults = {"priority": None, "tags": None, "due_date": None, "repeat_from": "due"}
    given: list[dict[str, Any]] = [{}, defaults, {"tags": []}, {"repeat_from": None}]
    for members in given:
        body: Any = {"title": "x"} | members
        answer = alice.http.post(
            f"/api/tasks{path}", json=[body] if path else body, headers={"Idempotency-Key": "one"}
        )
        assert answer.status_code == 201
        assert answer.headers.get("Idempotency-Replayed", "false") == str(members != {}).lower()
    body = {"title": "x", "tags": ["a"]}
    answer = alice.http.post(
        f"/api/tasks{path}", json=[body] if path else body, headers={"Idempotency-Key": "one"}
    )
    problem(answer, 422, "idempotency-key-reused")
    assert len(alice.lists()) == 1
