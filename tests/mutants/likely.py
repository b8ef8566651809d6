"""The test files most likely to notice, by the file that is changed."""

from typing import Final

_WALLS: Final = (
    "isolation/test_each_policy.py",
    "isolation/test_policies_alone.py",
    "isolation/test_every_column_granted.py",
    "isolation/test_privileges.py",
    "isolation/test_two_people.py",
    "isolation/test_identity_ends.py",
)
_FIRST: Final[dict[str, tuple[str, ...]]] = {
    "db/policies/00_roles.sql": (
        "isolation/test_privileges.py",
        "database/test_slate.py",
        "commands/test_migrate.py",
        *_WALLS[:2],
    ),
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
        "tasks/test_tagging.py",
        "tasks/test_due_dates.py",
        "tasks/test_repeating.py",
    ),
    "api/database/resource.py": (
        "isolation/test_two_people.py",
        "tasks/test_tasks.py",
        "tasks/test_conditional.py",
        "tasks/test_repeating.py",
        "tasks/test_due_dates.py",
    ),
    "api/database/case_folding.py": ("database/test_case_folding.py", "tasks/test_search.py"),
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
    "api/database/errors.py": (
        "isolation/test_identity_ends.py",
        "database/test_read_only.py",
        "http/test_http.py",
        "http/test_health.py",
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
        "isolation/test_one_refusal.py",
        "tasks/test_input.py",
        "tasks/test_tasks.py",
        "tasks/test_search.py",
        "tasks/test_cursors.py",
        "tasks/test_bulk.py",
    ),
    "api/tasks/members.py": (
        "tasks/test_due_dates.py",
        "tasks/test_tagging.py",
        "tasks/test_input.py",
    ),
    "api/tasks/lists.py": (
        "tasks/test_due_dates.py",
        "tasks/test_lists.py",
        "tasks/test_cursors.py",
        "contract/test_limits.py",
    ),
    "api/tasks/filters.py": (
        "tasks/test_tagging.py",
        "tasks/test_due_dates.py",
        "database/test_statement.py",
    ),
    "api/tasks/search.py": ("tasks/test_search.py",),
    "api/tasks/changes.py": (
        "tasks/test_repeating.py",
        "tasks/test_conditional.py",
        "tasks/test_sent_back.py",
        "tasks/test_due_dates.py",
    ),
    "db/migrations/0003.task-members.sql": (
        "tasks/test_due_dates.py",
        "tasks/test_table.py",
        "tasks/test_repeating.py",
    ),
    "api/main.py": ("http/test_http.py",),
    "api/http/cors.py": ("http/test_http.py",),
    "api/http/stack.py": ("http/test_short_way.py", "http/test_extension_points.py"),
    "api/observability/logs.py": ("http/test_http.py",),
    "api/database/pool.py": ("database/test_pool.py", "isolation/test_interruptions.py"),
    "api/http/etags.py": ("http/test_etags.py", "tasks/test_conditional.py"),
    "api/idempotency/replay.py": (
        "idempotency/test_fingerprint.py",
        "idempotency/test_idempotency.py",
    ),
    "api/commands/sweep.py": ("idempotency/test_idempotency.py", "sync/test_forgetting.py"),
    "api/commands/sync.py": ("sync/test_tokens.py",),
    "api/sync/tokens.py": ("sync/test_tokens.py", "sync/test_forgetting.py"),
    "api/sync/queries.py": ("sync/test_changes.py", "isolation/test_two_people.py"),
    "api/tasks/sync.py": ("sync/test_changes.py", "sync/test_tokens.py"),
    "api/http/opaque.py": ("sync/test_tokens.py", "tasks/test_pagination.py"),
    "db/migrations/0005.sync.sql": (
        "sync/test_changes.py",
        "tasks/test_uid.py",
        "sync/test_order.py",
        "sync/test_late_writers.py",
        "sync/test_tokens.py",
    ),
    "api/tasks/pagination.py": (
        "tasks/test_pagination.py",
        "tasks/test_cursors.py",
        "tasks/test_due_dates.py",
    ),
    "api/http/problems.py": ("http/test_http.py", "http/test_health.py"),
    "api/http/routing.py": (
        "isolation/test_one_refusal.py",
        "tasks/test_input.py",
        "tasks/test_conditional.py",
    ),
    "api/http/body.py": ("http/test_problems.py", "tasks/test_input.py", "tasks/test_bulk.py"),
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


def first(file: str) -> tuple[str, ...]:
    """The test files, from tests/, that are most likely to notice a change of this file."""
    walls = _WALLS if file.startswith("db/policies/") else ()
    return _FIRST.get(file, (*walls, "commands/test_migrate.py") if walls else ())
