"""Settings from environment variables. Incomplete ones are refused with a one-line remedy."""

from collections.abc import Callable
from typing import Annotated, Final, Literal, Self, TypeVar

import limits
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from api import postgres_url
from api.setting_values import (
    Algorithm,
    Algorithms,
    Claim,
    CollectorURL,
    DirectPostgresURL,
    HttpURL,
    LogFormat,
    Origins,
    PostgresURL,
    RateLimit,
    RateLimitStorage,
    RootPath,
    Secret,
    TrustedProxies,
)

MAX_TIMEOUT: Final = 600  # seconds
Seconds = Annotated[float, Field(gt=0, le=MAX_TIMEOUT)]
# PostgreSQL counts whole milliseconds, and 0 is no timeout.
_MILLISECOND: Final = 0.001
StatementSeconds = Annotated[float, Field(ge=_MILLISECOND, le=MAX_TIMEOUT)]
RoleSeconds = Annotated[float | None, Field(ge=_MILLISECOND, le=MAX_TIMEOUT)]

# Days. The policy that lets the owner forget deletions has the same least number.
MIN_RETENTION: Final = 30
MAX_RETENTION: Final = 3650


class SettingsError(Exception):
    """A setting is missing or wrong. The message is one line and holds no secret."""


class _Environment(BaseSettings):
    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", hide_input_in_errors=True, frozen=True
    )


class AuthSettings(_Environment):
    """How tokens are verified: by a shared secret or by a key set (JWKS), exactly one of them.

    Times are seconds.
    """

    better_auth_secret: Secret | None = None
    auth_jwks_url: HttpURL | None = None
    auth_issuer: str | None = None
    auth_audience: str | None = None
    auth_algorithms: Algorithms = (Algorithm.EDDSA,)
    auth_user_claim: Claim = "sub"
    auth_jwks_timeout: Annotated[float, Field(gt=0, le=60)] = 3

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
    """The server's database and connection pool. Times are seconds."""

    database_url: PostgresURL
    pool_size: Annotated[int, Field(ge=1, le=1000)] = 10
    pool_share: Annotated[int, Field(ge=1, le=1000)] | None = None  # None: half, at least one
    pool_timeout: Annotated[float, Field(gt=0, le=60)] = 2
    pool_lease_timeout: Seconds = 30
    pool_idle_timeout: Annotated[float, Field(gt=0, le=86_400)] = 240  # Neon sleeps after 300
    pool_close_timeout: Annotated[float, Field(gt=0, le=60)] = 2
    search_timeout: StatementSeconds = 2

    @model_validator(mode="after")
    def _one_pool(self) -> Self:
        if self.pool_share is not None and self.pool_share > self.pool_size:
            raise ValueError(
                "POOL_SHARE is more than POOL_SIZE; lower it, or unset it for half of the pool"
            )
        return self


class LogSettings(_Environment):
    """How log lines are written."""

    log_format: LogFormat = LogFormat.AUTO


class ObservationSettings(LogSettings):
    """Logs, metrics and traces. Times are seconds."""

    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    server_timing: bool = False
    # OpenTelemetry's own variables; its SDK reads the others with these prefixes
    otel_exporter_otlp_endpoint: CollectorURL | None = None
    otel_exporter_otlp_traces_endpoint: CollectorURL | None = None
    otel_exporter_otlp_protocol: Literal["http/protobuf"] = "http/protobuf"
    otel_exporter_otlp_traces_protocol: Literal["http/protobuf"] = "http/protobuf"
    otel_sdk_disabled: bool = False
    span_flush_timeout: Annotated[float, Field(gt=0, le=60)] = 3

    @property
    def traced(self) -> bool:
        """Whether spans are exported to a collector."""
        collector = self.otel_exporter_otlp_traces_endpoint or self.otel_exporter_otlp_endpoint
        return collector is not None and not self.otel_sdk_disabled


class RateLimitSettings(_Environment):
    """Rate limits, and where they are counted. Times are seconds."""

    rate_limit: RateLimit = limits.RateLimitItemPerMinute(6000)
    rate_limit_address: RateLimit = limits.RateLimitItemPerMinute(300)
    rate_limit_storage: RateLimitStorage = SecretStr("memory://")
    rate_limit_storage_timeout: Annotated[float, Field(gt=0, le=60)] = 0.25

    @property
    def shared_redis(self) -> str | None:
        """The URL of the Redis that all processes use; None if they have none in common."""
        url = self.rate_limit_storage.get_secret_value()
        return None if url == "memory://" or self.rate_limit is None else url


class Settings(AuthSettings, DatabaseSettings, ObservationSettings, RateLimitSettings):
    """All settings of the server. Times are seconds."""

    listen_database_url: DirectPostgresURL | None = None
    cors_origins: Origins = ()
    root_path: RootPath | None = None
    request_timeout: Seconds = 15
    middleware_timeout: Seconds = 1  # beyond request_timeout
    head_timeout: Seconds = 10
    body_timeout: Seconds = 10
    write_timeout: Seconds = 20
    readiness_timeout: Annotated[float, Field(gt=0, le=60)] = 2
    drain_timeout: Annotated[float, Field(ge=0, le=60)] = 1
    shutdown_timeout: Annotated[int, Field(ge=0, le=MAX_TIMEOUT)] = 10
    worker_stop_timeout: Seconds = 5  # beyond shutdown_timeout
    max_unsent_mib: Annotated[int, Field(ge=1, le=65_536)] = 256  # per process
    forwarded_allow_ips: TrustedProxies = "127.0.0.1"

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        """What processes tell each other by NOTIFY is keyed: anybody may listen."""
        has_password = "password" in postgres_url.read(self.database_url.get_secret_value())
        if self.listen_database_url and not self.better_auth_secret and not has_password:
            raise ValueError(
                "LISTEN_DATABASE_URL is set, and with AUTH_JWKS_URL the password in DATABASE_URL "
                "is the key of its messages, and there is none; write it there"
            )
        return self


class RoleSettings(_Environment):
    """Timeouts of the serving role, by PostgreSQL's names, in seconds; None: as
    db/policies/00_roles.sql has it. They hold behind a pooler too."""

    statement_timeout: RoleSeconds = None
    lock_timeout: RoleSeconds = None
    idle_in_transaction_session_timeout: RoleSeconds = None

    def timeouts(self) -> dict[str, str]:
        """Those that are given, as PostgreSQL reads them."""
        given = {name: getattr(self, name) for name in RoleSettings.model_fields}
        return {name: f"{value:g}s" for name, value in given.items() if value is not None}


class MigrationSettings(RoleSettings):
    """Settings of `migrate`: the owner's connection, and the serving role's password and limits;
    of `sweep`: for how many days a deletion is told to a device that has not asked since."""

    migration_database_url: DirectPostgresURL
    task_app_password: SecretStr | None = None
    sync_retention: Annotated[int, Field(ge=MIN_RETENTION, le=MAX_RETENTION)] = MIN_RETENTION


class AuditSettings(RoleSettings):
    """Settings of `audit`: a connection that may read the catalog, the server's own, and the limits
    that `migrate` was given."""

    migration_database_url: DirectPostgresURL
    database_url: PostgresURL | None = None


S = TypeVar("S", bound=_Environment)


def load(kind: Callable[[], S]) -> S:
    """Load settings of this kind from the environment. Raises `SettingsError`."""
    try:
        return kind()
    except ValidationError as error:
        name, reason = _complaints(error)[0]
        raise SettingsError(f"{name} {reason}".strip()) from None


def complaints(kind: Callable[[], _Environment]) -> list[tuple[str, str]]:
    """The errors in settings of this kind: the name ('' if several) and the reason of each."""
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
