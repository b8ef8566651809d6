"""Behind a real nginx that passes upgrades on and keeps its connections, as many set it up."""

import json
from collections.abc import Iterator
from typing import Final

import pytest

from tests.faults.raw import raw
from tests.nginx import nginx
from tests.people import People, Person

UPGRADE: Final = {"Connection": "Upgrade", "Upgrade": "websocket"}
# The beginning of a request, for whose token and end somebody else's request is to stand.
HALF: Final = (
    "DELETE /api/tasks?completed=true HTTP/1.1\r\nHost: localhost\r\n"
    f"X-Long: {'x' * 20_000}\r\nX-Ignored: "
)


@pytest.fixture
def behind(server: str) -> Iterator[People]:
    """The people of the API, who come by nginx."""
    # so that it sends a body from a file, after the head: two packets
    there = "client_body_buffer_size 1k; sendfile on;"
    with nginx(server, server=there) as address, People(address) as people:
        yield people


def done(person: Person) -> list[dict[str, object]]:
    """What this person has completed, so that something can be deleted."""
    task = person.creates("Buy milk")
    answer = person.http.patch(f"/api/tasks/{task['id']}/complete", json={"completed": True})
    assert answer.status_code == 200
    return [answer.json()]


@pytest.mark.evidence("smuggling")
@pytest.mark.parametrize("body", [HALF, HALF.replace("X-Ignored: ", "\r\n")], ids=["half", "whole"])
@pytest.mark.parametrize("chunked", [False, True])
def test_what_a_stranger_hides_behind_an_upgrade_is_not_done_in_alices_name(
    behind: People, body: str, *, chunked: bool
) -> None:
    alice = behind.person("alice")
    tasks = done(alice)
    with raw(behind.base_url) as stranger:
        content = f"{len(body):x}\r\n{body}\r\n0\r\n\r\n" if chunked else body
        framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
        head = [f"{name}: {value}" for name, value in UPGRADE.items()]
        for _ in range(5):
            stranger.sends(
                *("POST /nothing HTTP/1.1", "Host: localhost", *head, framing),
                body=content.encode(),
            )
            assert b" 404 " in stranger.reads().splitlines()[0]
            assert alice.lists() == tasks


def test_who_asks_for_an_upgrade_with_a_body_is_answered_once_and_rightly(behind: People) -> None:
    alice, bob = behind.person("alice"), behind.person("bob")
    (task,) = done(alice)
    for _ in range(3):
        answer = alice.http.patch(
            f"/api/tasks/{task['id']}/complete",
            content=json.dumps({"completed": True}),
            headers=UPGRADE | {"Content-Type": "application/json"},
        )
        assert (answer.status_code, answer.json()["completed"]) == (200, True)
        assert bob.lists() == []
