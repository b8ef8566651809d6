"""What nobody sends who means well: tokens that play games, and HTTP as no client writes it.

The answer is a refusal or the right one for the right person, and the server lives on.
"""

import json
import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import pytest

from api.auth import jwks
from tests.auth.test_tokens import (
    HOUR,
    NOW,
    ask,
    crafted,
    let_in,
    part,
    trusting,
    turned_away,
    with_header,
)
from tests.cluster import TaskDatabase
from tests.keyserver import issuing
from tests.people import People, Person

GOOD: Final = json.dumps({"sub": "alice", "exp": NOW + HOUR})

# tokens


def parts(header: str, claims: str, signature: str) -> str:
    return ".".join([part(header), part(claims), part(signature)])


def respelled(place: int, spell: Callable[[str], str]) -> str:
    """A good token of which one part is written otherwise."""
    pieces = crafted(GOOD).split(".")
    pieces[place] = spell(pieces[place])
    return ".".join(pieces)


def last_bits_set(text: str) -> str:
    """The same bytes in base64, were the bits behind them not looked at."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) | 1]


REFUSED: Final[dict[str, str]] = {
    # what is said twice: the last word counts, in the header as in the claims
    "alg twice, the last none": crafted(GOOD, '{"alg": "HS256", "alg": "none"}'),
    "alg twice, the last RS256": crafted(GOOD, '{"alg": "HS256", "alg": "RS256"}'),
    "exp twice, the last past": crafted(f'{{"sub": "alice", "exp": {NOW + HOUR}, "exp": 1}}'),
    "exp twice, the last null": crafted(f'{{"sub": "alice", "exp": {NOW + HOUR}, "exp": null}}'),
    "sub twice, the last empty": crafted(f'{{"sub": "alice", "sub": "", "exp": {NOW + HOUR}}}'),
    "sub twice, the last null": crafted(f'{{"sub": "alice", "sub": null, "exp": {NOW + HOUR}}}'),
    # what is nearly said
    "Sub": crafted(f'{{"Sub": "alice", "exp": {NOW + HOUR}}}'),
    "SUB": crafted(f'{{"SUB": "alice", "exp": {NOW + HOUR}}}'),
    "sub with a space": crafted(f'{{"sub ": "alice", "exp": {NOW + HOUR}}}'),
    "user_id instead of sub": crafted(f'{{"user_id": "alice", "exp": {NOW + HOUR}}}'),
    "sub in the header": crafted(f'{{"exp": {NOW + HOUR}}}', '{"alg": "HS256", "sub": "alice"}'),
    "exp in the header": crafted('{"sub": "alice"}', f'{{"alg": "HS256", "exp": {NOW + HOUR}}}'),
    "Alg": crafted(GOOD, '{"Alg": "HS256"}'),
    "ALG": crafted(GOOD, '{"ALG": "HS256"}'),
    "HS256 with a space": crafted(GOOD, '{"alg": "HS256 "}'),
    "HS256 and NUL": crafted(GOOD, '{"alg": "HS256\\u0000"}'),
    # the shape
    "no signature": parts('{"alg": "HS256"}', GOOD, ""),
    "no signature, two parts": crafted(GOOD).rpartition(".")[0],
    "a signature of zeroes": parts('{"alg": "HS256"}', GOOD, "\0" * 32),
    "half a signature": respelled(2, lambda text: text[:21]),
    "a signature twice": respelled(2, lambda text: text + text),
    "encrypted: five parts": ".".join(["eyJhbGciOiJkaXIifQ", "", "aXY", "dGV4dA", "dGFn"]),
    "encrypted around a good one": f"{crafted(GOOD)}.AAAA.AAAA",
    "alg dir": with_header(alg="dir", enc="A256GCM"),
    "a token in the place of the claims": crafted(crafted(GOOD)),
    "JSON instead of parts": json.dumps({"payload": part(GOOD), "signatures": []}),
    "two tokens and a comma": f"{crafted(GOOD)},{crafted(GOOD)}",
    "b64 false": with_header(b64=False),
    "crit null": with_header(crit=None),
    "crit of what is known": with_header(crit=["alg"]),
    "claims and more behind": crafted(GOOD + "{}"),
    "claims with a comment": crafted(GOOD + "/**/"),
    # the spelling
    "padding behind the header": respelled(0, lambda text: text + "="),
    "padding behind the claims": respelled(1, lambda text: text + "=="),
    "padding behind the signature": respelled(2, lambda text: text + "="),
    "percent signs": respelled(2, lambda text: text + "%3D"),
    "another alphabet": respelled(2, lambda text: "+/" + text[2:]),
    "bits behind the signature": respelled(2, last_bits_set),
    "a space in the claims": respelled(1, lambda text: text[:5] + " " + text[5:]),
    "a tab behind": crafted(GOOD) + "\t.",
    "a letter of another script": respelled(1, lambda text: "\xe5" + text[1:]),
    "a quotation mark": respelled(2, lambda text: text + '"'),
    "a semicolon": crafted(GOOD) + ";",
}


@pytest.mark.parametrize("token", REFUSED.values(), ids=REFUSED)
def test_a_token_that_plays_games_is_refused(server: str, token: str) -> None:
    let_in(ask(server, f"Bearer {crafted(GOOD)}"))
    turned_away(ask(server, f"Bearer {token}"), token)


@pytest.mark.parametrize(
    "claims",
    ['{"sub": "mallory", "sub": "SUB", "exp": EXP}', '{"sub": "SUB", "exp": 1, "exp": EXP}'],
    ids=["sub", "exp"],
)
def test_of_a_claim_said_twice_the_last_counts(server: str, people: People, claims: str) -> None:
    # RFC 7519, section 4: refused, or the last one
    alice = people.person("alice")
    alice.creates()
    token = crafted(claims.replace("SUB", alice.id).replace("EXP", str(NOW + HOUR)))
    answer = ask(server, f"Bearer {token}")
    assert answer.json() == alice.lists()


KIDS: Final[dict[str, Any]] = {
    "a way up": "../../../../dev/null",
    "a file": "/dev/null",
    "a file by its URL": "file:///etc/passwd",
    "an address": "http://127.0.0.1:1/keys",
    "SQL": "' union select 'secret' --",
    "a command": "first|id; $(id)`id`",
    "a template": "{{7*7}}${7*7}%s%n{0}",
    "NUL": "first\0",
    "a newline": "first\n",
    "a header": "first\r\nSet-Cookie: a=b",
    "a space": "first ",
    "another case": "FIRST",
    "nothing": "",
    "4,000 letters": "x" * 4000,
    "not ASCII": "först",
    "a lone surrogate": "first" + chr(0xD800),
    "JSON": '{"kid": "first"}',
    "a name that Python knows": "__class__",
    "a number": 1,
    "true": True,
    "a list": ["first"],
    "an object": {"first": 1},
    "null": None,
}


def test_a_key_id_is_looked_up_and_nothing_else(
    database: TaskDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "MIN_REFRESH_INTERVAL", 0.05)
    with (
        issuing() as issuer,
        trusting(issuer.url, database) as ask_it,
        ThreadPoolExecutor(len(KIDS)) as crowd,
    ):
        issuer.makes_key("first")
        good = issuer.signs("first")
        let_in(ask_it(good))

        def with_kid(kid: Any) -> str:
            header = part(json.dumps({"alg": "EdDSA", "kid": kid}))
            return ".".join([header, *good.split(".")[1:]])

        answers = {name: crowd.submit(ask_it, with_kid(kid)) for name, kid in KIDS.items()}
        for name, answer in answers.items():
            assert answer.result().status_code == 401, name
            turned_away(answer.result())
        let_in(ask_it(good))


@pytest.mark.parametrize("kid", [kid for kid in KIDS.values() if isinstance(kid, str)], ids=repr)
def test_under_a_secret_a_key_id_changes_nothing(server: str, kid: str) -> None:
    header = json.dumps({"alg": "HS256", "kid": kid})
    let_in(ask(server, f"Bearer {crafted(GOOD, header)}"))
    for secret in ("", "\0", kid):
        turned_away(
            ask(server, f"Bearer {crafted(GOOD, header, secret.encode('utf-8', 'replace'))}")
        )


# who somebody says to be, elsewhere

ELSEWHERE: Final = [
    "X-Authorization",
    "X-Forwarded-Authorization",
    "Proxy-Authorization",
    "X-Original-Authorization",
    "X-Access-Token",
    "X-Auth-Token",
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Remote-User",
    "Remote-User",
    "X-User",
    "X-User-Id",
    "X-Auth-Request-User",
    "X-Amzn-Oidc-Data",
    "X-Goog-Authenticated-User-Id",
    "X-Hasura-User-Id",
    "X-Client-Cert",
    "X-App-User-Id",
    "Cookie",
    "Forwarded",
    "From",
]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_header_that_names_bob_makes_nobody_bob(
    alice: Person, bob: Person, stranger: Person, name: str
) -> None:
    mine, his = alice.creates(), bob.creates()
    token = bob.http.headers["Authorization"]
    for value in (bob.id, token, token.removeprefix("Bearer "), f"user_id={bob.id}"):
        turned_away(stranger.http.get("/api/tasks", headers={name: value}))
        assert alice.http.get("/api/tasks", headers={name: value}).json() == [mine]
        there = alice.http.get(f"/api/tasks/{his['id']}", headers={name: value})
        assert there.status_code == 404


@pytest.mark.parametrize("member", ["access_token", "token", "authorization", "user_id", "sub"])
def test_a_body_or_query_that_names_bob_makes_nobody_bob(
    alice: Person, bob: Person, stranger: Person, member: str
) -> None:
    token = bob.http.headers["Authorization"].removeprefix("Bearer ")
    for value in (bob.id, token):
        turned_away(stranger.http.post("/api/tasks", json={"title": "x", member: value}))
        turned_away(stranger.http.post("/api/tasks", data={member: value}))
        turned_away(stranger.http.get("/api/tasks", params={member: value}))
        refused = alice.http.post("/api/tasks", json={"title": "x", member: value})
        assert refused.status_code == 422
        assert alice.http.get("/api/tasks", params={member: value}).status_code == 422
    assert alice.lists() == bob.lists() == []


OTHER_METHODS: Final[dict[str, tuple[str, str, dict[str, str], int]]] = {
    "X-HTTP-Method-Override": ("POST", "", {"X-HTTP-Method-Override": "DELETE"}, 405),
    "X-HTTP-Method": ("POST", "", {"X-HTTP-Method": "PATCH"}, 405),
    "X-Method-Override": ("POST", "", {"X-Method-Override": "PUT"}, 405),
    "X-Original-Method": ("GET", "", {"X-Original-Method": "DELETE"}, 200),
    "_method in the query": ("POST", "?_method=DELETE", {}, 405),
    "_method in the query of GET": ("GET", "?_method=DELETE", {}, 422),
    "X-Original-URL": ("GET", "", {"X-Original-URL": "/api/tasks/HIS"}, 200),
    "X-Rewrite-URL": ("GET", "", {"X-Rewrite-URL": "/api/tasks/HIS"}, 200),
    "X-Forwarded-Prefix": ("GET", "", {"X-Forwarded-Prefix": "/api/tasks/HIS"}, 200),
    "X-Forwarded-Host": ("GET", "", {"X-Forwarded-Host": "evil.example"}, 200),
}


@pytest.mark.parametrize(
    ("method", "query", "headers", "status"), OTHER_METHODS.values(), ids=OTHER_METHODS
)
def test_the_request_line_alone_says_what_is_done(
    alice: Person, bob: Person, method: str, query: str, headers: dict[str, str], status: int
) -> None:
    mine, his = alice.creates(), bob.creates()
    answer = alice.http.request(
        method,
        f"/api/tasks/{mine['id']}{query}",
        headers={name: value.replace("HIS", str(his["id"])) for name, value in headers.items()},
        data={"_method": "DELETE"} if method == "POST" else None,
    )
    assert answer.status_code == status
    if status == 200:
        assert answer.json() == mine
    assert "evil.example" not in f"{answer.headers} {answer.text}"
    assert (alice.lists(), bob.lists()) == ([mine], [his])


# HTTP as it goes over the wire


@dataclass
class Answer:
    """One answer of several on a connection."""

    status: int
    body: bytes

    @property
    def owners(self) -> set[str]:
        """Whose tasks are in it."""
        return set(re.findall(r'"user_id":"([^"]*)"', self.body.decode()))


def answers(received: bytes) -> Iterator[Answer]:
    while received:
        head, end, rest = received.partition(b"\r\n\r\n")
        assert end, received
        assert head.startswith(b"HTTP/1.1 "), received
        length = re.search(rb"(?mi)^content-length: (\d+)\r?$", head)
        size = int(length[1]) if length else 0
        assert len(rest) >= size, received
        yield Answer(int(head[9:12]), rest[:size])
        received = rest[size:]


@dataclass
class Wire:
    """Alice, bob, and the bytes that somebody sends in their names."""

    alice: Person
    bob: Person
    mine: dict[str, Any]
    his: dict[str, Any]

    def filled(self, text: str) -> bytes:
        for word, value in {
            "HOST": f"Host: {self.alice.http.base_url.host}\r\n",
            "ALICE": f"Authorization: {self.alice.http.headers['Authorization']}\r\n",
            "BOB": f"Authorization: {self.bob.http.headers['Authorization']}\r\n",
            "TOKEN": self.alice.http.headers["Authorization"].removeprefix("Bearer "),
            "MINE": str(self.mine["id"]),
            "HIS": str(self.his["id"]),
        }.items():
            text = text.replace(f"<{word}>", value)
        return text.encode("latin-1")

    def say(self, text: str, *, pieces: int = 1 << 20, patience: float = 10) -> list[Answer]:
        """What is answered until the server hangs up, or has said nothing for that long."""
        sent, received = self.filled(text), b""
        url = self.alice.http.base_url
        with socket.create_connection((url.host, url.port), timeout=patience) as connection:
            try:
                for start in range(0, len(sent), pieces):
                    connection.sendall(sent[start : start + pieces])
                while some := connection.recv(65536):
                    received += some
            except (ConnectionError, TimeoutError):
                pass
        return list(answers(received))

    def nothing_happened(self) -> None:
        assert self.alice.lists() == [self.mine]
        assert self.bob.lists() == [self.his]


@pytest.fixture
def wire(alice: Person, bob: Person) -> Wire:
    return Wire(alice, bob, alice.creates("Buy milk"), bob.creates("Buy bread"))


HEAD: Final = "<HOST><ALICE>"
GET: Final = f"GET /api/tasks HTTP/1.1\r\n{HEAD}"
POST: Final = f"POST /api/tasks HTTP/1.1\r\n{HEAD}Content-Type: application/json\r\n"
BODY: Final = '{"title": "x"}'
LENGTH: Final = f"Content-Length: {len(BODY)}\r\n"
CHUNKED: Final = "Transfer-Encoding: chunked\r\n"
CHUNK: Final = f"{len(BODY):x}\r\n{BODY}\r\n0\r\n\r\n"
# What comes behind on the same connection: bob asks, and the server is to hang up.
BEHIND: Final = "GET /api/tasks HTTP/1.1\r\n<HOST><BOB>Connection: close\r\n\r\n"
DELETES: Final = "DELETE /api/tasks/<HIS> HTTP/1.1\r\n<HOST><BOB>\r\n"

NO_HTTP: Final[dict[str, str]] = {
    # two lengths of one body
    "a length and chunks": f"{POST}{LENGTH}{CHUNKED}\r\n{CHUNK}",
    "chunks and a length": f"{POST}{CHUNKED}Content-Length: 4\r\n\r\n{CHUNK}",
    "a length and chunks, a request inside": f"{POST}Content-Length: 999\r\n{CHUNKED}\r\n"
    f"0\r\n\r\n{DELETES}",
    "a length of 0 and a request": f"{POST}Content-Length: 0\r\n{CHUNKED}\r\n0\r\n\r\n{DELETES}",
    "two lengths": f"{POST}{LENGTH}Content-Length: 5\r\n\r\n{BODY}",
    "two lengths, the same": f"{POST}{LENGTH}{LENGTH}\r\n{BODY}",
    "a list of lengths": f"{POST}Content-Length: 14, 14\r\n\r\n{BODY}",
    # no length
    "a length of -1": f"{POST}Content-Length: -1\r\n\r\n{BODY}",
    "a length of +14": f"{POST}Content-Length: +14\r\n\r\n{BODY}",
    "a length of 1_4": f"{POST}Content-Length: 1_4\r\n\r\n{BODY}",
    "a length of 0xe": f"{POST}Content-Length: 0xe\r\n\r\n{BODY}",
    "a length of 14.0": f"{POST}Content-Length: 14.0\r\n\r\n{BODY}",
    "a length in words": f"{POST}Content-Length: fourteen\r\n\r\n{BODY}",
    "a length of nothing": f"{POST}Content-Length: \r\n\r\n{BODY}",
    "a length of 2^64": f"{POST}Content-Length: {2**64}\r\n\r\n{BODY}",
    "a length of 100 digits": f"{POST}Content-Length: {'9' * 100}\r\n\r\n{BODY}",
    # chunks that are none
    "a chunk of zz": f"{POST}{CHUNKED}\r\nzz\r\n{BODY}\r\n0\r\n\r\n",
    "a chunk of -1": f"{POST}{CHUNKED}\r\n-1\r\n{BODY}\r\n0\r\n\r\n",
    "a chunk of 0xe": f"{POST}{CHUNKED}\r\n0xe\r\n{BODY}\r\n0\r\n\r\n",
    "a chunk of 2^68": f"{POST}{CHUNKED}\r\nfffffffffffffffff\r\n{BODY}\r\n0\r\n\r\n",
    "a chunk of nothing": f"{POST}{CHUNKED}\r\n\r\n{BODY}\r\n0\r\n\r\n",
    "a chunk that is longer": f"{POST}{CHUNKED}\r\n5\r\n{BODY}\r\n0\r\n\r\n",
    "chunks with bare newlines": f"{POST}{CHUNKED}\r\ne\n{BODY}\n0\n\n",
    "a chunk with a newline in its extension": f"{POST}{CHUNKED}\r\ne;a\n\r\n{BODY}\r\n0\r\n\r\n",
    "chunked is not the last": f"{POST}Transfer-Encoding: chunked, gzip\r\n\r\n{CHUNK}",
    "an unknown coding": f"{POST}Transfer-Encoding: xchunked\r\n{LENGTH}\r\n{BODY}",
    "two codings": f"{POST}{CHUNKED}Transfer-Encoding: identity\r\n\r\n{CHUNK}",
    "a coding behind a control": f"{POST}Transfer-Encoding: \x0bchunked\r\n\r\n{CHUNK}",
    "a coding before a space": f"{POST}Transfer-Encoding : chunked\r\n\r\n{CHUNK}",
    # lines and names
    "bare newlines": f"{GET}\r\n".replace("\r\n", "\n"),
    "one bare newline": f"GET /api/tasks HTTP/1.1\r\n<HOST>X-A: a\n{HEAD}\r\n",
    "a bare return": f"GET /api/tasks HTTP/1.1\r\nX-A: a\rX-B: b\r\n{HEAD}\r\n",
    "NUL in a value": f"{GET}X-A: a\0b\r\n\r\n",
    "NUL in a name": f"{GET}X\0A: ab\r\n\r\n",
    "NUL behind the token": "GET /api/tasks HTTP/1.1\r\n<HOST>"
    "Authorization: Bearer <TOKEN>\0\r\n\r\n",
    "a return behind the token": "GET /api/tasks HTTP/1.1\r\n<HOST>"
    "Authorization: Bearer <TOKEN>\r\r\n\r\n",
    "a newline behind the token": "GET /api/tasks HTTP/1.1\r\n<HOST>"
    "Authorization: Bearer <TOKEN>\n\r\n\r\n",
    "a folded token": "GET /api/tasks HTTP/1.1\r\n<HOST>Authorization: Bearer\r\n <TOKEN>\r\n\r\n",
    "a folded header": f"{GET}X-A: a\r\n b\r\n\r\n",
    "a fold at the start": "GET /api/tasks HTTP/1.1\r\n <ALICE><HOST>\r\n",
    "a space before the colon": "GET /api/tasks HTTP/1.1\r\n<HOST>"
    "Authorization : Bearer <TOKEN>\r\n\r\n",
    "no colon": f"{GET}Nonsense\r\n\r\n",
    "no name": f"{GET}: nonsense\r\n\r\n",
    # request lines
    "a method in lower case": f"get /api/tasks HTTP/1.1\r\n{HEAD}\r\n",
    "an unknown method": f"FROB /api/tasks HTTP/1.1\r\n{HEAD}\r\n",
    "a tunnel": f"CONNECT evil.example:80 HTTP/1.1\r\n{HEAD}\r\n",
    "no slash": f"GET api/tasks HTTP/1.1\r\n{HEAD}\r\n",
    "a space in the address": f"GET /api/tasks /x HTTP/1.1\r\n{HEAD}\r\n",
    "tabs": f"GET\t/api/tasks\tHTTP/1.1\r\n{HEAD}\r\n",
    "NUL in the address": f"GET /api/tasks\0 HTTP/1.1\r\n{HEAD}\r\n",
    "bytes in the address": f"GET /api/tasks\xff HTTP/1.1\r\n{HEAD}\r\n",
    "an unknown version": f"GET /api/tasks HTTP/9.9\r\n{HEAD}\r\n",
    "no such protocol": f"GET /api/tasks ICE/1.1\r\n{HEAD}\r\n",
    "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "SSH": "SSH-2.0-OpenSSH_9.9\r\n",
}


@pytest.mark.parametrize("text", NO_HTTP.values(), ids=NO_HTTP)
def test_what_is_no_http_is_refused_and_ends_the_connection(wire: Wire, text: str) -> None:
    assert [answer.status for answer in wire.say(text + BEHIND)] == [400]
    wire.nothing_happened()


ODD: Final[dict[str, tuple[str, list[int]]]] = {
    "another host": ("GET /api/tasks HTTP/1.1\r\nHost: evil.example\r\n<ALICE>\r\n", [200, 200]),
    "no host, as HTTP/1.0 may have it": ("GET /api/tasks HTTP/1.0\r\n<ALICE>\r\n", [200]),
    "a URL of elsewhere": (f"GET http://evil.example/api/tasks HTTP/1.1\r\n{HEAD}\r\n", [200, 200]),
    "a fragment": (f"GET /api/tasks#/../<HIS> HTTP/1.1\r\n{HEAD}\r\n", [200, 200]),
    "empty lines before": (f"\r\n\r\n{GET}\r\n", [200, 200]),
    "a body with GET": (f"{GET}{LENGTH}\r\n{BODY}", [200, 200]),
    "chunks with GET": (f"{GET}{CHUNKED}\r\n{CHUNK}", [200, 200]),
    "a body with DELETE": (
        f"DELETE /api/tasks/<HIS> HTTP/1.1\r\n{HEAD}{LENGTH}\r\n{BODY}",
        [404, 200],
    ),
    "a header of 50 KB": (f"{GET}X-A: {'a' * 50_000}\r\n\r\n", [200, 200]),
    "a header of 100 KB": (f"{GET}X-A: {'a' * 100_000}\r\n\r\n", [431]),
    "5,000 headers": (GET + "X-A: a\r\n" * 5_000 + "\r\n", [200, 200]),
    "HTTP/1.0, which hangs up": (f"GET /api/tasks HTTP/1.0\r\n{HEAD}\r\n", [200]),
    "HTTP/0.9, which has no headers": ("GET /api/tasks\r\n\r\n", [401]),
    "the whole server": (f"OPTIONS * HTTP/1.1\r\n{HEAD}\r\n", [404, 200]),
    "a token in a name with an underscore": (
        "GET /api/tasks HTTP/1.1\r\n<HOST>HTTP_AUTHORIZATION: Bearer <TOKEN>\r\n\r\n",
        [401, 200],
    ),
    "two tokens": (f"{GET}<BOB>\r\n", [401, 200]),
    "an unknown expectation": (f"{GET}Expect: 200-maybe\r\n\r\n", [200, 200]),
}


@pytest.mark.parametrize(("text", "statuses"), ODD.values(), ids=ODD)
def test_what_is_odd_is_answered_for_who_asks(wire: Wire, text: str, statuses: list[int]) -> None:
    said = wire.say(text + BEHIND)
    assert [answer.status for answer in said] == statuses
    people = [wire.alice.id, wire.bob.id]
    for answer, person in zip(said, people, strict=False):
        assert answer.owners == ({person} if answer.status == 200 else set())
    wire.nothing_happened()


ADDRESSES: Final = [
    "/api/tasks/../tasks",
    "/api/../api/tasks",
    "/api/tasks/./",
    "/api/tasks/%2e%2e/tasks",
    "/api/tasks/%2e%2e/..",
    "/api/tasks/<MINE>/../<HIS>",
    "/api/tasks/<MINE>/%2e%2e/<HIS>",
    "/api/tasks/<MINE>%2f..%2f<HIS>",
    "/api/tasks/..%2ftasks%2f<HIS>",
    "/api/tasks/%252e%252e/tasks",
    "/api/tasks%252f<MINE>",
    "//api/tasks",
    "/api//tasks",
    "/api/tasks//<MINE>",
    "/API/TASKS",
    "/api/Tasks/<MINE>",
    "/api/tasks/<MINE>%2f",
    "/api/tasks/<MINE>;<HIS>",
    "/api/tasks;user=bob",
    "/api/tasks/<MINE>%00",
    "/api/tasks/<MINE>%0d%0aHost:%20evil.example",
    "/api/tasks/<MINE>.json",
    "/api/tasks/<MINE>,<HIS>",
    "/api/tasks/<HIS>",
    "/api/tasks%2f<HIS>",
    "/%61pi/tasks/<HIS>",
    "/api\\tasks",
    "/api/tasks/%c0%af<MINE>",
    "/api/tasks/%",
    "/api/tasks/%zz",
    "/api/tasks/*",
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_address_written_otherwise_leads_nowhere(wire: Wire, method: str, address: str) -> None:
    said = wire.say(f"{method} {address} HTTP/1.1\r\n{HEAD}\r\n{BEHIND}")
    assert [answer.status for answer in said] == [404, 200]
    assert b"evil" not in said[0].body
    wire.nothing_happened()


def test_a_slash_may_be_written_as_a_code_and_leads_to_one_s_own(wire: Wire) -> None:
    said = wire.say(f"GET /api/tasks%2f<MINE> HTTP/1.1\r\n{HEAD}\r\n{BEHIND}")
    assert [json.loads(answer.body) for answer in said] == [wire.mine, [wire.his]]


@pytest.mark.parametrize("value", ["Bearer ", "Bearer   ", "Bearer\t", "Bearer,", "Bearer=", " "])
def test_a_scheme_without_a_token_is_refused(wire: Wire, value: str) -> None:
    head = f"GET /api/tasks HTTP/1.1\r\n<HOST>Authorization: {value}\r\n"
    first, behind = wire.say(f"{head}\r\n{BEHIND}")
    assert first.status == 401
    assert behind.owners == {wire.bob.id}


INSIDE: Final = [f"{GET}", f"POST /api/tasks/<MINE> HTTP/1.1\r\n{HEAD}", POST]


@pytest.mark.parametrize("head", INSIDE, ids=["GET", "405", "POST"])
@pytest.mark.parametrize("framed", ["with a length", "in chunks"])
def test_a_request_inside_a_body_is_not_answered(wire: Wire, head: str, framed: str) -> None:
    inside = wire.filled(DELETES).decode()
    if framed == "in chunks":
        text = f"{head}{CHUNKED}\r\n{len(inside):x}\r\n{inside}\r\n0\r\n\r\n"
    else:
        text = f"{head}Content-Length: {len(inside)}\r\n\r\n{inside}"
    first, behind = wire.say(text + BEHIND)
    assert first.status in (200, 400, 405)
    assert behind.owners == {wire.bob.id}
    wire.nothing_happened()


@pytest.mark.parametrize("pieces", [1 << 20, 1000, 7], ids=["at once", "in pieces", "in crumbs"])
def test_each_answer_on_a_connection_belongs_to_the_token_it_came_with(
    wire: Wire, pieces: int
) -> None:
    asked = [
        (person, f"{method} {path} HTTP/1.1\r\n<HOST>{token}")
        for path in ("/api/tasks", "/api/tasks/<MINE>", "/api/tasks/<HIS>")
        for method in ("GET", "GET", "PATCH")
        for person, token in (("alice", "<ALICE>"), ("bob", "<BOB>"), ("nobody", ""))
    ]
    assert len(asked) == 27
    said = wire.say("\r\n".join([*(head for _, head in asked), BEHIND]), pieces=pieces)
    ids = {"alice": {wire.alice.id}, "bob": {wire.bob.id}, "nobody": set()}
    for (person, head), answer in zip(asked, said, strict=False):
        foreign = ("<HIS>" in head) if person == "alice" else ("<MINE>" in head)
        if person == "nobody":
            allowed = {401, 405}
        elif head.startswith("PATCH"):
            allowed = {400, 404, 405}
        else:
            allowed = {404} if foreign else {200}
        assert answer.status in allowed, head
        assert answer.owners == (ids[person] if answer.status == 200 else set()), head
    assert len(said) == len(asked) + 1
    assert said[-1].owners == {wire.bob.id}
    wire.nothing_happened()


UNFINISHED: Final[dict[str, str]] = {
    "half a request line": "GET /api/ta",
    "half a head": f"{GET}X-A: ",
    "a body shorter than its length": f"{POST}Content-Length: 100000\r\n\r\n{BODY}",
    "a length of 2^63": f"{POST}Content-Length: {2**63}\r\n\r\n{BODY}",
    "chunks without an end": f"{POST}{CHUNKED}\r\n{len(BODY):x}\r\n{BODY}\r\n",
    "half a chunk": f"{POST}{CHUNKED}\r\nff\r\n{BODY}",
}


@pytest.mark.parametrize("text", UNFINISHED.values(), ids=UNFINISHED)
def test_what_is_never_finished_does_nothing(wire: Wire, text: str) -> None:
    assert wire.say(text, patience=0.1) == []
    wire.nothing_happened()


def test_an_address_of_100_kb_is_refused(wire: Wire) -> None:
    said = wire.say(f"GET /api/tasks?{'a' * 100_000} HTTP/1.1\r\n{HEAD}\r\n{BEHIND}")
    # hung up on before it was all sent, one may miss the answer
    assert [answer.status for answer in said] in ([431], [])
    wire.nothing_happened()


def test_a_body_is_asked_for_only_when_it_will_be_read(wire: Wire) -> None:
    expects = f"{LENGTH}Expect: 100-continue\r\n"
    said = wire.say(f"{POST}{expects}\r\n{BODY}{BEHIND}")
    assert [answer.status for answer in said] == [100, 201, 200]
    assert said[1].owners == {wire.alice.id}
    assert said[2].owners == {wire.bob.id}
    text = POST.replace("application/json", "text/plain")
    assert [a.status for a in wire.say(f"{text}{expects}\r\n", patience=0.3)] == [415]
    coded = f"{POST}Content-Encoding: gzip\r\n"
    assert [a.status for a in wire.say(f"{coded}{expects}\r\n", patience=0.3)] == [415]
    stranger = POST.replace("<ALICE>", "")
    assert [answer.status for answer in wire.say(f"{stranger}{expects}\r\n", patience=0.3)] == [401]


@pytest.mark.parametrize("protocol", ["websocket", "h2c", "TLS/1.2"])
def test_there_is_no_other_protocol_to_change_to(wire: Wire, protocol: str) -> None:
    wanted = (
        f"Connection: Upgrade\r\nUpgrade: {protocol}\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    for head, owners in ((GET, {wire.alice.id}), (GET.replace("<ALICE>", ""), set())):
        (answer,) = wire.say(f"{head}{wanted}\r\n", patience=0.3)
        assert answer.status == (200 if owners else 401)
        assert answer.owners == owners
    wire.nothing_happened()


def test_a_token_in_a_trailer_speaks_for_nobody(wire: Wire) -> None:
    trailed = f"{CHUNKED}\r\n{CHUNK[:-2]}<TOKEN>\r\n{BEHIND}"
    nobody, behind = wire.say(POST.replace("<ALICE>", "") + trailed.replace("<TOKEN>", "<ALICE>"))
    assert nobody.status == 401
    assert behind.owners == {wire.bob.id}
    wire.nothing_happened()
    created, behind = wire.say(POST + trailed.replace("<TOKEN>", "<BOB>"))
    assert created.owners == {wire.alice.id}
    assert behind.owners == {wire.bob.id}
    assert wire.bob.lists() == [wire.his]
