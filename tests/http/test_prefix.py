"""Behind a path prefix (ROOT_PATH) every link leads through it, whether or not it is stripped."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.testclient import TestClient
from starlette.middleware.gzip import GZipMiddleware

from api.http.routing import Tx, UserRoute
from api.main import TaskAPI, create_app
from api.settings import Settings
from tests.cluster import TaskDatabase
from tests.extended import PREFLIGHT, settings_of
from tests.http.test_index import BROWSER
from tests.nginx import nginx
from tests.openapi import DOCUMENT
from tests.people import People, Person
from tests.problems import problem
from tests.server import serving

ROOT: Final = "/todo"
# Paths of the API begin with the others.
ROOTS: Final = (ROOT, "/api", "/api/tasks", "/docs")
STRIPPED: Final = {"stripped": True, "passed on": False}


def extended(settings: Settings) -> TaskAPI:
    """With a middleware, so that FastAPI's own stack answers."""
    app = create_app(settings)
    app.add_middleware(GZipMiddleware)
    return app


MADE: Final = {"short way": create_app, "FastAPI's stack": extended}


@pytest.fixture(params=ROOTS, scope="module")
def root(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[*MADE.values()], ids=[*MADE], scope="module")
def api(request: pytest.FixtureRequest, root: str, database: TaskDatabase) -> Iterator[str]:
    """The address of an API that is told this prefix."""
    settings = settings_of(database, root_path=root)
    with serving(settings, request.param(settings)) as address:
        yield address


@pytest.fixture(params=[*STRIPPED.values()], ids=[*STRIPPED], scope="module")
def people(request: pytest.FixtureRequest, root: str, api: str) -> Iterator[People]:
    """The people of that API, who come by a real nginx that serves it under the prefix."""
    passed = "/" if request.param else ""
    with nginx(api, path=f"{root}/", passed=passed) as address, People(address) as people:
        yield people


@pytest.fixture
def alice(people: People) -> Person:
    return people.person("alice")


@pytest.fixture
def stranger(people: People) -> Person:
    return people.stranger()


class Assets(HTMLParser):
    """The addresses of what a page loads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("href", "src") and value]


def links(answer: httpx2.Response) -> dict[str, str]:
    return {rel: to for to, rel in re.findall(r'<([^>]*)>; rel="([\w-]+)"', answer.headers["Link"])}


def test_a_new_task_is_where_its_location_says(alice: Person, root: str) -> None:
    answer = alice.http.post(f"{root}/api/tasks", json={"title": "Buy milk"})
    assert answer.headers["Location"] == f"{root}/api/tasks/{answer.json()['id']}"
    assert alice.http.get(answer.headers["Location"]).json() == answer.json()


def test_so_it_is_when_the_answer_is_given_again(alice: Person, root: str) -> None:
    for _ in range(2):
        answer = alice.http.post(
            f"{root}/api/tasks", json={"title": "Buy milk"}, headers={"Idempotency-Key": "one"}
        )
        assert answer.headers["Location"] == f"{root}/api/tasks/{answer.json()['id']}"
    assert answer.headers["Idempotency-Replayed"] == "true"


def test_the_links_of_a_list_lead_through_it(alice: Person, root: str) -> None:
    for title in ("one", "two", "three"):
        alice.http.post(f"{root}/api/tasks", json={"title": title})
    titles, link = [], f"{root}/api/tasks?limit=1"
    while link:
        answer = alice.http.get(link)
        titles += [task["title"] for task in answer.json()]
        assert all(urlsplit(to).path == f"{root}/api/tasks" for to in links(answer).values())
        link = links(answer).get("next", "")
    assert titles == ["three", "two", "one"]
    assert alice.http.get(links(answer)["first"]).json()[0]["title"] == "three"
    assert alice.http.get(links(answer)["prev"]).json()[0]["title"] == "two"


def test_a_task_is_read_changed_and_deleted(alice: Person, root: str) -> None:
    path = alice.http.post(f"{root}/api/tasks", json={"title": "x"}).headers["Location"]
    assert alice.http.patch(path, json={"title": "y"}).json()["title"] == "y"
    assert alice.http.patch(f"{path}/complete").json()["completed"] is True
    assert alice.http.head(path).status_code == 200
    assert alice.http.delete(path).status_code == 204
    problem(alice.http.get(path), 404, "no-such-task")
    assert alice.http.post(f"{root}/api/tasks/bulk", json=[{"title": "z"}]).status_code == 201


def test_the_documentation_finds_all_it_loads(stranger: Person, root: str) -> None:
    page = stranger.http.get(f"{root}/docs")
    (document,) = re.findall(r"url: '([^']*)'", page.text)
    addresses = [urljoin(str(page.url), one) for one in (*Assets(page.text).found, document)]
    assert len(addresses) == 4
    for address in addresses:
        assert stranger.http.get(address).status_code == 200, address
    assert stranger.http.get(addresses[-1]).json()["info"] == DOCUMENT["info"]


def test_the_document_says_where_the_api_is(alice: Person, root: str) -> None:
    document = alice.http.get(f"{root}/openapi.json").json()
    (server,) = document["servers"]
    assert server["url"] == root
    assert document == DOCUMENT | {"servers": [server]}
    assert alice.http.get(f"{server['url']}/api/tasks").json() == []


def test_a_program_is_told_where_everything_is(stranger: Person, root: str) -> None:
    answer = stranger.http.get(f"{root}/")
    there = answer.json()
    assert there == {
        "docs": f"{root}/docs",
        "openapi": f"{root}/openapi.json",
        "health": f"{root}/readyz",
    }
    assert {*links(answer).values()} == {*there.values()}
    assert all(stranger.http.get(one).status_code == 200 for one in there.values())


def test_a_browser_is_led_to_the_documentation(stranger: Person, root: str) -> None:
    answer = stranger.http.get(f"{root}/", headers=BROWSER)
    assert (answer.status_code, answer.headers["Location"]) == (307, f"{root}/docs")
    page = stranger.http.get(answer.headers["Location"], headers=BROWSER)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"


def test_what_is_not_there_is_a_problem(stranger: Person, root: str) -> None:
    problem(stranger.http.get(f"{root}/nowhere/at-all"), 404, "no-such-address")
    problem(stranger.http.get(f"{root}/livez/"), 404, "no-such-address")
    problem(stranger.http.get(f"{root}/api/tasks"), 401, "unauthorized")
    answer = stranger.http.post(f"{root}/readyz")
    problem(answer, 405, "method-not-allowed")
    assert {*answer.headers["Allow"].split(", ")} == {"GET", "HEAD"}


def test_a_front_end_may_call_it(stranger: Person, root: str) -> None:
    assert stranger.http.options(f"{root}/api/tasks", headers=PREFLIGHT).status_code == 200


def test_a_probe_may_leave_it_out(api: str) -> None:
    for path in ("/livez", "/readyz"):
        assert httpx2.get(api + path, timeout=20).json() == {"status": "ok"}


@pytest.mark.parametrize("path", [f"{ROOT}//api/tasks", f"{ROOT}api/tasks", f"{ROOT * 2}/livez"])
def test_what_begins_almost_like_it_is_not_below_it(database: TaskDatabase, path: str) -> None:
    with serving(settings_of(database, root_path=ROOT)) as address:
        problem(httpx2.get(address + path, timeout=20), 404, "no-such-address")


# other ways to a prefix, and none


@pytest.mark.parametrize("root", [ROOT, "/api"])
@pytest.mark.parametrize("stripped", STRIPPED.values(), ids=STRIPPED)
def test_an_added_route_is_found_under_it(
    database: TaskDatabase, root: str, *, stripped: bool
) -> None:
    router = APIRouter(route_class=UserRoute)

    async def summary(tx: Tx, request: Request) -> dict[str, str]:
        return {"path": request.url_for("summary").path}

    router.add_api_route("/api/summary", summary, name="summary")
    settings = settings_of(database, root_path=root)
    app = create_app(settings)
    app.include_router(router)
    with serving(settings, app) as address, People(address) as people:
        path = "/api/summary" if stripped else f"{root}/api/summary"
        assert people.person("alice").http.get(path).json() == {"path": f"{root}/api/summary"}


def test_mounted_under_a_path_it_links_to_that(database: TaskDatabase) -> None:
    parent = FastAPI()
    parent.mount(ROOT, create_app(settings_of(database)))
    with TestClient(parent, follow_redirects=False) as client:
        assert client.get(f"{ROOT}/").json()["docs"] == f"{ROOT}/docs"
        assert client.get(f"{ROOT}/", headers=BROWSER).headers["Location"] == f"{ROOT}/docs"


def test_without_a_prefix_none_is_taken_away(alice: Person, server: str) -> None:
    for path in (f"{ROOT}/api/tasks", f"{ROOT}/livez", ROOT):
        problem(httpx2.get(server + path, timeout=20), 404, "no-such-address")
