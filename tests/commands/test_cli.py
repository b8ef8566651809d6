"""Each command explains itself, and fails in one line that says what to do."""

import pytest

from api.cli import main
from tests.cluster import TaskDatabase
from tests.forked import Outcome
from tests.people import SECRET
from tests.program import run

NOWHERE = "postgresql://task_app:hush-hush@127.0.0.1:1/tasks"
JWKS = {
    "AUTH_JWKS_URL": "https://auth.example.com/api/auth/jwks",
    "AUTH_ISSUER": "https://auth.example.com",
    "AUTH_AUDIENCE": "https://auth.example.com",
}


@pytest.mark.parametrize(
    "command",
    [["dev"], ["serve"], ["migrate"], ["doctor"], ["export"], ["erase"], ["token"]],
)
def test_every_command_has_help(capfd: pytest.CaptureFixture[str], command: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([*command, "--help"])
    assert stop.value.code == 0
    assert capfd.readouterr().out.startswith(f"usage: task-api {command[0]}")


def test_without_knowing_any_command_there_is_help() -> None:
    outcome = run("--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert all(command in outcome.out for command in ("dev", "serve", "migrate", "token"))


def test_a_database_that_is_away_is_one_line() -> None:
    line = run("serve", DATABASE_URL=NOWHERE, BETTER_AUTH_SECRET=SECRET).refusal()
    assert "check DATABASE_URL" in line
    assert "hush-hush" not in line


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "required"),
        (["fly"], "invalid choice"),
        (["token"], "USER_ID"),
        (["export"], "USER_ID"),
        (["erase"], "USER_ID"),
        (["serve", "--port", "harbour"], "invalid int value: 'harbour'"),
        (["serve", "--workers", "0"], "1 or more"),
        (["serve", "--workers", "many"], "many"),
        (["serve", "--keep-alive", "0"], "1 to 7200 seconds"),
        (["serve", "--keep-alive", "-1"], "1 to 7200 seconds"),
        (["serve", "--keep-alive", "7201"], "1 to 7200 seconds"),
        (["serve", "--keep-alive", "long"], "must be 1 to 7200 seconds, not 'long'"),
        (["serve", "--keep-alive", "nan"], "must be 1 to 7200 seconds, not 'nan'"),
        (["serve", "--workers", "many"], "must be 1 or more, not 'many'"),
    ],
)
def test_a_misuse_is_explained_and_exits_2(
    capfd: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert complaint in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "settings", "remedy"),
    [
        (["serve"], {}, "DATABASE_URL is not set"),
        (["serve"], {"DATABASE_URL": NOWHERE}, "BETTER_AUTH_SECRET"),
        (["serve"], {"DATABASE_URL": "hush-hush", "BETTER_AUTH_SECRET": SECRET}, "postgresql://"),
        (["serve"], {"DATABASE_URL": NOWHERE, "BETTER_AUTH_SECRET": "hush-hush"}, "openssl rand"),
        (["serve"], {"DATABASE_URL": NOWHERE, "BETTER_AUTH_SECRET": SECRET, **JWKS}, "unset"),
        (["migrate"], {}, "MIGRATION_DATABASE_URL is not set"),
        (["migrate"], {"MIGRATION_DATABASE_URL": "mysql://hush-hush@h/d"}, "postgresql://"),
        (["migrate"], {"MIGRATION_DATABASE_URL": NOWHERE}, "check MIGRATION_DATABASE_URL"),
        (["migrate"], {"MIGRATION_DATABASE_URL": "postgresql://o:hush-hush%zz@h/d"}, "%25"),
        (["migrate"], {"MIGRATION_DATABASE_URL": "postgresql://o@h/d?hush-hush=1"}, "be read"),
        (["migrate"], {"MIGRATION_DATABASE_URL": "postgresql://o@ep-x-pooler.neon/d"}, "-pooler"),
        (["token", "alice"], {}, "BETTER_AUTH_SECRET"),
        (["token", ""], {"BETTER_AUTH_SECRET": SECRET}, "1 to 255"),
        (["token", "two words"], {"BETTER_AUTH_SECRET": SECRET}, "none of them blank"),
        (["token", "alice"], JWKS, "AUTH_JWKS_URL"),
    ],
)  # fmt: skip
def test_a_failure_is_one_line_that_says_what_to_do(
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    settings: dict[str, str],
    remedy: str,
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    line = Outcome(main(arguments), *capfd.readouterr()).refusal()
    assert remedy in line
    assert SECRET not in line
    assert "hush-hush" not in line


@pytest.mark.parametrize(
    ("user", "name"), [("task_app", "no_such_database"), ("nobody_here", None)]
)
@pytest.mark.parametrize(
    ("command", "variable"), [("serve", "DATABASE_URL"), ("migrate", "MIGRATION_DATABASE_URL")]
)
def test_a_wrong_role_or_database_is_one_line(
    database: TaskDatabase, command: str, variable: str, user: str, name: str | None
) -> None:
    url = database.task_app.replace("task_app", user)
    if name:
        url = url.replace(database.task_app.partition("?")[0].rpartition("/")[2], name)
    line = run(command, **{variable: url, "BETTER_AUTH_SECRET": SECRET}).refusal()
    assert f"check {variable}" in line


def test_a_token_is_printed_alone_so_that_a_shell_can_take_it() -> None:
    outcome = run("token", "alice", BETTER_AUTH_SECRET=SECRET)
    assert outcome.code == 0
    assert outcome.out.count(".") == 2
    assert outcome.out.split() == [outcome.out.strip()]
