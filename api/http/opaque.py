"""Opaque text that clients keep and send back, such as cursors and sync tokens."""

import base64
from hashlib import blake2b
from typing import Final

_DIGEST: Final = 8  # bytes


def sealed(content: bytes, bound: str) -> str:
    """The content as opaque text, valid only for what it is `bound` to.

    The digest detects altered and foreign texts. It is no secret, and need not be: the text grants
    no access. Anyone can compute it, so whoever opens a text validates the content.
    """
    return base64.urlsafe_b64encode(_digest(bound, content) + content).rstrip(b"=").decode()


def opened(text: str, bound: str) -> bytes:
    """The content of such a text. Raises `ValueError` if it is bound to something else, altered, or
    not canonical base64."""
    content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))[_DIGEST:]
    if sealed(content, bound) != text:
        raise ValueError("it belongs elsewhere, or was altered")
    return content


def _digest(bound: str, content: bytes) -> bytes:
    return blake2b(content, key=blake2b(bound.encode()).digest(), digest_size=_DIGEST).digest()
