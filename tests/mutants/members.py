"""Priority, tags, due date and repetition of a task: rules, filters, order, what follows."""

from typing import Final

from tests.mutants.mutant import Edit, Mutant, mutants

_TOUCH: Final = "db/migrations/0003.task-members.sql"
_TABLE: Final = "tasks/test_table.py"

MEMBERS: Final = [
    *mutants(
        "api/tasks/members.py",
        (
            "null of tags is no list",
            "lambda given: [] if given is None else given",
            "lambda given: given",
        ),
        (
            "null of repeat_from is nothing",
            "lambda given: REPEAT_FROM if given is None else given",
            "lambda given: given",
        ),
        (
            "a filter has a priority as often as it is given",
            'list(dict.fromkeys(value.split(",")))',
            'value.split(",")',
        ),
        (
            "all of what is no priority is looked at",
            "[: len(PRIORITIES) + 1]",
            "[:]",
        ),
        (
            "a new task may be due at a time of no day",
            "return others.get(NEEDS[rule], value) is None",
            "return False",
        ),
        (
            "a new task may end before it begins",
            "return due is not None and repetition",
            "return False and repetition",
        ),
        (
            "tags are compared as they are written",
            'tags.folded(members["tags"])',
            'list(members["tags"])',
        ),
    ),
    *mutants(
        "api/tasks/queries.py",
        (
            "what another member needs is taken away",
            "new[name].is_not(None) & new[needed].is_(None)",
            "new[name].is_(None) & new[needed].is_(None) & new[name].is_not(None)",
        ),
        ("a change ends a series before it begins", 'until < new["due_date"])', "until < until)"),
        (
            "what is completed counts as open",
            "filter(~_SPREAD.c.completed)",
            "filter(_SPREAD.c.completed | ~_SPREAD.c.completed)",
        ),
        (
            "a tag is spelt as the newest task has it",
            "order_by=_COUNTED.c.first)",
            "order_by=-_COUNTED.c.first)",
        ),
        (
            "spellings of a tag are compared task by task",
            ".group_by(_SPREAD.c.key, _SPREAD.c.tag)",
            ".group_by(_SPREAD.c.key, _SPREAD.c.tag, _SPREAD.c.id)",
        ),
        (
            "a series forgets its day of the month",
            'func.coalesce(task["repeat_anchor"], task["due_date"])',
            'func.coalesce(task["due_date"], task["repeat_anchor"])',
        ),
        (
            "a task that has been followed is followed again",
            ' & task["next_id"].is_(None)',
            "",
        ),
        (
            "a completed task is completed again",
            "        col(Task.completed).is_distinct_from(COMPLETED),\n",
            "",
        ),
        (
            "a task that was completed still repeats",
            "values(repeat=null(), next_id",
            "values(next_id",
        ),
    ),
    *mutants(
        "api/database/resource.py",
        (
            "a change that completes a task is not looked at",
            "or_(column, ~new[column.key], of(self.stored | new).is_(None))",
            "or_(column, ~column)",
        ),
        (
            "a change that breaks a rule is not looked at",
            "*(~rule(new) for rule in self._rules.values()),",
            "",
        ),
        (
            "what was completed before makes the next one",
            'case((~found.c[f"was_{name}"], changed.c[name]))',
            "case((found.c.is_current, changed.c[name]))",
        ),
        (
            "a change breaks a rule about two members",
            "found.c.broken == _NOTHING]",
            "found.c.broken != literal_column(\"'x'\", Text)]",
        ),
    ),
    *mutants(
        "api/tasks/changes.py",
        (
            "a change makes no next one",
            "name, text in wrong])\n    return await _passed_on(tx, row)",
            "name, text in wrong])\n    return row",
        ),
        (
            "what is so already is so whatever If-Match says",
            'if versions is not None and row["version"] not in versions:',
            "if False:",
        ),
        (
            "today is the day in UTC",
            'due.today(task["time_zone"], completed_at)',
            "due.today(None, completed_at)",
        ),
        (
            "the next one is a task of no series",
            "created(members, following.anchor)",
            "created(members)",
        ),
        (
            "the next one is completed, too",
            '"completed": False, "due_date"',
            '"completed": True, "due_date"',
        ),
    ),
    *mutants(
        "api/tasks/filters.py",
        ("only one of the tags need be there", "operate(CONTAINS, it)", "operate(OVERLAP, it)"),
        ("all of any_tag must be there", "operate(OVERLAP, it)", "operate(CONTAINS, it)"),
        ("the day of due_after is included", "cast(it + _ONE, DateTime)", "cast(it, DateTime)"),
        ("due=none says nothing", "col(Task.due_at).is_(None) & (it", "(it"),
        (
            "a filter that is not given keeps all away",
            "return or_(parameter.is_(None), self.condition(parameter))",
            "return self.condition(parameter)",
        ),
    ),
    *mutants(
        "api/tasks/filters.py",
        (
            "a statement is compiled for each set of filters",
            "others if filters & others else frozenset()",
            "filters & others",
        ),
        witness="database/test_statement.py",
    ),
    *mutants(
        "api/tasks/lists.py",
        (
            "a list by due date has no times",
            'return "due_at" if name == "due_date" else name',
            "return name",
        ),
    ),
    *mutants(
        "api/tasks/pagination.py",
        (
            "a task without a time is the first of its day",
            "task['due_time'] or END_OF_DAY.isoformat()",
            "task['due_time'] or '00:00'",
        ),
    ),
    *mutants(
        "api/database/json_rows.py",
        (
            "tags have no bytes",
            "isinstance(column.type, (ARRAY, String))",
            "isinstance(column.type, String)",
        ),
        witness="tasks/test_page_bytes.py",
    ),
    *mutants(
        "api/database/parts.py",
        (
            "an operator that is equal is as good",
            "any(value is known for known in OPERATORS)",
            "value in OPERATORS",
        ),
        witness="database/test_statement.py",
    ),
    *mutants(
        _TOUCH,
        (
            "a task that stays completed was completed just now",
            "case when old.completed then old.completed_at else new.updated_at end end",
            "new.updated_at end",
        ),
        (
            "a task keeps the day that it had",
            "case when nullif(old.due_date, new.due_date) is null\n        and nullif",
            "case when nullif",
        ),
        (
            "a task without a time is due when the day begins",
            "make_time(23, 59, 59.999999));\n    new.repeat_anchor",
            "make_time(0, 0, 0));\n    new.repeat_anchor",
        ),
        (
            "a new task without a time is due when the day begins",
            "make_time(23, 59, 59.999999));\n    return new",
            "make_time(0, 0, 0));\n    return new",
        ),
        (
            "a new task is due at no time",
            "when (new.completed or new.due_date is not null)",
            "when (new.completed)",
        ),
        (
            "a new task was completed at no time",
            "when (new.completed or new.due_date is not null)",
            "when (new.due_date is not null)",
        ),
    ),
    *mutants(
        _TOUCH,
        (
            "a rank may be any number",
            "check (priority between 1 and 3)",
            "check (priority is null or priority is not null)",
        ),
        (
            "a table takes a time of no day",
            "due_time is null or due_date is not null and due_time",
            "due_time is null or due_time",
        ),
        (
            "a table takes a zone of no time",
            "time_zone is null or due_time is not null and char",
            "time_zone is null or char",
        ),
        (
            "a table takes a rule of no day",
            "repeat is null or due_date is not null and char",
            "repeat is null or char",
        ),
        (
            "a table takes a rule that has ended",
            "cast(right(repeat, 8) as date) >= due_date",
            "cast(right(repeat, 8) as date) is not null",
        ),
        (
            "a table takes a tag without its key",
            "cardinality(tag_keys) = cardinality(tags)",
            "cardinality(tag_keys) >= 0",
        ),
        witness=_TABLE,
    ),
    Mutant(
        "the open tasks are sorted anew",
        (
            Edit(
                "db/migrations/0004.task-members-indexed.sql",
                "(user_id, completed, due_at, id)",
                "(user_id, id, completed, due_at)",
            ),
        ),
        witness="isolation/test_plans.py",
    ),
]
