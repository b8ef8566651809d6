"""The wheel alone, in an empty folder, is the whole program."""

import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.cluster import TaskDatabase
from tests.loopback import free_port
from tests.newest import declared
from tests.packages import brought, link
from tests.people import SECRET
from tests.program import PATIENCE, run, running

CHECKOUT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    # not pytest's own folder, which only its user may enter: PostgreSQL may have a user of its own
    folder = Path(tempfile.mkdtemp(prefix="task-api-wheel-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def wheel(folder: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, CHECKOUT],
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(folder: Path, wheel: Path) -> Path:
    """A virtual environment with the wheel in it, and the suite's own packages within reach."""
    home = environment_with(wheel, folder / "venv")
    (site,) = home.glob("lib/python3*/site-packages")
    (site / "dependencies.pth").write_text("\n".join(p for p in sys.path if "site-packages" in p))
    return home / "bin/task-api"


@pytest.fixture(scope="module")
def on_a_server(folder: Path, wheel: Path) -> Path:
    """One with the wheel and what it needs, and none of its extras."""
    home = environment_with(wheel, folder / "server")
    (site,) = home.glob("lib/python3*/site-packages")
    link(site, brought(declared()).values())
    return home / "bin/task-api"


def environment_with(wheel: Path, home: Path) -> Path:
    venv.create(home, symlinks=True)
    installing = ("-m", "pip", "--python", home, "install", "--no-deps", "--no-index", wheel)
    subprocess.run([sys.executable, *installing], check=True, capture_output=True, timeout=PATIENCE)
    return home


def test_everything_the_program_needs_is_in_it_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    sources = {
        str(file.relative_to(CHECKOUT))
        for folder in ("api", "db")
        for file in (CHECKOUT / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {name for name in names if ".dist-info/" not in name} == sources
    assert "db/policies/task.sql" in names
    assert "db/migrations/0001.create-task.sql" in names


def test_its_sql_is_its_own(folder: Path, installed: Path) -> None:
    shown = subprocess.run(
        [
            installed.parent / "python",
            "-c",
            "from api.commands.migrate import POLICIES; print(POLICIES)",
        ],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert Path(shown.stdout.strip()).is_relative_to(installed.parent.parent)


def test_it_serves_in_an_empty_folder(folder: Path, installed: Path) -> None:
    empty = folder / "empty"
    empty.mkdir()
    assert run("--help", folder=empty, program=str(installed)).code == 0
    with running("dev", folder=empty, program=str(installed), PORT="0") as dev:
        assert str(installed) in dev.says("Ctrl-C stops it")
        assert [entry.name for entry in empty.iterdir()] == [".data"]
        assert dev.stops().code == 0


def test_a_server_serves_without_any_of_the_extras(
    on_a_server: Path, database: TaskDatabase
) -> None:
    program, metrics = str(on_a_server), str(free_port())
    migrated = run("migrate", program=program, MIGRATION_DATABASE_URL=database.owner)
    assert migrated.code == 0, migrated
    settings = {"DATABASE_URL": database.task_app, "BETTER_AUTH_SECRET": SECRET}
    assert run("doctor", program=program, **settings).code == 0
    port = str(free_port())
    serving = ("serve", "--workers", "2", "--port", port)
    with running(*serving, program=program, METRICS_PORT=metrics, **settings) as serve:
        serve.says("serving on")
        for page in (f"{port}/readyz", f"{port}/docs", f"{metrics}/metrics"):
            assert httpx2.get(f"http://127.0.0.1:{page}").status_code == 200, page


@pytest.mark.parametrize(
    ("arguments", "code"), [(("dev",), 1), (("audit", "--self-test"), 2)], ids=["dev", "audit"]
)
def test_what_starts_a_database_of_its_own_says_in_one_line_what_to_install(
    folder: Path, on_a_server: Path, arguments: tuple[str, ...], code: int
) -> None:
    refused = run(*arguments, folder=folder, program=str(on_a_server))
    (line,) = refused.err.splitlines()
    assert (refused.code, refused.out) == (code, "")
    assert line == (
        "task-api: an embedded PostgreSQL is started, which needs: pip install 'task-api[embedded]'"
    )
    assert not (folder / ".data").exists()
