"""For every test here: Better Auth is installed, and the API is at hand for its tokens."""

import contextlib
from collections.abc import Callable

import pytest

from api.settings import Settings
from tests import npm
from tests.better_auth.authserver import SERVER, AuthServer
from tests.cluster import TaskDatabase
from tests.people import SECRET
from tests.server import serving

Serving = contextlib.AbstractContextManager[str]


@pytest.fixture(scope="session", autouse=True)
def _installed() -> None:
    npm.install(SERVER)


@pytest.fixture(scope="session")
def trusting(database: TaskDatabase) -> Callable[..., Serving]:
    """The API in JWKS mode, trusting a Better Auth server; settings may say otherwise."""

    def api(issuer: AuthServer, **settings: str) -> Serving:
        usual = {
            "database_url": database.task_app,
            "auth_jwks_url": f"{issuer.url}/api/auth/jwks",
            "auth_issuer": issuer.url,
            "auth_audience": issuer.url,
        }
        return serving(Settings.model_validate(usual | settings))

    return api


@pytest.fixture(scope="session")
def sharing(database: TaskDatabase) -> Callable[..., Serving]:
    """The API in secret mode, under the secret that Better Auth has too."""

    def api(**settings: str) -> Serving:
        usual = {"database_url": database.task_app, "better_auth_secret": SECRET}
        return serving(Settings.model_validate(usual | settings))

    return api
