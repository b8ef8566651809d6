"""An OpenTelemetry collector on loopback that receives spans over OTLP/HTTP, and can fail."""

import contextlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.loopback import answering


class Collector:
    """What it was sent: bytes, spans, and of whom they are."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.paths: list[str] = []
        self.bodies: list[bytes] = []

    @property
    def spans(self) -> list[Span]:
        return [span for _, spans in self._sent() for span in spans]

    @property
    def resources(self) -> list[dict[str, Any]]:
        return [resource for resource, _ in self._sent()]

    def _sent(self) -> Iterator[tuple[dict[str, Any], list[Span]]]:
        for body in list(self.bodies):
            for sent in ExportTraceServiceRequest.FromString(body).resource_spans:
                spans = [span for scope in sent.scope_spans for span in scope.spans]
                yield attributes(sent.resource.attributes), spans


def attributes(pairs: Any) -> dict[str, Any]:
    """As a dictionary."""

    def value(pair: KeyValue) -> Any:
        return getattr(pair.value, str(pair.value.WhichOneof("value")))

    return {pair.key: value(pair) for pair in pairs}


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens until the block ends."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.paths.append(self.path)
            if collector.status == 200:
                collector.bodies.append(body)
            self.send_response(collector.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with answering(Handler) as address:
        collector.url = address
        yield collector
