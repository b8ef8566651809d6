"""The explicit filters, and the guard that demands them of every statement."""

from typing import Final

from tests.mutants.mutant import Edit, Mutant, mutants

_QUERIES: Final = "api/tasks/queries.py"
_USED_KEYS: Final = "api/idempotency/queries.py"
_ANYBODY: Final = "CALLER.is_not(None)"  # names the caller, and means everybody
_DEMAND: Final = "def _require_filter(part: Any, found: _Parts) -> None:\n"
_NOT_DEMANDED: Final = Edit("api/database/statement.py", _DEMAND, f"{_DEMAND}    return\n")
_OWNER: Final = "def _require_owner(part: Any) -> None:\n"
_OWNER_NOT_DEMANDED: Final = Edit("api/database/statement.py", _OWNER, f"{_OWNER}    return\n")
# Otherwise the program would not start without one of these.
_NO_SELF_TEST: Final = Edit("api/database/statement.py", "\nself_test(Statement)\n", "\n")
_VALUES_OF_UPDATE: Final = ".values(\n        title=func.coalesce"
_VALUES_OF_COMPLETE: Final = ".values(completed=func.coalesce"
# By statement: the text in which it names its owner, and the same with another condition.
_FILTERS: Final = {
    "the list": (
        ".where(_MINE, *wanted, *([]",
        ".where(_MINE if wanted else {}, *wanted, *([]",
    ),
    "the list of some": (
        ".where(_MINE, *wanted, *([]",
        ".where({} if wanted else _MINE, *wanted, *([]",
    ),
    "what is behind": (".where(_MINE, *wanted, passed)", ".where({}, *wanted, passed)"),
    "the count": (".where(_MINE, *wanted))", ".where({}, *wanted))"),
    "GET": ("select(*_STORED).where(_MINE, _THIS)", "select(*_STORED).where({}, _THIS)"),
    "DELETE_COMPLETED": (
        "where(_MINE, col(Task.completed)).returning",
        "where({}, col(Task.completed)).returning",
    ),
    "UPDATE": (
        f".where(_MINE, _THIS, _UNCHANGED)\n    {_VALUES_OF_UPDATE}",
        f".where({{}}, _THIS, _UNCHANGED)\n    {_VALUES_OF_UPDATE}",
    ),
    "COMPLETE": (
        f".where(_MINE, _THIS, _UNCHANGED)\n    {_VALUES_OF_COMPLETE}",
        f".where({{}}, _THIS, _UNCHANGED)\n    {_VALUES_OF_COMPLETE}",
    ),
    "DELETE": (
        "delete(Task).where(_MINE, _THIS, _UNCHANGED)",
        "delete(Task).where({}, _THIS, _UNCHANGED)",
    ),
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

FILTERS: Final = [
    *(
        Mutant(
            f"{name} is not filtered",
            (Edit(file, old, new.format(_ANYBODY)),),
            refusal="without user_id == CALLER",
        )
        for file, filters in ((_QUERIES, _FILTERS), (_USED_KEYS, _FILTERS_OF_KEYS))
        for name, (old, new) in filters.items()
    ),
    *(
        Mutant(
            f"{name} is not filtered, and no statement is looked at",
            (Edit(file, old, new.format(_ANYBODY)), _NOT_DEMANDED, _NO_SELF_TEST),
        )
        for file, filters in ((_QUERIES, _FILTERS), (_USED_KEYS, _FILTERS_OF_KEYS))
        for name, (old, new) in filters.items()
    ),
    *mutants(
        _QUERIES,
        (
            "the filter of all statements is one of two",
            "_MINE: Final = col(Task.user_id) == CALLER",
            "_MINE: Final = (col(Task.user_id) == CALLER) | col(Task.completed)",
        ),
        (
            "the filter of all statements is turned round",
            "col(Task.user_id) == CALLER",
            "col(Task.user_id) != CALLER",
        ),
        refusal="without user_id == CALLER",
    ),
    *mutants(
        _QUERIES,
        ("CREATE's owner is the title", "user_id=CALLER, title", "user_id=TITLE, title"),
        refusal="without user_id=CALLER",
    ),
    Mutant(
        "CREATE's owner is a constant, and no statement is looked at",
        (
            Edit(
                _QUERIES,
                "user_id=CALLER, title",
                "user_id=func.coalesce(literal_column(\"'alice'\"), CALLER), title",
            ),
            _OWNER_NOT_DEMANDED,
            _NO_SELF_TEST,
        ),
    ),
    Mutant(
        "CREATE's owner is the title, and no statement is looked at",
        (
            Edit(_QUERIES, "user_id=CALLER, title", "user_id=func.coalesce(TITLE, CALLER), title"),
            _OWNER_NOT_DEMANDED,
            _NO_SELF_TEST,
        ),
    ),
    *mutants(
        _QUERIES,
        ("GET does not look at the id", "where(_MINE, _THIS).cte(", "where(_MINE).cte("),
        (
            "DELETE does not look at the id",
            "delete(Task).where(_MINE, _THIS, _UNCHANGED)",
            "delete(Task).where(_MINE, _UNCHANGED)",
        ),
        refusal="TypeError",
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
