"""Who gets in, over HTTP: with which token, under a shared secret or an issuer's key set."""

import base64
import hashlib
import hmac
import json
import math
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from api.auth import jwks
from api.auth.authenticator import issue_token
from api.settings import Settings
from tests.cluster import TaskDatabase
from tests.keyserver import Issuer, issuing
from tests.loopback import free_port
from tests.people import SECRET, Person, signed
from tests.server import serving

NOW = int(time.time())
HOUR = 3600
EVERY = ("EdDSA", "ES256", "ES512", "RS256", "PS256")
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loading certificates takes most of a request


def part(text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def crafted(claims: str, header: str = '{"alg": "HS256"}', secret: str | bytes = SECRET) -> str:
    """A token of exactly this text, correctly signed with HMAC-SHA256: what no library makes."""
    key = secret.encode() if isinstance(secret, str) else secret
    content = f"{part(header)}.{part(claims)}"
    return f"{content}.{part(hmac.digest(key, content.encode(), hashlib.sha256))}"


def with_header(**header: Any) -> str:
    return crafted(
        json.dumps({"sub": "alice", "exp": NOW + HOUR}), json.dumps({"alg": "HS256"} | header)
    )


def with_exp(exp: str) -> str:
    return crafted(f'{{"sub": "alice", "exp": {exp}}}')


def tampered() -> str:
    header, _, signature = signed({"sub": "alice"}).split(".")
    return ".".join([header, part(json.dumps({"sub": "bob", "exp": NOW + HOUR})), signature])


def unsigned(algorithm: str) -> str:
    claims = part(json.dumps({"sub": "alice", "exp": NOW + HOUR}))
    return ".".join([part(json.dumps({"alg": algorithm})), claims, ""])


def ask(address: str, *authorization: str) -> httpx2.Response:
    """A request with these Authorization headers."""
    headers = [(b"Authorization", value.encode("latin-1")) for value in authorization]
    return httpx2.get(f"{address}/api/tasks", headers=headers, timeout=20, verify=NO_TLS)


def let_in(answer: httpx2.Response) -> None:
    assert answer.status_code == 200, answer.text
    assert answer.json() == []


def turned_away(answer: httpx2.Response, token: str = "") -> dict[str, Any]:
    assert answer.status_code == 401, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].split(" ")[0] == "Bearer"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == 401
    for piece in token.split("."):
        assert len(piece) < 8 or piece not in answer.text + str(answer.headers)
    return problem


def nobody_knows(answer: httpx2.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0


# Under a shared secret.


def test_alice_gets_in_as_herself(alice: Person) -> None:
    assert alice.creates()["user_id"] == alice.id


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_read_in_any_case(server: str, scheme: str) -> None:
    let_in(ask(server, f"{scheme} {signed({'sub': 'somebody'})}"))


def test_more_than_one_space_before_the_token_is_allowed(server: str) -> None:
    # RFC 9110, section 11.4: 1*SP
    let_in(ask(server, f"Bearer   {signed({'sub': 'somebody'})}"))


def test_a_stranger_is_told_how_to_come_in(server: str) -> None:
    answer = ask(server)
    assert "Authorization: Bearer" in turned_away(answer)["detail"]
    # no error code when nothing was presented (RFC 6750, section 3.1)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_refused_token_is_called_invalid(server: str) -> None:
    answer = ask(server, "Bearer x.y.z")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.evidence("two-authorizations")
def test_one_good_header_beside_another_is_not_enough(server: str) -> None:
    token = signed({"sub": "somebody"})
    for second in (f"Bearer {token}", "Bearer x", "Basic YWxpY2U6", ""):
        turned_away(ask(server, f"Bearer {token}", second), token)
        turned_away(ask(server, second, f"Bearer {token}"), token)


HEADERS = {
    "empty": "",
    "scheme-only": "Bearer",
    "basic": "Basic YWxpY2U6cGFzc3dvcmQ=",
    "token-without-scheme": signed({"sub": "alice"}),
    "other-scheme": f"Token {signed({'sub': 'alice'})}",
    "no-space": f"Bearer{signed({'sub': 'alice'})}",
    "tab": f"Bearer\t{signed({'sub': 'alice'})}",
    "comma": f"Bearer {signed({'sub': 'alice'})}, Bearer x",
    "quoted": f'Bearer "{signed({"sub": "alice"})}"',
    "two-words": "Bearer a b",
    "two-tokens": f"Bearer {signed({'sub': 'alice'})} {signed({'sub': 'alice'})}",
    "two-spaces": "Bearer  x",
    "not-ascii": "Bearer \xe9.\xe9.\xe9",
    "not-base64": "Bearer a!.b!.c!",
    "one-part": "Bearer abc",
    "two-parts": "Bearer abc.def",
    "four-parts": f"Bearer {signed({'sub': 'alice'})}.x",
    "empty-parts": "Bearer ..",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_header_that_holds_no_bearer_token_is_refused(server: str, header: str) -> None:
    turned_away(ask(server, header), header)


@pytest.mark.evidence("token-leaks", "csrf")
def test_a_token_elsewhere_is_not_looked_at(server: str) -> None:
    token = signed({"sub": "somebody"})
    url = f"{server}/api/tasks"
    turned_away(httpx2.get(url, params={"access_token": token, "token": token}))
    for name in ("better-auth.session_token", "better-auth.session_data", "Authorization"):
        turned_away(httpx2.get(url, headers={"Cookie": f"{name}={token}"}))
    turned_away(httpx2.get(url, headers={"X-Authorization": f"Bearer {token}"}))
    form = httpx2.post(url, data={"access_token": token})
    turned_away(form)


CLAIMS = {"sub": "alice", "exp": NOW + HOUR}
DEEP = "[" * 2000 + "]" * 2000

FORGERIES: dict[str, Callable[[], str]] = {
    "alg-none": lambda: unsigned("none") + "AA",
    "alg-None": lambda: unsigned("None") + "AA",
    "alg-none-without-signature": lambda: unsigned("none"),
    "hs256-without-signature": lambda: unsigned("HS256"),
    "hs384": lambda: jwt.encode(CLAIMS, SECRET * 2, algorithm="HS384"),
    "hs512": lambda: jwt.encode(CLAIMS, SECRET * 2, algorithm="HS512"),
    "alg-missing": lambda: crafted(json.dumps(CLAIMS), "{}"),
    "alg-null": lambda: with_header(alg=None),
    "alg-a-list": lambda: with_header(alg=["HS256"]),
    "alg-an-object": lambda: with_header(alg={"HS256": 1}),
    "alg-lower-case": lambda: with_header(alg="hs256"),
    "alg-rs256-signed-with-the-secret": lambda: with_header(alg="RS256"),
    "another-secret": lambda: signed({"sub": "alice"}, secret="x" * 40),
    "empty-secret": lambda: crafted(json.dumps(CLAIMS), secret=""),
    "secret-with-a-newline": lambda: signed({"sub": "alice"}, secret=SECRET + "\n"),
    "public-default-secret": lambda: signed(
        {"sub": "alice"}, secret="better-auth-secret-12345678901234567890"
    ),
    "tampered": tampered,
    "signature-of-another": lambda: (
        signed({"sub": "alice"}).rpartition(".")[0]
        + "."
        + signed({"sub": "bob"}).rpartition(".")[2]
    ),
    "signature-cut": lambda: signed({"sub": "alice"})[:-4],
    "payload-another-spelling": lambda: signed({"sub": "alice"}).replace(".", "=.", 1),
}


@pytest.mark.evidence("forged-token", "token-leaks")
@pytest.mark.parametrize("token", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_token_is_refused(server: str, token: Callable[[], str]) -> None:
    made = token()
    turned_away(ask(server, f"Bearer {made}"), made)


def test_a_token_signed_with_a_key_of_somebodys_own_is_refused(server: str, issuer: Issuer) -> None:
    for algorithm in EVERY:
        issuer.makes_key(algorithm, algorithm)
        turned_away(ask(server, f"Bearer {issuer.signs(algorithm, algorithm)}"))
    assert issuer.requests == []


SHAPES: dict[str, str] = {
    "header-not-an-object": crafted(json.dumps(CLAIMS), '["alg", "HS256"]'),
    "header-a-string": crafted(json.dumps(CLAIMS), '"HS256"'),
    "header-null": crafted(json.dumps(CLAIMS), "null"),
    "header-not-json": crafted(json.dumps(CLAIMS), "{alg: HS256}"),
    "header-deeply-nested": crafted(json.dumps(CLAIMS), DEEP),
    "header-with-deep-member": crafted(
        json.dumps(CLAIMS), f'{{"alg": "HS256", "x": {"[" * 900 + "]" * 900}}}'
    )[:-2],
    "header-with-endless-number": crafted(
        json.dumps(CLAIMS), f'{{"alg": "HS256", "x": {"1" * 5000}}}'
    ),
    "claims-not-an-object": crafted('["sub", "alice"]'),
    "claims-null": crafted("null"),
    "claims-not-json": crafted("sub=alice"),
    "claims-empty": crafted("{}"),
    "claims-deeply-nested": crafted(DEEP),
    "claims-with-endless-number": crafted(f'{{"sub": "alice", "exp": {"1" * 5000}}}'),
    "claims-not-utf-8": jwt.api_jws.encode(b'{"sub": "\xff"}', SECRET, "HS256"),
    "huge": signed({"sub": "alice", "padding": "x" * 20_000}),
    "crit-unknown": with_header(crit=["exp"], exp=1),
    "crit-empty": with_header(crit=[]),
    "crit-not-a-list": with_header(crit="b64"),
    "crit-absent-member": with_header(crit=["b64"]),
    "b64-false": with_header(b64=False, crit=["b64"]),
    "kid-a-number": with_header(kid=1),
    "kid-a-list": with_header(kid=[]),
    "type-of-an-event": with_header(typ="secevent+jwt"),
    "type-of-a-logout": with_header(typ="logout+jwt"),
    "type-encrypted": with_header(typ="JWE"),
    "type-null": with_header(typ=None),
    "type-a-list": with_header(typ=["JWT"]),
}


@pytest.mark.evidence("malformed-token")
@pytest.mark.parametrize("token", SHAPES.values(), ids=SHAPES)
def test_what_has_not_the_shape_of_a_token_is_refused(server: str, token: str) -> None:
    turned_away(ask(server, f"Bearer {token}"), token)


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "application/at+jwt"])
def test_a_token_may_say_that_it_is_one(server: str, kind: str) -> None:
    let_in(ask(server, f"Bearer {with_header(typ=kind)}"))


TIMES: dict[str, str] = {
    "no-exp": crafted('{"sub": "alice"}'),
    "exp-null": with_exp("null"),
    "exp-past": with_exp(str(NOW - 60)),
    "exp-zero": with_exp("0"),
    "exp-negative": with_exp("-1"),
    "exp-a-string": with_exp(f'"{NOW + HOUR}"'),
    "exp-a-date": with_exp('"2999-01-01T00:00:00Z"'),
    "exp-true": with_exp("true"),
    "exp-a-list": with_exp(f"[{NOW + HOUR}]"),
    "exp-an-object": with_exp("{}"),
    "exp-nan": with_exp("NaN"),
    "exp-infinity": with_exp("Infinity"),
    "exp-minus-infinity": with_exp("-Infinity"),
    "exp-1e400": with_exp("1e400"),
    "exp-1e30": with_exp("1e30"),
    "exp-10-to-the-30": with_exp(str(10**30)),
    "exp-10-to-the-400": with_exp(str(10**400)),
    "exp-in-milliseconds": with_exp(str((NOW + HOUR) * 1000)),
    "exp-in-the-year-10000": with_exp("253402300800"),
    "nbf-future": signed({"sub": "alice", "nbf": NOW + 3000}),
    "nbf-a-word": signed({"sub": "alice", "nbf": "now"}),
    "nbf-infinity": signed({"sub": "alice", "nbf": math.inf}),
    "nbf-nan": signed({"sub": "alice", "nbf": math.nan}),
    "nbf-a-list": signed({"sub": "alice", "nbf": []}),
    "iat-future": signed({"sub": "alice", "iat": NOW + 3000}),
    "iat-10-to-the-400": signed({"sub": "alice", "iat": 10**400}),
    "iat-an-object": signed({"sub": "alice", "iat": {}}),
}


@pytest.mark.evidence("token-lifetime")
@pytest.mark.parametrize("token", TIMES.values(), ids=TIMES)
def test_a_token_out_of_its_time_is_refused(server: str, token: str) -> None:
    turned_away(ask(server, f"Bearer {token}"), token)


@pytest.mark.evidence("expired-token")
def test_a_token_that_has_expired_says_so(server: str) -> None:
    token = signed({"sub": "alice", "exp": NOW - HOUR})
    assert "expired" in turned_away(ask(server, f"Bearer {token}"))["detail"]


@pytest.mark.parametrize(
    "exp",
    ["soon", "fraction", "last-second-of-9999", "leeway"],
)
def test_a_token_in_its_time_lets_somebody_in(server: str, exp: str) -> None:
    seconds = {
        "soon": NOW + HOUR,
        "fraction": NOW + HOUR + 0.5,
        "last-second-of-9999": 253_402_300_799,
        "leeway": int(time.time()) - 3,
    }[exp]
    let_in(ask(server, f"Bearer {signed({'sub': 'somebody', 'exp': seconds})}"))


@pytest.mark.evidence("expired-token")
def test_clocks_may_differ_by_at_most_half_a_minute(server: str) -> None:
    now = int(time.time())
    let_in(ask(server, f"Bearer {signed({'sub': 'somebody', 'iat': now + 3, 'nbf': now + 3})}"))
    turned_away(ask(server, f"Bearer {signed({'sub': 'somebody', 'exp': now - 31})}"))


NOBODIES: dict[str, Any] = {
    "null": None,
    "empty": "",
    "space": " ",
    "space-around": " alice ",
    "space-within": "alice bob",
    "newline": "alice\n",
    "nul": "\0",
    "nul-after": "alice\0",
    "escape": "\x1b[31m",
    "delete": "\x7f",
    "zero-width": "\u200b",
    "zero-width-after": "alice\u200b",
    "byte-order-mark": "\ufeffalice",
    "no-break-space": "\u00a0",
    "direction-override": "alice\u202e",
    "lone-surrogate": "alice" + chr(0xD800),
    "too-long": "a" * 256,
    "number": 7,
    "zero": 0,
    "true": True,
    "list": ["alice"],
    "object": {"id": "alice"},
}


@pytest.mark.evidence("nobody")
@pytest.mark.parametrize("sub", NOBODIES.values(), ids=NOBODIES)
def test_a_sub_that_names_nobody_is_refused(server: str, sub: Any) -> None:
    token = signed({"sub": sub})
    turned_away(ask(server, f"Bearer {token}"), token)


@pytest.mark.parametrize("name", ["a", "a" * 255, "日本", "🦊", "o'brien|--%", "{}"])
def test_a_sub_of_visible_characters_is_somebody(server: str, name: str) -> None:
    let_in(ask(server, f"Bearer {signed({'sub': name})}"))


@pytest.mark.evidence("other-purpose")
def test_an_e_mail_verification_link_is_not_a_way_in(server: str) -> None:
    link = signed({"email": "alice@example.com", "iat": NOW})
    assert "who is asking" in turned_away(ask(server, f"Bearer {link}"), link)["detail"]


def test_issuer_and_audience_do_not_matter_when_not_set(server: str) -> None:
    for claims in ({"iss": "https://x"}, {"aud": "https://x"}, {"aud": ["a", "b"]}, {"aud": 7}):
        let_in(ask(server, f"Bearer {signed({'sub': 'somebody'} | claims)}"))


ORIGIN = Issuer.origin


@contextmanager
def secret_server(database: TaskDatabase, **settings: str) -> Iterator[tuple[str, Settings]]:
    chosen = Settings.model_validate(
        {"database_url": database.task_app, "better_auth_secret": SECRET} | settings
    )
    with serving(chosen) as address:
        yield address, chosen


@pytest.fixture(scope="module")
def strict_server(database: TaskDatabase) -> Iterator[str]:
    """In secret mode, with an issuer and an audience to check."""
    with secret_server(database, auth_issuer=ORIGIN, auth_audience=ORIGIN) as (address, settings):
        let_in(ask(address, f"Bearer {issue_token(settings, 'somebody')}"))
        yield address


WRONG_PARTIES: dict[str, dict[str, Any]] = {
    "iss-missing": {"aud": ORIGIN},
    "iss-wrong": {"iss": "https://evil.example", "aud": ORIGIN},
    "iss-with-slash": {"iss": ORIGIN + "/", "aud": ORIGIN},
    "iss-empty": {"iss": "", "aud": ORIGIN},
    "aud-missing": {"iss": ORIGIN},
    "aud-wrong": {"iss": ORIGIN, "aud": "https://evil.example"},
    "aud-list-without": {"iss": ORIGIN, "aud": ["https://evil.example"]},
    "aud-empty-list": {"iss": ORIGIN, "aud": []},
    "aud-list-of-numbers": {"iss": ORIGIN, "aud": [1]},
    "aud-object": {"iss": ORIGIN, "aud": {ORIGIN: 1}},
    "aud-null": {"iss": ORIGIN, "aud": None},
}


@pytest.mark.evidence("other-audience")
@pytest.mark.parametrize("claims", WRONG_PARTIES.values(), ids=WRONG_PARTIES)
def test_issuer_and_audience_are_checked_when_set(
    strict_server: str, claims: dict[str, Any]
) -> None:
    token = signed({"sub": "alice"} | claims)
    turned_away(ask(strict_server, f"Bearer {token}"), token)


@pytest.mark.parametrize("issuer", [None, [ORIGIN], {ORIGIN: 1}, 7, True], ids=repr)
def test_an_issuer_that_is_no_string_is_refused(strict_server: str, issuer: Any) -> None:
    claims = json.dumps({**CLAIMS, "iss": issuer, "aud": ORIGIN})
    turned_away(ask(strict_server, f"Bearer {crafted(claims)}"))


def test_the_right_issuer_and_one_of_several_audiences_let_in(strict_server: str) -> None:
    for audience in (ORIGIN, ["https://other.example", ORIGIN]):
        token = signed({"sub": "somebody", "iss": ORIGIN, "aud": audience})
        let_in(ask(strict_server, f"Bearer {token}"))


def test_a_cookie_cache_token_lets_in_where_the_id_is_looked_for(database: TaskDatabase) -> None:
    cache = {
        "session": {"id": "s1", "userId": "alice"},
        "user": {"id": "alice", "email": "alice@example.com"},
        "version": "1",
    }
    with secret_server(database, auth_user_claim="user.id") as (address, settings):
        let_in(ask(address, f"Bearer {signed(cache)}"))
        let_in(ask(address, f"Bearer {issue_token(settings, 'somebody')}"))
        for user in ({}, {"id": ""}, {"id": 7}, "alice", ["alice"], None):
            turned_away(ask(address, f"Bearer {signed(cache | {'user': user})}"))
        turned_away(ask(address, f"Bearer {signed({'sub': 'alice', 'user.id': 'alice'})}"))
        turned_away(ask(address, f"Bearer {signed({'email': 'alice@example.com'})}"))


def test_a_cookie_cache_token_names_nobody_where_sub_is_looked_for(server: str) -> None:
    turned_away(ask(server, f"Bearer {signed({'user': {'id': 'alice'}})}"))


# By an issuer's key set.


@contextmanager
def trusting(
    url: str, database: TaskDatabase, algorithms: str = "EdDSA"
) -> Iterator[Callable[[str], httpx2.Response]]:
    """A server that trusts the key set at `url`; the way to ask it with a token."""
    settings = Settings(
        database_url=database.task_app,
        auth_jwks_url=url,
        auth_issuer=ORIGIN,
        auth_audience=ORIGIN,
        auth_algorithms=algorithms,
    )
    with serving(settings) as address:
        yield lambda token: ask(address, f"Bearer {token}")


Ask = Callable[[str], httpx2.Response]


@pytest.fixture(scope="module")
def known_issuer() -> Iterator[Issuer]:
    """An issuer with a key for each algorithm, which no test changes."""
    with issuing() as issuer:
        for algorithm in EVERY:
            issuer.makes_key(algorithm, algorithm)
        yield issuer


@pytest.fixture(scope="module")
def trusting_server(known_issuer: Issuer, database: TaskDatabase) -> Iterator[Ask]:
    with trusting(known_issuer.url, database, ",".join(EVERY)) as ask_it:
        yield ask_it


@pytest.fixture
def _low_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "MIN_REFRESH_INTERVAL", 0.05)


@pytest.mark.parametrize("algorithm", EVERY)
def test_each_algorithm_that_is_allowed_lets_in(
    trusting_server: Ask, known_issuer: Issuer, algorithm: str
) -> None:
    let_in(trusting_server(known_issuer.signs(algorithm, algorithm)))


@pytest.mark.parametrize("algorithm", EVERY)
def test_an_algorithm_that_is_not_allowed_is_refused_without_a_fetch(
    database: TaskDatabase, issuer: Issuer, algorithm: str
) -> None:
    issuer.makes_key("first", algorithm)
    others = ",".join(other for other in EVERY if other != algorithm)
    with trusting(issuer.url, database, others) as ask_it:
        turned_away(ask_it(issuer.signs("first", algorithm)))
        turned_away(ask_it(signed({"sub": "alice"}, kid="first")))
        turned_away(ask_it(unsigned("none") + "AA"))
    assert issuer.requests == []


@pytest.mark.evidence("wrong-key-type")
@pytest.mark.usefixtures("_low_floor")
def test_a_key_serves_its_own_algorithm_only(trusting_server: Ask, known_issuer: Issuer) -> None:
    for kid, algorithm in (("RS256", "PS256"), ("PS256", "RS256")):
        turned_away(trusting_server(known_issuer.signs(kid, algorithm)))


@pytest.mark.evidence("public-key-as-secret")
@pytest.mark.parametrize("algorithm", EVERY)
def test_the_public_key_is_not_taken_for_a_secret(
    trusting_server: Ask, known_issuer: Issuer, algorithm: str
) -> None:
    public = known_issuer.private[algorithm].public_key()
    claims = json.dumps({**CLAIMS, "iss": ORIGIN, "aud": ORIGIN})
    entry = next(e for e in known_issuer.public if e["kid"] == algorithm)
    secrets = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(entry).encode(),
        b"",
    ]
    for secret in secrets:
        for name in ("HS256", algorithm):
            header = json.dumps({"alg": name, "kid": algorithm})
            turned_away(trusting_server(crafted(claims, header, secret)))


@pytest.mark.evidence("other-audience")
@pytest.mark.parametrize("claim", ["iss", "aud"])
@pytest.mark.parametrize("value", [None, "", "https://evil.example", f"{ORIGIN}/", f"{ORIGIN}/api"])
def test_a_token_from_or_for_somebody_else_is_refused(
    trusting_server: Ask, known_issuer: Issuer, claim: str, value: str | None
) -> None:
    claims: dict[str, Any] = {claim: value}
    token = known_issuer.signs("EdDSA", **claims)
    turned_away(trusting_server(token), token)


def test_one_of_several_audiences_is_enough(trusting_server: Ask, known_issuer: Issuer) -> None:
    let_in(trusting_server(known_issuer.signs("EdDSA", aud=["https://other.example", ORIGIN])))


@pytest.mark.parametrize(
    "claims",
    [{"exp": None}, {"exp": NOW - HOUR}, {"sub": None}, {"sub": ""}, {"nbf": NOW + HOUR}],
    ids=["no-exp", "expired", "no-sub", "empty-sub", "not-yet"],
)
def test_the_claims_are_judged_as_under_a_secret(
    trusting_server: Ask, known_issuer: Issuer, claims: dict[str, Any]
) -> None:
    turned_away(trusting_server(known_issuer.signs("EdDSA", **claims)))


def tokens_of(mallory: Issuer, **header: Any) -> str:
    """A token for alice that mallory signs with a key of their own."""
    claims = {**CLAIMS, "iss": ORIGIN, "aud": ORIGIN}
    return jwt.encode(claims, mallory.private["EdDSA"], "EdDSA", headers=header)


@pytest.mark.evidence("key-in-token")
@pytest.mark.usefixtures("_low_floor")
@pytest.mark.parametrize("kid", ["EdDSA", "unknown", "", "../jwks", None])
def test_a_key_that_the_token_brings_along_is_not_used(
    trusting_server: Ask, issuer: Issuer, kid: str | None
) -> None:
    mallory = issuer
    mallory.makes_key("EdDSA")
    named = {} if kid is None else {"kid": kid}
    for header in (
        {"jwk": mallory.public[0]},
        {"jku": mallory.url},
        {"x5u": mallory.url},
        {"x5c": ["AAAA"]},
    ):
        turned_away(trusting_server(tokens_of(mallory, **named, **header)))
    assert mallory.requests == []


@pytest.mark.evidence("key-in-token")
def test_a_key_id_that_is_missing_or_no_string_is_refused_without_a_fetch(
    trusting_server: Ask, known_issuer: Issuer
) -> None:
    let_in(trusting_server(known_issuer.signs("EdDSA")))
    before = len(known_issuer.requests)
    kids: list[dict[str, Any]] = [{}, {"kid": 1}, {"kid": None}, {"kid": []}, {"kid": {}}]
    for kid in kids:
        token = ".".join(
            [
                part(json.dumps({"alg": "EdDSA"} | kid)),
                part(json.dumps(CLAIMS)),
                part("x" * 64),
            ]
        )
        turned_away(trusting_server(token))
    assert len(known_issuer.requests) == before


@pytest.mark.evidence("key-fetch-storm")
def test_many_strangers_with_unknown_keys_cause_one_fetch_and_alice_does_not_wait(
    database: TaskDatabase, issuer: Issuer
) -> None:
    issuer.makes_key("first")
    issuer.makes_key("gone")
    with trusting(issuer.url, database) as ask_it, ThreadPoolExecutor(50) as crowd:
        started = time.monotonic()
        let_in(ask_it(issuer.signs("first")))
        forged = [tokens_of_kid(issuer, f"unknown-{number}") for number in range(50)]
        answers = [crowd.submit(ask_it, token) for token in forged]
        let_in(ask_it(issuer.signs("first")))
        for answer in answers:
            turned_away(answer.result())
        assert (
            2
            <= len(issuer.requests)
            <= 1 + (time.monotonic() - started) / jwks.MIN_REFRESH_INTERVAL
        )


def tokens_of_kid(issuer: Issuer, kid: str) -> str:
    claims = {**CLAIMS, "iss": ORIGIN, "aud": ORIGIN}
    return jwt.encode(claims, issuer.private["gone"], "EdDSA", headers={"kid": kid})


def test_a_new_key_lets_in_as_soon_as_it_is_used(database: TaskDatabase, issuer: Issuer) -> None:
    issuer.makes_key("first")
    with trusting(issuer.url, database) as ask_it:
        let_in(ask_it(issuer.signs("first")))
        issuer.public.clear()
        issuer.makes_key("second")
        let_in(ask_it(issuer.signs("second")))
    assert len(issuer.requests) == 2


@pytest.mark.evidence("remembered-token", "withdrawn-key")
@pytest.mark.usefixtures("_low_floor")
def test_a_removed_key_lets_nobody_in(database: TaskDatabase, issuer: Issuer) -> None:
    issuer.makes_key("first")
    with trusting(issuer.url, database) as ask_it:
        let_in(ask_it(token := issuer.signs("first")))
        issuer.public.clear()
        issuer.makes_key("second")
        let_in(ask_it(issuer.signs("second")))
        turned_away(ask_it(token))


@pytest.mark.usefixtures("_low_floor")
def test_another_key_of_the_same_name_lets_nobody_in(
    database: TaskDatabase, issuer: Issuer
) -> None:
    issuer.makes_key("first")
    with trusting(issuer.url, database) as ask_it:
        let_in(ask_it(token := issuer.signs("first")))
        issuer.public.clear()
        issuer.makes_key("first")
        issuer.makes_key("second")
        let_in(ask_it(issuer.signs("second")))
        turned_away(ask_it(token))


@pytest.mark.usefixtures("_low_floor")
def test_an_outage_is_not_noticed_by_who_has_a_known_key(
    database: TaskDatabase, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.makes_key("first")
    issuer.makes_key("gone")
    with trusting(issuer.url, database) as ask_it:
        let_in(ask_it(issuer.signs("first")))
        monkeypatch.setattr(jwks, "TTL", 0.0)
        issuer.status = 500
        for _ in range(5):
            time.sleep(jwks.MIN_REFRESH_INTERVAL)
            let_in(ask_it(issuer.signs("first")))
        nobody_knows(ask_it(tokens_of_kid(issuer, "unknown")))
        assert len(issuer.requests) > 2


@pytest.mark.evidence("slow-issuer")
def test_an_issuer_that_nobody_reaches_signs_nobody_out(database: TaskDatabase) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/"
    with issuing() as issuer, trusting(nowhere, database) as ask_it:
        issuer.makes_key("first")
        nobody_knows(ask_it(issuer.signs("first")))
        turned_away(ask_it(signed({"sub": "alice"})))


@pytest.mark.evidence("slow-issuer")
def test_a_slow_issuer_is_given_up_after_seconds(database: TaskDatabase, issuer: Issuer) -> None:
    issuer.makes_key("first")
    issuer.delay = 30
    with trusting(issuer.url, database) as ask_it:
        started = time.monotonic()
        nobody_knows(ask_it(issuer.signs("first")))
        assert time.monotonic() - started < 10


@pytest.mark.evidence("key-redirect")
@pytest.mark.parametrize("status", [302, 308])
def test_a_key_set_is_not_looked_for_where_a_redirect_points(
    database: TaskDatabase, issuer: Issuer, status: int
) -> None:
    with issuing() as mallory:
        mallory.makes_key("EdDSA")
        issuer.status = status
        issuer.headers["Location"] = mallory.url
        with trusting(issuer.url, database) as ask_it:
            nobody_knows(ask_it(tokens_of(mallory, kid="EdDSA")))
        assert mallory.requests == []


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"keys": []}', b'{"keys": [' + b" " * 300_000 + b"]}"],
    ids=["nothing", "html", "list", "empty-set", "too-large"],
)
def test_without_a_usable_key_set_nobody_is_signed_out(
    database: TaskDatabase, issuer: Issuer, body: bytes
) -> None:
    issuer.makes_key("first")
    issuer.body = body
    with trusting(issuer.url, database) as ask_it:
        nobody_knows(ask_it(issuer.signs("first")))
