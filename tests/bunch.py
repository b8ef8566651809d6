"""Sends valid and invalid HTTP requests with a marker in every field that a client controls."""

import secrets
import socket
from urllib.parse import urlsplit

import httpx2

from tests.people import signed
from tests.problems import MARK

USER = f"user-{MARK}"
TOKEN = signed({"sub": USER, "email": f"{MARK}@example.com"})
# What must not be found in anything that an operator is told.
PRIVATE = (MARK, TOKEN, *TOKEN.split("."))
_HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "Origin": f"https://{MARK}.example.com",
    "Referer": f"https://example.com/{MARK}",
    "User-Agent": MARK,
    "Cookie": f"session={MARK}",
    "Baggage": f"user={MARK}",
    "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "Tracestate": f"vendor={MARK}",
    "X-Forwarded-For": MARK,
    "X-Request-Id": f"{MARK} and more",
}


def sends_a_bunch(address: str) -> int:
    """Sends them. How many of them were HTTP."""
    statuses = []
    with httpx2.Client(base_url=address, headers=_HEADERS, timeout=20) as client:

        def ask(method: str, path: str, **options: object) -> httpx2.Response:
            answer = client.request(method, path, **options)  # type: ignore[arg-type]
            statuses.append(answer.status_code)
            return answer

        keyed = {"Idempotency-Key": f"{MARK}-{secrets.token_hex(4)}"}
        task = ask("POST", "/api/tasks", json={"title": MARK, "description": MARK}, headers=keyed)
        path = f"/api/tasks/{task.json()['id']}"
        ask("POST", "/api/tasks", json={"title": f"{MARK}!"}, headers=keyed)
        ask("POST", "/api/tasks/bulk", json=[{"title": MARK}, {"title": MARK}])
        ask("GET", "/api/tasks")
        ask("GET", "/api/tasks", params={"q": MARK})
        ask("GET", "/api/tasks", params={MARK: MARK})
        ask("GET", "/api/tasks", params={"cursor": MARK})
        ask("GET", "/api/tasks", params={"access_token": TOKEN})
        ask("GET", "/api/tasks", headers={"Prefer": MARK})
        ask("GET", path, headers={"If-None-Match": MARK})
        ask("PATCH", path, json={"title": MARK}, headers={"If-Match": f'"{MARK}"'})
        ask("PATCH", path, json={"title": MARK, MARK: MARK})
        ask("PATCH", path, content=MARK, headers={"Content-Type": "application/json"})
        ask("PATCH", path, content=MARK, headers={"Content-Type": MARK})
        ask("PATCH", path, json={"title": MARK * 30_000})
        ask("GET", f"/api/tasks/{MARK}")
        ask("GET", f"/{MARK}")
        ask("GET", f"/%0A%1B[31m%0D{MARK}")
        ask("PUT", "/api/tasks", json=MARK)
        ask("PROPFIND", "/api/tasks")
        ask("OPTIONS", path, headers={"Access-Control-Request-Method": MARK})
        ask("GET", "/api/tasks", headers={"Authorization": f"Bearer {MARK}.{MARK}.{MARK}"})
        ask("GET", "/api/tasks", headers={"Authorization": f"Basic {MARK}"})
        ask("GET", "/api/tasks", headers={"Authorization": f"Bearer {TOKEN[:-9]}{MARK}"})
        ask("DELETE", path)
        ask("GET", path)
        ask("GET", "/readyz")
    assert {200, 201, 204, 400, 401, 404, 405, 412, 413, 415, 422} == set(statuses)
    for raw in (f"{MARK}\r\n\r\n", f"GET / HTTP/1.1\r\n{MARK}\r\n\r\n"):
        _sends(address, raw)
    return len(statuses)


def _sends(address: str, raw: str) -> None:
    place = urlsplit(address)
    with socket.create_connection((str(place.hostname), place.port or 0), timeout=20) as connection:
        connection.sendall(raw.encode())
        assert b" 400 " in connection.recv(4096)
