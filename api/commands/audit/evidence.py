"""Evidence from the live catalog: policies as SQL, access matrix, drift from the manifest."""

from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from api.commands.audit import probes
from api.commands.audit.checks import FOLDER
from api.commands.audit.report import Access, Check, Checked, Finding, Level, Policy
from api.commands.migrate import unknown_migrations
from api.database import guarded_tables, migrations
from api.database.presets import BARE_PATH

_EVIDENCE: Final = FOLDER / "evidence"
MANIFEST: Final = _EVIDENCE / "manifest.txt"

PROVISION: Final = Check(
    id="provision",
    level=Level.ERROR,
    title="A table of people's rows is not provided for.",
    page="""provision · error
A table of people's rows is not provided for.

The serving role has privileges on it, and it is not among those that export and erase go through,
or on which something is tried. So a person's rows in it are kept when all is to be erased, or
nothing has shown that its policies hold.""",
    sql=guarded_tables.OWNED.strip(),
)

_AHEAD: Final = (
    "the database is ahead of this program: it has had {}; "
    "audit it with the version of task-api that migrated it"
)
_READABLE_YOYO_TABLE: Final = """
select exists (select from pg_catalog.pg_class c
                 join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                where n.nspname = 'public' and c.relname = '_yoyo_migration'
                  and has_table_privilege(c.oid, 'select'))
"""

DRIFT: Final = Check(
    id="drift",
    level=Level.ERROR,
    title="Policies, grants, roles or triggers are not what this program makes them.",
    page="""drift · error
Policies, grants, roles or triggers are not what this program makes them.

All that the policy files decide, and the triggers with a digest of what their functions do, is held
against manifest.txt, which is recorded from a freshly migrated database (make manifest). What
differs was changed by hand, by another tool, or by a version of this program whose task-api migrate
has not been run here. A database that a newer version has migrated is not compared: it is ahead,
and the newer version has its manifest.
A line with - is missing, a line with + is extra, the two together are a change.""",
    sql=(_EVIDENCE / "facts.sql").read_text(),
)


def _rows(connection: psycopg.Connection[Any], query: str) -> list[dict[str, Any]]:
    """The rows of a query, with the schema printed for every object that is not PostgreSQL's own,
    whatever the search_path. The session is left unchanged."""
    with (
        connection.transaction(force_rollback=True),
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        for name, value in (("search_path", BARE_PATH), ("quote_all_identifiers", "off")):
            cursor.execute("select pg_catalog.set_config(%s, %s, true)", [name, value])
        return cursor.execute(query.encode()).fetchall()


def facts(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """The live state of policies, grants, roles and triggers: subject -> state."""
    return {row["subject"]: row["state"] for row in _rows(connection, DRIFT.sql)}


def write_manifest(connection: psycopg.Connection[Any]) -> None:
    """Record the live state as the expected one."""
    lines = [f"{subject}: {state}\n" for subject, state in sorted(facts(connection).items())]
    MANIFEST.write_text("".join(lines))


def manifest() -> dict[str, str]:
    """The expected state: subject -> state."""
    lines = MANIFEST.read_text().splitlines()
    return {subject: state for subject, _, state in (line.partition(": ") for line in lines)}


def ahead(connection: psycopg.Connection[Any]) -> str | None:
    """The latest migration of the database that this program does not know, or None."""
    row = connection.execute(migrations.APPLIED.encode()).fetchone()
    if row is not None and migrations.are_ahead(row[0]):
        return str(row[0])
    # The owner can read yoyo's table, too.
    if connection.execute(_READABLE_YOYO_TABLE).fetchone() != (True,):
        return None
    return next(reversed(unknown_migrations(connection)), None)


def drift(
    connection: psycopg.Connection[Any], timeouts: Mapping[str, str] | None = None
) -> Checked:
    """A finding for each fact that is missing, extra or changed; none of a database that is ahead,
    whose policies and grants this program does not know.

    `timeouts`: what `migrate` was given for the serving role, instead of the manifest's.
    """
    given = {f"role task_app setting {name}": value for name, value in (timeouts or {}).items()}
    try:
        if (newer := ahead(connection)) is not None:
            return Checked(DRIFT, not_checked=_AHEAD.format(newer))
        with connection.transaction():
            live, wanted = facts(connection), manifest() | given
    except psycopg.Error as error:
        return Checked(DRIFT, not_checked=error.diag.message_primary or type(error).__name__)
    return Checked(
        DRIFT,
        tuple(
            _difference(subject, wanted.get(subject), live.get(subject))
            for subject in sorted({*wanted, *live})
            if wanted.get(subject) != live.get(subject)
        ),
    )


def provision(connection: psycopg.Connection[Any]) -> Checked:
    """A finding for each table with users' rows that the probes, or export and erase, leave out;
    names the module to add it to."""
    from api.commands import personal_data

    places = (
        (
            probes.TABLES,
            "nothing is tried on it",
            "write its words in api/commands/audit/probes.py",
        ),
        (
            personal_data.TABLES,
            "export and erase leave it out",
            "write its kind in api/commands/personal_data.py",
        ),
    )
    try:
        if (newer := ahead(connection)) is not None:
            return Checked(PROVISION, not_checked=_AHEAD.format(newer))
        with connection.transaction():
            tables = guarded_tables.tables(connection)
    except psycopg.Error as error:
        return Checked(PROVISION, not_checked=error.diag.message_primary or type(error).__name__)
    return Checked(
        PROVISION,
        tuple(
            Finding(
                id=PROVISION.id,
                level=PROVISION.level,
                object=table,
                detail=what,
                exploit="Its rows may not be kept apart, or may outlast the person.",
                mend=f"-- {mend}",
            )
            for table in tables
            for known, what, mend in places
            if table not in known
        ),
    )


def _difference(subject: str, wanted: str | None, live: str | None) -> Finding:
    kind = "missing" if live is None else "extra" if wanted is None else "changed"
    lines = [f"- {wanted}"] * (wanted is not None) + [f"+ {live}"] * (live is not None)
    return Finding(
        id=DRIFT.id,
        level=DRIFT.level,
        object=subject,
        detail="\n".join([kind, *lines]),
        exploit="Nobody has judged this state: what was judged is another one.",
        # migrate applies a migration once, and the policy files on every run
        mend="-- make it as db/migrations/ does"
        if subject.startswith("trigger ")
        else "-- task-api migrate; what was granted in another schema than public: revoke it there",
    )


def matrix(connection: psycopg.Connection[Any]) -> tuple[Access, ...]:
    """The access matrix: role x relation x command."""
    rows = _rows(connection, (_EVIDENCE / "matrix.sql").read_text())
    return tuple(Access(**row | {"columns": tuple(row["columns"])}) for row in rows)


def policies(connection: psycopg.Connection[Any]) -> tuple[Policy, ...]:
    """The live policies, as SQL."""
    rows = _rows(connection, (_EVIDENCE / "policies.sql").read_text())
    return tuple(Policy(**row) for row in rows)
