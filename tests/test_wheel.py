"""The wheel alone, in an empty folder, is the whole program."""

import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

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
    home = folder / "venv"
    venv.create(home, symlinks=True)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            home,
            "install",
            "--no-deps",
            "--no-index",
            wheel,
        ],
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )
    (site,) = home.glob("lib/python3*/site-packages")
    (site / "dependencies.pth").write_text("\n".join(p for p in sys.path if "site-packages" in p))
    return home / "bin/task-api"


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
