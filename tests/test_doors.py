"""Rules about who may do what in api/, read from its source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import api

ROOT = Path(api.__file__).parent
AUTHENTICATOR = "auth/authenticator.py"
PERSONAL_DATA = "commands/personal_data.py"
SESSION = "database/session.py"


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def calls(tree: ast.AST, name: str) -> bool:
    return any(
        isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id == name)
            or (isinstance(node.func, ast.Attribute) and node.func.attr == name)
        )
        for node in ast.walk(tree)
    )


def imports(tree: ast.AST, package: str) -> bool:
    names = [
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and node.level == 0
            else []
        )
    ]
    return any(name.split(".")[0] == package for name in names)


@pytest.mark.evidence("no-identity")
def test_only_auth_makes_a_user() -> None:
    assert [name for name, tree in modules() if calls(tree, "User")] == [AUTHENTICATOR]


def test_only_the_operators_commands_name_a_user() -> None:
    """No request can: what serves them never calls it, nor knows how."""
    named = "named_by_operator"
    assert [name for name, tree in modules() if calls(tree, named)] == [
        AUTHENTICATOR,
        PERSONAL_DATA,
    ]
    for name, tree in modules():
        words = {getattr(node, "id", getattr(node, "attr", "")) for node in ast.walk(tree)}
        imported = {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        assert named not in words | imported or name in (AUTHENTICATOR, PERSONAL_DATA), name


def test_nobody_makes_a_user_of_another_or_under_another_name() -> None:
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute | ast.Name):
                word = node.attr if isinstance(node, ast.Attribute) else node.id
                # dataclasses.replace and object.__setattr__ get past a frozen class
                assert word not in ("__setattr__", "__new__"), f"{word} in {name}"
            if isinstance(node, ast.ImportFrom) and node.module in (
                "api.auth.authenticator",
                "dataclasses",
            ):
                imported = {alias.name: alias.asname for alias in node.names}
                assert imported.get("User") is None, f"User has another name in {name}"
                assert "replace" not in imported, f"dataclasses.replace in {name}"


def test_only_the_door_reaches_for_the_driver() -> None:
    driven = [name for name, tree in modules() if imports(tree, "asyncpg")]
    assert driven == [
        "database/connector.py",
        "database/errors.py",
        "database/pipeline.py",
    ]


def test_only_the_door_the_doctor_and_the_listener_connect() -> None:
    """The doctor reads the catalog, as nobody, and so no rows; who listens asks nothing."""
    connecting = [name for name, tree in modules() if calls(tree, "Connector")]
    doctor = ["commands/doctor/serving.py", "commands/doctor/wake_ups.py"]
    assert connecting == [*doctor, SESSION, "sync/channels.py"]


@pytest.mark.evidence("no-identity")
def test_only_the_session_opens_a_transaction() -> None:
    assert [name for name, tree in modules() if calls(tree, "Transaction")] == [SESSION]


def test_the_rules_can_be_broken() -> None:
    assert calls(ast.parse("user = auth.User('bob')"), "User")
    assert imports(ast.parse("def f():\n    from asyncpg import connect"), "asyncpg")
    assert not imports(ast.parse("from sqlalchemy.dialects.postgresql import asyncpg"), "asyncpg")
