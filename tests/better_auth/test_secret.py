"""Tokens signed with BETTER_AUTH_SECRET, and what else Better Auth signs with it."""

from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest

from tests.auth.test_tokens import ask, let_in, turned_away
from tests.better_auth.authserver import Account, AuthServer, better_auths
from tests.better_auth.conftest import Serving
from tests.people import SECRET

pytestmark = pytest.mark.slow

Sharing = Callable[..., Serving]


def cache(strategy: str) -> dict[str, Any]:
    return {"session": {"cookieCache": {"enabled": True, "strategy": strategy}}}


MODES: dict[str, dict[str, Any]] = {
    "secret": {"jwt": {"sign": "secret"}, **cache("jwt")},
    "another secret": {"secret": "another secret, and longer than 32 bytes", **cache("jwt")},
    "encrypted": cache("jwe"),
}


@pytest.fixture(scope="module")
def auth_servers() -> Iterator[dict[str, AuthServer]]:
    with better_auths(MODES) as auth_servers:
        yield auth_servers


@pytest.fixture(scope="module")
def auth_server(auth_servers: dict[str, AuthServer]) -> AuthServer:
    """A jwt plugin that signs with the secret, and a cookie cache."""
    return auth_servers["secret"]


@pytest.fixture(scope="module")
def account(auth_server: AuthServer) -> Account:
    """Somebody who has no tasks."""
    return auth_server.signs_up("alice")


@pytest.fixture(scope="module")
def apis(sharing: Sharing, server: str) -> Iterator[dict[str, str]]:
    """The API, by the claim in which it looks for the user's id."""
    with sharing(auth_user_claim="user.id") as by_user_id:
        yield {"sub": server, "user.id": by_user_id}


def claims(token: str) -> dict[str, Any]:
    """What it says, under the secret indeed."""
    told: dict[str, Any] = jwt.decode(token, SECRET, ["HS256"], options={"verify_aud": False})
    return told


def routed(account: Account) -> str:
    """From the route that docs/tokens.md shows."""
    token: str = account.asks("/task-token")["token"]
    return token


WAYS: dict[str, tuple[Callable[[Account], str], dict[str, str]]] = {
    "route": (routed, {"auth_audience": "task-api"}),
    "plugin": (Account.token, {"auth_audience": "{url}", "auth_issuer": "{url}"}),
    "cookie-cache": (Account.cached_session, {"auth_user_claim": "user.id"}),
}


@pytest.mark.parametrize(("token_of", "settings"), WAYS.values(), ids=WAYS)
def test_alice_has_her_tasks_and_bob_sees_none_of_them(
    sharing: Sharing,
    auth_server: AuthServer,
    token_of: Callable[[Account], str],
    settings: dict[str, str],
) -> None:
    alices, bobs = auth_server.signs_up("alice"), auth_server.signs_up("bob")
    told = {name: value.format(url=auth_server.url) for name, value in settings.items()}
    with sharing(**told) as api:
        alice, bob = (account.enters(api, token_of(account)) for account in (alices, bobs))
        task = alice.creates("Buy milk")
        assert task["user_id"] == alices.id
        assert bob.sees(task["id"]) is None
        assert bob.lists() == []
        assert alice.lists() == [task]


def test_the_audience_keeps_apart_what_else_is_signed(sharing: Sharing, account: Account) -> None:
    token, cookie = account.token(), account.cached_session()
    with sharing(auth_audience="task-api") as api:
        turned_away(ask(api, f"Bearer {token}"), token)
        let_in(ask(api, f"Bearer {routed(account)}"))
    with sharing(auth_audience="task-api", auth_user_claim="user.id") as api:
        turned_away(ask(api, f"Bearer {cookie}"), cookie)


def test_a_cookie_cache_names_nobody_where_sub_is_looked_for(
    apis: dict[str, str], account: Account
) -> None:
    cookie = account.cached_session()
    assert claims(cookie)["user"]["id"] == account.id
    turned_away(ask(apis["sub"], f"Bearer {cookie}"), cookie)
    let_in(ask(apis["user.id"], f"Bearer {cookie}"))


def mailed_on_sign_up(account: Account) -> str:
    return account.mailed_token()


def mailed_on_a_change_of_address(account: Account) -> str:
    address = f"new-{account.email}"
    asked = account.http.post("/api/auth/change-email", json={"newEmail": address})
    assert asked.status_code == 200, asked.text
    return account.mailed_token(address)


@pytest.mark.parametrize("claim", ["sub", "user.id"])
@pytest.mark.parametrize("mailed", [mailed_on_sign_up, mailed_on_a_change_of_address])
def test_a_link_in_an_e_mail_is_not_a_way_in(
    apis: dict[str, str], account: Account, claim: str, mailed: Callable[[Account], str]
) -> None:
    link = mailed(account)
    assert claims(link)["email"] == account.email
    turned_away(ask(apis[claim], f"Bearer {link}"), link)


def test_an_encrypted_cookie_cache_is_refused(
    apis: dict[str, str], auth_servers: dict[str, AuthServer]
) -> None:
    cookie = auth_servers["encrypted"].signs_up("alice").cached_session()
    turned_away(ask(apis["user.id"], f"Bearer {cookie}"), cookie)


def test_under_another_secret_nobody_gets_in(
    apis: dict[str, str], auth_servers: dict[str, AuthServer]
) -> None:
    account = auth_servers["another secret"].signs_up("alice")
    for claim, token in (("sub", routed(account)), ("user.id", account.cached_session())):
        turned_away(ask(apis[claim], f"Bearer {token}"), token)
