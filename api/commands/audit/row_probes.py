"""Probes of a foreign database, with its existing rows; all rolled back."""

from dataclasses import dataclass
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql

from api.commands.audit.found_rows import Catalog, Inconclusive, Owned, sentence
from api.commands.audit.report import Probe
from api.commands.audit.target import Target

_NO_ROW: Final = "no row"
_A_ROW: Final = "a row"
_OWN_ROWS: Final = "own rows only"
_OTHERS_ROWS: Final = "others' rows too"

# `me` and `them` own rows; {value}, {inserted} and {given} are of a row of `me`, given to `them`.
# Operators are named with their schema: the search_path is the server's own.
_READ: Final = "select 1 from {table}"
_UPDATE: Final = "update {table} set {changed} = {value}"
_DELETE: Final = "delete from {table}"
_INSERT: Final = "insert into {table} ({inserted}) values ({given})"
_MINE: Final = " where {owner}::pg_catalog.text operator(pg_catalog.=) %(me)s"
_THEIRS: Final = " where {owner}::pg_catalog.text operator(pg_catalog.=) %(them)s"
_NOT_MINE: Final = (
    " where {owner} is null or {owner}::pg_catalog.text operator(pg_catalog.<>) %(me)s"
)
_ONE: Final = " limit 1"


@dataclass(frozen=True)
class _Attempt:
    name: str
    statement: LiteralString
    expected: str = _NO_ROW
    blind: bool = False


_NO_IDENTITY: Final = (
    _Attempt("select", _READ + _ONE),
    _Attempt("blind update", _UPDATE, blind=True),
    _Attempt("blind delete", _DELETE, blind=True),
    _Attempt("insert", _INSERT),
)
_CONTROL: Final = _Attempt("select, own", _READ + _MINE + _ONE, _A_ROW)
_AS_ME: Final = (
    _Attempt("select, foreign", _READ + _NOT_MINE + _ONE),
    _Attempt("update, foreign", _UPDATE + _THEIRS),
    _Attempt("delete, foreign", _DELETE + _THEIRS),
    _Attempt("blind update", _UPDATE, _OWN_ROWS, blind=True),
    _Attempt("blind delete", _DELETE, _OWN_ROWS, blind=True),
    _Attempt("insert, foreign", _INSERT),
    _Attempt("give away", "update {table} set {owner} = %(them)s", blind=True),
)

# Divides by zero at the first row beyond `most`, so that a hole costs one row, not the table, and
# before anything that runs after the statement (foreign keys). It reads no column: otherwise the
# policies for SELECT would hide what the others let through (PostgreSQL manual, CREATE POLICY,
# "Policies Applied by Command Type").
_AT_MOST: Final = sql.SQL(
    " returning 1 operator(pg_catalog./) (%(most)s::pg_catalog.int4 operator(pg_catalog.+) 1"
    " operator(pg_catalog.-) pg_catalog.set_config('audit.reached', (pg_catalog.current_setting("
    "'audit.reached')::pg_catalog.int4 operator(pg_catalog.+) 1)::pg_catalog.text, true)"
    "::pg_catalog.int4)"
)
_TOO_MANY: Final = "22012"  # division_by_zero
_REFUSED: Final = "42501"  # insufficient_privilege, also of a policy
# Errors of policies without an identity: undefined setting; '' is no uuid, number or JSON.
_NO_IDENTITY_ERRORS: Final = ("42704", "22")
# Constraints are checked after the policies; foreign keys at the end of the statement.
_CONSTRAINTS: Final = "23"
_FOREIGN_KEYS: Final = "23503"

_SET: Final = "select pg_catalog.set_config(%s, %s, true)"
_SESSION_ROLES: Final = """
select session_user::text, current_user::text,
       (select rolsuper or rolbypassrls from pg_catalog.pg_roles where rolname = session_user),
       (select rolcanlogin from pg_catalog.pg_roles where rolname = %s)"""


@dataclass(frozen=True)
class Tried:
    """The probes made, and the reasons for those not made, by probe or table."""

    probes: tuple[Probe, ...]
    not_tried: dict[str, str]


def try_rows(
    catalog: psycopg.Connection[Any],
    serving: psycopg.Connection[Any],
    target: Target,
    *,
    connects: bool,
) -> Tried:
    """Run every probe over `serving`, a connection that has not set an identity yet.

    `catalog` finds rows of two owners in each table. `connects`: `serving` uses the server's URL;
    otherwise it takes the role with SET ROLE. Everything transactional is rolled back. Raises
    `psycopg.Error` when a connection fails.
    """
    attempts = _Attempts(Catalog(catalog, target.subject), serving, target)
    with serving.transaction(force_rollback=True):
        if attempts.become(connects=connects):
            attempts.everything()
    return Tried(tuple(attempts.probes), attempts.not_tried)


class _Attempts:
    def __init__(self, catalog: Catalog, serving: psycopg.Connection[Any], target: Target) -> None:
        self._catalog, self._serving, self._target = catalog, serving, target
        self.probes: list[Probe] = []
        self.not_tried: dict[str, str] = {}

    def become(self, *, connects: bool) -> bool:
        """SET ROLE, unless connected as the role. Returns whether that succeeded."""
        role = self._target.subject.role
        session, current, unbound, login = next(self._serving.execute(_SESSION_ROLES, [role]))
        name = "the server connects as"
        if not connects:
            self.not_tried[name] = (
                f"DATABASE_URL is not set; {session} took the role {role} on instead"
            )
        else:
            expected = role
            got = current if session == current else f"{current}, a mask of {session}"
            if login is False:  # the server uses SET ROLE, as PostgREST does
                expected = "one whom policies bind"
                got = f"{session}, whom no policy binds" if unbound else expected
            self.probes.append(Probe(name, "select session_user, current_user", expected, got))
        if current == role:
            return True
        try:
            with self._serving.transaction():
                self._serving.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        except psycopg.Error as error:
            self.not_tried["the role"] = f"{session} cannot take on {role}: {sentence(error)}"
            return False
        return True

    def everything(self) -> None:
        """Run all probes; without identity first, while the setting was never set."""
        # triggers and defaults need the search_path of the server's own sessions
        self._serving.execute("set local search_path to default")
        found = self._found()
        self._without_identity(found, "no identity")
        for owned in found:
            self._set_identity(self._target.names(owned.me))
            if self._names_me(owned):
                for attempt in _AS_ME:
                    self._try(owned, attempt, attempt.name)
        self._set_identity("")
        self._without_identity(found, "empty identity")

    def _found(self) -> list[Owned]:
        found = []
        tables = self._catalog.tables()
        if not any(table.is_owned for table in tables):
            subject = self._target.subject
            self.not_tried["tables"] = (
                f"{subject.role} has a privilege on no table that has row security and a column "
                f"{subject.owner_column}"
            )
        for table in tables:
            try:
                found.append(self._catalog.find(table))
            except Inconclusive as reason:
                self.not_tried[table.name] = str(reason)
        return found

    def _set_identity(self, value: str) -> None:
        self._serving.execute(_SET, [self._target.subject.setting, value])

    def _without_identity(self, found: list[Owned], circumstance: str) -> None:
        for owned in found:
            for attempt in _NO_IDENTITY:
                self._try(owned, attempt, f"{attempt.name}, {circumstance}", nobody=True)

    def _names_me(self, owned: Owned) -> bool:
        """The control: an owner must see own rows, or seeing no others proves nothing."""
        if not owned.table.is_readable:
            return True
        try:
            if self._reached(owned, _CONTROL, nobody=False) == _A_ROW:
                return True
            seen = "none"
        except Inconclusive as reason:
            seen = str(reason)
        subject = self._target.subject
        self.not_tried[owned.table.name] = (
            f"an owner named by {subject.setting} sees none of the rows they own, so the rest "
            f"would prove nothing; look at setting and setting_template ({seen})"
        )
        return False

    def _try(self, owned: Owned, attempt: _Attempt, name: str, *, nobody: bool = False) -> None:
        name = f"{owned.table.name}, {name}"
        try:
            got = self._reached(owned, attempt, nobody=nobody)
        except Inconclusive as reason:
            self.not_tried[name] = str(reason)
            return
        if attempt.expected == _OWN_ROWS:
            got = _OTHERS_ROWS if got == _A_ROW else _OWN_ROWS
        shown = self._composed(owned, attempt).as_string(self._serving)
        self.probes.append(Probe(name, shown, attempt.expected, got))

    def _reached(self, owned: Owned, attempt: _Attempt, *, nobody: bool) -> str:
        """Whether the statement reached a forbidden row; in the control, any row."""
        most = owned.own if attempt.expected == _OWN_ROWS else 0
        query = self._composed(owned, attempt)
        values = {f"value_{n}": value for n, value in enumerate(owned.row.values())}
        values |= {"me": owned.me, "them": owned.them}
        try:
            with self._serving.transaction(force_rollback=True):
                self._serving.execute(_SET, ["audit.reached", "0"])
                if attempt.blind:
                    self._serving.execute(query + _AT_MOST, values | {"most": most})
                    return _NO_ROW
                return _A_ROW if self._serving.execute(query, values).rowcount else _NO_ROW
        except psycopg.Error as error:
            state = error.sqlstate or type(error).__name__
        if state == _TOO_MANY and attempt.blind:
            if most and self._catalog.count(owned.table, owned.me) > most:
                raise Inconclusive("rows were added meanwhile; try again")
            return _A_ROW
        if state == _FOREIGN_KEYS and most:
            return _NO_ROW
        if state.startswith(_CONSTRAINTS) and not most:
            return _A_ROW
        if state == _REFUSED or (nobody and state.startswith(_NO_IDENTITY_ERRORS)):
            return _NO_ROW
        raise Inconclusive(f"the attempt failed ({state}) before it could tell")

    def _composed(self, owned: Owned, attempt: _Attempt) -> sql.Composed:
        table, row = owned.table, list(owned.row)
        column = self._target.subject.owner_column
        value = {name: sql.Placeholder(f"value_{n}") for n, name in enumerate(row)}
        return sql.SQL(attempt.statement).format(
            table=sql.Identifier(table.schema, table.relation),
            owner=sql.Identifier(column),
            changed=sql.Identifier(*(table.changed or [column])),
            value=value[table.changed[0]] if table.changed else sql.DEFAULT,
            inserted=sql.SQL(", ").join(map(sql.Identifier, table.inserted)),
            given=sql.SQL(", ").join(
                sql.Placeholder("them") if name == column else value[name]
                for name in table.inserted
            ),
        )
