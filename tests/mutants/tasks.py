"""Lists, and their pages."""

from typing import Final

from tests.mutants.mutant import Edit, Mutant, mutants

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
    ),
    *mutants(
        "api/tasks/search.py",
        ("a search may have any number of words", "if len(words) > MAX_WORDS:", "if False:"),
        ("a word may be of any length", "if any(len(word) > MAX_WORD for", "if any(False for"),
    ),
    *mutants(
        "api/tasks/lists.py",
        ("a search may take as long as anything", "return self.q is not None", "return False"),
        witness="tasks/test_search.py::test_a_search_that_takes_too_long_is_given_up_and_says_so",
    ),
    *mutants(
        "api/tasks/queries.py",
        (
            "long pages are asked for as short ones",
            "start, limit > SHORT_PAGE)",
            "start, False)",
        ),
        witness="tasks/test_page_bytes.py",
    ),
    *mutants(
        "api/database/json_rows.py",
        (
            "what is long has no bytes",
            "isinstance(column.type, (ARRAY, String)) and",
            'column.key in {"key", "title"} and',
        ),
        witness="database/test_personal_rows.py",
    ),
    *mutants(
        "api/database/json_rows.py",
        (
            "only what has a text can be exported",
            "    if not texts:\n        return page\n",
            "",
        ),
        refusal="reduce() of empty iterable",
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
            Edit("api/tasks/lists.py", "case_folding.pattern(word) for", "f'%{word}%' for"),
            Edit("api/tasks/filters.py", ".regexp_match(", ".like("),
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
        "api/database/case_folding.py",
        ("a word is a pattern", "characters in _SPECIAL else", "False else"),
        ("a word's case matters", 'table.whole.get(part, "") + (', "("),
        ("a word begins where a character does", 'table.ends.get(part, "") if', '"" if'),
        ("a word ends where a character does", 'table.begins.get(part, "") if', '"" if'),
        ("a letter is not within another", 'table.around.get(part, "") if', '"" if'),
        ("one character stands for one", "min(start + 3, length) + 1", "start + 2"),
        ("characters never overlap", "if runs and start < runs[-1][1]:", "if False:"),
        ("all ways through a word are written down", "_MAX_RUN: Final = 8", "_MAX_RUN: Final = 24"),
        witness="database/test_case_folding.py",
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
            "listed = _searched if page.is_slow else existing",
            "listed = existing",
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
            "a cursor is good for anybody",
            'return f"{page.list_key} {user.id}"',
            "return page.list_key",
        ),
        (
            "a cursor is good for any list",
            'return f"{page.list_key} {user.id}"',
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
            "each).exists() for each in before",
            "each).exists() for each in before[:1]",
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
