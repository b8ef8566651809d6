"""Where a request ends, and the next one begins: a wish for another protocol changes nothing.

RFC 9112, sections 3.2 and 6.3; RFC 9110, section 7.8.
"""

import json
from typing import Final

import pytest

from api.serving.protocol import MAX_PIPELINED
from tests.faults.raw import raw
from tests.http.test_hostile import (
    BEHIND,
    BODY,
    CHUNK,
    CHUNKED,
    DELETES,
    GET,
    HEAD,
    LENGTH,
    POST,
    Answer,
    Wire,
    wire,
)

__all__ = ["wire"]  # a fixture

COMPLETE: Final = (
    f"PATCH /api/tasks/<MINE>/complete HTTP/1.1\r\n{HEAD}Content-Type: application/json\r\n"
)
DONE: Final = '{"completed": true}'
DONE_LENGTH: Final = f"Content-Length: {len(DONE)}\r\n"

WISHES: Final = {
    "h2c, as Java has it": "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    "HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA\r\n",
    "websocket": "Connection: Upgrade\r\nUpgrade: websocket\r\n",
    "websocket, as nginx has it": "Upgrade: websocket\r\nConnection: upgrade\r\n",
    "TLS": "upgrade: TLS/1.2\r\nCONNECTION: keep-alive, UPGRADE\r\n",
    "several": "Connection: Upgrade\r\nUpgrade: foo/2, bar\r\nUpgrade: baz\r\n",
    "nothing": "Connection: Upgrade\r\nUpgrade:\r\n",
}
PIECES: Final = (1 << 20, 7, 1)


def is_refused(said: list[Answer]) -> bool:
    """400 and no more; who goes on writing may see the connection reset instead."""
    return [answer.status for answer in said] in ([400], [])


@pytest.mark.parametrize("pieces", PIECES)
@pytest.mark.parametrize("wish", WISHES.values(), ids=WISHES)
def test_a_body_behind_an_upgrade_is_the_body_of_its_request(
    wire: Wire, wish: str, pieces: int
) -> None:
    """Completing twice leaves it completed: the body was read, and nothing was toggled."""
    for _ in range(2):
        done, behind = wire.say(f"{COMPLETE}{wish}{DONE_LENGTH}\r\n{DONE}{BEHIND}", pieces=pieces)
        assert (done.status, json.loads(done.body)["completed"]) == (200, True)
        assert (behind.status, behind.owners) == (200, {wire.bob.id})


@pytest.mark.parametrize("pieces", PIECES)
@pytest.mark.parametrize("wish", WISHES.values(), ids=WISHES)
def test_chunks_behind_an_upgrade_are_the_body_of_its_request(
    wire: Wire, wish: str, pieces: int
) -> None:
    made, behind = wire.say(f"{POST}{wish}{CHUNKED}\r\n{CHUNK}{BEHIND}", pieces=pieces)
    assert (made.status, json.loads(made.body)["title"]) == (201, "x")
    assert (behind.status, behind.owners) == (200, {wire.bob.id})


@pytest.mark.evidence("smuggling")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET", "OPTIONS", "FOO"])
@pytest.mark.parametrize("pieces", PIECES)
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_request_hidden_in_a_body_behind_an_upgrade_is_not_run(
    wire: Wire, method: str, pieces: int, framing: str
) -> None:
    hidden = wire.filled(DELETES).decode()
    body = f"{len(hidden):x}\r\n{hidden}\r\n0\r\n\r\n" if framing == "chunks" else hidden
    head = CHUNKED if framing == "chunks" else f"Content-Length: {len(hidden)}\r\n"
    wish = WISHES["websocket"]
    said = wire.say(
        f"{method} /nothing HTTP/1.1\r\n<HOST>{wish}{head}\r\n{body}{BEHIND}", pieces=pieces
    )
    if method == "FOO":
        assert is_refused(said)
    else:
        assert [answer.status for answer in said] == [404, 200]
        assert said[1].owners == {wire.bob.id}
    wire.nothing_happened()


def test_requests_behind_upgrades_are_answered_in_their_order(wire: Wire) -> None:
    wish = WISHES["websocket"]
    said = wire.say(
        f"{POST}{wish}{LENGTH}\r\n{BODY}{GET}{wish}\r\n{POST}{wish}{CHUNKED}\r\n{CHUNK}{BEHIND}"
    )
    assert [answer.status for answer in said] == [201, 200, 201, 200]
    assert [one["title"] for one in json.loads(said[1].body)] == ["x", "Buy milk"]
    assert said[3].owners == {wire.bob.id}


@pytest.mark.parametrize("wish", WISHES.values(), ids=WISHES)
def test_an_upgrade_hides_no_second_length(wire: Wire, wish: str) -> None:
    for lengths in (LENGTH + CHUNKED, CHUNKED + LENGTH, LENGTH + LENGTH):
        said = wire.say(f"{POST}{wish}{lengths}\r\n{CHUNK}{BEHIND}")
        assert [answer.status for answer in said] == [400]
        wire.nothing_happened()


@pytest.mark.evidence("smuggling")
@pytest.mark.parametrize("pieces", PIECES)
def test_a_tunnel_is_refused_and_what_is_sent_into_it_is_not_run(wire: Wire, pieces: int) -> None:
    for wish in ("", WISHES["websocket"], LENGTH):
        said = wire.say(
            f"CONNECT example.com:443 HTTP/1.1\r\n{HEAD}{wish}\r\n{DELETES}{BEHIND}", pieces=pieces
        )
        assert is_refused(said)
        wire.nothing_happened()


def test_an_upgrade_that_http_1_0_cannot_have_changes_nothing(wire: Wire) -> None:
    head = GET.replace("HTTP/1.1", "HTTP/1.0")
    (answer,) = wire.say(f"{head}{WISHES['websocket']}\r\n{DELETES}{BEHIND}")
    assert answer.owners == {wire.alice.id}
    wire.nothing_happened()


@pytest.mark.parametrize("wish", ["Connection: close\r\n", "Connection: close, Upgrade\r\n"])
def test_what_follows_the_last_request_is_not_run(wire: Wire, wish: str) -> None:
    (answer,) = wire.say(f"{GET}{wish}Upgrade: h2c\r\n\r\n{DELETES}{BEHIND}")
    assert answer.owners == {wire.alice.id}
    wire.nothing_happened()


BROKEN: Final = f"{POST}{CHUNKED}\r\nZZ\r\n"


def test_a_broken_body_is_not_answered_before_what_came_before_it(wire: Wire) -> None:
    said = wire.say(f"{GET}\r\n{GET}\r\n{BROKEN}{DELETES}{BEHIND}")
    assert [answer.status for answer in said] in ([200, 200], [200, 200, 400])
    assert all(answer.owners == {wire.alice.id} for answer in said[:2])
    wire.nothing_happened()


def test_what_is_wrong_with_a_body_that_was_answered_is_no_second_answer(wire: Wire) -> None:
    stranger = BROKEN.replace("<ALICE>", "")
    for pieces in PIECES:
        said = wire.say(f"{stranger}{DELETES}{BEHIND}", pieces=pieces)
        assert [answer.status for answer in said] in ([401], [400], [])
    wire.nothing_happened()


def test_more_requests_than_may_wait_are_not_run_and_those_before_them_are(wire: Wire) -> None:
    """Whoever sent them may send them again (RFC 9112, section 9.3.2)."""
    said = wire.say(GET + "\r\n" + f"{GET}\r\n" * 2 * MAX_PIPELINED + DELETES)
    assert MAX_PIPELINED <= len(said) <= MAX_PIPELINED + 2
    assert all(answer.owners == {wire.alice.id} for answer in said)
    wire.nothing_happened()


def test_as_many_requests_as_may_wait_are_answered_however_often(wire: Wire) -> None:
    for pieces in (1 << 20, 1000):
        said = wire.say(f"{GET}\r\n" * MAX_PIPELINED + BEHIND, pieces=pieces)
        assert len(said) == MAX_PIPELINED + 1
        assert said[-1].owners == {wire.bob.id}


@pytest.mark.parametrize("beginning", ["0\r\nX: ", "0\r\n", "1;", "1\r\nx\r\n0\r\nX-"])
def test_a_trailer_or_the_size_of_a_chunk_that_never_ends_is_not_kept(
    wire: Wire, beginning: str
) -> None:
    """Its parser takes the longer for each byte, the more there are."""
    for head in (POST, POST.replace("<ALICE>", "")):
        start = wire.filled(f"{head}{CHUNKED}\r\n{beginning}")
        with (
            raw(str(wire.alice.http.base_url)) as client,
            pytest.raises(OSError, match=r"reset|[Bb]roken"),
        ):
            client.endlessly(start, b"a" * 10_000, 20_000_000)
    wire.nothing_happened()


@pytest.mark.parametrize("target", ["http://localhost", "http://localhost?limit=1"])
def test_a_target_may_have_no_path(wire: Wire, target: str) -> None:
    """RFC 9112, section 3.2.2."""
    said = wire.say(f"GET {target} HTTP/1.1\r\n{HEAD}\r\n{BEHIND}")
    assert [answer.status for answer in said] == [200, 200]


NO_HOST: Final = {
    "none": "",
    "two": "<HOST><HOST>",
    "two, of two kinds": "<HOST>host: evil.example\r\n",
    "empty": "Host:\r\n",
    "spaces": "Host:   \r\n",
    "two names": "Host: a b\r\n",
    "a list": "Host: a, b\r\n",
    "a path": "Host: localhost/api\r\n",
    "a URL": "Host: http://localhost\r\n",
    "a user": "Host: alice@localhost\r\n",
    "a query": "Host: localhost?x\r\n",
    "a fragment": "Host: localhost#x\r\n",
    "a backslash": "Host: local\\host\r\n",
    "no port": "Host: localhost:http\r\n",
    "a port of six digits": "Host: localhost:123456\r\n",
    "a port beyond all": "Host: localhost:65536\r\n",
    "two ports": "Host: localhost:80:80\r\n",
    "a bare address of IPv6": "Host: ::1\r\n",
    "half a bracket": "Host: [::1\r\n",
    "a name in brackets": "Host: [localhost]\r\n",
    "colons in brackets": "Host: [:::::::::]\r\n",
    "IPv4 in brackets": "Host: [1.2.3.4]\r\n",
    "digits in brackets": "Host: [12345::]\r\n",
    "nothing in brackets": "Host: []\r\n",
    "behind the brackets": "Host: [::1]x\r\n",
    "half an escape": "Host: local%2\r\n",
    "another script": "Host: b\xfccher.example\r\n",
    "a tab": "Host: local\thost\r\n",
}


@pytest.mark.evidence("smuggling")
@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("host", NO_HOST.values(), ids=NO_HOST)
def test_a_request_without_one_good_host_is_refused(wire: Wire, host: str, version: str) -> None:
    """RFC 9112, section 3.2."""
    said = wire.say(f"GET /api/tasks HTTP/{version}\r\n{host}<ALICE>\r\n{DELETES}{BEHIND}")
    assert [answer.status for answer in said] == [200 if (host, version) == ("", "1.0") else 400]
    assert b'"type": "urn:task-api:problem:malformed-request"' in said[0].body or not host
    wire.nothing_happened()


@pytest.mark.parametrize(
    "host",
    [
        *(
            "localhost",
            "LOCALHOST:8000",
            "127.0.0.1:80",
            "[::1]:80",
            "[2001:db8::1]",
            " localhost ",
        ),
        *("a_b.example:", "%61.example", "xn--bcher-kva.example", "localhost:65535"),
    ],
)
def test_every_kind_of_host_is_taken(wire: Wire, host: str) -> None:
    (answer,) = wire.say(
        f"GET /api/tasks HTTP/1.1\r\nHost: {host}\r\n<ALICE>Connection: close\r\n\r\n"
    )
    assert answer.owners == {wire.alice.id}


def test_http_2_without_its_preface_is_no_http(wire: Wire) -> None:
    said = wire.say(f"GET /api/tasks HTTP/2.0\r\n{HEAD}\r\n{BEHIND}")
    assert [answer.status for answer in said] == [400]
