"""Failure reasons: one-line error messages with secrets redacted."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

_MAX_LENGTH: Final = 500  # characters of a reason
_HIDDEN: Final = "***"
# PostgreSQL manual, section 32.1.2
_SECRET_PARAMETERS: Final = {
    *("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")
}


def one_line(text: str, url: str) -> str:
    """An error message from connecting to `url`, as one line with secrets redacted.

    The URL, its passwords, PGPASSWORD and unprintable characters are replaced.
    """
    forms = {form for secret in _secrets(url) for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, _HIDDEN)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}..."


def is_misread(url: str) -> bool:
    """Whether a driver would take a part of the URL's password for the host or the database."""
    return re.search("[/?#].*@", url.partition("://")[2], re.DOTALL) is not None


def key_log_fault() -> str:
    """Why OpenSSL cannot write to SSLKEYLOGFILE; empty if it can, or if that is not set."""
    path = os.environ.get("SSLKEYLOGFILE")
    try:
        if path:
            Path(path).open("ab").close()
    except OSError as error:
        return f"SSLKEYLOGFILE cannot be written ({error.strerror})"
    return ""


def _secrets(url: str) -> Iterator[str]:
    yield url
    yield os.environ.get("PGPASSWORD", "")
    rest = url.partition("://")[2]
    yield re.split("[/?#]", rest)[0].rpartition("@")[0].partition(":")[2]
    for parameter in rest.partition("?")[2].split("&"):
        name, _, value = parameter.partition("=")
        if name in _SECRET_PARAMETERS:
            yield value
    if is_misread(url):  # a driver quotes the parts as it misreads them
        yield from re.split("[/?#@:]", rest.rpartition("@")[0].partition(":")[2])


def _forms(secret: str) -> set[str]:
    """A secret as it is written in a URL, in a message, and in Python."""
    plain = unquote(secret)
    return {secret, plain, quote(plain, safe="", errors="replace"), repr(plain)[1:-1]} - {""}
