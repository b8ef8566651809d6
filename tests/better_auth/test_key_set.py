"""Tokens of Better Auth's jwt plugin, which the API verifies by the key set."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from api.setting_values import Algorithm
from tests.auth.test_tokens import ask, let_in, turned_away
from tests.better_auth.authserver import Account, AuthServer, better_auths
from tests.better_auth.conftest import Serving

pytestmark = pytest.mark.slow

Issuers = dict[str, AuthServer]
Trusting = Callable[..., Serving]

NAME = "https://app.example.com"
NAMED = {"jwt": {"jwt": {"issuer": NAME, "audience": NAME}}}
MODES: dict[str, dict[str, Any]] = {
    "no options": {"jwt": {}},
    **{name: {"jwt": {"jwks": {"keyPairConfig": {"alg": name}}}} for name in Algorithm},
    "named": NAMED,
    "mallory": NAMED,
    "cookie cache": {
        "jwt": {"sessionCookieCache": True},
        "session": {"cookieCache": {"enabled": True, "strategy": "jwt"}},
    },
}


@pytest.fixture(scope="module")
def issuers() -> Iterator[Issuers]:
    with better_auths(MODES) as issuers:
        yield issuers


@pytest.fixture(scope="module")
def issuer(issuers: Issuers) -> AuthServer:
    """As the plugin is without any option."""
    return issuers["no options"]


@pytest.fixture(scope="module")
def account(issuer: AuthServer) -> Account:
    """Somebody who has no tasks."""
    return issuer.signs_up("alice")


@pytest.fixture(scope="module")
def api(trusting: Trusting, issuer: AuthServer) -> Iterator[str]:
    with trusting(issuer) as api:
        yield api


@pytest.mark.parametrize("algorithm", Algorithm)
def test_alice_has_her_tasks_and_bob_sees_none_of_them(
    trusting: Trusting, issuers: Issuers, algorithm: Algorithm
) -> None:
    issuer = issuers[algorithm]
    with trusting(issuer, auth_algorithms=algorithm) as api:
        account = issuer.signs_up("alice")
        alice, bob = account.enters(api), issuer.signs_up("bob").enters(api)
        task = alice.creates("Buy milk")
        assert task["user_id"] == account.id
        assert bob.sees(task["id"]) is None
        assert bob.lists() == []
        assert alice.lists() == [task]


def test_the_token_beside_the_session_is_as_good(api: str, issuer: AuthServer) -> None:
    account = issuer.signs_up("alice")
    beside = account.http.get("/api/auth/get-session").headers["set-auth-jwt"]
    task = account.enters(api).creates()
    assert account.enters(api, beside).lists() == [task]


@pytest.mark.parametrize("setting", ["auth_issuer", "auth_audience"])
@pytest.mark.parametrize("address", ["https://else.example.com", "{url}/", "{url}/api/auth"])
def test_a_token_of_another_issuer_or_for_another_audience_is_refused(
    trusting: Trusting, issuer: AuthServer, account: Account, api: str, setting: str, address: str
) -> None:
    token = account.token()
    with trusting(issuer, **{setting: address.format(url=issuer.url)}) as elsewhere:
        turned_away(ask(elsewhere, f"Bearer {token}"), token)
    let_in(ask(api, f"Bearer {token}"))


def test_an_algorithm_that_was_not_allowed_is_refused(api: str, issuers: Issuers) -> None:
    for algorithm in set(Algorithm) - {"EdDSA"}:
        token = issuers[algorithm].signs_up("alice").token()
        told = turned_away(ask(api, f"Bearer {token}"), token)
        assert "algorithm" in told["detail"]


def test_another_server_that_calls_itself_by_the_same_name_is_not_believed(
    trusting: Trusting, issuers: Issuers
) -> None:
    token, forged = (issuers[name].signs_up("alice").token() for name in ("named", "mallory"))
    with trusting(issuers["named"], auth_issuer=NAME, auth_audience=NAME) as api:
        turned_away(ask(api, f"Bearer {forged}"), forged)
        let_in(ask(api, f"Bearer {token}"))


def test_a_cookie_cache_under_the_same_keys_is_not_a_token(
    trusting: Trusting, issuers: Issuers
) -> None:
    issuer = issuers["cookie cache"]
    alice = issuer.signs_up("alice")
    cookie, token = alice.cached_session(), alice.token()
    with trusting(issuer) as api:
        turned_away(ask(api, f"Bearer {cookie}"), cookie)
        let_in(ask(api, f"Bearer {token}"))
    # not even where its audience is expected: its header says what it is
    with trusting(issuer, auth_audience="better-auth:session-cache") as api:
        turned_away(ask(api, f"Bearer {cookie}"), cookie)
