"""What an operator sees: the record of a request, logs, metrics and their exporter, tracing."""
