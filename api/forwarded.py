"""The client's IP address, also behind proxies (X-Forwarded-For).

The header is read from the last hop backwards, as far as the proxies are trusted: the client may
have forged the entries left of the first untrusted address.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, final

UNKNOWN: Final = "task-api.unknown"  # ASGI scope key: the proxy sent no valid client address
_MAX_HOPS: Final = 32  # trusted proxies in a row
_MAX_LENGTH: Final = 64  # characters of an address with its zone, brackets and port

_MAPPED: Final = 96  # bits before an IPv4 address in an IPv6 one (RFC 4291, section 2.5.5.2)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@lru_cache(4096)
def unmapped(host: str) -> str:
    """The normalized IP address: an IPv4-mapped IPv6 address becomes an IPv4 address.

    RFC 4291, section 2.5.5.2. Other text is returned unchanged.
    """
    address = _address(host)
    return host if address is None else str(address)


@lru_cache(4096)
def network(host: str) -> str:
    """The network that counts as one client: an IPv4 address, or the /64 of an IPv6 address."""
    address = _address(host)
    if address is None:
        return host
    if isinstance(address, IPv4Address):
        return str(address)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"


@final
class Proxies:
    """The proxies whose X-Forwarded-For is trusted."""

    def __init__(self, trusted: str) -> None:
        """`trusted`: addresses and networks, separated by commas, or `*` for every peer.

        Raises `ValueError` for anything else.
        """
        names = [name.strip() for name in trusted.split(",") if name.strip()]
        self._trusts_all = "*" in names
        self._networks = tuple(_network(name) for name in names if name != "*")

    def trusts(self, host: str) -> bool:
        """Whether the peer with this address is a trusted proxy."""
        if self._trusts_all:
            return True
        address = _address(host)
        return address is not None and self._is_trusted(address)

    def client(self, forwarded: list[bytes]) -> str | None:
        """The client's address: the rightmost in X-Forwarded-For that is no trusted proxy's.

        `forwarded`: the header's values, from a trusted proxy. If all addresses are trusted, it is
        the last one, which that proxy added. None: the header is empty, an entry is no address, or
        there are too many.
        """
        last = None
        entries = b",".join(forwarded)
        for _ in range(_MAX_HOPS):
            if not entries:
                return last
            entries, _, entry = entries.rpartition(b",")
            if (address := _entry(entry)) is None:
                return None
            if self._trusts_all or not self._is_trusted(address):
                return str(address)
            last = last or str(address)
        return None

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def _network(name: str) -> Network:
    network = ip_network(name, strict=False)
    first = network.network_address
    if isinstance(first, IPv6Address) and first.ipv4_mapped and network.prefixlen >= _MAPPED:
        return IPv4Network((first.ipv4_mapped, network.prefixlen - _MAPPED))
    return network


def _address(host: str) -> Address | None:
    """Parse an IP address, without its zone, which only this machine knows; None if invalid."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address


def _entry(entry: bytes) -> Address | None:
    """Parse an entry, with or without a port: `192.0.2.1:80`, `[2001:db8::1]:80`."""
    text = entry.strip().decode("latin-1")
    if len(text) > _MAX_LENGTH:
        return None
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        if not bracket or (port and not port[1:].isdecimal()):
            return None
        return _address(host)
    host, colon, port = text.partition(":")
    if colon and port.isdecimal():  # a bare IPv6 address has more colons, or letters
        return _address(host) if "." in host else _address(text)
    return _address(text)
