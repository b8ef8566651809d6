"""Types and validators of setting values.

An error message follows the setting's name: one line with the remedy, without secrets.
"""

import re
from enum import StrEnum
from importlib.util import find_spec
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Final
from urllib.parse import urlsplit

import httpx2
import jwt
import limits
from pydantic import AfterValidator, BeforeValidator, InstanceOf, SecretStr
from pydantic_settings import NoDecode

from api import postgres_url
from api.forwarded import Proxies


class Algorithm(StrEnum):
    """The signature algorithms of Better Auth's jwt plugin (RFC 7518, RFC 8037)."""

    EDDSA = "EdDSA"
    ES256 = "ES256"
    ES512 = "ES512"
    RS256 = "RS256"
    PS256 = "PS256"


class LogFormat(StrEnum):
    """The format of log lines; auto: text on a terminal, else JSON."""

    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


# Better Auth's default secret outside production, which is public.
_PUBLIC_SECRET: Final = "better-auth-secret-12345678901234567890"  # noqa: S105
# An origin as clients write it: no user, no path (RFC 6454, section 6.2).
_ORIGIN: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[A-Za-z0-9._-]+|\[[0-9a-f:.]+\])(:(?P<port>[1-9][0-9]*))?"
)
# Apps and extensions have schemes of their own. Pages of these send `null`, or there are none
# (URL Standard, sections 3.1 and 4.7).
_SCHEMES_WITHOUT_ORIGIN: Final = {"about", "blob", "data", "file", "ftp", "javascript", "ws", "wss"}
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
_MAX_PORT: Final = 65_535
# Segments of unreserved characters (RFC 3986, section 2.3), none of them `.` or `..`.
_ROOT_PATH: Final = re.compile(r"(/(?!\.{1,2}(/|\Z))[A-Za-z0-9._~-]+)+")
_MAX_ROOT_PATH: Final = 200  # characters
_DAY: Final = 86_400  # seconds
_MAX_REQUESTS: Final = 10**15 - 1  # the largest integer in a header (RFC 9651, section 3.3.1)
_CLAIM: Final = re.compile(r"[^.\s]+(\.[^.\s]+)*")


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _secret(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value().encode(errors="replace")) < 32:
        raise ValueError("is shorter than 32 bytes; make one with: openssl rand -base64 32")
    try:
        jwt.get_algorithm_by_name("HS256").prepare_key(value.get_secret_value())
    except (jwt.InvalidKeyError, UnicodeError):
        # with a public key as the secret, anybody could sign
        raise ValueError(
            "is a key file, or not UTF-8; make one with: openssl rand -base64 32"
        ) from None
    if value.get_secret_value() == _PUBLIC_SECRET:
        raise ValueError(
            "is Better Auth's public default, with which anybody can sign; "
            "make one with: openssl rand -base64 32, and give it to Better Auth too"
        )
    return value


def _postgres_url(value: SecretStr) -> SecretStr:
    url = value.get_secret_value().strip()  # a file's final newline
    postgres_url.read(url)
    return SecretStr(url)


def _direct(value: SecretStr) -> SecretStr:
    hosts = postgres_url.hosts(postgres_url.read(value.get_secret_value()))
    if any("-pooler." in host.lower() for host in hosts):
        raise ValueError("is Neon's pooled host; it has to be the direct one, without -pooler")
    return value


def _http_url(value: str) -> str:
    try:
        httpx2.URL(value)
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except (ValueError, httpx2.InvalidURL):
        good = False
    if not good:
        raise ValueError("is not an http(s):// URL")
    if parts.username or parts.password:
        raise ValueError("carries a password; a key set is public")
    return value


def _origins(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_origin(value) for value in values))


def _origin(value: str) -> str:
    """The origin as a browser sends it: without the scheme's default port."""
    found = _ORIGIN.fullmatch(value)
    if not found or not _is_host(found["scheme"], found["host"]):
        raise ValueError(
            "takes origins such as https://app.example.com or capacitor://localhost, separated by "
            "commas: lower case, no path, no final slash, no *"
        )
    scheme, port = found["scheme"], found["port"]
    if port and (len(port) > len(str(_MAX_PORT)) or int(port) > _MAX_PORT):
        raise ValueError(f"names a port above {_MAX_PORT}; correct it, or leave it out")
    return value.removesuffix(f":{port}") if port == _DEFAULT_PORTS.get(scheme) else value


def _is_host(scheme: str, host: str) -> bool:
    """Whether origins of this scheme have this host.

    Browsers write hosts of the web in one form (URL Standard, section 3.5), and leave those of
    other schemes as they are.
    """
    if scheme in _SCHEMES_WITHOUT_ORIGIN:
        return False
    if scheme not in _DEFAULT_PORTS:
        return not host.startswith("[")
    try:
        if host.startswith("["):
            return str(IPv6Address(host[1:-1])) == host[1:-1]
        if host.rstrip(".").rpartition(".")[2].isdecimal():  # else `127.1`, sent as 127.0.0.1
            return str(IPv4Address(host)) == host
    except ValueError:
        return False
    return host == host.lower()


def _root_path(value: str) -> str:
    if len(value) > _MAX_ROOT_PATH or not _ROOT_PATH.fullmatch(value):
        raise ValueError(
            "takes a path such as /todo: it begins with a slash and does not end with one, and has "
            f"letters, digits and ._~- between slashes, {_MAX_ROOT_PATH} characters at most"
        )
    return value


def _algorithms(values: tuple[str, ...]) -> tuple[str, ...]:
    if unknown := set(values) - set(Algorithm):
        raise ValueError(f"knows {', '.join(Algorithm)}; not {', '.join(sorted(unknown))}")
    return values


def _claim(value: str) -> str:
    if not _CLAIM.fullmatch(value):
        raise ValueError("is the name of a claim, such as sub or user.id")
    if value.rpartition(".")[2].lower() == "email":
        raise ValueError("names an e-mail address, which is no identity; use the user's id")
    return value


def _rate(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.strip().lower() == "off":
        return None
    try:
        (rate,) = limits.parse_many(value)
    except ValueError:
        rate = limits.RateLimitItemPerDay(0)
    if not (1 <= rate.amount <= _MAX_REQUESTS and rate.get_expiry() <= _DAY):
        raise ValueError("takes one limit such as 6000/minute, of a day at most, or off")
    return rate


def _rate_limit_storage(value: SecretStr) -> SecretStr:
    url = value.get_secret_value()
    if url == "memory://":
        return value
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("redis", "rediss") and parts.hostname and parts.port != 0
        good = (
            good and re.fullmatch("(/[0-9]*)?", parts.path) and not (parts.query + parts.fragment)
        )
    except ValueError:
        good = False
    if not good:
        raise ValueError(
            "takes memory://, or a URL such as redis://:password@host:6379/0 or rediss://"
        )
    if find_spec("redis") is None:
        raise ValueError("is Redis, which needs: pip install 'task-api[redis]'")
    return value


def _collector(value: str) -> str:
    if urlsplit(value).scheme not in ("http", "https"):
        raise ValueError("is not an http(s):// URL")
    try:
        exporter_found = find_spec("opentelemetry.exporter.otlp.proto.http")
    except ModuleNotFoundError:
        exporter_found = None
    if exporter_found is None:
        raise ValueError("is set, which needs: pip install 'task-api[otel]'; or unset it")
    return value


def _proxies(value: str) -> str:
    try:
        Proxies(value)
    except ValueError:
        raise ValueError(
            "takes addresses and networks such as 10.0.0.0/8, separated by commas, or *"
        ) from None
    return value


Secret = Annotated[SecretStr, AfterValidator(_secret)]
PostgresURL = Annotated[SecretStr, AfterValidator(_postgres_url)]
DirectPostgresURL = Annotated[PostgresURL, AfterValidator(_direct)]
HttpURL = Annotated[str, AfterValidator(_http_url)]
CollectorURL = Annotated[str, AfterValidator(_collector)]
Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_origins)]
RootPath = Annotated[str, AfterValidator(_root_path)]
Algorithms = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_algorithms)
]
Claim = Annotated[str, AfterValidator(_claim)]
# None: no limit.
RateLimit = Annotated[InstanceOf[limits.RateLimitItem] | None, NoDecode, BeforeValidator(_rate)]
RateLimitStorage = Annotated[SecretStr, AfterValidator(_rate_limit_storage)]
TrustedProxies = Annotated[str, AfterValidator(_proxies)]
