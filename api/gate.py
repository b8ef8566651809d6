"""The gate: whether a role could see past the policies, or do less than it needs, and what then."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from api import migrations

# Which privileges the statements need, as PostgreSQL itself judges; `make manifest` records it.
NEEDED: Final = Path(__file__).parent.parent / "db" / "policies" / "needed.txt"
_PRIVILEGE: Final = re.compile(r"(\w+)(?: \((\w+)\))? on (\w+)")
_MOST: Final = 3  # privileges that are named when they are missing


def _needed() -> Iterator[str]:
    for line in NEEDED.read_text().splitlines():
        if (match := _PRIVILEGE.fullmatch(line)) is None:
            raise ValueError(f"{NEEDED.name} does not name a privilege: {line}")
        privilege, column, table = match.groups()
        yield f"('{table}', '{privilege}', nullif('{column or ''}', ''))"


# Of the tables with people's rows, the one that is kept worst. Those are in schema public: `found`
# is where the statements would look instead, by the search_path of the session.
# row_security_active() speaks for the role that asks (PostgreSQL manual, section 9.27.3).
SQL: Final = f"""
with needed (name, privilege, attribute) as (values {", ".join(_needed())})
select r.rolname as role, r.rolsuper, r.rolbypassrls, guarded.name as "table",
       c.oid is not null as is_there,
       c.relrowsecurity, c.relforcerowsecurity,
       pg_has_role(c.relowner, 'usage') as owns,
       row_security_active(c.oid) as active,
       has_any_column_privilege(c.oid, 'select') as may_read,
       to_regclass(guarded.name)::oid is not distinct from c.oid as is_found,
       found.schema as found,
       missing.privileges as missing,
       ({migrations.APPLIED}) as applied,
       current_setting('server_encoding') as encoding,
       current_setting('client_encoding') as spoken,
       (select min(other.rolname) from pg_catalog.pg_roles other
         where (other.rolsuper or other.rolbypassrls) and other.oid <> r.oid
           and pg_has_role(other.oid, 'member')) as becomes
  from pg_catalog.pg_roles r
 cross join (select distinct name from needed) as guarded
  left join pg_catalog.pg_namespace n on n.nspname = 'public'
  left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = guarded.name
  left join lateral (
        select min(there.relnamespace::regnamespace::text) as schema
          from pg_catalog.pg_class there where there.oid = to_regclass(guarded.name)) found on true
  left join lateral (
        select string_agg(concat(needed.privilege, ' (' || needed.attribute || ')'), ', '
                          order by needed.privilege, needed.attribute) as privileges
          from needed
          left join pg_catalog.pg_attribute a
            on a.attrelid = c.oid and a.attname = needed.attribute and not a.attisdropped
         where needed.name = guarded.name
           and not coalesce(case when needed.attribute is null
                                 then has_table_privilege(c.oid, needed.privilege)
                                 else has_column_privilege(c.oid, a.attnum, needed.privilege)
                            end, false)) missing on true
 where r.rolname = current_user
 order by coalesce(c.relrowsecurity and row_security_active(c.oid)
                   and (c.relforcerowsecurity or not pg_has_role(c.relowner, 'usage'))
                   and to_regclass(guarded.name)::oid = c.oid, false),
          has_any_column_privilege(c.oid, 'select'), missing.privileges is null, guarded.name desc
 limit 1
"""  # noqa: S608 - of our own constants

_MIGRATE: Final = "Run task-api migrate as the owner."
_SERVE: Final = (
    "Connect DATABASE_URL as task_app, the role task-api migrate makes "
    "(on Neon the usual cause is neondb_owner, which has BYPASSRLS)."
)


class CannotServe(Exception):
    """The database is not fit to be served. The message is one line with the remedy.

    `sentence` says so to anybody, and names nothing.
    """

    sentence: ClassVar[str]


class RowSecurityInactive(CannotServe):
    """The serving role could see past the policies."""

    sentence = "Row security is not in force."


class MigrationsBehind(CannotServe):
    """The database is older than this program."""

    sentence = "Migrations are behind."


class MigrationsAhead(CannotServe):
    """The database is newer than this program, which has to know all that is in it."""

    sentence = "Migrations are ahead."


class PrivilegesMissing(CannotServe):
    """The serving role may not do all that the statements do."""

    sentence = "Privileges are missing."


class WrongEncoding(CannotServe):
    """The database cannot hold every text, or the session garbles it."""

    sentence = "The encoding is not UTF8."


def check(row: Mapping[str, Any], *, ahead: bool = True) -> None:
    """Raises `CannotServe` for what `SQL` said. `ahead`: a newer database will do."""
    if text := garbling(row):
        raise WrongEncoding(text)
    reason = verdict(row)
    if reason is not None:
        raise RowSecurityInactive(reason)
    if migrations.are_behind(row["applied"]):
        raise MigrationsBehind("migrations are behind. Run task-api migrate as the owner.")
    if migrations.are_ahead(row["applied"]) and not ahead:
        raise MigrationsAhead(
            f"{row['applied']} is newer than this program, which does not know all that is "
            "kept there. Use the version of task-api that migrated the database."
        )
    if missing := lacking(row):
        raise PrivilegesMissing(missing)


def wrong_encoding(encoding: str | None) -> str | None:
    """None when a database of that encoding can hold every text; else one line with the remedy."""
    if encoding == "UTF8":
        return None
    return (
        f"the database's encoding is {encoding}, and only UTF8 can hold every text. Make another "
        "one: create database NAME encoding 'UTF8' template template0."
    )


def garbling(row: Mapping[str, Any]) -> str | None:
    """None when every text comes back as it was sent; else one line with the remedy."""
    if row["spoken"] != "UTF8":
        return (
            f"the session's client_encoding is {row['spoken']}, and the server speaks UTF8. Set no "
            "client_encoding in DATABASE_URL."
        )
    return wrong_encoding(row["encoding"])


def verdict(row: Mapping[str, Any]) -> str | None:
    """None when the policies bind the role; else one line: what is wrong, and the remedy."""
    role, table = row["role"], row["table"]
    for wrong, what, remedy in (
        (row["rolsuper"], f"role {role} is a superuser, whom no policy binds", _SERVE),
        (row["rolbypassrls"], f"role {role} has BYPASSRLS, so no policy binds it", _SERVE),
        (
            row["becomes"] is not None,
            f"role {role} can become {row['becomes']}, whom no policy binds",
            f"Revoke the membership. {_SERVE}",
        ),
        (not row["is_there"], f"there is no table {table}", _MIGRATE),
        (not row["relrowsecurity"], f"row security is off on table {table}", _MIGRATE),
        (
            row["owns"] and not row["relforcerowsecurity"],
            f"role {role} owns table {table} without FORCE, so no policy binds it",
            _SERVE,
        ),
        (not row["active"], f"row security is not active for role {role}", _SERVE),
        (
            not row["is_found"],
            f"role {role} finds {_place(row)} where it looks for table public.{table}",
            f"Set no search_path in DATABASE_URL. {_MIGRATE}",
        ),
    ):
        if wrong:
            return f"{what}. {remedy}"
    return None


def lacking(row: Mapping[str, Any]) -> str | None:
    """None when the role may do all that the statements do; else one line, with the remedy."""
    if row["missing"] is None:
        return None
    role, table, missing = row["role"], row["table"], row["missing"].split(", ")
    more = f" and {len(missing) - _MOST} more" if len(missing) > _MOST else ""
    named = ", ".join(missing[:_MOST]) + more
    what = f"role {role} lacks {named} on table {table}"
    if not row["may_read"]:
        what = f"role {role} may not read table {table}"
    if role != "task_app":
        return f"{what}. {_SERVE} {_MIGRATE}"
    if migrations.are_ahead(row["applied"]):
        return (
            f"{what}, which a newer version has migrated. Run that version, or a newer one: "
            "this one is too old for the database."
        )
    return f"{what}. {_MIGRATE}"


def _place(row: Mapping[str, Any]) -> str:
    return f"one in schema {row['found']}" if row["found"] else "nothing"
