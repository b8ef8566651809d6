"""Behind a real nginx that passes upgrades on and keeps its connections, as many set it up."""

import json
from collections.abc import Iterator
from typing import Any, Final

import httpx2
import pytest

from tests.faults.raw import raw
from tests.nginx import nginx
from tests.people import People, Person
from tests.problems import problem

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


# so that it compresses whatever it can, which makes a strong ETag weak
GZIP: Final = "gzip on; gzip_types application/json; gzip_min_length 1; gzip_proxied any;"


@pytest.fixture
def compressed(server: str) -> Iterator[People]:
    """The people of the API, who come by an nginx that compresses."""
    with nginx(server, server=GZIP) as address, People(address) as people:
        yield people


def renamed(person: Person, task: dict[str, Any], if_match: str) -> httpx2.Response:
    return person.http.patch(
        f"/api/tasks/{task['id']}", json={"title": "Buy bread"}, headers={"If-Match": if_match}
    )


def test_a_tag_that_was_weakened_is_a_conflict_that_says_so(compressed: People) -> None:
    alice = compressed.person("alice")
    task = alice.creates()
    answer = alice.http.get(f"/api/tasks/{task['id']}")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["ETag"] == 'W/"1"'
    refused = problem(renamed(alice, task, answer.headers["ETag"]), 412, "precondition-failed")
    assert "a weak tag, as compressing proxies make of it" in refused["detail"]
    assert refused["current"] == task
    # by the version in the list nobody notices the proxy
    (listed,) = alice.lists()
    changed = renamed(alice, task, f'"{listed["version"]}"')
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
