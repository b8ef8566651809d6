"""Better Auth makes itself a new key when it next signs after `rotationInterval`.

It signs with the new one at once, before anybody has fetched it, and publishes the old one for
`gracePeriod`.
"""

import time
from collections.abc import Callable

import pytest

from api.auth import jwks
from tests.auth.test_tokens import ask, let_in, turned_away
from tests.better_auth.authserver import better_auth
from tests.better_auth.conftest import Serving

pytestmark = pytest.mark.slow

Trusting = Callable[..., Serving]


def rotating(interval: int, grace: int) -> dict[str, dict[str, int]]:
    """A key signs for so many seconds, and is published for so many more."""
    return {"jwks": {"rotationInterval": interval, "gracePeriod": grace}}


def test_a_new_key_lets_in_within_two_seconds_and_the_old_one_still_does(
    trusting: Trusting,
) -> None:
    with better_auth(jwt=rotating(interval=1, grace=3600)) as issuer, trusting(issuer) as api:
        account = issuer.signs_up("alice")
        first = account.token()
        task = account.enters(api, first).creates()
        second = account.token_by_the_key_after(first)
        made = time.monotonic()
        assert account.enters(api, second).lists() == [task]
        assert time.monotonic() - made < 2
        assert account.enters(api, first).lists() == [task]


def test_a_key_past_its_grace_lets_nobody_in(
    trusting: Trusting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "MIN_REFRESH_INTERVAL", 0.05)
    with better_auth(jwt=rotating(interval=2, grace=0)) as issuer, trusting(issuer) as api:
        account = issuer.signs_up("alice")
        first = account.token()
        let_in(ask(api, f"Bearer {first}"))
        let_in(ask(api, f"Bearer {account.token_by_the_key_after(first)}"))
        turned_away(ask(api, f"Bearer {first}"), first)
