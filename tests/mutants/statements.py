"""The explicit filters, and the guard that demands them of every statement."""

from typing import Final

from tests.mutants.mutant import Edit, Mutant, mutants

_QUERIES: Final = "api/tasks/queries.py"
_USED_KEYS: Final = "api/idempotency/queries.py"
_ANYBODY: Final = "{}.is_not(None)"  # names the caller, and means everybody
_DEMAND: Final = "def _require_filter(part: Any, found: _Parts) -> None:\n"
_NOT_DEMANDED: Final = Edit("api/database/statement.py", _DEMAND, f"{_DEMAND}    return\n")
_OWNER: Final = "def _require_owner(part: Any) -> None:\n"
_OWNER_NOT_DEMANDED: Final = Edit("api/database/statement.py", _OWNER, f"{_OWNER}    return\n")
# Otherwise the program would not start without one of these.
_NO_SELF_TEST: Final = Edit("api/database/statement.py", "\nself_test(Statement)\n", "\n")
_RESOURCE: Final = "api/database/resource.py"

# By statement: the text in which it names its owner, and the same with another condition.
_FILTERS: Final = {
    "the list": ("[TASK.mine, *wanted.", "[TASK.mine if any(wanted) else {}, *wanted."),
    "the list of some": ("[TASK.mine, *wanted.", "[{} if any(wanted) else TASK.mine, *wanted."),
    "the count": (".where(TASK.mine, *wanted.", ".where({}, *wanted."),
    "DELETE_COMPLETED": (
        "where(TASK.mine, col(Task.completed)).returning",
        "where({}, col(Task.completed)).returning",
    ),
    "COMPLETE": ("        TASK.mine,\n        TASK.this,", "        {},\n        TASK.this,"),
    "PASS_ON": (".where(TASK.mine, TASK.this)\n    .val", ".where({}, TASK.this)\n    .val"),
    "TAGS": ('.where(TASK.mine)\n    .subquery("spread")', '.where({})\n    .subquery("spread")'),
}
_FILTERS_OF_ROWS: Final = {
    "GET": ("select(*self.read).where(self.mine,", "select(*self.read).where({},"),
    "what UPDATE_WHOLE compares": (
        ".where(self.mine, self.this)\n            .with_for_update()",
        ".where({}, self.this)\n            .with_for_update()",
    ),
    "UPDATE": (
        "change.where(self.mine, self.this, self.un",
        "change.where({}, self.this, self.un",
    ),
    "UPDATE_WHOLE": (
        "change.where(self.mine, self.this, *is_fit)",
        "change.where({}, self.this, *is_fit)",
    ),
    "DELETE": ("delete(table).where(self.mine,", "delete(table).where({},"),
}
_FILTERS_OF_PAGES: Final = {
    "a page in one range": (
        "select(*columns).where(*conditions, *ranges)",
        "select(*columns).where(*[{}, *conditions[1:]], *ranges)",
    ),
    "a page in two ranges": (
        "select(*columns).where(*conditions, each)",
        "select(*columns).where(*[{}, *conditions[1:]], each)",
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
    "STORED_RESPONSE": ("    ).where(_MY_KEY, _THIS_KEY, ~", "    ).where({}, _THIS_KEY, ~"),
}

# By file: what is the caller there, and its filters.
_FILTERED: Final = (
    (_QUERIES, "TASK.mine.right", _FILTERS),
    (_RESOURCE, "CALLER", _FILTERS_OF_ROWS),
    ("api/database/keyset.py", "conditions[0].right", _FILTERS_OF_PAGES),
    (_USED_KEYS, "CALLER", _FILTERS_OF_KEYS),
)

FILTERS: Final = [
    *(
        Mutant(
            f"{name} is not filtered",
            (Edit(file, old, new.format(_ANYBODY.format(caller))),),
            refusal="without user_id == CALLER",
        )
        for file, caller, filters in _FILTERED
        for name, (old, new) in filters.items()
    ),
    *(
        Mutant(
            f"{name} is not filtered, and no statement is looked at",
            (Edit(file, old, new.format(_ANYBODY.format(caller))), _NOT_DEMANDED, _NO_SELF_TEST),
        )
        for file, caller, filters in _FILTERED
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
            "select(*self.read).where(self.mine, self.this)",
            "select(*self.read).where(self.mine)",
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
            "return func.coalesce(value, column)",
            "return value",
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
        ("a column is shown as it likes", "_check_type(part.type)", "pass"),
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
            "_check_type(part.typeclause.type)",
            "pass",
        ),
        (
            "a statement has any options",
            "not _is_nothing(part._execution_options)",
            "False",
        ),
        (
            "any operator is taken",
            "if not any(value is known for known in OPERATORS):",
            "if False:",
        ),
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
