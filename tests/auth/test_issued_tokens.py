"""The tokens that `task-api token` signs: whose they are, for whom, and for how long."""

import time

import jwt
import pytest

from api.auth.authenticator import issue_token
from api.settings import AuthSettings
from tests.people import SECRET


def claims(token: str) -> dict[str, object]:
    read: dict[str, object] = jwt.decode(
        token, SECRET, algorithms=["HS256"], options={"verify_aud": False, "verify_iss": False}
    )
    return read


def test_a_token_is_good_for_a_day() -> None:
    token = claims(issue_token(AuthSettings(better_auth_secret=SECRET), "alice"))
    issued, expires = token["iat"], token["exp"]
    assert isinstance(issued, int)
    assert abs(issued - time.time()) < 60
    assert expires == issued + 86_400
    assert token == {"sub": "alice", "iat": issued, "exp": expires}


def test_it_names_the_issuer_and_the_audience_that_are_set() -> None:
    settings = AuthSettings(
        better_auth_secret=SECRET, auth_issuer="https://a.example", auth_audience="tasks"
    )
    token = claims(issue_token(settings, "alice"))
    assert (token["iss"], token["aud"]) == ("https://a.example", "tasks")


@pytest.mark.parametrize("claim", ["sub", "user.id"])
def test_it_names_the_person_where_the_settings_look(claim: str) -> None:
    settings = AuthSettings(better_auth_secret=SECRET, auth_user_claim=claim)
    token: object = claims(issue_token(settings, "alice"))
    for name in claim.split("."):
        assert isinstance(token, dict)
        token = token[name]
    assert token == "alice"
