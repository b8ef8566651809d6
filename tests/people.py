"""Test users with a name and a token, who call the API over HTTP."""

import secrets
import time
from typing import Any, Self

import httpx2
import jwt

SECRET = "a secret of the tests, longer than 32 bytes"


def signed(claims: dict[str, Any], secret: str = SECRET, **header: Any) -> str:
    """An HS256 token with these claims, `exp` in an hour unless they say otherwise."""
    return jwt.encode(
        {"exp": int(time.time()) + 3600} | claims, secret, algorithm="HS256", headers=header or None
    )


class Person:
    """Somebody at the other end of the API. Without a token: a stranger."""

    def __init__(self, base_url: str, user_id: str, token: str | None) -> None:
        self.id = user_id
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # verify: no TLS on loopback, and 30 ms for a context nobody needs
        self.http = httpx2.Client(base_url=base_url, headers=headers, timeout=20, verify=False)

    def creates(self, title: str = "Buy milk", **members: Any) -> dict[str, Any]:
        answer = self.http.post("/api/tasks", json={"title": title, **members})
        assert answer.status_code == 201, answer.text
        task: dict[str, Any] = answer.json()
        return task

    def lists(self, **parameters: Any) -> list[dict[str, Any]]:
        answer = self.http.get("/api/tasks", params=parameters)
        assert answer.status_code == 200, answer.text
        tasks: list[dict[str, Any]] = answer.json()
        return tasks

    def sees(self, task_id: int) -> dict[str, Any] | None:
        """The task as this person sees it; None when for them there is none."""
        answer = self.http.get(f"/api/tasks/{task_id}")
        assert answer.status_code in (200, 404), answer.text
        return answer.json() if answer.status_code == 200 else None


class People:
    """Makes people nobody has met: every name is new, so tests can share a database.

    They leave when the block ends in which they came.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._everybody: list[Person] = []

    def person(self, name: str) -> Person:
        user_id = f"{name}-{secrets.token_hex(6)}"
        return self._added(Person(self.base_url, user_id, signed({"sub": user_id})))

    def stranger(self) -> Person:
        return self._added(Person(self.base_url, "", None))

    def _added(self, person: Person) -> Person:
        self._everybody.append(person)
        return person

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        for person in self._everybody:
            person.http.close()


def soon_over(person: Person) -> dict[str, str]:
    """A token of this person that has expired just now: with it a stream ends at once."""
    claims = {"sub": person.id, "exp": int(time.time()) - 1}
    return {"Authorization": f"Bearer {signed(claims)}"}
