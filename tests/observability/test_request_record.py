"""What may be told of a request whoever serves it: uvicorn by itself believes any proxy's word."""

from time import perf_counter

import pytest
from fastapi import Response

from api.observability.request_record import RequestRecord


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ('192.0.2.7","level":"error', None),
        ("unknown", None),
        ("192.0.2.7\t|", None),
    ],
)
def test_a_client_is_an_address_or_nobody(host: str, client: str | None) -> None:
    scope = {"type": "http", "method": "GET", "client": (host, 1)}
    record = RequestRecord.of(scope, {}, Response(), "1-1", perf_counter())
    assert record.client == client
