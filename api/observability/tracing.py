"""OpenTelemetry tracing: spans over OTLP/HTTP, configured by the OTEL_ variables.

Written by hand because automatic instrumentation records IP addresses and queries.
"""

import asyncio
import threading
import time
from typing import final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    format_trace_id,
    set_span_in_context,
)

from api.observability.current_request import NO_ROUTE
from api.observability.request_record import OTHER, RequestRecord
from api.observability.traceparent import Traceparent
from api.version import VERSION


@final
class Tracer:
    """Creates the spans of a finished request; a background thread sends them."""

    def __init__(self, flush_timeout: float) -> None:
        """`flush_timeout`: the seconds to send the remaining spans, at the end."""
        self._flush_timeout = flush_timeout
        ours = Resource.create({"service.name": "task-api", "service.version": VERSION})
        self._provider = TracerProvider(
            resource=ours.merge(OTELResourceDetector().detect()), shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("task-api")

    def record(self, record: RequestRecord) -> str:
        """Create the spans of a request. Returns the trace id."""
        now = time.time_ns()

        def moment(counted: float) -> int:
            return now - int((record.ended - counted) * 1e9)

        attributes: dict[str, str | int] = {
            "http.request.method": record.method,
            "http.response.status_code": record.status,
        }
        name = "HTTP" if record.method == OTHER else record.method
        if record.route != NO_ROUTE:
            attributes["http.route"] = record.route
            name = f"{name} {record.route}"
        span = self._tracer.start_span(
            name,
            _context(record.parent),
            SpanKind.SERVER,
            attributes,
            start_time=moment(record.began),
        )
        if span.is_recording():
            if record.database:
                self._transaction(set_span_in_context(span), *map(moment, record.database))
            if record.status >= 500:
                span.set_attribute("error.type", record.problem or str(record.status))
                span.set_status(StatusCode.ERROR)
            span.end(now)
        return format_trace_id(span.get_span_context().trace_id)

    def _transaction(self, parent: Context, began: int, ended: int) -> None:
        self._tracer.start_span(
            "postgresql",
            parent,
            SpanKind.CLIENT,
            {"db.system.name": "postgresql"},
            start_time=began,
        ).end(ended)

    async def close(self) -> None:
        """Send the remaining spans."""
        sending = threading.Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        await asyncio.to_thread(sending.join, self._flush_timeout)


def _context(parent: Traceparent | None) -> Context:
    if parent is None:
        return Context()
    return set_span_in_context(
        NonRecordingSpan(
            SpanContext(
                int(parent.trace_id, 16),
                int(parent.span_id, 16),
                is_remote=True,
                trace_flags=TraceFlags(parent.flags),
            )
        ),
        Context(),
    )
