"""fastapi-offline: the files that api/http/docs.py serves."""

from importlib.resources import files

import pytest


@pytest.mark.parametrize("name", ["swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"])
def test_the_page_of_the_documentation_still_has_its_assets(name: str) -> None:
    assert (files("fastapi_offline") / "static" / name).read_bytes()
