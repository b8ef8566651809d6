"""Bearer token authentication (JWT). Only this module makes a `User`."""

import re
import time
from dataclasses import dataclass, field
from hashlib import blake2b
from math import inf
from typing import Any, Final, final

import jwt

from api.auth.jwks import KeySet
from api.settings import AuthSettings
from api.text import is_identifier

# Accepted values of `typ`: tokens for other purposes have others (RFC 8725, section 3.11).
_TYPES: Final = {"jwt", "at+jwt"}
LEEWAY: Final = 10  # seconds of clock skew allowed in exp, nbf and iat
_YEAR_10000: Final = 253_402_300_800  # seconds since 1970
_MAX_LENGTH: Final = 8192  # characters of a token
_REMEMBERED: Final = 20_000  # verified tokens in the cache; some 10 MiB
_BEARER: Final = re.compile(r"(?i:bearer) +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+) *")


class Unauthorized(Exception):
    """The request is not authenticated: its token is missing or not valid.

    `str()` is a sentence for the client, without any part of the token. `presented`: whether there
    was a token at all (RFC 6750, section 3.1).
    """

    def __init__(self, detail: str, *, presented: bool = True) -> None:
        super().__init__(detail)
        self.presented = presented


@final
@dataclass(frozen=True, slots=True)
class User:
    """An authenticated user, or one named by the operator.

    Only this module makes one. `expires`: the `exp` of the token, in seconds since 1970.
    """

    id: str
    expires: float = field(default=inf, compare=False)


@final
@dataclass(frozen=True, slots=True)
class _Verified:
    """A verified token: its user, and the key, algorithm and key id in use."""

    user: User
    key: Any
    algorithm: str
    kid: object


@final
class Authenticator:
    """Verifies bearer tokens by a shared secret or by the issuer's key set, as the settings say.

    A verified token is cached by its digest and accepted until its `exp`, while the issuer has the
    same key.
    """

    def __init__(self, settings: AuthSettings) -> None:
        self._issuer = settings.auth_issuer
        self._audience = settings.auth_audience
        self._claim = settings.auth_user_claim.split(".")
        self._secret = settings.better_auth_secret
        self._algorithms: tuple[str, ...] = ("HS256",) if self._secret else settings.auth_algorithms
        self._keys = (
            KeySet(settings.auth_jwks_url, self._algorithms, settings.auth_jwks_timeout)
            if settings.auth_jwks_url
            else None
        )
        self._verified: dict[bytes, _Verified] = {}

    @property
    def key_set(self) -> KeySet | None:
        """The issuer's key set, for doctor, metrics and readiness; None with a shared secret."""
        return self._keys

    async def user(self, authorization: list[str]) -> User:
        """Authenticate the user of a request by the values of its Authorization header.

        Raises `Unauthorized`, or `jwks.KeysUnavailable` when the issuer's keys cannot be fetched.
        """
        if not authorization:
            raise Unauthorized("Send a token: Authorization: Bearer <token>.", presented=False)
        if len(authorization) > 1:
            raise Unauthorized("Send one Authorization header, not several.")
        digest = blake2b(authorization[0].encode()).digest()
        known = self._verified.get(digest)
        if (
            known is not None
            and time.time() < known.user.expires
            and await self._key(known.algorithm, known.kid) is known.key
        ):
            return known.user
        match = _BEARER.fullmatch(authorization[0])
        if match is None or len(match[1]) > _MAX_LENGTH:
            raise Unauthorized("The Authorization header must be: Bearer <token>.")
        return (await self._verify(match[1], digest)).user

    async def close(self) -> None:
        """Close the connections to the issuer."""
        if self._keys is not None:
            await self._keys.close()

    async def _verify(self, token: str, digest: bytes) -> _Verified:
        algorithm, kid = self._header(token)
        key = await self._key(algorithm, kid)
        user = self._verify_claims(token, key)
        self._verified.pop(digest, None)
        if len(self._verified) >= _REMEMBERED:
            del self._verified[next(iter(self._verified))]  # the oldest
        self._verified[digest] = verified = _Verified(user, key, algorithm, kid)
        return verified

    def _header(self, token: str) -> tuple[str, object]:
        """The algorithm and key id. Checks the algorithm before any key is fetched."""
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise Unauthorized("The token is not a JWT.") from None
        if (algorithm := header.get("alg")) not in self._algorithms:
            raise Unauthorized("The token is signed with an algorithm not accepted here.")
        if str(header.get("typ", "JWT")).lower().removeprefix("application/") not in _TYPES:
            raise Unauthorized("The token is of a type not accepted here.")
        return str(algorithm), header.get("kid")

    async def _key(self, algorithm: str, kid: object) -> Any:
        """The key that verifies a token with this header. Raises `Unauthorized`."""
        if self._secret is not None:
            return self._secret.get_secret_value()
        assert self._keys is not None  # noqa: S101 - the settings require one of the two
        key = await self._keys.key(kid, algorithm) if isinstance(kid, str) else None
        if key is None:
            raise Unauthorized("The token is signed with a key its issuer does not have.")
        return key

    def _verify_claims(self, token: str, key: Any) -> User:
        """Verify signature and claims; the user."""
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=self._algorithms,
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY,
                options={
                    "require": ["exp"]
                    + ["iss"] * (self._issuer is not None)
                    + ["aud"] * (self._audience is not None),
                    "verify_aud": self._audience is not None,
                    "verify_sub": False,  # checked in `_user_id`, in the claim of the settings
                    "enforce_minimum_key_length": True,
                },
            )
        except jwt.ExpiredSignatureError:
            raise Unauthorized("The token has expired; get a new one.") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            raise Unauthorized("The token is not valid here.") from None
        # PyJWT accepts '1' and 10**30 as dates.
        expires = claims["exp"]
        if type(expires) not in (int, float) or not expires < _YEAR_10000:
            raise Unauthorized("The token's exp is not a date before the year 10000.")
        return User(self._user_id(claims), expires)

    def _user_id(self, claims: dict[str, Any]) -> str:
        value: object = claims
        for name in self._claim:
            value = value.get(name) if isinstance(value, dict) else None
        if not isinstance(value, str) or not is_identifier(value):
            raise Unauthorized("The token does not say who is asking.")
        return value


def named_by_operator(user_id: str) -> User:
    """The user whom an operator's command names; access to the settings replaces a token.

    Raises `ValueError` when the id cannot be a user's.
    """
    if not is_identifier(user_id):
        raise ValueError("a user id is 1 to 255 characters, none of them blank")
    return User(user_id)


def issue_token(settings: AuthSettings, user_id: str, lifetime: int = 86_400) -> str:
    """Sign a token for `user_id` with BETTER_AUTH_SECRET, valid for `lifetime` seconds.

    Raises `ValueError` when the settings hold no secret or the id cannot be a user's.
    """
    if settings.better_auth_secret is None:
        raise ValueError("tokens are signed by the issuer at AUTH_JWKS_URL, not here")
    user = named_by_operator(user_id)
    now = int(time.time())
    claims: dict[str, Any] = {"iat": now, "exp": now + lifetime}
    if settings.auth_issuer:
        claims["iss"] = settings.auth_issuer
    if settings.auth_audience:
        claims["aud"] = settings.auth_audience
    *path, last = settings.auth_user_claim.split(".")
    parent = claims
    for name in path:
        parent = parent.setdefault(name, {})
    parent[last] = user.id
    return jwt.encode(claims, settings.better_auth_secret.get_secret_value(), algorithm="HS256")
