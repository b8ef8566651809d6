"""task-api: dev, serve, migrate, token."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence

from api.auth import issue_token
from api.db import Database, DatabaseError, DatabaseUnavailable, RowSecurityInactive
from api.settings import AuthSettings, MigrationSettings, Settings, SettingsError, load


class CommandError(Exception):
    """What went wrong and what to do, in one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `task-api`; 0, 1 after one line on stderr that says what to do, 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (CommandError, SettingsError) as error:
        print(f"task-api: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="task-api", description="A task API in which PostgreSQL itself keeps users apart."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    dev = commands.add_parser(
        "dev",
        help="serve on an embedded PostgreSQL, without configuration",
        description="Serve on 127.0.0.1 with an embedded PostgreSQL whose data are in .data/ of "
        "this folder. PORT (8000), CORS_ORIGINS and the token settings are taken from the "
        "environment; without any, tokens are signed with a secret kept in .data/.",
    )
    dev.set_defaults(run=_dev)

    serve = commands.add_parser(
        "serve",
        help="serve on the database at DATABASE_URL",
        description="Serve on the database at DATABASE_URL, as the role task_app.",
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    serve.add_argument("--port", type=int, default=8000, help="port to listen on (%(default)s)")
    serve.add_argument("--workers", type=_count, default=1, help="processes (%(default)s)")
    serve.set_defaults(run=_serve)

    migrate = commands.add_parser(
        "migrate",
        help="bring the database at MIGRATION_DATABASE_URL up to date",
        description="Apply pending migrations, then every policy file, to the database at "
        "MIGRATION_DATABASE_URL, as its owner. TASK_APP_PASSWORD, if set, becomes the password "
        "of the role task_app. Running it twice changes nothing.",
    )
    migrate.set_defaults(run=_migrate)

    token = commands.add_parser(
        "token",
        help="sign a token for a user, for development and tests",
        description="Sign a token with BETTER_AUTH_SECRET, good for a day.",
    )
    token.add_argument("user_id", metavar="USER_ID")
    token.set_defaults(run=_token)
    return parser


def _count(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("a number of processes is 1 or more")
    return number


# What a command needs is imported when it runs: a token should not wait for a web server.


def _dev(_: argparse.Namespace) -> None:
    from api.dev import DevError, dev
    from api.embedded import EmbeddedError
    from api.migrate import MigrationError

    try:
        dev()
    except (DevError, EmbeddedError, MigrationError) as error:
        raise CommandError(error) from None


def _serve(options: argparse.Namespace) -> None:
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from api import logs
    from api.listener import listener

    asyncio.run(_pass_gate(load(Settings)))
    config = uvicorn.Config(
        "api.main:from_environment",
        factory=True,
        workers=options.workers,
        server_header=False,
        log_config=logs.CONFIG,
    )
    with listener(options.host, options.port) as listening:
        print(f"serving on {options.host} port {listening.getsockname()[1]}", flush=True)
        if options.workers > 1:
            Multiprocess(config, sockets=[listening]).run()
        else:
            uvicorn.Server(config).run(sockets=[listening])


async def _pass_gate(settings: Settings) -> None:
    logging.getLogger("api").addHandler(logging.NullHandler())  # what fails is said once, below
    try:
        async with Database.connect(settings.database_url.get_secret_value()):
            pass
    except RowSecurityInactive as error:
        raise CommandError(f"refusing to serve: {error}") from None
    except (DatabaseUnavailable, DatabaseError) as error:
        raise CommandError(
            f"no connection to the database: {error}; check DATABASE_URL and that it is up"
        ) from None


def _migrate(_: argparse.Namespace) -> None:
    from api.migrate import MigrationError, migrate

    settings = load(MigrationSettings)
    password = settings.task_app_password
    try:
        for applied in migrate(
            settings.migration_database_url.get_secret_value(),
            password.get_secret_value() if password else None,
        ):
            print(f"applied {applied}")
    except MigrationError as error:
        raise CommandError(error) from None


def _token(options: argparse.Namespace) -> None:
    try:
        print(issue_token(load(AuthSettings), options.user_id))
    except ValueError as error:
        raise CommandError(error) from None
