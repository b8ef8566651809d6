"""The gate: whether a role could see past the policies, and what to do then."""

from collections.abc import Mapping
from typing import Any, Final

from api import migrations

# Of the tables with people's rows, the one that is kept worst.
# row_security_active() speaks for the role that asks (PostgreSQL manual, section 9.27.3).
SQL: Final = f"""
select r.rolname as role, r.rolsuper, r.rolbypassrls, guarded.name as "table",
       c.oid is not null as is_there,
       c.relrowsecurity, c.relforcerowsecurity,
       pg_has_role(c.relowner, 'usage') as owns,
       row_security_active(c.oid) as active,
       has_table_privilege(c.oid, 'select') as may_read,
       ({migrations.APPLIED}) as applied,
       (select min(other.rolname) from pg_catalog.pg_roles other
         where (other.rolsuper or other.rolbypassrls) and other.oid <> r.oid
           and pg_has_role(other.oid, 'member')) as becomes
  from pg_catalog.pg_roles r
 cross join (values ('task'), ('idempotency_key')) as guarded (name)
  left join pg_catalog.pg_class c on c.oid = to_regclass(guarded.name)
 where r.rolname = current_user
 order by coalesce(c.relrowsecurity and row_security_active(c.oid)
                   and (c.relforcerowsecurity or not pg_has_role(c.relowner, 'usage'))
                   and has_table_privilege(c.oid, 'select'), false)
 limit 1
"""  # noqa: S608 - of our own constants

_MIGRATE: Final = "Run task-api migrate as the owner."
_SERVE: Final = (
    "Connect DATABASE_URL as task_app, the role task-api migrate makes "
    "(on Neon the usual cause is neondb_owner, which has BYPASSRLS)."
)


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
        (not row["may_read"], f"role {role} may not read table {table}", f"{_SERVE} {_MIGRATE}"),
    ):
        if wrong:
            return f"{what}. {remedy}"
    return None
