"""A token is verified once and then remembered: what must not be forgotten over that."""

import asyncio
import time
from typing import Any

import jwt
import pytest

from api.auth import authenticator as auth
from api.auth.authenticator import LEEWAY, Authenticator, Unauthorized
from api.settings import AuthSettings
from tests.keyserver import Issuer
from tests.people import SECRET, Person, signed


def says(person: Person, token: str) -> int:
    return person.http.get("/api/tasks", headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose signatures have been looked at."""
    tokens: list[str] = []
    decode = jwt.decode

    def seen(token: str, *arguments: Any, **options: Any) -> Any:
        tokens.append(token)
        return decode(token, *arguments, **options)

    monkeypatch.setattr(jwt, "decode", seen)
    return tokens


def in_turn(*tokens: str) -> list[str]:
    """Whose they are, asked one after the other."""

    async def asks() -> list[str]:
        authenticator = Authenticator(AuthSettings(better_auth_secret=SECRET))
        return [(await authenticator.user([f"Bearer {token}"])).id for token in tokens]

    return asyncio.run(asks())


def test_it_is_verified_once(verified: list[str]) -> None:
    alices, bobs = signed({"sub": "alice"}), signed({"sub": "bob"})
    assert in_turn(alices, bobs, alices, bobs, bobs) == ["alice", "bob", "alice", "bob", "bob"]
    assert verified == [alices, bobs]


def test_only_so_many_are_remembered(verified: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "_REMEMBERED", 2)
    alices, bobs, carols = (signed({"sub": name}) for name in ("alice", "bob", "carol"))
    assert in_turn(alices, bobs, alices, carols, bobs, alices) == [
        *("alice", "bob", "alice", "carol", "bob", "alice")
    ]
    assert verified == [alices, bobs, carols, alices]


@pytest.mark.evidence("remembered-token")
def test_it_is_refused_once_it_has_expired(alice: Person) -> None:
    token = signed({"sub": "alice", "exp": int(time.time()) - LEEWAY + 2})
    assert says(alice, token) == 200
    time.sleep(2.1)
    assert says(alice, token) == 401


@pytest.mark.evidence("remembered-token")
def test_another_signature_under_the_same_words_is_refused(alice: Person) -> None:
    token = signed({"sub": "alice"})
    assert says(alice, token) == 200
    words, _, signature = token.rpartition(".")
    forged = f"{words}.{signature[::-1]}"
    for _ in range(2):
        assert says(alice, forged) == 401
    assert says(alice, token) == 200


def test_a_refusal_is_not_remembered(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.auth.jwks.MIN_REFRESH_INTERVAL", 0.0)
    issuer.makes_key("first")
    settings = AuthSettings(
        auth_jwks_url=issuer.url, auth_issuer=issuer.origin, auth_audience=issuer.origin
    )
    announced, issuer.public = issuer.public, []
    issuer.makes_key("other")

    async def asks() -> None:
        authenticator = Authenticator(settings)
        token = f"Bearer {issuer.signs('first')}"
        with pytest.raises(Unauthorized):
            await authenticator.user([token])
        issuer.public += announced
        assert (await authenticator.user([token])).id == "alice"
        await authenticator.close()

    asyncio.run(asks())
