"""What processes tell each other of changes: keyed digests of user ids, never the ids.

Any role of a PostgreSQL database may LISTEN, and NOTIFY: so a message tells a stranger nothing, and
what arrives is checked before it is used.
"""

import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from hashlib import scrypt
from hmac import digest
from typing import Final, final

from api import postgres_url
from api.settings import Settings

_BYTES: Final = 16  # of a digest
# A payload of NOTIFY is shorter than 8,000 bytes (PostgreSQL manual, NOTIFY): 8 for the sender, 23
# for each digest.
_MAX_DIGESTS: Final = 340
_MESSAGE: Final = re.compile(rf"([0-9a-f]{{8}})((?:\.[A-Za-z0-9_-]{{22}}){{1,{_MAX_DIGESTS}}})")
# Of RFC 7914, for a key from a password: 16 MiB and some 50 ms, once a process.
_N, _R, _P = 2**14, 8, 1
_SALT: Final = b"task-api: who has changed something"


@final
class Digests:
    """Makes and reads the messages of one deployment: its processes share a secret."""

    def __init__(self, settings: Settings) -> None:
        self._key = scrypt(_secret(settings), salt=_SALT, n=_N, r=_R, p=_P, dklen=32)
        self._sender = secrets.token_hex(4)

    def of(self, user_id: str) -> str:
        """The digest of this user."""
        mac = digest(self._key, user_id.encode(), "sha256")[:_BYTES]
        return urlsafe_b64encode(mac).rstrip(b"=").decode()

    def messages(self, user_ids: Iterable[str]) -> list[str]:
        """Messages that say that these users' tasks have changed: one, unless they are many."""
        digests = [self.of(user_id) for user_id in user_ids]
        return [
            ".".join([self._sender, *digests[at : at + _MAX_DIGESTS]])
            for at in range(0, len(digests), _MAX_DIGESTS)
        ]

    def read(self, message: str) -> list[str]:
        """The digests in a message of another process; none if it is malformed, or our own."""
        found = _MESSAGE.fullmatch(message)
        if found is None or found[1] == self._sender:
            return []
        return found[2][1:].split(".")


def _secret(settings: Settings) -> bytes:
    """What all processes of a deployment know, and nobody else.

    With a key set there is no shared secret for tokens; then it is the password of the serving
    role. The settings demand one of the two for LISTEN. Redis holds user ids in the open already,
    as the keys of the rate limits, and its URL will do.
    """
    if settings.better_auth_secret is not None:
        return settings.better_auth_secret.get_secret_value().encode()
    password = postgres_url.read(settings.database_url.get_secret_value()).get("password")
    return (password or settings.rate_limit_storage.get_secret_value()).encode()
