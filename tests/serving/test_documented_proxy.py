"""The configuration that docs/deploying.md has for a proxy that compresses, in a real nginx."""

import re
from pathlib import Path
from typing import Final

from tests.nginx import nginx
from tests.people import People
from tests.problems import problem
from tests.serving.test_nginx import GZIP, renamed

DEPLOYING: Final = Path(__file__).parents[2] / "docs/deploying.md"
DOCUMENTED: Final = re.compile(
    r"^```nginx\n(map .+)\n(proxy_set_header If-Match .+)\n```", re.MULTILINE
)


def test_the_documented_nginx_gives_the_tag_back_as_it_was(server: str) -> None:
    ((http, location),) = DOCUMENTED.findall(DEPLOYING.read_text())
    with (
        nginx(server, http=http, server=GZIP, location=location) as address,
        People(address) as people,
    ):
        alice = people.person("alice")
        task = alice.creates()
        known = alice.http.get(f"/api/tasks/{task['id']}").headers["ETag"]
        assert known == 'W/"1"'
        assert renamed(alice, task, known).status_code == 200
        problem(renamed(alice, task, known), 412, "precondition-failed")
        assert renamed(alice, task, '"2"').status_code == 200
        assert renamed(alice, task, "*").status_code == 200
        assert alice.http.delete(f"/api/tasks/{task['id']}").status_code == 204
