"""What a device is told: the numbers of changes, their locks, the tokens, and what is forgotten."""

from typing import Final

from tests.mutants.mutant import mutants

_ORDER: Final = "sync/test_order.py"
_CHANGES: Final = "sync/test_changes.py"
_TOKENS: Final = "sync/test_tokens.py"
_UID: Final = "tasks/test_uid.py"
_FORGETTING: Final = "sync/test_forgetting.py"

SYNC: Final = [
    *mutants(
        "db/policies/task.sql",
        (
            "tasks are locked before the head",
            "        create or replace trigger task_hold before update or delete on task\n"
            "            for each statement execute function task_hold();\n",
            "",
        ),
        (
            "a delete locks tasks before the head",
            "task_hold before update or delete on task",
            "task_hold before update on task",
        ),
        (
            "an update locks tasks before the head",
            "task_hold before update or delete on task",
            "task_hold before delete on task",
        ),
        witness=_ORDER,
    ),
    *mutants(
        "db/policies/task.sql",
        (
            "a change of nothing is told",
            "when (old.* is distinct from new.*) execute function task_number",
            "execute function task_number",
        ),
        (
            "what changes is not told",
            "        create or replace trigger task_renumber before update on task\n"
            "            for each row when (old.* is distinct from new.*)"
            " execute function task_number();\n",
            "",
        ),
        (
            "what is deleted is not told",
            "        create or replace trigger task_bury after delete on task\n"
            "            referencing old table as gone for each statement"
            " execute function task_bury();\n",
            "",
        ),
        witness=_CHANGES,
    ),
    *mutants(
        "db/migrations/0005.sync.sql",
        (
            "a uid makes a task again",
            "uid = new.uid)\n           or exists (select from public.task_tombstone\n"
            "                       where user_id = owner and uid = new.uid) then",
            "uid = new.uid) and false then",
        ),
        (
            "a deleted task comes back",
            "           or exists (select from public.task_tombstone\n"
            "                       where user_id = owner and uid = new.uid) then",
            "then",
        ),
        (
            "two at once make a task twice, or fail",
            "        perform from public.sync_head where user_id = owner for no key update;\n",
            "",
        ),
        (
            "a tombstone has no uid",
            "    select gone.user_id, gone.id, head.seq, gone.uid\n",
            "    select gone.user_id, gone.id, head.seq, null::uuid\n",
        ),
        witness=_UID,
    ),
    *mutants(
        "db/migrations/0005.sync.sql",
        (
            "a new head begins at zero",
            "    new.seq := coalesce(greatest(",
            "    new.seq := 0 * coalesce(greatest(",
        ),
        (
            "a new head looks at tasks alone",
            "(select max(seq) from public.task_tombstone where user_id = new.user_id)",
            "null",
        ),
        witness=_TOKENS,
    ),
    *mutants(
        "db/migrations/0005.sync.sql",
        (
            "a task that is put back cannot be deleted",
            "on conflict (user_id, task_id) do update set seq = excluded.seq, uid = excluded.uid;",
            ";",
        ),
        (
            "a task that is put back is deleted unseen",
            "do update set seq = excluded.seq, uid = excluded.uid;",
            "do nothing;",
        ),
        (
            "a head once moved is never moved again",
            "    if moved = current_setting('app.sync_moved', true) then",
            "    if current_setting('app.sync_moved', true) is not null then",
        ),
        witness=_CHANGES,
    ),
    *mutants(
        "api/tasks/changes.py",
        (
            "what is sent back whole locks its task before the head",
            "        await tx.row(queries.HOLD)\n",
            "        pass\n",
        ),
        witness=_ORDER,
    ),
    *mutants(
        "api/tasks/changes.py",
        ("what follows a task has its uid", '- {"completed", "uid"}', '- {"completed"}'),
        ("a deleted one is an error of the server", "    if gone:\n", "    if False:\n"),
        (
            "all pointers are to the first uid",
            '"pointer": pointer.format(n)}',
            '"pointer": pointer.format(0)}',
        ),
        witness=_UID,
    ),
    *mutants(
        "api/tasks/routes.py",
        ("a task that was there is new", "201 if is_new else 200", "201"),
        witness=_UID,
    ),
    *mutants(
        "api/tasks/members.py",
        ("a uid is any text", "if not _UUID.fullmatch(text):", "if False:"),
        ("a uid is only searched for", "_UUID.fullmatch(text)", "_UUID.match(text)"),
        ("a uid keeps its case", "    return text.lower()\n", "    return text\n"),
        witness=_UID,
    ),
    *mutants(
        "api/tasks/queries.py",
        (
            "a full listing has no end",
            "mine.append(or_(_LAST.is_(None), col(Task.seq) <= _LAST))",
            "pass",
        ),
        (
            "deletions are not told",
            "CHANGES: Final = _changes(with_deleted=True)",
            "CHANGES: Final = _changes(with_deleted=False)",
        ),
        witness=_CHANGES,
    ),
    *mutants(
        "api/tasks/queries.py",
        (
            "a page of changes has no bytes",
            "page = json_rows.within_bytes(\n        keyset.rows([*TASK.read, col(Task.seq)]",
            "page = (\n        keyset.rows([*TASK.read, col(Task.seq)]",
        ),
        equivalent="the page is cut again when it is written; PostgreSQL sends less of it",
    ),
    *mutants(
        "api/tasks/sync.py",
        (
            "a listing's token is minted after its last page",
            'head["head"] if until is None else until)',
            'head["head"])',
        ),
        (
            "a page ends at the number of its last change",
            'page[-1]["seq"], page[-1]["id"], until)',
            'page[-1]["seq"], None, until)',
        ),
        ("the last page is said to be none", "more = len(page) < len(found)", "more = True"),
        ("the first page is the last", "more = len(page) < len(found)", "more = False"),
        ("a page of changes is as long as it is", "end < MAX_PAGE_BYTES for", "True for"),
        (
            "what an operator has put back is gone",
            'if row["id"] not in changed]',
            'if row["body"] is None]',
        ),
        ("a newcomer has no head", "        await tx.row(heads.CREATE_HEAD)\n", "        pass\n"),
        witness=_CHANGES,
    ),
    *mutants(
        "api/tasks/sync.py",
        (
            "no token expires",
            "(since is not None and since.is_expired(rows[0]))",
            "False",
        ),
        witness=_TOKENS,
    ),
    *mutants(
        "api/sync/tokens.py",
        ("a token is good for anybody", 'return f"sync {user.id}"', 'return "sync"'),
        ("a token is of any format", "        Literal[1],\n", "        int,\n"),
        (
            "a token is of any generation",
            'if self.generation != head["generation"]:',
            "if False:",
        ),
        (
            "a token may be ahead",
            'not head["floor"] <= self.known <= head["head"] or self.seq > head["head"]',
            'not head["floor"] <= self.known',
        ),
        (
            "a page may be ahead",
            ' or self.seq > head["head"]\n',
            "\n",
        ),
        witness=_TOKENS,
    ),
    *mutants(
        "api/sync/tokens.py",
        (
            "what was forgotten is not missed",
            'not head["floor"] <= self.known <= head["head"]',
            'not self.known <= head["head"]',
        ),
        (
            "who knows all that was forgotten begins afresh",
            'not head["floor"] <= self.known <=',
            'not head["floor"] < self.known <=',
        ),
        (
            "a page that was begun is of what is forgotten",
            "return self.seq if self.task_id is None else self.seq - 1",
            "return self.seq",
        ),
        (
            "a listing begins with what is forgotten",
            "        if self.until is not None:\n            return self.until\n",
            "",
        ),
        witness=_FORGETTING,
    ),
    *mutants(
        "api/commands/sweep.py",
        (
            "deletions are forgotten before the floor is raised",
            "    connection.execute(_RAISE_FLOOR, [seq, user_id])\n",
            "    connection.execute(_RAISE_FLOOR, [seq, user_id])\n    connection.commit()\n",
        ),
        (
            "the floor stays",
            "    connection.execute(_RAISE_FLOOR, [seq, user_id])\n",
            "",
        ),
        (
            "all that is old enough for the policy is forgotten",
            "url, settings.sync_retention)",
            "url)",
        ),
        witness=_FORGETTING,
    ),
    *mutants(
        "api/settings.py",
        ("deletions are kept for a day", "MIN_RETENTION: Final = 30", "MIN_RETENTION: Final = 1"),
        witness=_FORGETTING,
    ),
    *mutants(
        "api/commands/sync.py",
        ("a reset voids nothing", '        connection.execute("truncate sync_head")\n', ""),
        ("an older program resets", "refuse_ahead(connection)", "pass"),
        witness=_TOKENS,
    ),
    *mutants(
        "api/http/opaque.py",
        ("an opaque text may be altered", "if sealed(content, bound) != text:", "if False:"),
        witness=_TOKENS,
    ),
]
