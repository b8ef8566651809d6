"""The path prefix under which a proxy serves the API (ROOT_PATH)."""

import re
from collections.abc import Iterable
from typing import Final

from fastapi import FastAPI, Response
from fastapi.routing import APIRoute
from starlette.types import Scope

from api.http.stack import route_of

# A path, and not `//host` (RFC 3986, section 4.2).
_PATHS: Final = {"location": re.compile(r"^/(?!/)"), "link": re.compile(r"(?<=<)/(?!/)")}


def prefixed(response: Response, root: str) -> Response:
    """The response, with this prefix before the paths in its Location and Link headers."""
    for name, path in _PATHS.items():
        if value := response.headers.get(name):
            response.headers[name] = path.sub(f"{root}/", value)
    return response


def path_of(scope: Scope, root: str, routes: Iterable[APIRoute], app: FastAPI) -> str:
    """The path of the API that a request's path stands for, with this prefix or without it.

    The proxy may or may not have stripped the prefix, and a path of the API may begin with it:
    `/api/tasks` with the prefix `/api`. So it is the one to which a route leads, of `routes` if
    possible, which are looked at first because that is fast; else of the application's.
    """
    possible = _candidates(scope["path"], root)
    for path in possible:
        if any(route.path_regex.match(path) for route in routes):
            return path
    for path in possible[1:] and possible:
        if route_of(app, {**scope, "path": path, "root_path": ""}):
            return path
    return possible[0]


def _candidates(path: str, root: str) -> list[str]:
    """The likeliest first."""
    if path == root:
        return [path, "/"]
    if path.startswith(f"{root}/"):
        return [path[len(root) :], path]
    return [path]
