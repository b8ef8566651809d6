"""Prometheus metrics. Label values come from fixed sets; none identifies a user.

If PROMETHEUS_MULTIPROC_DIR is set before this is imported, the values are in files there, which
`exporter` sums over all processes.
"""

import asyncio
from functools import cache
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

from api.auth.jwks import KeySet
from api.database import errors
from api.database.session import Database
from api.http.problems import Kind
from api.http.rate_limits import RateLimits
from api.observability.request_record import RequestRecord
from api.version import VERSION

REGISTRY: Final = CollectorRegistry()
SAMPLE_INTERVAL: Final = 1.0  # seconds between two samples of the gauges

disable_created_metrics()  # type: ignore[no-untyped-call]  # no `_created` series

_REQUESTS: Final = Counter(
    "task_api_requests",
    "Requests that were answered.",
    ("method", "route", "status"),
    registry=REGISTRY,
)
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15)
_SECONDS: Final = Histogram(
    "task_api_request_duration_seconds",
    "From a request's head to its answer being ready to be sent.",
    ("method", "route"),
    buckets=_BUCKETS,
    registry=REGISTRY,
)
_DATABASE_SECONDS: Final = Histogram(
    "task_api_database_duration_seconds",
    "From waiting for a connection to the end of a request's transaction.",
    ("method", "route"),
    buckets=_BUCKETS,
    registry=REGISTRY,
)
_PROBLEMS: Final = Counter(
    "task_api_problems",
    "Answers that were problems, by the last part of their type.",
    ("problem",),
    registry=REGISTRY,
)
_WORKERS: Final = Gauge(
    "task_api_workers",
    "Processes that serve.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
_CONNECTIONS: Final = Gauge(
    "task_api_pool_connections",
    "Connections to the database: lent to a request (in_use), or at hand (idle).",
    ("state",),
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
_WAITING: Final = Gauge(
    "task_api_pool_waiting",
    "Requests that wait for a connection.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
_DATABASE_ERRORS: Final = Counter(
    "task_api_database_errors",
    "Errors of the database, by SQLSTATE or its class.",
    ("sqlstate",),
    registry=REGISTRY,
)
_BUILD: Final = Gauge(
    "task_api_build_info",
    "Always 1; the version of the program is a label.",
    ("version",),
    registry=REGISTRY,
    multiprocess_mode="livemax",
)
_FETCHES: Final = Counter(
    "task_api_key_set_fetches",
    "Fetches of the issuer's key set.",
    ("outcome",),
    registry=REGISTRY,
)
for _kind in Kind:
    _PROBLEMS.labels(_kind.slug)  # rate() needs a zero before the first
for _label in errors.LABELS:
    _DATABASE_ERRORS.labels(_label)
errors.counters.append(lambda sqlstate: _DATABASE_ERRORS.labels(sqlstate).inc())


@cache
def _key_set_age() -> Gauge:
    """Created on first use: an unset gauge would export 0."""
    return Gauge(
        "task_api_key_set_age_seconds",
        "Since the issuer's key set was last fetched, by the process that has the oldest.",
        registry=REGISTRY,
        multiprocess_mode="livemax",
    )


@cache
def _storage_up() -> Gauge:
    """Created if there is a shared storage."""
    return Gauge(
        "task_api_rate_limit_storage_up",
        "Whether the shared storage of the rate limits is reached: 0 if a process cannot.",
        registry=REGISTRY,
        multiprocess_mode="livemin",
    )


@cache
def _responses(method: str, route: str, status: int) -> Counter:
    return _REQUESTS.labels(method, route, status)


@cache
def _durations(method: str, route: str) -> Histogram:
    return _SECONDS.labels(method, route)


@cache
def _database_durations(method: str, route: str) -> Histogram:
    return _DATABASE_SECONDS.labels(method, route)


def count(record: RequestRecord) -> None:
    """Count one finished request."""
    _responses(record.method, record.route, record.status).inc()
    _durations(record.method, record.route).observe(record.seconds)
    if record.database:
        began, ended = record.database
        _database_durations(record.method, record.route).observe(ended - began)
    if record.problem:
        _PROBLEMS.labels(record.problem).inc()


async def sample(database: Database, key_set: KeySet | None, rate_limits: RateLimits) -> None:
    """Set the gauges and count key set fetches once a second, until cancelled."""
    counted = dict.fromkeys(key_set.fetches, 0) if key_set else {}
    _WORKERS.set(1)
    _BUILD.labels(VERSION).set(1)
    while True:
        pool = database.pool_state
        _CONNECTIONS.labels("in_use").set(pool.in_use)
        _CONNECTIONS.labels("idle").set(pool.idle)
        _WAITING.set(pool.waiting)
        if key_set:
            for outcome, fetches in key_set.fetches.items():
                _FETCHES.labels(outcome).inc(fetches - counted[outcome])
                counted[outcome] = fetches
            if key_set.age is not None:
                _key_set_age().set(key_set.age)
        if (is_up := await rate_limits.is_storage_up()) is not None:
            _storage_up().set(is_up)
        await asyncio.sleep(SAMPLE_INTERVAL)
