"""The API documentation: openapi.json, Swagger UI, whose assets come from this server, and links to
them."""

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from api.http import health, problems
from api.http.accept import prefers_html
from api.http.body import values
from api.http.routing import Route

_DOCS: Final = "/docs"
_ASSETS: Final = f"{_DOCS}/assets"
_DOCUMENT: Final = "/openapi.json"
_INDEX: Final = {"docs": _DOCS, "openapi": _DOCUMENT, "health": health.READY}
# The same links with registered relations (RFC 8631).
_RELATIONS: Final = {"service-doc": _DOCS, "service-desc": _DOCUMENT, "status": health.READY}
_LINKS: Final = ", ".join(f'<{path}>; rel="{relation}"' for relation, path in _RELATIONS.items())

_FILES: Final = StaticFiles(packages=[("fastapi_offline", "static")])

router = APIRouter(route_class=Route, include_in_schema=False)


@router.get("/")
async def index(request: Request) -> Response:
    """Links for a program; a browser is redirected to the documentation page."""
    headers = {"Link": _LINKS, "Vary": "Accept"}
    if prefers_html(", ".join(values(request.scope, b"accept"))):
        return RedirectResponse(_DOCS, headers=headers)
    root = request.scope.get("root_path", "")
    return JSONResponse({name: root + path for name, path in _INDEX.items()}, headers=headers)


@router.get(_DOCUMENT)
async def document(request: Request) -> JSONResponse:
    return JSONResponse(request.app.openapi())


@router.get(_ASSETS + "/{name}")
async def assets(request: Request) -> Response:
    try:
        return await _FILES.get_response(request.path_params["name"], request.scope)
    except HTTPException:
        raise problems.no_such_address() from None


@router.get(_DOCS)
async def docs(_: Request) -> HTMLResponse:
    page = get_swagger_ui_html(
        openapi_url=_DOCUMENT.removeprefix("/"),
        title="Task API",
        swagger_js_url=f"{_ASSETS.removeprefix('/')}/swagger-ui-bundle.js",
        swagger_css_url=f"{_ASSETS.removeprefix('/')}/swagger-ui.css",
        swagger_favicon_url=f"{_ASSETS.removeprefix('/')}/favicon.png",
        # its badge would send the document's URL to a validator on the internet
        swagger_ui_parameters={"validatorUrl": None, "persistAuthorization": False},
    )
    page.headers["Content-Security-Policy"] = (
        "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
        "connect-src 'self'; img-src 'self' data:; "
        "script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"
    )
    return page
