"""The Makefile in a fresh checkout: what a person who types `make run` or `make test` waits for.

pip fetches nothing here: what it would fetch is within reach, so only the program is installed.
"""

import contextlib
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.newest import ROOT
from tests.program import PATIENCE, Running, environment, running

pytestmark = pytest.mark.slow

COPIED = ("Makefile", "README.md", "api", "constraints.txt", "db", "pyproject.toml", "tests")
OFFLINE = {"PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}


class Checkout:
    """A copy of this one, whose Python makes virtual environments that see the suite's packages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "node_modules", ".*")
                shutil.copytree(source, folder / name, ignore=ignored)
            else:
                shutil.copy2(source, folder / name)
        within_reach = "\n".join(path for path in sys.path if "site-packages" in path)
        (folder / "within-reach.pth").write_text(within_reach)
        python = folder / "python"
        python.write_text(
            "#!/bin/sh\n"
            f'"{sys.executable}" "$@" || exit\n'
            'if [ "$1 $2" = "-m venv" ]; then\n'
            f'    for last in "$@"; do :; done\n'
            f'    cp "{folder}/within-reach.pth" "$last"/lib/python3*/site-packages/\n'
            "fi\n"
        )
        python.chmod(0o755)
        self.settings = {**OFFLINE, "PYTHON": str(python), "PORT": "0"}

    def makes(self, target: str) -> str:
        """What `make` says on stdout; on stderr it has nothing to say."""
        done = subprocess.run(
            ["make", target],
            cwd=self.folder,
            env=environment(**self.settings),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    def makes_for_a_person(self, target: str) -> str:
        """The same, at a terminal."""
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            ["make", target],
            cwd=self.folder,
            env=environment(**self.settings),
            stdout=theirs,
            stderr=theirs,
        ) as process:
            os.close(theirs)
            said = b""
            try:
                while part := os.read(ours, 4096):
                    said += part
            except OSError:  # the last one who wrote has closed it
                pass
            assert process.wait(PATIENCE) == 0, said
        os.close(ours)
        return said.decode()

    @contextlib.contextmanager
    def runs(self) -> Iterator[Running]:
        """`make run`, while the block runs."""
        with running("run", program="make", folder=self.folder, **self.settings) as run:
            try:
                yield run
            finally:
                run.stops(signal.SIGTERM)  # which make passes on, as a terminal does with Ctrl-C

    def extras(self) -> str:
        """What make would ask pip for, if everything were new."""
        said = subprocess.run(
            ["make", "--dry-run", "--always-make", "run"],
            cwd=self.folder,
            env=environment(**self.settings),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        (found,) = re.findall(r"--editable '\.\[(\w+)\]'", said)
        return str(found)


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    # not pytest's own folder, which only its user may enter: PostgreSQL may have a user of its own
    folder = Path(tempfile.mkdtemp(prefix="task-api-make-"))
    folder.chmod(0o755)
    yield Checkout(folder.resolve())
    shutil.rmtree(folder)


def test_make_run_serves_with_what_running_needs_and_make_install_adds_the_rest(
    checkout: Checkout,
) -> None:
    assert checkout.extras() == "embedded"
    with checkout.runs() as run:
        said = run.says("Ctrl-C stops it")
        assert said.startswith("Installing what running needs into .venv: about ")
        assert said.index("\n") < said.index("The task API is at"), "one line, and then the API"
    kept = checkout.folder / ".venv/kept"
    kept.touch()

    added = checkout.makes("install")
    assert re.fullmatch("Installing what the tests need into .venv: about .*\n", added)
    assert kept.exists(), "what is there is not installed a second time"
    assert checkout.extras() == "dev", "what the tests need is not taken away by running"
    with checkout.runs() as run:
        assert "Installing" not in run.says("Ctrl-C stops it")


def test_nohup_make_run_survives_a_hangup(checkout: Checkout) -> None:
    checkout.makes(".venv/runnable" + str(checkout.folder).replace("/", "-"))
    command = ("nohup", "make", "run")
    with running(*command, program="setsid", folder=checkout.folder, **checkout.settings) as run:
        found = re.search(r"http://\S+", run.says("Ctrl-C stops it"))
        assert found
        os.killpg(run.process.pid, signal.SIGHUP)
        time.sleep(1)
        assert httpx2.get(f"{found[0]}/readyz").status_code == 200
        os.killpg(run.process.pid, signal.SIGTERM)
        run.process.wait(PATIENCE)


def test_whoever_begins_with_the_tests_can_run_at_once(checkout: Checkout) -> None:
    assert checkout.makes("install").count("Installing") == 1
    with checkout.runs() as run:
        assert "Installing" not in run.says("Ctrl-C stops it")


def test_what_was_installed_for_other_versions_is_installed_anew(checkout: Checkout) -> None:
    checkout.makes("install")
    stale = checkout.folder / ".venv/stale"
    stale.touch()
    time.sleep(0.1)  # of two files of one moment none is newer
    (checkout.folder / "constraints.txt").touch()
    assert checkout.makes("install").count("Installing") == 1
    assert not stale.exists()


def test_a_person_at_a_terminal_sees_pip_at_work(checkout: Checkout) -> None:
    said = checkout.makes_for_a_person("install")
    assert "Installing what the tests need" in said
    assert "Successfully installed task-api" in said
