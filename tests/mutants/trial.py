"""One mutant put to the test: a copy of the program, the change in it, the suite run there."""

import contextlib
import json
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests import initialized
from tests.mutants import witness
from tests.mutants.likely import first
from tests.mutants.mutant import Edit, Mutant
from tests.scratch import scratch

ROOT: Final = Path(__file__).parent.parent.parent
COPIED: Final = ("api", "db", "tests", "openapi.json", "pyproject.toml", "README.md")
# What is compiled is copied along with the date of its source, by which Python takes it or not.
NOT_COPIED: Final = shutil.ignore_patterns("node_modules", "e2e", ".*")
PATIENCE: Final = 1500  # seconds for one run of the suite
UNNOTICED: Final = (False, "", "")  # the verdict of tests that all pass

# Slow, and about packaging, processes, clocks and the developer's machine, or about libraries
# alone; a mutant's witness may be one of them. tests/audit compares the catalog with what it should
# be: that a guard is missing must show in what happens.
LEFT_OUT: Final = (
    "audit/",
    "mutants/",
    "better_auth/",
    "generated/",
    "test_schemathesis.py",
    "test_policy_files.py",
    "test_documents.py",
    "test_documented_proxy.py",
    "test_evidence.py",
    "test_examples.py",
    "test_dependencies.py",
    "test_make.py",
    "private_names/",
    "test_backup.py",
    "test_containers.py",
    "test_doctor.py",
    "faults/",
    "test_pooler.py",
    "test_tls.py",
    "test_deploy.py",
    "test_dev.py",
    "test_environment.py",
    "test_hangup.py",
    "test_serve.py",
    "test_wanted.py",
    "test_wheel.py",
    "test_workers.py",
)

# In each copy. The suite keeps the shell's environment from its commands, which are to find the
# copy; and what a program does not say in these seconds it will not say.
COPY: Final = (
    Edit("tests/program.py", '"USER", "TMPDIR")', '"USER", "TMPDIR", "PYTHONPATH")'),
    Edit("tests/program.py", "PATIENCE: Final = 60", "PATIENCE: Final = 20"),
)

# Of pytest's plugins. What a test leaves open is told to a later one, which proves nothing of that.
_WITHOUT: Final = ("-p", "no:cacheprovider", "-p", "no:unraisableexception")

_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(witness.PRELOADED)


@dataclass(frozen=True)
class Outcome:
    """What became of one run: whether the guard's absence was noticed, and by what."""

    killed: bool
    by: str
    test: str  # the node id of what failed first
    seconds: float


def suite(mutated: str) -> list[list[str]]:
    """The test files in two runs: those most likely to notice a change of this file, then all
    others."""
    files = {file.relative_to(ROOT).as_posix() for file in (ROOT / "tests").rglob("test_*.py")}
    kept = {file for file in files if not any(word in file for word in LEFT_OUT)}
    likely = [f"tests/{name}" for name in first(mutated)]
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


def run(mutant: Mutant, killer: str = "") -> Outcome:
    """The suite in a copy with this mutant in it.

    `killer` is the test that is asked first, and alone: the rest only when it notices nothing.
    """
    begun = time.monotonic()
    with _copied(mutant) as folder:
        runs = suite(mutant.edits[0].file)
        if mutant.witness:
            runs.insert(0, [f"tests/{mutant.witness}"])
        if mutant.equivalent:  # what nothing can notice is put to the likeliest only
            runs = [runs[0][:1]]
        verdict = _verdict(mutant, folder, [killer]) if killer else UNNOTICED
        if not verdict[0]:  # it may be gone, or notice nothing any more
            for files in runs:
                verdict = _verdict(mutant, folder, files)
                if verdict != UNNOTICED:
                    break
    return Outcome(*verdict, seconds=time.monotonic() - begun)


def control(tests: list[str]) -> str:
    """Which of these tests fails without any mutant, if one does: what it kills proves nothing."""
    nothing = Mutant("nothing is changed", ())
    with _copied(nothing) as folder:
        verdict = _verdict(nothing, folder, tests)
    return "" if verdict == UNNOTICED else verdict[1]


@contextlib.contextmanager
def _copied(mutant: Mutant) -> Iterator[Path]:
    with scratch("mutant-") as folder:
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder / name, ignore=NOT_COPIED)
            else:
                shutil.copy2(ROOT / name, folder / name)
        for edit in (*COPY, *mutant.edits):
            apply(edit, folder)
        yield folder


def _verdict(mutant: Mutant, folder: Path, tests: list[str]) -> tuple[bool, str, str]:
    """Whether these tests kill it, by what, and the node id of the first that failed."""
    for kept in (note := folder / witness.NOTE, folder / witness.SAID):
        kept.unlink(missing_ok=True)
    code, output = _pytest(folder, tests)
    found = json.loads(note.read_text()) if note.exists() else {"test": "", "stage": "start"}
    return (*_judged(mutant, code, output, found), found["test"])


def _pytest(folder: Path, tests: list[str]) -> tuple[int | None, str]:
    """The exit code, None when it had to be stopped, and what was printed."""
    arguments = ["-x", "-q", "--tb=native", "--assert=plain", *_WITHOUT, *tests]
    process = _FORKS.Process(
        target=witness.suite, args=(str(folder), str(initialized.initialized()), arguments)
    )
    process.start()
    process.join(PATIENCE)
    if (code := process.exitcode) is None:
        os.kill(process.pid or 0, signal.SIGINT)  # the suite takes its PostgreSQL down with it
        process.join()
    return code, (folder / witness.SAID).read_text()


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
    summary = [line for line in output.splitlines() if line.startswith(("E ", "ERROR ", "FAILED "))]
    lines = summary or output.splitlines()
    return False, f"no proof, exit {code} at {found['stage']} of {found['test']}: {lines[-1:]}"
