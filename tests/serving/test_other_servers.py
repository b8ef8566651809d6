"""Another server than this project's own runs the application."""

import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.main import create_app
from api.settings import SettingsError
from tests.cluster import TaskDatabase
from tests.extended import settings_of
from tests.people import SECRET, signed
from tests.problems import problem
from tests.program import PATIENCE, environment


def test_uvicorn_runs_it_with_settings_from_the_environment(database: TaskDatabase) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    alice = {"Authorization": f"Bearer {signed({'sub': 'alice-of-uvicorn'})}"}
    given = {"DATABASE_URL": database.task_app, "BETTER_AUTH_SECRET": SECRET}
    uvicorn = [sys.executable, *("-m", "uvicorn", "--factory", "api.main:create_app", "--port")]
    with (
        subprocess.Popen(
            [*uvicorn, port], env=environment(**given), stderr=subprocess.PIPE, text=True
        ) as server,
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", verify=False) as client,
    ):
        try:
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    assert client.get("/readyz").json() == {"status": "ok"}
                    break
                except httpx2.TransportError:
                    assert server.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
            made = client.post("/api/tasks", headers=alice, json={"title": "Buy milk"})
            assert made.status_code == 201
            assert client.get(made.headers["Location"], headers=alice).json() == made.json()
            problem(client.get("/api/tasks"), 401, "unauthorized")
        finally:
            server.terminate()
            server.wait(PATIENCE)
        assert server.stderr
        assert '"route":"/api/tasks"' in server.stderr.read()


def test_without_settings_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(SettingsError, match="DATABASE_URL is not set"):
        create_app()


def test_another_application_mounts_it(database: TaskDatabase) -> None:
    api = create_app(settings_of(database))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with api.router.lifespan_context(api):
            yield

    around = FastAPI(lifespan=lifespan)
    around.mount("/inner", api)
    token = {"Authorization": f"Bearer {signed({'sub': 'alice-mounted'})}"}
    with TestClient(around) as client:
        created = client.post("/inner/api/tasks", headers=token, json={"title": "Buy milk"})
        assert created.status_code == 201
        assert client.get("/inner/api/tasks", headers=token).json() == [created.json()]
        problem(client.get("/inner/api/tasks"), 401)
        assert client.get("/api/tasks", headers=token).status_code == 404
