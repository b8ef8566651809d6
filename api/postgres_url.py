"""Reads PostgreSQL connection URLs as libpq does (PostgreSQL manual, section 32.1.1.2).

The commands of the owner use libpq, the server another driver: both get what is read here. Refused
although libpq takes it: what is probably a password with special characters, or a mistake.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote

# Section 32.1.2, as of libpq 18.
PARAMETERS: Final = frozenset(
    (
        *("application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname"),
        *("fallback_application_name", "gssdelegation", "gssencmode", "gsslib", "host"),
        *("hostaddr", "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval"),
        *("krbsrvname", "load_balance_hosts", "max_protocol_version", "min_protocol_version"),
        *("oauth_client_id", "oauth_client_secret", "oauth_issuer", "oauth_scope", "options"),
        *("passfile", "password", "port", "replication", "require_auth", "requirepeer"),
        *("scram_client_key", "scram_server_key", "service", "ssl_max_protocol_version"),
        *("ssl_min_protocol_version", "sslcert", "sslcertmode", "sslcompression", "sslcrl"),
        *("sslcrldir", "sslkey", "sslkeylogfile", "sslmode", "sslnegotiation", "sslpassword"),
        *("sslrootcert", "sslsni", "target_session_attrs", "tcp_user_timeout", "user"),
    )
)
# libpq refuses an empty value of these, the driver would take it for its default.
_NEVER_EMPTY: Final = ("sslmode", "target_session_attrs")
_FORM: Final = "is not a URL such as postgresql://user:password@host:5432/database"
_URL: Final = re.compile(
    r"postgres(?:ql)?://(?:(?P<user>[^:@/]*)(?::(?P<password>[^@/]*))?@)?"
    r"(?P<hosts>[^/?]*)(?:/(?P<dbname>[^?]*))?(?:\?(?P<query>.*))?"
)
_HOST: Final = re.compile(r"(?:\[(?P<ipv6>[^\[\]]+)\]|(?P<name>[^\[\]:]*))(?::(?P<port>.*))?")
_NO_ESCAPE: Final = re.compile("%(?![0-9A-Fa-f]{2})")
_PARAMETER: Final = re.compile("[A-Za-z_]{1,40}")
# One of the others in a password moves the @ behind it to where none can be.
_DIVIDING: Final = ("@", "/", "?", "#")
_DEFAULT_PORT: Final = 5432
_MAX_PORT: Final = 65_535


class InvalidURL(ValueError):
    """The URL cannot be used. The message follows a setting's name, and quotes no value of it."""


def read(url: str) -> dict[str, str]:
    """The parameters of the URL, by libpq's names. Raises `InvalidURL`."""
    found = _URL.fullmatch(url)
    if found is None:
        raise InvalidURL(_FORM)
    if any(c.isspace() or not c.isprintable() for c in url):
        raise InvalidURL(f"{_FORM}: it has a blank or a control character; percent-encode it")
    user, password, hosts, dbname, query = (part or "" for part in found.groups())
    for character in "#?[]":
        if character in user + password:
            raise _unescaped(character)
    if "@" in hosts + dbname:
        raise _unescaped(*_DIVIDING)
    names, ports = _hosts(hosts)
    given = {"user": user, "password": password, "host": names, "port": ports, "dbname": dbname}
    options = {name: _decoded(value) for name, value in given.items() if value}
    try:
        options |= map(_parameter, query.removesuffix("&").split("&") if query else ())
        _check(options)
    except InvalidURL:
        if "@" in query:
            raise _unescaped(*_DIVIDING) from None
        raise
    return options


def hosts(options: Mapping[str, str]) -> list[str]:
    """The names of the hosts, or else their addresses; empty for the default socket."""
    given = options.get("host") or options.get("hostaddr")
    return given.split(",") if given else []


def ports(options: Mapping[str, str]) -> list[int]:
    """The ports as they are written: none, one for all hosts, or one for each."""
    given = options.get("port")
    return [int(port or _DEFAULT_PORT) for port in given.split(",")] if given else []


def _hosts(text: str) -> tuple[str, str]:
    found = [_HOST.fullmatch(one) for one in text.split(",")]
    if None in found:
        raise InvalidURL(_FORM)
    matches = [one for one in found if one]
    names = ",".join(one["ipv6"] or one["name"] for one in matches)
    return names, ",".join(one["port"] or "" for one in matches)


def _parameter(text: str) -> tuple[str, str]:
    name, *values = text.split("=")
    if len(values) != 1:
        raise InvalidURL(f"{_FORM}; behind its ? are parameters such as sslmode=require")
    name, value = _decoded(name), _decoded(values[0])
    if (name, value) == ("ssl", "true"):  # JDBC's
        return "sslmode", "require"
    if name not in PARAMETERS:
        shown = f": {name}" if _PARAMETER.fullmatch(name) else ""
        raise InvalidURL(f"cannot be read: it has a parameter that libpq does not know{shown}")
    return name, value


def _check(options: Mapping[str, str]) -> None:
    for name in _NEVER_EMPTY:
        if options.get(name) == "":
            raise InvalidURL(f"has no value for {name}; give it one, or leave {name}= out")
    names, addresses = hosts(options), options.get("hostaddr", "").split(",")
    if len(names) > 1 and "" in (options.get("host") or "x").split(","):
        raise InvalidURL("names no host between two commas; name one, or leave a comma out")
    if any("[" in name for name in names):
        raise InvalidURL("has a bracket in its host parameter, where an IPv6 address has none")
    if not all(re.fullmatch("[0-9]{0,5}", port) for port in options.get("port", "").split(",")):
        raise InvalidURL(_FORM)
    if not all(0 < port <= _MAX_PORT for port in ports(options)):
        raise InvalidURL(_FORM)
    try:
        for address in filter(None, addresses):
            ip_address(address)
    except ValueError:
        raise InvalidURL("has a hostaddr that is no IP address; host takes names") from None


def _decoded(text: str) -> str:
    if _NO_ESCAPE.search(text):
        raise _unescaped("%")
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        decoded = "\0"
    if "\0" in decoded:
        raise InvalidURL(f"{_FORM}; what is percent-encoded in it is not UTF-8, or %00")
    return decoded


def _unescaped(*characters: str) -> InvalidURL:
    how = ", ".join(f"%{ord(one):02X} ({one})" for one in characters)
    return InvalidURL(
        f"{_FORM}: {characters[0]} in its password has another meaning; percent-encode it, as {how}"
    )
