"""The gate: checks that row security binds the serving role, and that it has what it needs."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from api.database import guarded_tables, migrations

# The privileges that statements need, as PostgreSQL judges; `make manifest` writes the file.
NEEDED: Final = Path(__file__).parent.parent.parent / "db" / "policies" / "needed.txt"
_PRIVILEGE: Final = re.compile(r"(\w+)(?: \((\w+)\))? on (\w+)")
_MAX_NAMED: Final = 3  # missing privileges that a message names


def _needed() -> Iterator[str]:
    for line in NEEDED.read_text().splitlines():
        if (match := _PRIVILEGE.fullmatch(line)) is None:
            raise ValueError(f"{NEEDED.name} does not name a privilege: {line}")
        privilege, column, table = match.groups()
        yield f"('{table}', '{privilege}', nullif('{column or ''}', ''))"


# Predefined roles that give no access to rows, files, programs or other sessions. All others are
# refused, including those of later versions: PostgreSQL's own have oids below 16384. The only
# member of pg_database_owner is the owner of the database, which is not granted.
_HARMLESS: Final = ("pg_checkpoint", "pg_database_owner", "pg_use_reserved_connections")

# One row: of the guarded tables in schema public, the least protected. `found` is the schema in
# which the session's search_path finds that name. Tables that the role owns and no statement needs
# (the owner: yoyo's tables) are left out. row_security_active() is about the current role
# (PostgreSQL manual, section 9.27.3). pg_catalog is named where another schema's operator could
# hide a wrong search_path.
SQL: Final = f"""
with needed (name, privilege, attribute) as (values {", ".join(_needed())}),
guarded as (
    select it.name, c.oid
      from (select distinct name from needed) it
      left join pg_catalog.pg_namespace n on n.nspname = 'public'
      left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = it.name
    union
    select granted.name, granted.oid
      from ({guarded_tables.GRANTED.format(role="current_user")}) granted
      join pg_catalog.pg_class c on c.oid = granted.oid
     where granted.schema = 'public' and not pg_has_role(c.relowner, 'usage'))
select r.rolname as role, session_user::text as session, r.rolsuper, r.rolbypassrls,
       concat_ws(', ', case when r.rolcreaterole then 'CREATEROLE' end,
                       case when r.rolcreatedb then 'CREATEDB' end,
                       case when r.rolreplication then 'REPLICATION' end) as powers,
       guarded.name as "table",
       c.oid is not null as is_there,
       c.relrowsecurity, c.relforcerowsecurity,
       pg_has_role(c.relowner, 'usage') as owns,
       row_security_active(c.oid) as active,
       has_any_column_privilege(c.oid, 'select') as may_read,
       to_regclass(guarded.name)::oid is not distinct from c.oid as is_found,
       found.schema as found,
       (pg_catalog.current_schemas(true))[1]::text as first_schema,
       missing.privileges as missing,
       ({migrations.APPLIED}) as applied,
       current_setting('server_encoding') as encoding,
       current_setting('client_encoding') as spoken,
       pg_catalog.concat_ws(', ',
           case current_setting('row_security') when 'off' then 'row_security = off' end,
           case current_setting('session_replication_role') when 'origin' then null
                else 'session_replication_role = ' || current_setting('session_replication_role')
           end,
           case when current_setting('app.user_id', true) <> '' then 'a person in app.user_id'
           end) as presets,
       (select string_agg(name, ', ')
          from unnest(array['statement_timeout', 'lock_timeout',
                            'idle_in_transaction_session_timeout']) name
         where current_setting(name) = '0') as unlimited,
       (select min(other.rolname) from pg_catalog.pg_roles other
         where (other.rolsuper or other.rolbypassrls) and other.oid <> r.oid
           and pg_has_role(other.oid, 'member')) as becomes,
       (select min(other.rolname) from pg_catalog.pg_roles other
         where (other.rolcreaterole or other.rolcreatedb or other.rolreplication
                or other.oid < 16384 and other.rolname not in {_HARMLESS})
           and other.oid <> r.oid and pg_has_role(other.oid, 'member')) as member_of
  from pg_catalog.pg_roles r
 cross join guarded
  left join pg_catalog.pg_class c on c.oid = guarded.oid
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
 where r.rolname operator(pg_catalog.=) current_user
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
    """The gate refuses the database. The message is one line with the remedy.

    `sentence`: the public form of it, without names.
    """

    sentence: ClassVar[str]


class RowSecurityInactive(CannotServe):
    """Row security does not bind the serving role."""

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


class LimitsMissing(CannotServe):
    """A statement, a lock or an idle transaction of the session's could last for ever."""

    sentence = "Limits are missing."


class WrongEncoding(CannotServe):
    """The database cannot hold every text, or the session garbles it."""

    sentence = "The encoding is not UTF8."


def check(row: Mapping[str, Any], *, ahead: bool = True) -> None:
    """Check the row of `SQL`; raises `CannotServe`. `ahead`: a newer database is accepted."""
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
    if limitless := unlimited(row):
        raise LimitsMissing(limitless)


def wrong_encoding(encoding: str | None) -> str | None:
    """None when a database of that encoding can hold every text; else one line with the remedy."""
    if encoding == "UTF8":
        return None
    return (
        f"the database's encoding is {encoding}, and only UTF8 can hold every text. Make another "
        "one: create database NAME encoding 'UTF8' template template0."
    )


def garbling(row: Mapping[str, Any]) -> str | None:
    """None when client and server encode text as UTF8; else one line with the remedy."""
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
        (
            row["session"] != role,
            f"role {role} is a mask of {row['session']}, who connected and can take it off",
            f"Set no role in DATABASE_URL, nor by alter role or alter database. {_SERVE}",
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
            f"role {role} finds {_found_instead(row)} where it looks for table public.{table}",
            f"Set no search_path in DATABASE_URL. {_MIGRATE}",
        ),
        (
            row["first_schema"] != "pg_catalog",
            f"role {role} looks in schema {row['first_schema']} before pg_catalog, so an operator "
            "there could stand for PostgreSQL's own",
            f"Set no search_path in DATABASE_URL. {_MIGRATE}",
        ),
        (
            row["powers"] != "",
            f"role {role} has {row['powers']}, by which it can get more power than it has",
            _SERVE,
        ),
        (
            row["member_of"] is not None,
            f"role {role} is a member of {row['member_of']}, which has powers besides the policies",
            f"Revoke the membership. {_SERVE}",
        ),
        (
            row["presets"] != "",
            f"role {role} begins its session with {row['presets']}",
            "Set it neither in DATABASE_URL nor by alter role, alter database or postgresql.conf.",
        ),
    ):
        if wrong:
            return f"{what}. {remedy}"
    return None


def lacking(row: Mapping[str, Any]) -> str | None:
    """None when the role has all privileges that are needed; else one line with the remedy."""
    if row["missing"] is None:
        return None
    role, table, missing = row["role"], row["table"], row["missing"].split(", ")
    more = f" and {len(missing) - _MAX_NAMED} more" if len(missing) > _MAX_NAMED else ""
    named = ", ".join(missing[:_MAX_NAMED]) + more
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


def unlimited(row: Mapping[str, Any]) -> str | None:
    """None when the session has its timeouts; else one line with the remedy."""
    if row["unlimited"] is None:
        return None
    what = f"role {row['role']} has no {row['unlimited']}"
    if row["role"] != "task_app":
        return f"{what}. {_SERVE} {_MIGRATE}"
    return f"{what}. Set none in DATABASE_URL. {_MIGRATE}"


def _found_instead(row: Mapping[str, Any]) -> str:
    return f"one in schema {row['found']}" if row["found"] else "nothing"
