"""`python -m tests.mutants [-k WORD]`: 0 when every mutant is killed or known to be equivalent."""

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Final

from tests import initialized
from tests.mutants import killers
from tests.mutants.mutant import Mutant
from tests.mutants.table import MUTANTS
from tests.mutants.trial import Outcome, control, run

_AT_A_TIME: Final = (os.cpu_count() or 1) + 2  # a suite waits for its PostgreSQL now and then


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
    parser.add_argument(
        "-j", type=int, metavar="N", default=_AT_A_TIME, help="at a time (%(default)s)"
    )
    options = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if options.k.lower() in mutant.name.lower()]
    known = killers.read()
    initialized.initialized()  # once, before there are several that want it
    wrong, killing = [], []
    with ThreadPoolExecutor(options.j) as workers:
        runs = {workers.submit(run, one, known.get(one.name, "")): one for one in chosen}
        for done in as_completed(runs):
            mutant, outcome = runs[done], done.result()
            wrong += [] if report(mutant, outcome) else [mutant.name]
            if outcome.killed:
                killing.append(outcome.test)
                known[mutant.name] = outcome.test
        files = sorted({test.partition("::")[0] for test in killing if test})
        shares = [{*files[one :: options.j]} for one in range(options.j)]
        tests = [sorted({t for t in killing if t.partition("::")[0] in share}) for share in shares]
        for red in workers.map(control, filter(None, tests)):
            if red:
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
