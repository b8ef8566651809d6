"""Reports finished requests to the log, Prometheus, OpenTelemetry, and Server-Timing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from time import perf_counter
from typing import Any, final

from fastapi import Response
from starlette.types import Scope

from api.auth.authenticator import Authenticator
from api.database.session import Database
from api.http.rate_limits import RateLimits
from api.observability import logs
from api.observability.request_record import OTHER, RequestRecord
from api.settings import ObservationSettings, SettingsError


def _tracer(settings: ObservationSettings) -> Any:
    """Raises `SettingsError` when an OTEL_ variable cannot be used."""
    try:
        from api.observability.tracing import Tracer

        return Tracer(settings.span_flush_timeout)
    except Exception as error:  # the SDK reads some variables when it is imported
        detail = f": {error}" if isinstance(error, ValueError) else ""
        raise SettingsError(
            f"an OTEL_ variable cannot be used ({type(error).__name__}{detail}); mend or unset it"
        ) from None


@final
class Observer:
    """Reports requests to the outputs that are enabled. Disabled ones are not imported."""

    def __init__(self, settings: ObservationSettings) -> None:
        self._log = logs.writer(settings.log_format)
        self._timing = settings.server_timing
        self._metrics = settings.metrics_port is not None
        self._count: Callable[[RequestRecord], None] | None = None
        if self._metrics:
            from api.observability.metrics import count

            self._count = count
        self._tracer = None
        if settings.traced:
            self._tracer = _tracer(settings)

    def ended(
        self,
        scope: Scope,
        headers: dict[bytes, bytes],
        response: Response,
        request_id: str,
        began: float,
    ) -> None:
        """Report a request whose response is about to be sent. `began`: by `perf_counter`."""
        record = RequestRecord.of(scope, headers, response, request_id, began)
        if self._tracer is not None:
            record.trace_id = self._tracer.record(record)
        if self._count is not None:
            self._count(record)
        if self._timing:
            response.raw_headers.append((b"server-timing", record.timing.encode()))
        self._log(record)

    def refused(self, client: tuple[str, int] | None, response: Response, request_id: str) -> None:
        """Report a response to input that was refused before it was a request."""
        scope = {"method": OTHER, "client": client}
        self.ended(scope, {}, response, request_id, perf_counter())

    @asynccontextmanager
    async def watching(
        self, database: Database, authenticator: Authenticator, rate_limits: RateLimits
    ) -> AsyncIterator[None]:
        """Sample metrics while the block runs; then send the last spans."""
        sampling = None
        if self._metrics:
            from api.observability.metrics import sample

            sampling = asyncio.create_task(sample(database, authenticator.key_set, rate_limits))
        try:
            yield
        finally:
            if sampling is not None:
                sampling.cancel()
                with suppress(asyncio.CancelledError):
                    await sampling
            if self._tracer is not None:
                await self._tracer.close()
