"""Who is measured: this program, and the same API as others would write it."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import httpx2
import psutil  # type: ignore[import-untyped]

from bench.stage import SECRET, Stage
from tests.loopback import free_port

WORKERS: Final = 2
_HERE: Final = Path(__file__).parent
_TASK_API: Final = str(Path(sysconfig.get_path("scripts")) / "task-api")


class Contestant:
    """A server that is running: its address, its processes."""

    def __init__(self, name: str, address: str, process: "subprocess.Popen[bytes]") -> None:
        self.name, self.address, self._process = name, address, process

    def memory(self) -> list[float]:
        """What each process that serves holds now, in MiB, largest first."""
        everyone = psutil.Process(self._process.pid).children(recursive=True)
        return sorted((p.memory_info().rss / 2**20 for p in everyone), reverse=True)


def _task_api(port: int) -> list[str]:
    return [_TASK_API, "serve", "--port", str(port), "--workers", str(WORKERS)]


def _fastify(_: int) -> list[str]:
    folder = _HERE / "peers" / "fastify"
    if shutil.which("node") is None or not (folder / "node_modules").exists():
        raise SystemExit(f"Node.js 20 is needed, and: npm ci --prefix {folder}")
    return ["node", str(folder / "server.js")]


def _orm(port: int) -> list[str]:
    options = ["--port", str(port), "--workers", str(WORKERS), "--no-access-log"]
    return [sys.executable, "-m", "uvicorn", "bench.peers.orm:app", *options]


COMMANDS: Final[dict[str, Callable[[int], list[str]]]] = {
    "task-api": _task_api,
    "fastify": _fastify,
    "orm": _orm,
}


@contextlib.contextmanager
def running(name: str, stage: Stage) -> Iterator[Contestant]:
    """That contestant before this stage, until the block ends."""
    port = free_port()
    settings = {
        "DATABASE_URL": stage.database.task_app,
        "BETTER_AUTH_SECRET": SECRET,
        "PORT": str(port),
        "WORKERS": str(WORKERS),
    }
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(
            COMMANDS[name](port),
            cwd=_HERE.parent,
            env=os.environ | settings,
            stdout=said,
            stderr=said,
        ) as process,
    ):
        contestant = Contestant(name, f"http://127.0.0.1:{port}", process)
        try:
            _await(contestant, process, stage, said)
            yield contestant
        finally:
            process.send_signal(signal.SIGTERM)


def asked(contestant: Contestant, stage: Stage, line: int = 0) -> list[Any]:
    """What the contestant answers one of the crowd: their list, and one task of it."""
    token, first, _ = stage.crowd.read_text().splitlines()[line].split()
    with httpx2.Client(base_url=contestant.address, verify=False) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        answers = [client.get("/api/tasks?limit=20"), client.get(f"/api/tasks/{first}")]
        return [answer.raise_for_status().json() for answer in answers]


def _await(contestant: Contestant, process: Any, stage: Stage, said: Any) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            asked(contestant, stage)
            return
        except httpx2.TransportError:
            if process.poll() is not None or time.monotonic() > deadline:
                said.seek(0)
                raise SystemExit(f"{contestant.name} does not serve: {said.read()}") from None
            time.sleep(0.02)
