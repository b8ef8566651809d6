"""A token issuer with a JWKS endpoint on loopback, which counts its requests and can fail."""

import contextlib
import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.loopback import answering


class Issuer:
    """Keys by id, the tokens they sign, and the key set as `url` serves it."""

    origin = "https://auth.example.com"

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[dict[str, str]] = []  # headers of each fetch
        self.status = 200
        self.headers: dict[str, str] = {}
        self.delay = 0.0  # seconds before an answer
        self.ahead = 0.0  # seconds that its clock is
        self.body: bytes | None = None  # instead of the key set
        self.private: dict[str, Any] = {}
        self.public: list[dict[str, Any]] = []

    @property
    def settings(self) -> dict[str, str]:
        """Those with which the program takes its tokens."""
        return {
            "AUTH_JWKS_URL": self.url,
            "AUTH_ISSUER": self.origin,
            "AUTH_AUDIENCE": self.origin,
        }

    def makes_key(self, kid: str, algorithm: str = "EdDSA") -> None:
        private: Any
        if algorithm == "EdDSA":
            private = ed25519.Ed25519PrivateKey.generate()
        elif algorithm in ("ES256", "ES512"):
            private = ec.generate_private_key(
                ec.SECP256R1() if algorithm == "ES256" else ec.SECP521R1()
            )
        else:
            private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.private[kid] = private
        public = jwt.get_algorithm_by_name(algorithm).to_jwk(private.public_key(), as_dict=True)
        self.public.append({**public, "kid": kid, "alg": algorithm})

    def signs(self, kid: str, algorithm: str = "EdDSA", **claims: Any) -> str:
        """A token as Better Auth's jwt plugin makes them; a claim given as None is left out."""
        now = int(time.time())
        usual = {
            "sub": "alice",
            "iss": self.origin,
            "aud": self.origin,
            "iat": now,
            "exp": now + 900,
        }
        chosen = {k: v for k, v in (usual | claims).items() if v is not None}
        return jwt.encode(chosen, self.private[kid], algorithm, headers={"kid": kid, "typ": None})


@contextlib.contextmanager
def issuing() -> Iterator[Issuer]:
    """An issuer without keys yet, listening until the block ends."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.requests.append(dict(self.headers))
            time.sleep(issuer.delay)
            body = issuer.body
            if body is None:
                body = json.dumps({"keys": issuer.public}).encode()
            self.send_response_only(issuer.status)
            self.send_header("Date", self.date_time_string(time.time() + issuer.ahead))
            for name, value in {"Content-Length": str(len(body)), **issuer.headers}.items():
                self.send_header(name, value)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with answering(Handler) as address:
        issuer.url = f"{address}/api/auth/jwks"
        yield issuer
