"""A key that could be broken lets nobody in, though its issuer publishes it."""

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from api.settings import Settings
from tests.cluster import TaskDatabase
from tests.keyserver import Issuer
from tests.server import serving


@pytest.mark.parametrize(("bits", "status"), [(1024, 401), (2048, 200)])
def test_an_rsa_key_has_2048_bits_at_least(
    database: TaskDatabase, issuer: Issuer, bits: int, status: int
) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    public = jwt.get_algorithm_by_name("RS256").to_jwk(private.public_key(), as_dict=True)
    issuer.private["key"] = private
    issuer.public.append({**public, "kid": "key", "alg": "RS256"})
    settings = Settings(
        database_url=database.task_app,
        auth_jwks_url=issuer.url,
        auth_issuer=issuer.origin,
        auth_audience=issuer.origin,
        auth_algorithms=("RS256",),
    )
    if bits < 2048:
        with pytest.warns(jwt.InsecureKeyLengthWarning):
            token = issuer.signs("key", "RS256")
    else:
        token = issuer.signs("key", "RS256")
    with serving(settings) as address:
        answer = httpx2.get(
            f"{address}/api/tasks", headers={"Authorization": f"Bearer {token}"}, timeout=20
        )
    assert answer.status_code == status, answer.text
