"""`python -m tests.mutants [-k WORD]`: 0 when every mutant is killed or known to be equivalent."""

import argparse
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Final

from tests import initialized
from tests.mutants import killers
from tests.mutants.mutant import Mutant
from tests.mutants.table import MUTANTS
from tests.mutants.trial import Outcome, control, run

_AT_A_TIME: Final = (os.cpu_count() or 1) + 5  # many tests wait for a process or for a timeout
# Where they wait longest: begun last, they would be waited for.
_LONG: Final = ("sync/", "faults/", "serving/", "observability/", "hangup", "encodings", "/jwks")


def report(mutant: Mutant, outcome: Outcome) -> bool:
    """One line; whether all is as the table says."""
    verdict, by = ("killed" if outcome.killed else "SURVIVED"), outcome.by
    if mutant.equivalent and not outcome.killed and not by:
        verdict, by = "equivalent", mutant.equivalent
    print(f"{verdict:10} {mutant.name}  [{by}]  {outcome.seconds:.1f} s", flush=True)
    return verdict == ("equivalent" if mutant.equivalent else "killed")


def shares(tests: Iterable[str], among: int) -> list[list[str]]:
    """The tests, each once, in at most so many shares of about as many, those of a file in one."""
    files: dict[str, list[str]] = {}
    for test in sorted({*tests}):
        files.setdefault(test.partition("::")[0], []).append(test)
    found: list[list[str]] = [[] for _ in range(among)]
    for some in sorted(files.values(), key=len, reverse=True):
        min(found, key=len).extend(some)
    return [share for share in found if share]


def main() -> int:
    """Run the selection and report."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("-k", metavar="WORD", default="", help="only mutants with it in the name")
    parser.add_argument(
        "-j", type=int, metavar="N", default=_AT_A_TIME, help="at a time (%(default)s)"
    )
    options = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if options.k.lower() in mutant.name.lower()]
    known = killers.read()
    chosen.sort(key=lambda one: not any(word in known.get(one.name, "") for word in _LONG))
    remembered = {known[one.name] for one in chosen if known.get(one.name)}
    initialized.initialized()  # once, before there are several that want it
    wrong, killing = [], []
    with ThreadPoolExecutor(options.j) as workers:
        early = [(share, workers.submit(control, share)) for share in shares(remembered, options.j)]
        runs = {workers.submit(run, one, known.get(one.name, "")): one for one in chosen}
        for done in as_completed(runs):
            mutant, outcome = runs[done], done.result()
            wrong += [] if report(mutant, outcome) else [mutant.name]
            if outcome.killed:
                killing.append(outcome.test)
                known[mutant.name] = outcome.test
        green = {test for share, red in early if not red.result() for test in share}
        unproven = {test for test in killing if test} - green
        for red in filter(None, workers.map(control, shares(unproven, options.j))):
            raise SystemExit(f"red without any change, nothing is proven: {red}")
    names = {mutant.name for mutant in MUTANTS}
    killers.write({name: test for name, test in known.items() if test and name in names})
    equivalent = sum(bool(mutant.equivalent) for mutant in chosen)
    print(f"{len(killing)} killed of {len(chosen)} mutants, {equivalent} known to be equivalent")
    for name in wrong:
        print(f"  not as the table says: {name}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
