"""Better Auth servers in a process of their own, and the people who have signed up with them."""

import contextlib
import json
import secrets
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx2
import jwt

from tests.people import SECRET, Person
from tests.program import PATIENCE, Process, running

SERVER: Final = Path(__file__).parent / "server"


class Account:
    """Somebody who has signed up; the session is in the cookies."""

    def __init__(self, auth_server: str, name: str, hang_up: contextlib.ExitStack) -> None:
        self.email = f"{name}-{secrets.token_hex(6)}@example.com"
        self._hang_up = hang_up
        # the Origin that a browser sends; without one Better Auth takes no cookie in a POST
        self.http = httpx2.Client(
            base_url=auth_server, headers={"Origin": auth_server}, timeout=20, verify=False
        )
        hang_up.callback(self.http.close)
        signed_up = self.http.post(
            "/api/auth/sign-up/email",
            json={"name": name, "email": self.email, "password": "correct horse battery"},
        )
        assert signed_up.status_code == 200, signed_up.text
        self.id: str = signed_up.json()["user"]["id"]

    def asks(self, path: str) -> Any:
        """What the server says to somebody with this session."""
        answer = self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def token(self) -> str:
        """A new one, from Better Auth's jwt plugin."""
        token: str = self.asks("/api/auth/token")["token"]
        return token

    def token_by_the_key_after(self, token: str) -> str:
        """A token that another key signed than this one: as soon as there is such a key."""
        first = jwt.get_unverified_header(token)["kid"]
        deadline = time.monotonic() + PATIENCE
        while jwt.get_unverified_header(later := self.token())["kid"] == first:
            assert time.monotonic() < deadline, "the key does not rotate"
            time.sleep(0.05)
        return later

    def cached_session(self) -> str:
        """The cookie in which Better Auth keeps what it knows of the session."""
        assert self.asks("/api/auth/get-session")["user"]["id"] == self.id
        cookie: str = self.http.cookies["better-auth.session_data"]
        return cookie

    def mailed_token(self, email: str = "") -> str:
        """The token in the link that was last mailed to this address, or to the first one."""
        link: str = self.asks(f"/mail/{email or self.email}")["url"]
        (token,) = parse_qs(urlsplit(link).query)["token"]
        return token

    def enters(self, api: str, token: str | None = None) -> Person:
        """The person at the API, with this token or a new one."""
        person = Person(api, self.id, token or self.token())
        self._hang_up.callback(person.http.close)
        return person


class AuthServer:
    """A running server, by its origin."""

    def __init__(self, url: str, process: Process, hang_up: contextlib.ExitStack) -> None:
        self.url = url
        self._process = process
        self._hang_up = hang_up

    def signs_up(self, name: str) -> Account:
        """Somebody new of this name."""
        return Account(self.url, name, self._hang_up)

    def dies(self) -> None:
        self._process.kill()
        self._process.wait()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """It takes connections, and answers nothing until the block ends."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def better_auths(modes: dict[str, dict[str, Any]]) -> Iterator[dict[str, AuthServer]]:
    """A Better Auth in each mode (server/server.mjs says which there are), until the block ends."""
    secret = {"secret": SECRET}
    told = json.dumps({name: secret | mode for name, mode in modes.items()})
    with (
        running("server.mjs", folder=SERVER, program="node", MODES=told) as node,
        contextlib.ExitStack() as hang_up,
    ):
        yield {
            name: AuthServer(url, node.process, hang_up)
            for name, url in json.loads(node.says("\n")).items()
        }


@contextlib.contextmanager
def better_auth(**mode: Any) -> Iterator[AuthServer]:
    """A Better Auth in this mode, alone in its process."""
    with better_auths({"one": mode}) as servers:
        yield servers["one"]
