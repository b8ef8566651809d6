"""Starlette: what is asked of its parts without going through its routing and its middleware."""

from pathlib import Path

import pytest
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import Match, Route, Router
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

pytestmark = pytest.mark.anyio


def test_a_route_still_matches_a_path_by_its_expression() -> None:
    route = Route("/tasks/{task_id}", lambda _: Response())
    found = route.path_regex.match("/tasks/7")
    assert found
    assert found.groupdict() == {"task_id": "7"}
    assert route.path_regex.match("/tasks/7/more") is None


async def test_a_route_that_says_that_it_matches_is_the_one_that_is_asked() -> None:
    class Heads(Route):
        def matches(self, scope: Scope) -> tuple[Match, Scope]:
            match, found = super().matches(scope)
            return (Match.NONE if match is Match.FULL else Match.FULL), found

        async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
            raise LookupError(scope["path_params"])

    app = Router([Heads("/tasks/{task_id}", lambda _: Response(), methods=["GET"])])
    scope = {"type": "http", "path": "/tasks/7", "headers": [], "method": "POST"}
    with pytest.raises(LookupError, match="7"):
        await app(scope, None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(("origin", "status"), [("https://app", 200), ("https://evil", 400)])
def test_a_preflight_is_still_judged_without_a_request_behind_it(origin: str, status: int) -> None:
    rules = CORSMiddleware(Response(), allow_origins=["https://app"], allow_methods=["PATCH"])
    asked = {"origin": origin, "access-control-request-method": "PATCH"}
    answer = rules.preflight_response(Headers(asked))
    assert answer.status_code == status
    assert answer.headers["vary"]
    assert answer.headers.get("access-control-allow-origin") == (
        "https://app" if status == 200 else None
    )


async def test_a_file_can_still_be_asked_for_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "page.css").write_text("p {}")
    scope = {"type": "http", "method": "GET", "headers": []}
    response = await StaticFiles(directory=tmp_path).get_response("page.css", scope)
    assert (response.status_code, response.media_type) == (200, "text/css")


def test_headers_of_a_response_can_still_be_added_as_bytes() -> None:
    response = Response()
    response.raw_headers.append((b"x-request-id", b"1"))
    assert response.headers["x-request-id"] == "1"
