"""`GET /`: links for a program, and the documentation for a browser."""

from typing import Final

import pytest

from tests.people import Person

BROWSER: Final = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
}
LINKS: Final = {"docs": "/docs", "openapi": "/openapi.json", "health": "/readyz"}
PROGRAMS: Final = {
    "no header": {},
    "curl": {"Accept": "*/*"},
    "axios": {"Accept": "application/json, text/plain, */*"},
    "either": {"Accept": "text/html, application/json"},
    "JSON, or whatever there is": {"Accept": "application/json, */*"},
    "any text, or JSON": {"Accept": "text/*, application/json"},
    "rather JSON": {"Accept": "text/html;q=0.5, application/json"},
    "no HTML": {"Accept": "text/html;q=0, */*;q=0.1"},
    "nothing known": {"Accept": "image/png"},
    "no weight": {"Accept": "text/html;q=2"},
    "nonsense": {"Accept": ";;,,q=,\xff"},
    "an empty one": {"Accept": ""},
    "late": {"Accept": "image/png," * 60 + "text/html"},
}
BROWSERS: Final = {
    "Chrome": BROWSER,
    "Internet Explorer": {"Accept": "text/html, application/xhtml+xml, image/jxr, */*"},
    "any text, or whatever there is": {"Accept": "text/*, */*"},
    "text": {"Accept": "text/*"},
    "lynx": {"Accept": "text/html, text/plain, text/sgml, */*;q=0.01"},
    "capitals": {"Accept": "TEXT/HTML; Q=1.0"},
    "with a parameter": {"Accept": "text/html;level=1;q=0.4, */*;q=0.3"},
}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_is_told_where_everything_is(
    stranger: Person, method: str, headers: dict[str, str]
) -> None:
    del stranger.http.headers["Accept"]
    raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    answer = stranger.http.request(method, "/", headers=raw)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.headers["Link"] == (
        '</docs>; rel="service-doc", </openapi.json>; rel="service-desc", </readyz>; rel="status"'
    )
    if method == "GET":
        assert answer.json() == LINKS
        assert all(stranger.http.get(path).status_code == 200 for path in LINKS.values())


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", BROWSERS.values(), ids=BROWSERS)
def test_a_browser_is_led_to_the_documentation(
    stranger: Person, method: str, headers: dict[str, str]
) -> None:
    answer = stranger.http.request(method, "/", headers=headers)
    assert (answer.status_code, answer.content) == (307, b"")
    assert answer.headers["Location"] == "/docs"
    assert stranger.http.get("/docs", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{}, BROWSER], ids=["a program", "a browser"])
def test_no_cache_gives_one_the_answer_of_the_other(
    stranger: Person, headers: dict[str, str]
) -> None:
    vary = stranger.http.get("/", headers=headers).headers["Vary"].split(", ")
    assert {*vary} == {"Accept", "Authorization", "Origin"}
