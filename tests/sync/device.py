"""A device: a client that keeps a copy of a person's tasks in step by asking for changes."""

from typing import Any, Final

import httpx2

from tests.people import Person

CHANGES: Final = "/api/tasks/changes"
_MOST: Final = 500  # pages, lest a client in circles should never end


class Device:
    """One of a person's devices, with what it has been told."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.tasks: dict[int, dict[str, Any]] = {}
        self.token: str | None = None
        # all that it was told, in order: a task's id and version, or the id of one that is gone
        self.told: list[tuple[int, int] | int] = []

    def asks(self, **parameters: Any) -> httpx2.Response:
        since = {} if self.token is None else {"since": self.token}
        return self.person.http.get(CHANGES, params=since | parameters)

    def turns(self, **parameters: Any) -> bool:
        """Ask for one page, and keep it. Whether there is more."""
        answer = self.asks(**parameters)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert list(page) == ["changed", "deleted", "next", "more"]
        for task in page["changed"]:
            self.tasks[task["id"]] = task
            self.told.append((task["id"], task["version"]))
        for task_id in page["deleted"]:
            self.tasks.pop(task_id, None)
            self.told.append(task_id)
        self.token = page["next"]
        more: bool = page["more"]
        return more

    def syncs(self, **parameters: Any) -> list[tuple[int, int] | int]:
        """Ask until there is no more. What it was told."""
        before = len(self.told)
        for _ in range(_MOST):
            if not self.turns(**parameters):
                return self.told[before:]
        raise AssertionError("changes without end")

    def is_in_step(self) -> bool:
        """Whether its copy is what the person has."""
        listed = {task["id"]: task for task in self.person.lists(limit=1000)}
        return self.tasks == listed
