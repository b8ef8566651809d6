"""People who ask all at once, over and over, and put up with whatever comes."""

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx2

from tests.people import Person
from tests.problems import problem

EAGER = 0.02  # seconds until they ask again after a refusal, whatever it said


@dataclass(frozen=True)
class Answered:
    """What somebody asked for, when, how long it took, and what came of it."""

    who: str
    asked: float  # by time.monotonic
    took: float
    response: httpx2.Response

    @property
    def is_served(self) -> bool:
        return self.response.is_success


def reads_and_writes(person: Person, number: int) -> httpx2.Response:
    if number % 4 == 0:
        return person.http.post("/api/tasks", json={"title": f"{number}"})
    return person.http.get("/api/tasks?limit=5")


@contextlib.contextmanager
def crowd(
    people: list[Person], asks: Callable[[Person, int], httpx2.Response] = reads_and_writes
) -> Iterator[list[Answered]]:
    """All of them ask until the block ends. Yields what they were answered so far."""
    answered: list[Answered] = []
    leave = threading.Event()

    def goes_on(person: Person) -> None:
        for number in itertools.count():
            if leave.is_set():
                return
            asked = time.monotonic()
            response = asks(person, number)
            answered.append(Answered(person.id, asked, time.monotonic() - asked, response))
            if not response.is_success:
                leave.wait(EAGER)

    with ThreadPoolExecutor(len(people)) as pool:
        running = [pool.submit(goes_on, person) for person in people]
        try:
            yield answered
        finally:
            leave.set()
    for person in running:
        person.result()


def refused(answered: list[Answered]) -> list[Answered]:
    """Those that were not served. Every one of them says when to come back."""
    found = [one for one in answered if not one.is_served]
    for one in found:
        is_asked_to_come_back(one.response)
    return found


def is_asked_to_come_back(response: httpx2.Response) -> None:
    problem(response, 503, "unavailable")
    assert int(response.headers["Retry-After"]) > 0
