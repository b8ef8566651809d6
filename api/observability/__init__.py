"""Observability: request records, logs, Prometheus metrics, OpenTelemetry tracing."""
