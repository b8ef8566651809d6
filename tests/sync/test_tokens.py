"""Sync tokens: of one person, one generation and one format; and when they have expired."""

import json
from typing import Any, Final

import psycopg
import pytest

from api.auth.authenticator import User
from api.http import opaque
from api.sync.tokens import Token, minted, parsed
from tests.cluster import TaskDatabase
from tests.people import Person
from tests.problems import problem
from tests.program import run
from tests.server import people_of
from tests.sync.device import Device

ALICE: Final = User("alice")
GENERATION: Final = "7d1f3a52-c3a4-4a0e-9b8d-0a3f5f6c2b11"
MAX: Final = 2**63 - 1


def fields(person: Person, token: str) -> list[Any]:
    content: list[Any] = json.loads(opaque.opened(token, f"sync {person.id}"))
    return content


def sealed(person: Person, *content: Any) -> str:
    return opaque.sealed(json.dumps(content, separators=(",", ":")).encode(), f"sync {person.id}")


@pytest.fixture
def phone(alice: Person) -> Device:
    """In step, with three tasks."""
    for _ in range(3):
        alice.creates()
    phone = Device(alice)
    phone.syncs()
    return phone


def test_a_token_is_what_it_was_made_of() -> None:
    for token in (Token(GENERATION, 0), Token(GENERATION, 7, 3), Token(GENERATION, 7, 3, MAX)):
        assert parsed(ALICE, token.text(ALICE)) == token
    head = {"generation": GENERATION, "seq": 7}
    assert parsed(ALICE, minted(ALICE, head)) == Token(GENERATION, 7)


@pytest.mark.evidence("lists")
def test_alice_s_token_is_none_of_bob_s(alice: Person, bob: Person, phone: Device) -> None:
    his = Device(bob)
    his.token = phone.token
    refused = problem(his.asks(), 400, "malformed-request")
    assert refused["errors"][0]["parameter"] == "since"
    his.token = "x"
    missing = problem(his.asks(), 400)
    assert {**refused, "request_id": ""} == {**missing, "request_id": ""}


def test_no_single_character_can_be_another(phone: Device) -> None:
    assert phone.token is not None
    token = phone.token
    for at, was in enumerate(token):
        phone.token = token[:at] + ("A" if was != "A" else "B") + token[at + 1 :]
        assert problem(phone.asks(), 400)["errors"][0]["parameter"] == "since"
    for other in (token + "A", token[:-1], token + "=", f" {token}", token * 2, "\u00e9", "%00"):
        phone.token = other
        problem(phone.asks(), 400)


@pytest.mark.parametrize(
    "content",
    [
        (2, GENERATION, 1, None, None),
        (1, GENERATION, 1, None),
        (1, GENERATION, 1, None, None, None),
        (1, "x", 1, None, None),
        (1, GENERATION.upper(), 1, None, None),
        (1, GENERATION, -1, None, None),
        (1, GENERATION, 2**63, None, None),
        (1, GENERATION, "1", None, None),
        (1, GENERATION, 1.5, None, None),
        (1, GENERATION, True, None, None),
        (1, GENERATION, 1, 2**63, None),
        (1, GENERATION, 1, None, 2**63),
        (1, GENERATION, None, None, None),
    ],
)
def test_a_forged_token_holds_nothing_that_a_real_one_does_not(
    alice: Person, phone: Device, content: tuple[Any, ...]
) -> None:
    phone.token = sealed(alice, *content)
    problem(phone.asks(), 400, "malformed-request")


def expired(phone: Device) -> None:
    """The device is told so, fetches afresh, and is in step."""
    answer = problem(phone.asks(), 410, "sync-token-expired")
    assert "without `since`" in answer["detail"]
    phone.tasks, phone.token = {}, None
    phone.syncs()
    assert phone.is_in_step()


def test_of_another_generation_it_has_expired(alice: Person, phone: Device) -> None:
    assert phone.token is not None
    form, _, *rest = fields(alice, phone.token)
    phone.token = sealed(alice, form, GENERATION, *rest)
    expired(phone)


@pytest.mark.parametrize("more", [(4, None, None), (4, 1, None), (0, 0, 4), (4, 1, 3), (MAX, 1, 2)])
def test_ahead_of_the_head_it_has_expired(
    alice: Person, phone: Device, more: tuple[Any, ...]
) -> None:
    assert phone.token is not None
    form, generation, *_ = fields(alice, phone.token)
    phone.token = sealed(alice, form, generation, *more)
    expired(phone)


def test_after_a_restore_to_an_earlier_time_it_has_expired(
    alice: Person, phone: Device, as_superuser: psycopg.Connection
) -> None:
    as_superuser.execute(
        "delete from task where user_id = %(who)s and seq = 3;".replace(
            "%(who)s", "'" + alice.id + "'"
        )
    )
    as_superuser.execute("delete from task_tombstone where user_id = %s", [alice.id])
    as_superuser.execute("update sync_head set seq = 2 where user_id = %s", [alice.id])
    expired(phone)


def test_what_a_person_has_erased_voids_their_tokens(
    database: TaskDatabase, alice: Person, bob: Person, phone: Device
) -> None:
    his = Device(bob)
    his.syncs()
    outcome = run("erase", "--yes", alice.id, DATABASE_URL=database.task_app)
    assert outcome.code == 0, outcome
    problem(phone.asks(), 410, "sync-token-expired")
    alice.creates("After")
    for _ in range(5):
        alice.creates()  # the numbers come again
    expired(phone)
    assert his.syncs() == []


def test_an_operator_voids_everybody_s_tokens(own_database: TaskDatabase) -> None:
    with people_of(own_database) as people:
        alice, bob = people.person("alice"), people.person("bob")
        task = alice.creates()
        alice.http.delete(f"/api/tasks/{alice.creates()['id']}")
        phones = [Device(alice), Device(bob)]
        for phone in phones:
            phone.syncs()
        outcome = run("sync", "reset", MIGRATION_DATABASE_URL=own_database.owner)
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out == "every device fetches all tasks afresh\n"
        alice.http.patch(f"/api/tasks/{task['id']}", json={"title": "Since"})
        for phone in phones:
            expired(phone)
        # the numbers go on, above those that tasks and tombstones have
        with psycopg.connect(own_database.superuser) as superuser:
            seq = "select seq from sync_head where user_id = %s"
            assert superuser.execute(seq, [alice.id]).fetchone() == (4,)


def test_the_reset_of_a_database_that_is_ahead_is_refused(own_database: TaskDatabase) -> None:
    with psycopg.connect(own_database.superuser, autocommit=True) as superuser:
        superuser.execute("update _yoyo_migration set migration_id = '9999.later'")
    outcome = run("sync", "reset", MIGRATION_DATABASE_URL=own_database.owner)
    assert "ahead of this program" in outcome.refusal()
