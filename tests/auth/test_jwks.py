"""The key set: fetched when needed, shared, kept through outages; from a real server on loopback.

The floor between two fetches is lowered where it is not the point.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519

from api.auth import jwks
from api.auth.jwks import KeySet, KeysUnavailable
from tests.keyserver import Issuer
from tests.loopback import free_port

pytestmark = pytest.mark.anyio

EVERY = ("EdDSA", "ES256", "ES512", "RS256", "PS256")


@pytest.fixture
def _low_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "MIN_REFRESH_INTERVAL", 0.03)


@asynccontextmanager
async def key_set(url: str, *algorithms: str, timeout: float = 3) -> AsyncIterator[KeySet]:  # noqa: ASYNC109
    known = KeySet(url, algorithms or ("EdDSA",), timeout)
    try:
        yield known
    finally:
        await known.close()


async def unavailable(known: KeySet, kid: str = "first") -> None:
    with pytest.raises(KeysUnavailable):
        await known.key(kid, "EdDSA")


def edited(issuer: Issuer, kid: str, /, **members: Any) -> None:
    """Change the published key; a member given as None is taken out."""
    (entry,) = (entry for entry in issuer.public if entry["kid"] == kid)
    entry.update(members)
    for name in [name for name, value in members.items() if value is None]:
        del entry[name]


async def test_a_key_is_fetched_when_first_asked_for_and_then_known(issuer: Issuer) -> None:
    issuer.makes_key("first")
    async with key_set(issuer.url) as known:
        assert issuer.requests == []
        for _ in range(20):
            key = await known.key("first", "EdDSA")
        assert key == issuer.private["first"].public_key()
    assert len(issuer.requests) == 1


async def test_the_program_says_its_own_name(issuer: Issuer) -> None:
    issuer.makes_key("first")
    async with key_set(issuer.url) as known:
        await known.key("first", "EdDSA")
    (headers,) = issuer.requests
    assert headers["User-Agent"].startswith("task-api")
    assert "Authorization" not in headers


@pytest.mark.parametrize("algorithm", EVERY)
async def test_a_key_serves_the_algorithm_it_was_made_for(issuer: Issuer, algorithm: str) -> None:
    issuer.makes_key("first", algorithm)
    async with key_set(issuer.url, algorithm) as known:
        key = await known.key("first", algorithm)
        assert key is not None
        claims = jwt.decode(
            issuer.signs("first", algorithm), key, [algorithm], audience=issuer.origin
        )
    assert claims["sub"] == "alice"


MISMATCHES: dict[str, dict[str, Any]] = {
    "alg-of-another-key-type": {"alg": "ES256"},
    "alg-not-allowed": {"alg": "HS256"},
    "alg-not-a-string": {"alg": ["EdDSA"]},
    "use-for-encryption": {"use": "enc"},
    "curve-of-another-kind": {"crv": "Ed448"},
    "curve-of-key-agreement": {"crv": "X25519"},
    "curve-left-out": {"crv": None},
    "type-of-another-kind": {"kty": "EC"},
    "type-symmetric": {"kty": "oct", "k": "c2VjcmV0"},
    "type-left-out": {"kty": None},
    "kid-left-out": {"kid": None},
    "kid-a-number": {"kid": 1},
    "kid-a-list": {"kid": ["first"]},
    "private": {"d": "AAAA"},
    "x-left-out": {"x": None},
    "x-too-short": {"x": "AAAA"},
    "x-not-base64": {"x": "!!!!"},
    "x-a-number": {"x": 7},
    "x-a-list": {"x": []},
}


@pytest.mark.evidence("wrong-key-type", "unfit-key")
@pytest.mark.usefixtures("_low_floor")
@pytest.mark.parametrize("members", MISMATCHES.values(), ids=MISMATCHES)
async def test_a_key_that_does_not_fit_is_left_out_and_the_good_one_serves(
    issuer: Issuer, members: dict[str, Any]
) -> None:
    issuer.makes_key("first")
    issuer.makes_key("good")
    edited(issuer, "first", **members)
    async with key_set(issuer.url, "EdDSA", "ES256") as known:
        assert await known.key("good", "EdDSA") is not None
        assert await known.key("first", "EdDSA") is None


@pytest.mark.usefixtures("_low_floor")
async def test_a_sound_key_of_another_curve_is_left_out(issuer: Issuer) -> None:
    issuer.makes_key("good")
    issuer.makes_key("p-521", "ES512")
    edited(issuer, "p-521", alg=None)
    other = ed448.Ed448PrivateKey.generate().public_key()
    entry = jwt.get_algorithm_by_name("EdDSA").to_jwk(other, as_dict=True)
    issuer.public.append({**entry, "kid": "ed448", "alg": "EdDSA"})
    async with key_set(issuer.url, "EdDSA", "ES256") as known:
        found = await asyncio.gather(
            known.key("ed448", "EdDSA"), known.key("p-521", "ES256"), known.key("good", "EdDSA")
        )
    assert [key is not None for key in found] == [False, False, True]


@pytest.mark.evidence("unfit-key")
async def test_a_private_key_is_not_used_though_it_could_verify(issuer: Issuer) -> None:
    issuer.makes_key("good")
    issuer.makes_key("first")
    private: ed25519.Ed25519PrivateKey = issuer.private["first"]
    entry = jwt.get_algorithm_by_name("EdDSA").to_jwk(private, as_dict=True)
    edited(issuer, "first", **entry)
    assert issuer.public[-1]["d"]
    async with key_set(issuer.url) as known:
        assert await known.key("first", "EdDSA") is None


@pytest.mark.usefixtures("_low_floor")
async def test_entries_that_are_no_keys_do_not_spoil_the_set(issuer: Issuer) -> None:
    issuer.makes_key("first")
    issuer.public += [None, 7, "key", [], {}]  # type: ignore[list-item]
    async with key_set(issuer.url) as known:
        assert await known.key("first", "EdDSA") is not None


@pytest.mark.usefixtures("_low_floor")
async def test_a_key_without_alg_or_use_serves_the_algorithms_of_its_kind(issuer: Issuer) -> None:
    issuer.makes_key("first", "RS256")
    edited(issuer, "first", alg=None)
    async with key_set(issuer.url, "RS256", "PS256", "EdDSA") as known:
        assert await known.key("first", "RS256") is not None
        assert await known.key("first", "PS256") is not None
        assert await known.key("first", "EdDSA") is None


ANSWERS: dict[str, tuple[int, bytes]] = {
    "not-found": (404, b'{"keys": []}'),
    "server-error": (500, b""),
    "no-content": (204, b""),
    "not-json": (200, b"<!doctype html>"),
    "not-utf-8": (200, b"\xff\xfe"),
    "nothing": (200, b""),
    "null": (200, b"null"),
    "a-list": (200, b"[]"),
    "no-keys": (200, b"{}"),
    "keys-not-a-list": (200, b'{"keys": {}}'),
    "empty-set": (200, b'{"keys": []}'),
    "nothing-usable": (200, b'{"keys": [{"kty": "oct", "kid": "first", "k": "AAAA"}]}'),
    "deeply-nested": (200, b"[" * 100_000),
    "a-number-without-end": (200, b'{"keys": ' + b"1" * 5000),
    "too-large": (200, b" " * 300_000 + b'{"keys": []}'),
}


@pytest.mark.usefixtures("_low_floor")
@pytest.mark.parametrize(("status", "body"), ANSWERS.values(), ids=ANSWERS)
async def test_a_bad_answer_is_no_key_set_and_leaves_the_last_good_one(
    issuer: Issuer, status: int, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.makes_key("first")
    issuer.status, issuer.body = status, body
    async with key_set(issuer.url) as known:
        await unavailable(known)

        issuer.status, issuer.body = 200, None
        await asyncio.sleep(jwks.MIN_REFRESH_INTERVAL)
        assert await known.key("first", "EdDSA") is not None

        issuer.status, issuer.body = status, body
        monkeypatch.setattr(jwks, "TTL", 0.0)
        async with asyncio.timeout(5):
            while len(issuer.requests) < 4:
                await asyncio.sleep(jwks.MIN_REFRESH_INTERVAL)
                assert await known.key("first", "EdDSA") is not None


@pytest.mark.evidence("slow-issuer")
async def test_a_key_set_larger_than_any_is_refused_though_it_is_good(issuer: Issuer) -> None:
    issuer.makes_key("first")
    edited(issuer, "first", x5c=["A" * 300_000])
    async with key_set(issuer.url) as known:
        await unavailable(known)


@pytest.mark.evidence("key-redirect")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(issuer: Issuer, status: int) -> None:
    issuer.makes_key("first")
    issuer.status = status
    issuer.headers["Location"] = issuer.url
    async with key_set(issuer.url) as known:
        await unavailable(known)
    assert len(issuer.requests) == 1


async def test_an_issuer_that_nobody_reaches_is_unavailable() -> None:
    async with key_set(f"http://127.0.0.1:{free_port()}/") as known:
        await unavailable(known)


async def test_a_slow_issuer_is_not_waited_for(issuer: Issuer) -> None:
    issuer.makes_key("first")
    issuer.delay = 30
    started = time.monotonic()
    async with key_set(issuer.url, timeout=0.1) as known:
        await unavailable(known)
    assert time.monotonic() - started < 4  # the client's own patience is 5


@pytest.mark.slow
async def test_an_issuer_slower_than_the_clients_own_patience_is_waited_for(
    issuer: Issuer,
) -> None:
    issuer.makes_key("first")
    issuer.delay = 5.5  # httpx gives up after five
    async with key_set(issuer.url, timeout=60) as known:
        assert await known.key("first", "EdDSA") is not None


async def test_the_log_says_that_a_slow_issuer_did_not_answer_in_time(
    issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.delay = 1
    async with key_set(issuer.url, timeout=0.1) as known:
        await unavailable(known)
    assert caplog.messages == ["key set not fetched: TimeoutError: no answer within 0.1 s"]


async def test_an_issuer_just_tried_in_vain_is_not_asked_again_at_once(issuer: Issuer) -> None:
    issuer.status = 500
    async with key_set(issuer.url) as known:
        for _ in range(20):
            await unavailable(known)
    assert len(issuer.requests) == 1


@pytest.mark.usefixtures("_low_floor")
async def test_an_issuer_that_comes_back_is_found_by_all_who_wait(issuer: Issuer) -> None:
    issuer.makes_key("first")
    issuer.status = 500
    async with key_set(issuer.url) as known:
        await unavailable(known)
        issuer.status, issuer.delay = 200, 0.3
        await asyncio.sleep(jwks.MIN_REFRESH_INTERVAL)
        early = asyncio.create_task(known.key("first", "EdDSA"))
        await asyncio.sleep(0.01)
        late = asyncio.create_task(known.key("first", "EdDSA"))
        assert await early is not None
        assert await late is not None
    assert len(issuer.requests) == 2


@pytest.mark.usefixtures("_low_floor")
async def test_many_who_ask_at_first_share_one_fetch(issuer: Issuer) -> None:
    issuer.makes_key("first")
    issuer.delay = 0.1
    async with key_set(issuer.url) as known:
        found = await asyncio.gather(*(known.key("first", "EdDSA") for _ in range(50)))
    assert None not in found
    assert len(issuer.requests) == 1


@pytest.mark.evidence("key-fetch-storm")
async def test_unknown_keys_cause_one_fetch_in_two_seconds_however_many(issuer: Issuer) -> None:
    assert jwks.MIN_REFRESH_INTERVAL == 2.0
    issuer.makes_key("first")
    async with key_set(issuer.url) as known:
        started = time.monotonic()
        await known.key("first", "EdDSA")

        async def stranger(number: int) -> None:
            # not all at once: each waits for its own turn
            await asyncio.sleep(number / 500)
            assert await known.key(f"unknown-{number}", "EdDSA") is None

        await asyncio.gather(*map(stranger, range(50)))
        assert (
            2
            <= len(issuer.requests)
            <= 1 + (time.monotonic() - started) / jwks.MIN_REFRESH_INTERVAL
        )


@pytest.mark.usefixtures("_low_floor")
async def test_a_new_key_is_found_as_soon_as_it_is_used(issuer: Issuer) -> None:
    issuer.makes_key("first")
    async with key_set(issuer.url) as known:
        await known.key("first", "EdDSA")
        issuer.makes_key("second")
        assert await known.key("second", "EdDSA") is not None
        assert await known.key("first", "EdDSA") is not None
    assert len(issuer.requests) == 2


@pytest.mark.usefixtures("_low_floor")
async def test_a_removed_key_is_forgotten_with_the_next_fetch(issuer: Issuer) -> None:
    issuer.makes_key("first")
    issuer.makes_key("second")
    async with key_set(issuer.url) as known:
        await known.key("first", "EdDSA")
        del issuer.public[0]
        assert await known.key("first", "EdDSA") is not None
        assert await known.key("unknown", "EdDSA") is None
        assert await known.key("first", "EdDSA") is None


async def settled(issuer: Issuer, requests: int) -> None:
    """Until the issuer was asked so often; a fetch that nobody waits for has no other sign."""
    async with asyncio.timeout(5):
        while len(issuer.requests) < requests:  # noqa: ASYNC110 - the issuer is another thread
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)


@pytest.mark.evidence("withdrawn-key")
@pytest.mark.usefixtures("_low_floor")
async def test_a_stale_set_is_renewed_while_it_serves(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.makes_key("first")
    async with key_set(issuer.url) as known:
        await known.key("first", "EdDSA")
        issuer.public.clear()
        issuer.makes_key("second")
        monkeypatch.setattr(jwks, "TTL", 0.0)
        await asyncio.sleep(2 * jwks.MIN_REFRESH_INTERVAL)
        assert await known.key("first", "EdDSA") is not None
        await settled(issuer, 2)
        assert await known.key("first", "EdDSA") is None


@pytest.mark.usefixtures("_low_floor")
async def test_a_slow_renewal_is_not_joined_by_another(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.makes_key("first")
    async with key_set(issuer.url) as known:
        await known.key("first", "EdDSA")
        issuer.delay = 30
        monkeypatch.setattr(jwks, "TTL", 0.0)
        for _ in range(6):
            await asyncio.sleep(2 * jwks.MIN_REFRESH_INTERVAL)
            assert await known.key("first", "EdDSA") is not None
    assert len(issuer.requests) == 2


@pytest.mark.usefixtures("_low_floor")
async def test_an_unknown_key_during_an_outage_is_not_called_false(issuer: Issuer) -> None:
    issuer.makes_key("first")
    async with key_set(issuer.url) as known:
        await known.key("first", "EdDSA")
        issuer.status = 500
        await unavailable(known, "unknown")
        assert await known.key("first", "EdDSA") is not None


@pytest.mark.evidence("withdrawn-key")
@pytest.mark.usefixtures("_low_floor")
async def test_keys_older_than_a_day_serve_nobody(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert jwks.MAX_STALE == 24 * 60 * 60
    issuer.makes_key("first")
    async with key_set(issuer.url) as known:
        await known.key("first", "EdDSA")
        issuer.status = 500
        monkeypatch.setattr(jwks, "MAX_STALE", 0.0)
        await asyncio.sleep(0.01)
        await unavailable(known)


async def test_who_leaves_does_not_take_the_fetch_from_the_others(issuer: Issuer) -> None:
    issuer.makes_key("first")
    issuer.delay = 0.2
    async with key_set(issuer.url) as known:
        leaver = asyncio.create_task(known.key("first", "EdDSA"))
        stayer = asyncio.create_task(known.key("first", "EdDSA"))
        await asyncio.sleep(0.05)
        leaver.cancel()
        assert await stayer is not None
    assert len(issuer.requests) == 1


async def test_closing_ends_a_fetch_under_way(issuer: Issuer) -> None:
    issuer.delay = 30
    known = KeySet(issuer.url, ("EdDSA",), 3)
    waiting = asyncio.create_task(known.key("first", "EdDSA"))
    while not issuer.requests:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    async with asyncio.timeout(5):
        await known.close()
        await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.done()


async def test_a_proxy_that_is_none_is_an_issuer_out_of_reach(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:99999")
    monkeypatch.setenv("NO_PROXY", "")
    async with key_set(issuer.url) as known:
        await unavailable(known)
