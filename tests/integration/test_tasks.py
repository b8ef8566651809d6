"""The life of a task, as one person sees it over HTTP."""

from tests.people import Person


def test_alice_creates_a_task_and_reads_it_back(alice: Person) -> None:
    answer = alice.http.post("/api/tasks", json={"title": "  Buy milk  "})
    assert answer.status_code == 201
    task = answer.json()
    assert task["title"] == "Buy milk"
    assert task["user_id"] == alice.id
    assert task["description"] is None
    assert task["completed"] is False
    assert answer.headers["Location"] == f"/api/tasks/{task['id']}"
    assert alice.http.get(answer.headers["Location"]).json() == task
