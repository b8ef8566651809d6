"""Whatever is not there for Alice is not there in the same words."""

import pytest

from tests.people import Person

MISSING = 2**53 - 1


@pytest.mark.parametrize("task_id", ["0", "-1", "01", "x", str(MISSING + 1), "%00", str(10**30)])
def test_what_could_not_be_an_id_is_refused_as_what_is_missing(alice: Person, task_id: str) -> None:
    missing = alice.http.get(f"/api/tasks/{MISSING}")
    other = alice.http.get(f"/api/tasks/{task_id}")
    assert (other.status_code, other.content) == (404, missing.content)


def test_a_task_has_one_address(alice: Person) -> None:
    number = alice.creates()["id"]
    assert alice.sees(number) is not None
    for other in (f"0{number}", f"+{number}", f"{number}.0", f" {number}", f"%20{number}"):
        assert alice.http.get(f"/api/tasks/{other}").status_code == 404, other
