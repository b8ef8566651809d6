"""All mutants: which guard is taken away, by which change of which file."""

from typing import Final

from tests.mutants.audit import AUDIT, OTHERS
from tests.mutants.auth import AUTH_FAULTS, KEYS, TOKENS
from tests.mutants.batch import BATCH
from tests.mutants.commands import COMMANDS_FAULTS, GIVEN
from tests.mutants.database import DATABASE_FAULTS, GATE, IDENTITY, POOL
from tests.mutants.extensions import EXTENSIONS
from tests.mutants.http import ANSWERS, HTTP_FAULTS, INPUT
from tests.mutants.idempotency import AGAIN
from tests.mutants.members import MEMBERS
from tests.mutants.mutant import Mutant
from tests.mutants.observability import OBSERVABILITY
from tests.mutants.policies import POLICIES
from tests.mutants.repetition import REPETITION
from tests.mutants.roles import ROLE, TABLE
from tests.mutants.serving import SERVING
from tests.mutants.settings import SETTINGS, SETTINGS_FAULTS
from tests.mutants.statements import FILTERS, STATEMENTS
from tests.mutants.sync import SYNC
from tests.mutants.tasks import LISTS

MUTANTS: Final[list[Mutant]] = [
    *POLICIES,
    *ROLE,
    *TABLE,
    *FILTERS,
    *STATEMENTS,
    *IDENTITY,
    *POOL,
    *GATE,
    *DATABASE_FAULTS,
    *GIVEN,
    *COMMANDS_FAULTS,
    *TOKENS,
    *KEYS,
    *AUTH_FAULTS,
    *SETTINGS,
    *SETTINGS_FAULTS,
    *INPUT,
    *ANSWERS,
    *HTTP_FAULTS,
    *EXTENSIONS,
    *SERVING,
    *OBSERVABILITY,
    *AGAIN,
    *BATCH,
    *LISTS,
    *MEMBERS,
    *REPETITION,
    *SYNC,
    *OTHERS,
    *AUDIT,
]
