"""`task-api export` and `task-api erase`: all that is kept of one person, and nothing of others."""

import json
import os
import pty
import re
import resource
import shlex
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from api.commands.personal_data import KINDS
from api.tasks.schemas import MAX_BULK
from tests.cluster import TaskDatabase
from tests.forked import Outcome
from tests.isolation.guarded import TABLES
from tests.locks import held
from tests.people import People, Person
from tests.program import PATIENCE, TASK_API, environment, run

NOWHERE = "postgresql://task_app:hush-hush@127.0.0.1:1/tasks"
BOTH = pytest.mark.parametrize("command", ["export", "erase"])


def exports(database: TaskDatabase, person: Person) -> dict[str, list[dict[str, Any]]]:
    """What the command prints of this person, by kind."""
    outcome = run("export", person.id, DATABASE_URL=database.task_app)
    assert (outcome.code, outcome.err) == (0, ""), outcome
    kinds: dict[str, list[dict[str, Any]]] = {kind.name: [] for kind in KINDS}
    for line in outcome.out.splitlines():
        ((kind, row),) = json.loads(line).items()
        kinds[kind].append(row)
    return kinds


def erases(database: TaskDatabase, person: Person) -> dict[str, int]:
    """How many the command says that it erased, of each kind that there were some of."""
    outcome = run("erase", "--yes", person.id, DATABASE_URL=database.task_app)
    assert outcome.code == 0, outcome
    assert outcome.out.startswith("erased ")
    (logged,) = map(json.loads, outcome.err.splitlines())
    assert logged.pop("time")
    assert logged == {
        "level": "info",
        "logger": "api.commands.personal_data",
        "message": outcome.out.rstrip("\n"),
    }
    counts = outcome.out.removeprefix("erased ").rstrip("\n").split(", ")
    assert len(counts) == len(KINDS)
    found = {kind: int(number) for number, _, kind in (one.partition(" ") for one in counts)}
    return {kind: number for kind, number in found.items() if number}


def rows(connection: psycopg.Connection, user_id: str) -> dict[str, int]:
    """How many rows of this person there really are, in each table that has some."""
    count = "select count(*) from {table} where user_id = %s having count(*) > 0"
    found = {
        table.name: connection.execute(table.sql(count), [user_id]).fetchone() for table in TABLES
    }
    return {name: number[0] for name, number in found.items() if number}


@pytest.fixture
def as_superuser(database: TaskDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        yield connection


def given_tasks(connection: psycopg.Connection, person: Person, number: int) -> None:
    connection.execute(
        "insert into task (user_id, title, description)"
        " select %s, 'Task ' || n, repeat('a line' || chr(10), 20)"
        " from generate_series(1, %s::int) n",
        [person.id, number],
    )


def given_answers(connection: psycopg.Connection, person: Person, number: int) -> None:
    connection.execute(
        "insert into idempotency_key (user_id, key, fingerprint, status, headers, body)"
        " select %s, 'key ' || n, 'f', 201, '{}', '{}' from generate_series(1, %s::int) n",
        [person.id, number],
    )


def test_an_export_is_what_the_api_shows(
    database: TaskDatabase, alice: Person, bob: Person
) -> None:
    alice.creates("Buy milk \U0001f95b", description='two\nlines, "quotes" and \\')
    alice.creates("Water the plants", completed=True)
    bob.creates("Something of Bob's")
    exported = exports(database, alice)
    assert exported["task"] == sorted(alice.lists(), key=lambda task: task["id"])
    assert exported["kept_answer"] == []


def test_kept_answers_are_exported_too(database: TaskDatabase, alice: Person) -> None:
    answer = alice.http.post(
        "/api/tasks", json={"title": "Buy milk"}, headers={"Idempotency-Key": '"a key"'}
    )
    (kept,) = exports(database, alice)["kept_answer"]
    assert kept.keys() == {"key", "fingerprint", "status", "headers", "body", "created_at"}
    assert (kept["key"], kept["status"], kept["body"]) == ("a key", 201, answer.text)
    assert json.loads(kept["headers"])["location"] == answer.headers["location"]
    assert kept["created_at"] == answer.json()["created_at"]


def test_of_somebody_unknown_there_is_nothing(database: TaskDatabase, people: People) -> None:
    nobody = people.person("nobody")
    assert not any(exports(database, nobody).values())
    assert erases(database, nobody) == {}


def test_what_is_kept_of_deleted_tasks_is_exported_and_erased(
    database: TaskDatabase, alice: Person
) -> None:
    uid = "7d1f3a52-c3a4-4a0e-9b8d-0a3f5f6c2b11"
    task = alice.creates("Gone", uid=uid)
    alice.http.delete(f"/api/tasks/{task['id']}")
    exported = exports(database, alice)
    (gone,), (head,) = exported["deleted_task"], exported["sync_head"]
    assert re.fullmatch(r"[0-9T:.-]+Z", gone.pop("deleted_at"))
    assert gone == {"task_id": task["id"], "seq": 2, "uid": uid}
    assert head.keys() == {"seq", "generation", "floor"}
    assert (head["seq"], head["floor"]) == (2, 0)
    assert erases(database, alice) == {"deleted tasks": 1, "sync heads": 1}
    assert not any(exports(database, alice).values())


def test_more_than_a_page_is_exported_once_each_in_order(
    database: TaskDatabase, as_superuser: psycopg.Connection, alice: Person, bob: Person
) -> None:
    for person in (alice, bob):
        given_tasks(as_superuser, person, 777)
        given_answers(as_superuser, person, 33)
    exported = exports(database, alice)
    assert [task["title"] for task in exported["task"]] == [f"Task {n}" for n in range(1, 778)]
    assert sorted(answer["key"] for answer in exported["kept_answer"]) == sorted(
        f"key {n}" for n in range(1, 34)
    )
    assert {row["user_id"] for row in exported["task"]} == {alice.id}


def test_an_export_is_complete_in_whatever_order_the_rows_lie(
    own_database: TaskDatabase, alice: Person
) -> None:
    with psycopg.connect(own_database.superuser, autocommit=True) as connection:
        given_tasks(connection, alice, 600)
        # those changed lie behind the others, and no index brings them in order
        connection.execute("update task set completed = true where id % 3 = 1")
        (name,) = connection.execute("select current_database()").fetchone() or ("",)
        for scan in ("indexscan", "bitmapscan"):
            connection.execute(f"alter database {name} set enable_{scan} = off".encode())
        exported = exports(own_database, alice)
    assert [task["title"] for task in exported["task"]] == [f"Task {n}" for n in range(1, 601)]


def test_erasing_removes_everything_of_one_person_and_nothing_of_anybody_else(
    database: TaskDatabase, as_superuser: psycopg.Connection, alice: Person, bob: Person
) -> None:
    for person in (alice, bob):
        given_tasks(as_superuser, person, 2345)
        given_answers(as_superuser, person, 12)
    assert erases(database, alice) == {
        "tasks": 2345,
        "kept answers": 12,
        "deleted tasks": 2345,
        "sync heads": 1,
    }
    assert rows(as_superuser, alice.id) == {}
    assert rows(as_superuser, bob.id) == {"task": 2345, "sync_head": 1, "idempotency_key": 12}
    assert alice.lists() == []
    assert not any(exports(database, alice).values())

    assert erases(database, alice) == {}
    assert rows(as_superuser, bob.id) == {"task": 2345, "sync_head": 1, "idempotency_key": 12}


def test_who_was_erased_can_start_again(database: TaskDatabase, alice: Person) -> None:
    sent: dict[str, Any] = {
        "url": "/api/tasks",
        "json": {"title": "Buy milk"},
        "headers": {"Idempotency-Key": '"a key"'},
    }
    before = alice.http.post(**sent)
    found = {"tasks": 1, "kept answers": 1, "deleted tasks": 1, "sync heads": 1}
    assert erases(database, alice) == found
    after = alice.http.post(**sent)
    assert after.status_code == 201
    assert "idempotency-replayed" not in after.headers
    assert after.json()["id"] > before.json()["id"]


def at_a_terminal(database: TaskDatabase, person: Person, answer: str) -> Outcome:
    """The command asks on a terminal, and is answered; its stderr is what the terminal shows."""
    here, there = pty.openpty()
    with subprocess.Popen(
        [TASK_API, "erase", person.id],
        env=environment(DATABASE_URL=database.task_app),
        stdin=there,
        stdout=subprocess.PIPE,
        stderr=there,
        text=True,
    ) as process:
        os.close(there)
        shown = ""
        while "[y/N] " not in shown:
            shown += os.read(here, 4096).decode()
        os.write(here, answer.encode())
        out, _ = process.communicate(timeout=PATIENCE)
    shown += os.read(here, 4096).decode()
    os.close(here)
    return Outcome(process.returncode, out, re.sub(r"\x1b\[\d+m", "", shown))


@pytest.mark.parametrize("answer", ["y\n", "Yes\n"])
def test_on_a_terminal_the_operator_is_asked_and_says_yes(
    database: TaskDatabase, as_superuser: psycopg.Connection, alice: Person, answer: str
) -> None:
    given_tasks(as_superuser, alice, 12)
    given_answers(as_superuser, alice, 1)
    outcome = at_a_terminal(database, alice, answer)
    assert (outcome.code, outcome.out) == (
        0,
        "erased 12 tasks, 1 kept answers, 12 deleted tasks, 1 sync heads\n",
    )
    asked = "Erase 12 tasks and 1 kept answer and 0 deleted tasks and 1 sync head"
    assert f"{asked} of {alice.id}? [y/N] " in outcome.err
    assert f"INFO:     {outcome.out.rstrip()}\r\n" in outcome.err
    assert rows(as_superuser, alice.id) == {}


@pytest.mark.parametrize("answer", ["\n", "n\n", "yesterday\n", "\x04"])
def test_whatever_else_is_said_on_a_terminal_erases_nothing(
    database: TaskDatabase, as_superuser: psycopg.Connection, alice: Person, answer: str
) -> None:
    given_tasks(as_superuser, alice, 3)
    outcome = at_a_terminal(database, alice, answer)
    assert (outcome.code, outcome.out) == (1, "")
    assert "task-api: nothing was erased; answer y to erase\r\n" in outcome.err
    assert rows(as_superuser, alice.id) == {"task": 3, "sync_head": 1}


def test_ctrl_c_at_the_question_erases_nothing(
    database: TaskDatabase, as_superuser: psycopg.Connection, alice: Person
) -> None:
    given_tasks(as_superuser, alice, 3)
    here, there = pty.openpty()
    with subprocess.Popen(
        [TASK_API, "erase", alice.id],
        env=environment(DATABASE_URL=database.task_app),
        stdin=there,
        stdout=subprocess.PIPE,
        stderr=there,
    ) as process:
        os.close(there)
        shown = ""
        while "[y/N] " not in shown:
            shown += os.read(here, 4096).decode()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
    os.close(here)
    assert rows(as_superuser, alice.id) == {"task": 3, "sync_head": 1}


def test_without_a_terminal_it_says_what_to_type_and_erases_nothing(
    database: TaskDatabase, as_superuser: psycopg.Connection, people: People
) -> None:
    eve = people.person("eve; rm".replace(" ", "$"))
    given_tasks(as_superuser, eve, 2)
    line = run("erase", eve.id, DATABASE_URL=database.task_app).refusal()
    assert "to erase 2 tasks and 0 kept answers and 0 deleted tasks and 1 sync head of" in line
    assert line.endswith(f"task-api erase --yes '{eve.id}'")
    assert rows(as_superuser, eve.id) == {"task": 2, "sync_head": 1}


def test_what_it_says_to_type_works_for_an_id_that_looks_like_an_option(
    database: TaskDatabase,
) -> None:
    line = run("erase", "--", "-V1StGXR8", DATABASE_URL=database.task_app).refusal()
    _, *typed = shlex.split(line.partition(" type: ")[2])
    outcome = run(*typed, DATABASE_URL=database.task_app)
    assert (outcome.code, outcome.out) == (
        0,
        "erased 0 tasks, 0 kept answers, 0 deleted tasks, 0 sync heads\n",
    )


@pytest.mark.parametrize("also", [[], ["--yes"]])
def test_a_dry_run_counts_and_erases_nothing(
    database: TaskDatabase, as_superuser: psycopg.Connection, alice: Person, also: list[str]
) -> None:
    given_tasks(as_superuser, alice, 7)
    given_answers(as_superuser, alice, 2)
    outcome = run("erase", "--dry-run", *also, alice.id, DATABASE_URL=database.task_app)
    assert outcome == Outcome(
        0, "would erase 7 tasks, 2 kept answers, 0 deleted tasks, 1 sync heads\n", ""
    )
    assert rows(as_superuser, alice.id) == {"task": 7, "sync_head": 1, "idempotency_key": 2}


def test_what_was_erased_before_a_failure_is_in_the_log(
    database: TaskDatabase, as_superuser: psycopg.Connection, alice: Person
) -> None:
    given_tasks(as_superuser, alice, 1500)
    lock = (
        "select from task where user_id = %s and id ="
        " (select max(id) from task where user_id = %s) for update"
    )
    with held(database.superuser, lock, alice.id, alice.id):
        outcome = run("erase", "--yes", alice.id, DATABASE_URL=database.task_app)
    logged, refused = outcome.err.splitlines()
    said = json.loads(logged)["message"]
    assert said == (
        "erased 1000 tasks, 0 kept answers, 0 deleted tasks, 0 sync heads, and was interrupted"
    )
    assert "LockNotAvailableError" in refused
    assert (outcome.code, outcome.out) == (1, "")
    assert rows(as_superuser, alice.id) == {
        "task": 500,
        "task_tombstone": 1000,
        "sync_head": 1,
    }


def test_a_log_line_in_no_known_format_is_refused_before_anything_is_erased(
    database: TaskDatabase, as_superuser: psycopg.Connection, alice: Person
) -> None:
    given_tasks(as_superuser, alice, 1)
    settings = {"DATABASE_URL": database.task_app, "LOG_FORMAT": "xml"}
    assert "LOG_FORMAT" in run("erase", "--yes", alice.id, **settings).refusal()
    assert rows(as_superuser, alice.id) == {"task": 1, "sync_head": 1}


def test_the_log_is_for_people_if_they_want(
    database: TaskDatabase, as_superuser: psycopg.Connection, alice: Person
) -> None:
    given_tasks(as_superuser, alice, 1)
    settings = {"DATABASE_URL": database.task_app, "LOG_FORMAT": "text"}
    outcome = run("erase", "--yes", alice.id, **settings)
    assert outcome.err == (
        "INFO:     erased 1 tasks, 0 kept answers, 1 deleted tasks, 1 sync heads\n"
    )


@BOTH
@pytest.mark.parametrize("user_id", ["", "two words", "zero\u200bwidth", "x" * 256, "a\nb"])
def test_an_id_that_could_not_be_a_users_is_refused(
    database: TaskDatabase, command: str, user_id: str
) -> None:
    line = run(command, user_id, DATABASE_URL=database.task_app).refusal()
    assert "1 to 255 characters, none of them blank" in line


@BOTH
def test_a_database_that_is_away_is_one_line(command: str) -> None:
    line = run(command, "alice", DATABASE_URL=NOWHERE).refusal()
    assert "check DATABASE_URL" in line
    assert "hush-hush" not in line
    assert "DATABASE_URL is not set" in run(command, "alice").refusal()


@BOTH
def test_a_role_that_sees_past_the_policies_is_refused(
    database: TaskDatabase, command: str
) -> None:
    line = run(command, "alice", DATABASE_URL=database.superuser).refusal()
    assert "is a superuser, whom no policy binds" in line


def test_an_erasure_that_must_wait_too_long_says_so(
    database: TaskDatabase, as_superuser: psycopg.Connection, alice: Person
) -> None:
    given_tasks(as_superuser, alice, 3)
    lock = "select from task where user_id = %s for update"
    with held(database.superuser, lock, alice.id):
        line = run("erase", "--yes", alice.id, DATABASE_URL=database.task_app).refusal()
    assert "LockNotAvailableError" in line
    assert "try again" in line
    assert rows(as_superuser, alice.id) == {"task": 3, "sync_head": 1}
    assert erases(database, alice) == {"tasks": 3, "deleted tasks": 3, "sync heads": 1}


@pytest.fixture
def slow_reader(
    database: TaskDatabase, as_superuser: psycopg.Connection, alice: Person
) -> Iterator[subprocess.Popen[bytes]]:
    """An export of much more than a pipe holds, of which only the first line has been read."""
    given_tasks(as_superuser, alice, 3000)
    with subprocess.Popen(
        [TASK_API, "export", alice.id],
        env=environment(DATABASE_URL=database.task_app),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,  # what is read ahead would be lost to communicate()
    ) as process:
        assert process.stdout is not None
        assert b'"Task 1"' in process.stdout.readline()
        yield process
        process.kill()


def test_who_reads_slowly_holds_no_transaction_and_survives_a_lost_connection(
    slow_reader: subprocess.Popen[bytes], as_superuser: psycopg.Connection
) -> None:
    sessions = (
        "from pg_stat_activity where usename = 'task_app' and datname = current_database()"
        " and query = 'commit' order by state_change desc limit 1"
    )
    session = as_superuser.execute(f"select state {sessions}").fetchone()
    assert session == ("idle",)
    as_superuser.execute(f"select pg_terminate_backend(pid, 5000) {sessions}")
    rest, complaints = slow_reader.communicate(timeout=PATIENCE)
    assert (slow_reader.returncode, complaints) == (0, b"")
    *tasks, head = map(json.loads, rest.splitlines())
    assert [line["task"]["title"] for line in tasks] == [f"Task {n}" for n in range(2, 3001)]
    assert head["sync_head"]["seq"] == 1


def test_who_has_read_enough_is_not_complained_about(
    slow_reader: subprocess.Popen[bytes],
) -> None:
    assert slow_reader.stdout is not None
    assert slow_reader.stderr is not None
    slow_reader.stdout.close()
    assert slow_reader.wait(PATIENCE) == 0
    assert slow_reader.stderr.read() == b""


def test_an_error_midway_is_one_line(own_database: TaskDatabase, alice: Person) -> None:
    with psycopg.connect(own_database.superuser, autocommit=True) as connection:
        given_tasks(connection, alice, 3000)
        with subprocess.Popen(
            [TASK_API, "export", alice.id],
            env=environment(DATABASE_URL=own_database.task_app),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            connection.execute("revoke select on task from task_app")
            rest, complaints = process.communicate(timeout=PATIENCE)
    line = Outcome(process.returncode, "", complaints.decode()).refusal()
    assert "InsufficientPrivilegeError (42501)" in line
    assert all(json.loads(line) for line in rest.splitlines()), "no line is cut off"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")  # noqa: PTH110
def test_a_full_disk_is_one_line(
    database: TaskDatabase, as_superuser: psycopg.Connection, alice: Person
) -> None:
    given_tasks(as_superuser, alice, 1)
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(
            [TASK_API, "export", alice.id],
            env=environment(DATABASE_URL=database.task_app),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
        )
    line = Outcome(done.returncode, "", done.stderr).refusal()
    assert "cannot be written: No space left on device" in line


@pytest.mark.slow
def test_the_memory_of_an_export_does_not_grow_with_it(
    own_database: TaskDatabase, alice: Person, bob: Person
) -> None:
    """100,000 tasks take no more than one does; erasing them is done in batches."""
    with psycopg.connect(own_database.superuser, autocommit=True) as connection:
        given_tasks(connection, bob, MAX_BULK)
        given_tasks(connection, alice, 100_000)
        peaks = [peak_of_export(own_database, person) for person in (bob, alice)]
        assert peaks[1] - peaks[0] < 8 * 1024, peaks  # KiB
        assert erases(own_database, alice) == {
            "tasks": 100000,
            "deleted tasks": 100000,
            "sync heads": 1,
        }
        assert rows(connection, bob.id) == {"task": MAX_BULK, "sync_head": 1}


def peak_of_export(database: TaskDatabase, person: Person) -> int:
    """The resident memory of an export at its most, in KiB."""
    with subprocess.Popen(
        [TASK_API, "export", person.id],
        env=environment(DATABASE_URL=database.task_app),
        stdout=subprocess.DEVNULL,
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert isinstance(usage, resource.struct_rusage)
    return usage.ru_maxrss
