"""The API documentation: openapi.json and Swagger UI, whose assets come from this server."""

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from api.http import problems
from api.http.routing import Route

_ASSETS: Final = "/docs/assets"

_FILES: Final = StaticFiles(packages=[("fastapi_offline", "static")])

router = APIRouter(route_class=Route, include_in_schema=False)


@router.get("/openapi.json")
async def document(request: Request) -> JSONResponse:
    return JSONResponse(request.app.openapi())


@router.get(_ASSETS + "/{name}")
async def assets(request: Request) -> Response:
    try:
        return await _FILES.get_response(request.path_params["name"], request.scope)
    except HTTPException:
        raise problems.no_such_address() from None


@router.get("/docs")
async def docs(_: Request) -> HTMLResponse:
    page = get_swagger_ui_html(
        openapi_url="openapi.json",
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
