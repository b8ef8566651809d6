"""`python -m tests.mutants [-k WORD]`: 0 when every mutant is killed or known to be equivalent."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.embedded import postgres
from tests.mutants.table import FIRST, MUTANTS, Edit, Mutant

ROOT: Final = Path(__file__).parent.parent.parent
COPIED: Final = ("api", "db", "tests", "pyproject.toml", "README.md")
PATIENCE: Final = 180  # seconds for one run of the suite

# Slow, and about packaging, processes and the developer's machine. tests/audit compares the
# catalog with what it should be: that a guard is missing must show in what happens.
LEFT_OUT: Final = (
    "audit/",
    "mutants/",
    "test_documents.py",
    "test_dev.py",
    "test_serve.py",
    "test_wheel.py",
)

# The suite keeps the shell's environment from its commands, which are to find the copy.
FOUND: Final = Edit("tests/commands.py", '"USER", "TMPDIR")', '"USER", "TMPDIR", "PYTHONPATH")')
# A PostgreSQL that lives for seconds is copied rather than made, and not kept safe on a disk.
UNSAFE: Final = Edit("api/embedded.py", "options = \"-h ''", "options = \"-c fsync=off -h ''")
INITDB: Final = (
    '_run("initdb", "-D", directory, "--auth=trust", "--encoding=utf8", "-U", "postgres")'
)


@dataclass(frozen=True)
class Outcome:
    """What became of one run: whether the guard's absence was noticed, and by what."""

    killed: bool
    by: str
    seconds: float


def suite(first: tuple[str, ...]) -> list[list[str]]:
    """The test files in two runs: those that are most likely to notice, then all others."""
    files = {file.relative_to(ROOT).as_posix() for file in (ROOT / "tests").rglob("test_*.py")}
    kept = {file for file in files if not any(word in file for word in LEFT_OUT)}
    likely = [f"tests/{name}" for name in first]
    if unknown := set(likely) - kept:
        raise SystemExit(f"no such test file: {', '.join(unknown)}")
    return [run for run in (likely, sorted(kept - set(likely))) if run]


def apply(edit: Edit, folder: Path) -> None:
    """Make the change. A text that is not there as often as said is a fault of the table."""
    file = folder / edit.file
    text = file.read_text()
    if (found := text.count(edit.old)) != edit.count:
        raise SystemExit(f"{edit.file}: {found} times, not {edit.count}: {edit.old}")
    file.write_text(text.replace(edit.old, edit.new))


def run(mutant: Mutant, cluster: Path) -> Outcome:
    """The suite in a copy with this mutant in it, on a copy of this PostgreSQL."""
    begun = time.monotonic()
    copying = f'subprocess.run(["cp", "-a", "{cluster}/.", directory], check=True)'
    copied = Edit("api/embedded.py", INITDB, copying)
    with tempfile.TemporaryDirectory(prefix="mutant-", dir=_memory()) as temporary:
        folder = Path(temporary).resolve()
        for name in COPIED:
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copy2)(
                ROOT / name, folder / name
            )
        for edit in (FOUND, UNSAFE, copied, *mutant.edits):
            apply(edit, folder)
        for files in suite(FIRST[mutant.edits[0].file] if mutant.edits else ()):
            code, output = _pytest(folder, files)
            if code != 0:
                break
        note = folder / "first-failure"
        found = json.loads(note.read_text()) if note.exists() else {"test": "", "stage": "start"}
    return Outcome(*_judged(mutant, code, output, found), seconds=time.monotonic() - begun)


def _memory() -> str | None:
    """A folder in memory, if there is one with room for some databases."""
    shm = Path("/dev/shm")  # noqa: S108 - the folder made in it has a name nobody can guess
    return str(shm) if shm.is_dir() and shutil.disk_usage(shm).free > 2**30 else None


def _pytest(folder: Path, files: list[str]) -> tuple[int | None, str]:
    """The exit code, None when it had to be stopped, and what was printed."""
    arguments = ("-x", "-q", "--tb=short", "-p", "no:cacheprovider", *files)
    environment = os.environ | {"PYTHONPATH": str(folder), "TMPDIR": str(folder)}
    with (
        tempfile.TemporaryFile("w+") as output,
        subprocess.Popen(
            [sys.executable, "-m", "tests.mutants.witness", "first-failure", *arguments],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            code: int | None = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # the suite takes its PostgreSQL down with it
            process.wait()
            code = None
        output.seek(0)
        return code, output.read()


def _judged(
    mutant: Mutant, code: int | None, output: str, found: dict[str, str]
) -> tuple[bool, str]:
    """Killed is what a test noticed, or what refused to start in the words it should."""
    if code == 0:
        return False, ""
    if code == 1 and found["stage"] in ("call", "teardown"):
        return True, found["test"]
    if mutant.refusal and mutant.refusal in output:
        return True, f"refused at {found['stage']}: {mutant.refusal}"
    lines = [line for line in output.splitlines() if line.startswith("E ")] or output.splitlines()
    return False, f"no proof, exit {code} at {found['stage']} of {found['test']}: {lines[-1:]}"


def report(mutant: Mutant, outcome: Outcome) -> bool:
    """One line; whether all is as the table says."""
    verdict, by = ("killed" if outcome.killed else "SURVIVED"), outcome.by
    if mutant.equivalent and not outcome.killed and not by:
        verdict, by = "equivalent", mutant.equivalent
    print(f"{verdict:10} {mutant.name}  [{by}]  {outcome.seconds:.1f} s", flush=True)
    return verdict == ("equivalent" if mutant.equivalent else "killed")


def main() -> int:
    """Run the selection and report."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("-k", metavar="WORD", default="", help="only mutants with it in the name")
    parser.add_argument("-j", type=int, metavar="N", default=2, help="at a time (%(default)s)")
    options = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if options.k.lower() in mutant.name.lower()]
    with (
        tempfile.TemporaryDirectory(prefix="cluster-", dir=_memory()) as temporary,
        ThreadPoolExecutor(options.j) as workers,
    ):
        with postgres(cluster := Path(temporary) / "postgres"):
            pass
        control = workers.submit(run, Mutant("nothing is changed", ()), cluster)
        runs = {workers.submit(run, mutant, cluster): mutant for mutant in chosen}
        wrong, killed = [], 0
        for done in as_completed([control, *runs]):
            if done is not control:
                killed += done.result().killed
                wrong += [] if report(runs[done], done.result()) else [runs[done].name]
            elif done.result() != Outcome(False, "", done.result().seconds):
                workers.shutdown(cancel_futures=True)
                raise SystemExit(f"red without any change, nothing is proven: {done.result().by}")
    equivalent = sum(bool(mutant.equivalent) for mutant in chosen)
    print(f"{killed} killed of {len(chosen)} mutants, {equivalent} known to be equivalent")
    print(*(f"  not as the table says: {name}" for name in wrong), sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
