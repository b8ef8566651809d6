"""Settings from the environment. Half-set is refused, with the remedy in one line."""

import re
from collections.abc import Callable
from enum import StrEnum
from importlib.util import find_spec
from typing import Annotated, Final, Literal, Self, TypeVar
from urllib.parse import urlsplit

import httpx2
import jwt
import limits
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    InstanceOf,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from api.forwarded import Proxies


class SettingsError(Exception):
    """A setting is missing or wrong. The message is one line and holds no value of a secret."""


class Algorithm(StrEnum):
    """The signatures Better Auth's jwt plugin can make (RFC 7518, RFC 8037)."""

    EDDSA = "EdDSA"
    ES256 = "ES256"
    ES512 = "ES512"
    RS256 = "RS256"
    PS256 = "PS256"


class LogFormat(StrEnum):
    """How a line of the log looks; auto: text on a terminal, else JSON."""

    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


# What Better Auth signs with, outside production, when it was given no secret: public knowledge.
_PUBLIC_SECRET: Final = "better-auth-secret-12345678901234567890"  # noqa: S105
# As browsers write it: lower case, no user, no path (RFC 6454, section 6.2).
_ORIGIN: Final = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?")
_DAY: Final = 86_400  # seconds
_MOST_REQUESTS: Final = 10**15 - 1  # the largest integer in a header (RFC 9651, section 3.3.1)
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
        # a public key as the secret would let anybody sign
        raise ValueError(
            "is a key file, or not UTF-8; make one with: openssl rand -base64 32"
        ) from None
    if value.get_secret_value() == _PUBLIC_SECRET:
        raise ValueError(
            "is Better Auth's public default, with which anybody can sign; "
            "make one with: openssl rand -base64 32, and give it to Better Auth too"
        )
    return value


def _hosts(url: SecretStr) -> list[str]:
    """With their ports; libpq and asyncpg try one after the other."""
    return urlsplit(url.get_secret_value()).netloc.rpartition("@")[2].split(",")


def _postgres_url(value: SecretStr) -> SecretStr:
    try:
        good = value.get_secret_value().startswith(("postgresql://", "postgres://"))
        good = good and all(urlsplit(f"//{host}").port != 0 for host in _hosts(value))
    except ValueError:
        good = False
    if not good:
        raise ValueError("is not a URL such as postgresql://user:password@host:5432/database")
    return value


def _direct(value: SecretStr) -> SecretStr:
    if any("-pooler." in host.lower() for host in _hosts(value)):
        raise ValueError("is Neon's pooled host; migrations need the direct one, without -pooler")
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
    if not all(_ORIGIN.fullmatch(value) for value in values):
        raise ValueError(
            "takes origins such as https://app.example.com, separated by commas: "
            "lower case, no path, no final slash, no *"
        )
    return values


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
    if not (1 <= rate.amount <= _MOST_REQUESTS and rate.get_expiry() <= _DAY):
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
        there = find_spec("opentelemetry.exporter.otlp.proto.http")
    except ModuleNotFoundError:
        there = None
    if there is None:
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


PostgresURL = Annotated[SecretStr, AfterValidator(_postgres_url)]
CollectorURL = Annotated[str, AfterValidator(_collector)]
# None: as often as one likes.
RateLimit = Annotated[InstanceOf[limits.RateLimitItem] | None, NoDecode, BeforeValidator(_rate)]


class _Environment(BaseSettings):
    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", hide_input_in_errors=True, frozen=True
    )


class AuthSettings(_Environment):
    """How tokens are verified: under a shared secret, or by a key set. One of the two."""

    better_auth_secret: Annotated[SecretStr, AfterValidator(_secret)] | None = None
    auth_jwks_url: Annotated[str, AfterValidator(_http_url)] | None = None
    auth_issuer: str | None = None
    auth_audience: str | None = None
    auth_algorithms: Annotated[
        tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_algorithms)
    ] = (Algorithm.EDDSA,)
    auth_user_claim: Annotated[str, AfterValidator(_claim)] = "sub"

    @model_validator(mode="after")
    def _one_mode(self) -> Self:
        if self.better_auth_secret and self.auth_jwks_url:
            raise ValueError(
                "BETTER_AUTH_SECRET and AUTH_JWKS_URL are both set; "
                "unset the one that does not sign your tokens"
            )
        if not self.better_auth_secret and not self.auth_jwks_url:
            raise ValueError(
                "neither AUTH_JWKS_URL (Better Auth's jwt plugin, Neon Auth) nor "
                "BETTER_AUTH_SECRET (HS256 tokens) is set; set one of them"
            )
        if self.better_auth_secret and self.auth_user_claim == "userId" and not self.auth_audience:
            raise ValueError(
                "AUTH_USER_CLAIM is userId, which links in Better Auth's e-mails hold under the "
                "same secret; use sub or user.id, or set AUTH_AUDIENCE"
            )
        if self.auth_jwks_url:
            for name in ("auth_issuer", "auth_audience"):
                if not getattr(self, name):
                    raise ValueError(
                        f"{name.upper()} is not set; with AUTH_JWKS_URL it is required: "
                        "for Better Auth the origin of its base URL"
                    )
            if not self.auth_algorithms:
                raise ValueError("AUTH_ALGORITHMS names no algorithm; unset it for EdDSA")
        return self


class DatabaseSettings(_Environment):
    """Where the server's database is, and how it is used. Times are seconds."""

    database_url: PostgresURL
    pool_size: Annotated[int, Field(ge=1, le=1000)] = 10
    pool_share: Annotated[int, Field(ge=1, le=1000)] | None = None  # None: half, at least one
    pool_timeout: Annotated[float, Field(gt=0, le=60)] = 2

    @model_validator(mode="after")
    def _one_pool(self) -> Self:
        if self.pool_share is not None and self.pool_share > self.pool_size:
            raise ValueError(
                "POOL_SHARE is more than POOL_SIZE; lower it, or unset it for half of the pool"
            )
        return self


class ObservationSettings(_Environment):
    """What the server says of its work, and to whom."""

    log_format: LogFormat = LogFormat.AUTO
    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    server_timing: bool = False
    # OpenTelemetry's own; it reads the others, whose names begin alike, by itself
    otel_exporter_otlp_endpoint: CollectorURL | None = None
    otel_exporter_otlp_traces_endpoint: CollectorURL | None = None
    otel_exporter_otlp_protocol: Literal["http/protobuf"] = "http/protobuf"
    otel_exporter_otlp_traces_protocol: Literal["http/protobuf"] = "http/protobuf"
    otel_sdk_disabled: bool = False

    @property
    def traced(self) -> bool:
        """Whether there is somebody who takes spans."""
        collector = self.otel_exporter_otlp_traces_endpoint or self.otel_exporter_otlp_endpoint
        return collector is not None and not self.otel_sdk_disabled


class Settings(AuthSettings, DatabaseSettings, ObservationSettings):
    """What the server needs. Times are seconds."""

    cors_origins: Annotated[
        tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_origins)
    ] = ()
    rate_limit: RateLimit = limits.RateLimitItemPerMinute(6000)
    rate_limit_address: RateLimit = limits.RateLimitItemPerMinute(300)
    rate_limit_storage: Annotated[SecretStr, AfterValidator(_rate_limit_storage)] = SecretStr(
        "memory://"
    )
    request_timeout: Annotated[float, Field(gt=0, le=600)] = 15
    shutdown_timeout: Annotated[int, Field(ge=0, le=600)] = 10
    max_unsent_mib: Annotated[int, Field(ge=1, le=65_536)] = 256  # of each process
    forwarded_allow_ips: Annotated[str, AfterValidator(_proxies)] = "127.0.0.1"


class MigrationSettings(_Environment):
    """What `migrate` needs: the owner's connection, and the serving role's password."""

    migration_database_url: Annotated[PostgresURL, AfterValidator(_direct)]
    task_app_password: SecretStr | None = None


class AuditSettings(_Environment):
    """What `audit` needs: a connection that may read the catalog, and the server's own."""

    migration_database_url: Annotated[PostgresURL, AfterValidator(_direct)]
    database_url: PostgresURL | None = None


S = TypeVar("S", bound=_Environment)


def load(kind: Callable[[], S]) -> S:
    """Settings of that kind from the environment. Raises `SettingsError`."""
    try:
        return kind()
    except ValidationError as error:
        name, reason = _complaints(error)[0]
        raise SettingsError(f"{name} {reason}".strip()) from None


def complaints(kind: Callable[[], _Environment]) -> list[tuple[str, str]]:
    """What is wrong with settings of that kind: each by its name, or by '' if it is several."""
    try:
        kind()
    except ValidationError as error:
        return _complaints(error)
    return []


def _complaints(error: ValidationError) -> list[tuple[str, str]]:
    return [
        (
            str(one["loc"][0]).upper() if one["loc"] else "",
            "is not set" if one["type"] == "missing" else one["msg"].removeprefix("Value error, "),
        )
        for one in error.errors(include_url=False, include_input=False)
    ]
