"""Validation of a request line and headers, before routing (RFC 9112, section 3)."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Final

MAX_HEAD: Final = 64 * 1024  # bytes

_VERSIONS: Final = {"0.9", "1.0", "1.1"}
# uri-host [":" port] (RFC 9110, section 7.2; RFC 3986, section 3.2.2)
_HOST: Final = re.compile(
    rb"(?:\[([0-9A-Fa-f:.]+)\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(?::([0-9]{0,5}))?"
)
_NO_PATH: Final = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*://[^/?#]+)((?:[?#].*)?)\Z", re.DOTALL)
_MAX_HOST: Final = 253 + 6  # bytes: DNS name (RFC 1035, section 2.3.4), colon, port
_MAX_PORT: Final = 65_535

Header = tuple[bytes, bytes]


def fault(method: bytes, version: str, headers: Sequence[Header]) -> str | None:
    """The error in a request line and headers as a sentence, or None.

    HTTP/1.1 requires one Host header; older versions allow at most one (section 3.2).
    """
    if version not in _VERSIONS:
        return "This is not HTTP/1.1."
    if method == b"CONNECT":
        return "This server makes no tunnels."
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (not hosts and version == "1.1"):
        return "A request has one Host header."
    if hosts and (len(hosts[0]) > _MAX_HOST or not _is_host(hosts[0])):
        return "The Host header names no host."
    return None


@lru_cache(256)  # a server has few host names
def _is_host(host: bytes) -> bool:
    found = _HOST.fullmatch(host.strip(b" \t"))
    return found is not None and int(found[2] or 0) <= _MAX_PORT and _is_ipv6(found[1])


def _is_ipv6(address: bytes | None) -> bool:
    if address is not None:
        try:
            IPv6Address(address.decode())
        except ValueError:
            return False
    return True


def with_path(url: bytes) -> bytes:
    """A request target with a path: absolute form may have none (RFC 9112, section 3.2.2)."""
    found = _NO_PATH.match(url)
    return url if found is None else found[1] + b"/" + found[2]


def size(url: bytes, headers: Iterable[Header]) -> int:
    """The size of a request target and headers, in bytes."""
    return len(url) + sum(len(name) + len(value) + 4 for name, value in headers)


def without_upgrade(method: bytes, url: bytes, version: str, headers: Iterable[Header]) -> bytes:
    """The request line and headers without Upgrade (RFC 9110, section 7.8)."""
    lines = [b"%b: %b" % header for header in headers if header[0] != b"upgrade"]
    first = b"%b %b HTTP/%b" % (method, url, version.encode())
    return b"\r\n".join([first, *lines, b"", b""])
