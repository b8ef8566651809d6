"""The serving role, the clean slate beneath the policies, and the shape of the table."""

from typing import Final

from tests.mutants.mutant import Edit, mutants

_ROLES: Final = "db/policies/00_roles.sql"
_NO_QUESTION: Final = Edit(_ROLES, "if power <> '' then", "if false then")
_POWER: Final = "commands/test_migrate.py::test_a_task_app_with_more_power_is_refused"
_SLATE_BEGIN: Final = "create, temporary on database %I from public, task_app"

ROLE: Final = [
    *mutants(
        _ROLES,
        ("task_app inherits", "noinherit noreplication", "inherit noreplication"),
        ("task_app may make roles", "nocreaterole", "createrole"),
        refusal="which it must not have",
    ),
    *mutants(
        _ROLES,
        ("task_app bypasses row security", "nosuperuser nobypassrls", "nosuperuser bypassrls"),
        ("task_app is a superuser", "login nosuperuser", "login superuser"),
        ("task_app may make databases", "nocreatedb", "createdb"),
        ("task_app may replicate", "noinherit noreplication", "noinherit replication"),
        refusal="permission denied to create role",  # PostgreSQL, to an owner without it
    ),
    *(
        mutant.and_also(_NO_QUESTION)
        for mutant in mutants(
            _ROLES,
            ("task_app inherits, and is not asked", "noinherit noreplic", "inherit noreplic"),
            ("task_app may make roles, and is not asked", "nocreaterole", "createrole"),
            witness=_POWER,
        )
    ),
    *mutants(
        _ROLES,
        ("a powerful task_app is taken as it is", "if power <> '' then", "if false then"),
        *(
            (f"the role is not asked for {power}", f"case when {column} then '{power}' end", "null")
            for power, column in (
                ("superuser", "rolsuper"),
                ("bypassrls", "rolbypassrls"),
                ("createdb", "rolcreatedb"),
                ("createrole", "rolcreaterole"),
                ("replication", "rolreplication"),
                ("inherit", "rolinherit"),
            )
        ),
        witness=_POWER,
    ),
    *mutants(
        _ROLES,
        *(
            (f"the role has no {name}", f"alter role task_app set {name} = {value};", "")
            for name, value in (
                ("statement_timeout", "'5s'"),
                ("lock_timeout", "'2s'"),
                ("idle_in_transaction_session_timeout", "'10s'"),
                ("search_path", "public, pg_temp"),
            )
        ),
        witness="isolation/test_policies_alone.py::test_the_limits_of_the_role_are_on_every_connection",
    ),
    *mutants(
        _ROLES,
        (
            "a statement is planned for who asks",
            "alter role task_app set plan_cache_mode = force_generic_plan;",
            "",
        ),
        witness="isolation/test_plans.py::test_a_list_is_planned_once_for_everybody",
    ),
    *mutants(
        _ROLES,
        (
            "temporary tables come first",
            "search_path = public, pg_temp;",
            "search_path = pg_temp, public;",
        ),
        ("the slate drops no policy", "execute format('drop policy", "perform format('drop policy"),
        ("the slate revokes no grant", "execute format('revoke all", "perform format('revoke all"),
        ("the slate revokes with restrict", "%s from %s cascade'", "%s from %s'"),
        ("the slate forgets columns", "union select grantee from aclexplode(att.attacl)", ""),
        ("the slate forgets views", "'r', 'p', 'v', 'm', 'f', 'S'", "'r', 'p', 'm', 'f', 'S'"),
        (
            "the slate forgets materialized views",
            "'r', 'p', 'v', 'm', 'f', 'S'",
            "'r', 'p', 'v', 'f', 'S'",
        ),
        ("the slate forgets sequences", "'r', 'p', 'v', 'm', 'f', 'S'", "'r', 'p', 'v', 'm', 'f'"),
        (
            "the slate touches policies of others",
            "where c.relnamespace = 'public'::regnamespace\n"
            "           and pg_has_role(c.relowner, 'usage')\n    loop",
            "where c.relnamespace = 'public'::regnamespace\n    loop",
        ),
        (
            "the slate touches grants of others",
            "and a.grantee <> c.relowner\n           and pg_has_role(c.relowner, 'usage')",
            "and a.grantee <> c.relowner",
        ),
        ("temporary tables are not revoked", _SLATE_BEGIN, _SLATE_BEGIN.replace(", temporary", "")),
        (
            "create on the database is not revoked",
            _SLATE_BEGIN,
            _SLATE_BEGIN.replace("create, ", ""),
        ),
        (
            "temporary tables are revoked from task_app only",
            _SLATE_BEGIN,
            _SLATE_BEGIN.replace("public, ", ""),
        ),
        ("the schema is not revoked", "revoke all on schema public from task_app;", ""),
        (
            "create on the schema is left to everybody",
            "revoke create on schema public from public;",
            "",
        ),
    ),
]

_TRIGGER: Final = (
    "create trigger task_touch before update on task\n"
    "    for each row when (old.* is distinct from new.*)\n    execute function task_touch();"
)

_TOUCH: Final = "function task_touch() returns trigger\nlanguage plpgsql\n"

TABLE: Final = (
    mutants(
        "db/migrations/0001.create-task.sql",
        ("a task may be nobody's", " check (user_id <> '')", ""),
        ("a title may be blank in the table", " and btrim(title) <> ''", ""),
        ("a title may be long in the table", "char_length(title) <= 200 and ", ""),
        (
            "a description may be long in the table",
            " check (char_length(description) <= 10000)",
            "",
        ),
        ("ids grow past what JSON holds", " (maxvalue 9007199254740991)", ""),
        ("an id may be given", "generated always as", "generated by default as"),
        ("the key does not begin with the owner", "primary key (user_id, id)", "primary key (id)"),
        ("no trigger keeps the date of change", _TRIGGER, ""),
        ("an update of nothing is a change", " when (old.* is distinct from new.*)", ""),
    )
    + mutants(
        "db/migrations/0001.create-task.sql",
        (
            "an owner may be null",
            "text        not null check (user_id",
            "text        check (user_id",
        ),
        equivalent="a primary key makes its columns not null",
    )
    + mutants(
        "db/migrations/0003.task-members.sql",  # the function as it is since then
        ("the version stands still", "new.version := old.version + 1;", ""),
        ("the date of change stands still", "new.updated_at := greatest", "perform greatest"),
        (
            "the date of change goes backwards",
            "greatest(clock_timestamp(), old.updated_at)",
            "clock_timestamp()",
        ),
        (
            "the date of change is the transaction's",
            "greatest(clock_timestamp(),",
            "greatest(now(),",
        ),
        (
            "task_touch has no search path of its own",
            f"{_TOUCH}set search_path = pg_catalog, pg_temp\n",
            _TOUCH,
        ),
        witness="tasks/test_tasks.py",
    )
)
