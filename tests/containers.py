"""Runs Dockerfile and compose.yaml without a container engine.

A folder is the image's root; a virtual environment is its /usr/local, where the official Python
image keeps its own. An instruction that is not supported here is an error, so none goes untested.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from tests.program import environment

CHECKOUT: Final = Path(__file__).parent.parent
_PATIENCE: Final = 600  # seconds; everything may have to be fetched
_VARIABLE: Final = re.compile(r"\$(?:\{([A-Z_]+):\?([^}]+)\}|(\$)|(.?))")


class NotStarted(Exception):
    """Compose would not start: a variable is not set."""


def instructions() -> Iterator[tuple[str, str]]:
    """The Dockerfile's, each with what follows its name."""
    text = re.sub(r"(?m)^\s*#.*\n", "", (CHECKOUT / "Dockerfile").read_text())
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name, rest.strip()


def exec_form(text: str) -> list[str]:
    """A command as a list, so that no shell stands between it and the signals."""
    command = json.loads(text)
    assert isinstance(command, list), text
    return command


def compose(variables: Mapping[str, str]) -> Any:
    """compose.yaml, with these variables from .env. Raises `NotStarted`."""

    def value(match: re.Match[str]) -> str:
        name, message, dollar, other = match.groups()
        assert other is None, f"only ${{NAME:?message}} is understood here, not ${other}"
        if dollar:
            return "$"
        if not variables.get(name):
            raise NotStarted(f"{name} {message}")
        return variables[name]

    def filled(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: filled(value) for key, value in node.items()}
        if isinstance(node, list):
            return [filled(value) for value in node]
        return _VARIABLE.sub(value, node) if isinstance(node, str) else node

    return filled(compose_file())


def compose_file() -> Any:
    """compose.yaml as it is written."""
    return yaml.safe_load((CHECKOUT / "compose.yaml").read_text())


def ignored() -> list[str]:
    """What of the checkout goes into the image's context: the names that .dockerignore excepts."""
    lines = (CHECKOUT / ".dockerignore").read_text().splitlines()
    first, *rules = [line for line in lines if line and not line.startswith("#")]
    assert first == "*", "everything is ignored, but for what is named"
    *excepted, last = rules
    assert last == "**/__pycache__"
    assert all(re.fullmatch(r"![\w.]+", rule) for rule in excepted), excepted
    return [rule.removeprefix("!") for rule in excepted]


@dataclass
class Image:
    """What `docker build` would make, in `folder`; with `within_reach`, without the network."""

    folder: Path
    within_reach: bool
    ran: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    user: str = "root"
    bases: list[str] = field(default_factory=list)
    _stages: dict[str, Path] = field(default_factory=dict)
    _place: Path = Path("/")

    @property
    def root(self) -> Path:
        return self.folder / "root"

    def build(self) -> None:
        """Carry out the Dockerfile."""
        context = self.folder / "context"
        context.mkdir()
        for name in ignored():
            _carry(CHECKOUT / name, context / name)
        for name, rest in instructions():
            getattr(self, f"_{name.lower()}")(rest)

    def runs(self, command: list[str], **settings: str) -> subprocess.CompletedProcess[str]:
        """Run this in the image, to its end."""
        return subprocess.run(
            [self.program(command[0]), *command[1:]],
            env=self.environment(**settings),
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
        )

    def program(self, name: str) -> str:
        found = shutil.which(name, path=self.root / "usr/local/bin")
        assert found, f"there is no {name} in the image"
        return found

    def environment(self, **settings: str) -> dict[str, str]:
        path = f"{self.root}/usr/local/bin:{os.environ['PATH']}"
        return environment(**settings) | {"PATH": path}

    def _from(self, rest: str) -> None:
        base, _, name = rest.partition(" AS ")
        self.bases.append(base)
        if self._stages:
            # the stage before gives its place away, for programs hold the path of their Python
            last = next(reversed(self._stages))
            self._stages[last] = self.root.rename(self.folder / f"stage-{last}")
        self._stages[name] = self.root
        self._place, self.user = Path("/"), "root"
        home = self.root / "usr/local"
        venv.create(home, symlinks=True, with_pip=True)
        if self.within_reach:
            (site,) = home.glob("lib/python3*/site-packages")
            paths = (path for path in sys.path if "site-packages" in path)
            (site / "dependencies.pth").write_text("\n".join(paths))

    def _workdir(self, rest: str) -> None:
        self._place = Path(rest)
        (self.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)

    def _copy(self, rest: str) -> None:
        *sources, target = shlex.split(rest)
        origin = self.folder / "context"
        if sources[0].startswith("--from="):
            origin = self._stages[sources.pop(0).removeprefix("--from=")]
        place = self.root / str(self._place / target).lstrip("/")
        for source in sources:
            found = origin / source.lstrip("/")
            _carry(found, place / found.name if target.endswith("/") else place)

    def _run(self, rest: str) -> None:
        offline = {"PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
        done = subprocess.run(
            ["/bin/sh", "-c", rest],
            env=self.environment(**(offline if self.within_reach else {})),
            cwd=self.root / self._place.relative_to("/"),
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        self.ran.append(rest)

    def _user(self, rest: str) -> None:
        self.user = rest

    def _expose(self, _: str) -> None: ...

    def _healthcheck(self, rest: str) -> None:
        options, command = rest.split(" CMD ")
        assert all(re.fullmatch(r"--[a-z-]+=\d+s?", option) for option in options.split())
        self.health = exec_form(command)

    def _cmd(self, rest: str) -> None:
        self.command = exec_form(rest)


def _carry(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        ignore = shutil.ignore_patterns("__pycache__") if CHECKOUT in source.parents else None
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, ignore=ignore)
    else:
        shutil.copy(source, target)
