"""Better Auth is away: who is known stays, who cannot be known is told to try again, nobody waits.

The first key signs for a second, so there is a good token of a key the API has not seen.
"""

import contextlib
import time
from collections.abc import Callable, Iterator

import pytest

from api.auth import jwks
from tests.auth.test_tokens import ask, let_in, nobody_knows, turned_away
from tests.better_auth.authserver import AuthServer, better_auth
from tests.better_auth.conftest import Serving
from tests.people import signed

pytestmark = pytest.mark.slow

Trusting = Callable[..., Serving]


@pytest.fixture
def issuer() -> Iterator[AuthServer]:
    with better_auth(jwt={"jwks": {"rotationInterval": 1}}) as issuer:
        yield issuer


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < seconds


def test_a_server_that_died_signs_nobody_out(trusting: Trusting, issuer: AuthServer) -> None:
    account = issuer.signs_up("alice")
    known = account.token()
    with trusting(issuer) as api:
        let_in(ask(api, f"Bearer {known}"))
        unknown = account.token_by_the_key_after(known)
        issuer.dies()
        with at_most(jwks.MIN_REFRESH_INTERVAL + 1):
            nobody_knows(ask(api, f"Bearer {unknown}"))
        with at_most(jwks.MIN_REFRESH_INTERVAL):
            nobody_knows(ask(api, f"Bearer {unknown}"))
            let_in(ask(api, f"Bearer {known}"))
            # what no key set could mend is refused all the same
            turned_away(ask(api, f"Bearer {signed({'sub': 'alice'})}"))
            turned_away(ask(api, f"Bearer {known[:-6]}"))


def test_a_server_that_answers_nothing_is_not_waited_for(
    trusting: Trusting, issuer: AuthServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "MIN_REFRESH_INTERVAL", 0.05)
    account = issuer.signs_up("alice")
    known = account.token()
    with trusting(issuer, auth_jwks_timeout="1") as api:
        let_in(ask(api, f"Bearer {known}"))
        unknown = account.token_by_the_key_after(known)
        with issuer.frozen():
            with at_most(2):
                nobody_knows(ask(api, f"Bearer {unknown}"))
            with at_most(1):
                let_in(ask(api, f"Bearer {known}"))
        time.sleep(jwks.MIN_REFRESH_INTERVAL)
        let_in(ask(api, f"Bearer {unknown}"))


def test_where_no_key_was_ever_had_nobody_is_signed_out(
    trusting: Trusting, issuer: AuthServer
) -> None:
    token = issuer.signs_up("alice").token()
    issuer.dies()
    with trusting(issuer) as api, at_most(jwks.MIN_REFRESH_INTERVAL):
        nobody_knows(ask(api, f"Bearer {token}"))
