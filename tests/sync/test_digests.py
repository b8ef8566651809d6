"""What processes tell each other: digests that only they can make, and read."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from api.settings import Settings
from api.sync.digests import Digests
from api.sync.notify import Notifier
from tests.people import SECRET

URL = "postgresql://task_app:{}@db.example.com/tasks"
KEY_SET: dict[str, Any] = {
    "auth_jwks_url": "https://app.example.com/api/auth/jwks",
    "auth_issuer": "https://app.example.com",
    "auth_audience": "https://app.example.com",
}


def digests(password: str = "", **settings: Any) -> Digests:
    given: dict[str, Any] = settings or {"better_auth_secret": SECRET}
    return Digests(Settings(database_url=URL.format(password), **given))


def test_processes_of_one_secret_understand_each_other_and_nobody_else_does() -> None:
    here, there, other = digests(), digests(), digests(better_auth_secret=SECRET[::-1])
    (message,) = here.messages(["alice", "bob"])
    assert there.read(message) == [there.of("alice"), there.of("bob")]
    assert other.of("alice") not in other.read(message)
    assert here.of("alice") != here.of("bob")
    assert "alice" not in message


def test_with_a_key_set_the_password_of_the_database_is_the_secret() -> None:
    here, there, other = (digests(password, **KEY_SET) for password in ("a", "a", "b"))
    assert here.of("alice") == there.of("alice") != other.of("alice")
    elsewhere = digests("a", **KEY_SET | {"auth_issuer": "https://other.example.com"})
    assert elsewhere.of("alice") == here.of("alice")


def test_listen_without_any_secret_is_refused() -> None:
    direct: dict[str, Any] = {"listen_database_url": "postgresql://task_app@db.example.com/tasks"}
    with pytest.raises(ValidationError, match="LISTEN_DATABASE_URL is set"):
        Settings(database_url="postgresql://task_app@db.example.com/tasks", **KEY_SET, **direct)
    Settings(database_url=URL.format("a"), **KEY_SET, **direct)
    with pytest.raises(ValidationError, match="without -pooler"):
        Settings(
            database_url=URL.format("a"),
            better_auth_secret=SECRET,
            listen_database_url="postgresql://task_app@ep-x-pooler.neon.tech/tasks",
        )


def test_a_process_does_not_hear_itself() -> None:
    here = digests()
    (message,) = here.messages(["alice"])
    assert here.read(message) == []


def test_a_message_is_no_longer_than_a_notify_may_be_and_none_is_left_out() -> None:
    here, there = digests(), digests()
    everybody = [f"user-{number}" for number in range(1000)]
    messages = here.messages(everybody)
    assert len(messages) == 3
    assert all(len(message) < 8000 for message in messages)
    read = [digest for message in messages for digest in there.read(message)]
    assert read == [there.of(user) for user in everybody]


@pytest.mark.parametrize(
    "message",
    [
        *("", "x", "00000000", "00000000.", "00000000.short", f"0.{'A' * 22}"),
        *(f"00000000.{'A' * 23}", f"00000000.{'A' * 22}\n", f"00000000{('.' + 'A' * 22) * 341}"),
        *("é" * 31, "\0" * 31),
    ],
)
def test_a_message_that_no_process_sends_says_nothing(message: str) -> None:
    assert digests().read(message) == []


class Kept:
    """A channel that keeps what it is given, and hears nothing."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, messages: Sequence[str]) -> None:
        self.sent += messages

    async def listen(self, *_: object) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None: ...


@pytest.mark.anyio
async def test_the_last_change_of_a_process_that_stops_is_told() -> None:
    channel, here, there = Kept(), digests(), digests()
    notifier = Notifier(channel, here, lambda _: None, lambda: None)
    notifier.open()
    notifier.changed("alice")
    notifier.changed("alice")
    await notifier.close()
    (message,) = channel.sent
    assert there.read(message) == [there.of("alice")]
