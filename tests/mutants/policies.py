"""What the policies, grants and row security of each table say."""

from typing import Final

from tests.mutants.mutant import mutants

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

_GRANT: Final = "grant select, delete on task to task_app;"
_GRANT_INSERT: Final = "grant insert (user_id, title, description, completed) on task to task_app;"
_GRANT_UPDATE: Final = "grant update (title, description, completed) on task to task_app;"

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
