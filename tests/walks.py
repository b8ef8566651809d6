"""Pagination: follows the links of a list page by page."""

from collections.abc import Iterator
from typing import Final

import httpx2

from tests.people import Person

_MOST: Final = 200  # pages, lest a walk in circles should never end


def walk(person: Person, relation: str, page: httpx2.Response) -> Iterator[httpx2.Response]:
    """This page and those that follow it, by their links of this relation: `next` or `prev`."""
    for _ in range(_MOST):
        assert page.status_code == 200, page.text
        yield page
        if relation not in page.links:
            return
        page = person.http.get(page.links[relation]["url"])
    raise AssertionError("a walk without end")
