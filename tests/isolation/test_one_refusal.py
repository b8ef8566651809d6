"""Whatever is not there for Alice is not there in the same words."""

import pytest

from tests.people import Person
from tests.problems import problem

MISSING = 2**53 - 1


@pytest.mark.parametrize("task_id", ["0", "-1", "01", "x", str(MISSING + 1), "%00", str(10**30)])
def test_what_could_not_be_an_id_is_refused_as_what_is_missing(alice: Person, task_id: str) -> None:
    # the same id for both requests, so that all else can be compared
    missing, other = (
        alice.http.get(f"/api/tasks/{n}", headers={"X-Request-Id": "one"})
        for n in (MISSING, task_id)
    )
    assert problem(other, 404, "no-such-task")["request_id"] == "one"
    assert other.content == missing.content


def test_a_task_has_one_address(alice: Person) -> None:
    number = alice.creates()["id"]
    assert alice.sees(number) is not None
    for other in (f"0{number}", f"+{number}", f"{number}.0", f" {number}", f"%20{number}"):
        assert alice.http.get(f"/api/tasks/{other}").status_code == 404, other
