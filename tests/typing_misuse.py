"""Code that mypy must reject; it is never run.

Each `type: ignore` below marks an error. If mypy accepts one of these lines, it reports the comment
as unused, and `make check` fails.
"""

from sqlalchemy import text
from sqlmodel import select

from api.auth.authenticator import Authenticator, Unauthorized, User, issue_token, named_by_operator
from api.commands.migrate import migrate
from api.commands.personal_data import erase, export
from api.database.pipeline import Pipeline
from api.database.session import Database, Transaction
from api.database.statement import Statement
from api.settings import MigrationSettings, Settings
from api.tasks import queries
from api.tasks.models import Task


async def a_transaction_of_nobody(database: Database, claims: dict[str, str]) -> None:
    database.transaction()  # type: ignore[call-arg]
    database.transaction(None)  # type: ignore[arg-type]
    database.transaction("alice")  # type: ignore[arg-type]
    database.transaction(claims)  # type: ignore[arg-type]
    database.transaction(claims.get("sub"))  # type: ignore[arg-type]
    database.transaction(User)  # type: ignore[arg-type]
    database.transaction(user_id="alice")  # type: ignore[call-arg]


async def a_transaction_of_whoever_is_named(
    database: Database, pipeline: Pipeline, user: User
) -> None:
    database.transaction(user.id)  # type: ignore[arg-type]
    database.transaction([user])  # type: ignore[arg-type]
    database.transaction(user, user)  # type: ignore[arg-type, call-arg]
    Transaction(pipeline, "alice", False)  # type: ignore[arg-type]
    Transaction(pipeline, None, False)  # type: ignore[arg-type]
    Transaction(pipeline)  # type: ignore[call-arg]


async def a_transaction_that_is_not_entered(database: Database, user: User) -> None:
    await database.transaction(user)  # type: ignore[misc]
    with database.transaction(user):  # type: ignore[attr-defined]
        pass
    database.transaction(user).row(queries.GET, id=1)  # type: ignore[attr-defined]


async def sql_that_nobody_has_looked_at(tx: Transaction) -> None:
    await tx.row("select * from task")  # type: ignore[arg-type]
    await tx.row(text("select * from task"))  # type: ignore[arg-type]
    await tx.row(select(Task))  # type: ignore[arg-type]
    await tx.row(queries.GET.sql, id=1)  # type: ignore[arg-type]
    await tx.row(None)  # type: ignore[arg-type]
    await tx.row()  # type: ignore[call-arg]
    await tx.row(statement=queries.GET)  # type: ignore[call-arg]
    await tx.row(queries.GET, 1)  # type: ignore[call-arg]
    Statement("select * from task")  # type: ignore[arg-type]


async def past_the_door(database: Database, tx: Transaction) -> None:
    database.execute("select * from task")  # type: ignore[attr-defined]
    database.pool.acquire()  # type: ignore[attr-defined]
    await tx.execute("reset app.user_id")  # type: ignore[attr-defined]
    await tx.connection.fetch("select * from task")  # type: ignore[attr-defined]
    tx.user = User("bob")  # type: ignore[misc]


def a_user_made_of_something_else(token: str | None) -> None:
    User()  # type: ignore[call-arg]
    User(None)  # type: ignore[arg-type]
    User(7)  # type: ignore[arg-type]
    User(token)  # type: ignore[arg-type]
    user: User = "alice"  # type: ignore[assignment]
    user.id = "bob"  # type: ignore[misc]
    user.admin = True  # type: ignore[attr-defined]
    user.email  # type: ignore[attr-defined]  # noqa: B018


def a_user_taken_for_a_name(alice: User, bob: User) -> bool:
    name: str = alice  # type: ignore[assignment]
    if alice == name:  # type: ignore[comparison-overlap]
        return True
    if alice in ["alice", "bob"]:  # type: ignore[comparison-overlap]
        return True
    if alice < bob:  # type: ignore[operator]
        return True
    return alice.id == bob  # type: ignore[comparison-overlap]


class Admin(User):  # type: ignore[misc]
    """A user who is more than that."""


class Unbound(Transaction):  # type: ignore[misc]
    """A transaction of its own making."""


async def somebody_by_other_means(authenticator: Authenticator, header: str) -> User:
    await authenticator.user("Bearer a.b.c")  # type: ignore[arg-type]
    await authenticator.user(header)  # type: ignore[arg-type]
    await authenticator.user(None)  # type: ignore[arg-type]
    await authenticator.user()  # type: ignore[call-arg]
    await authenticator.user([b"Bearer a.b.c"])  # type: ignore[list-item]
    return authenticator.user([header])  # type: ignore[return-value]


async def all_of_whoever_is_named(database: Database, tx: Transaction, user: User) -> None:
    export(database, "alice")  # type: ignore[arg-type]
    export(database, None)  # type: ignore[arg-type]
    await export(database, user)  # type: ignore[misc]
    await erase(database)  # type: ignore[call-arg]
    await erase(database, user.id)  # type: ignore[arg-type]
    await erase(tx, user)  # type: ignore[arg-type]
    named_by_operator(None)  # type: ignore[arg-type]
    named_by_operator(user)  # type: ignore[arg-type]


def a_caller_said_by_hand(user: User) -> None:
    queries.GET.arguments(user, {"id": 1})  # type: ignore[arg-type]
    queries.GET.arguments(None, {"id": 1})  # type: ignore[arg-type]
    queries.GET = queries.DELETE  # type: ignore[misc]
    queries.GET.sql += " or true"  # type: ignore[misc]


def a_secret_in_the_open(settings: Settings, owner: MigrationSettings) -> str:
    secret: str = settings.better_auth_secret  # type: ignore[assignment]
    url: str = settings.database_url  # type: ignore[assignment]
    Database.connect(settings.database_url)  # type: ignore[arg-type]
    migrate(owner.migration_database_url)  # type: ignore[arg-type]
    migrate("postgresql://", owner.task_app_password)  # type: ignore[arg-type]
    issue_token(settings, User("alice"))  # type: ignore[arg-type]
    issue_token(owner, "alice")  # type: ignore[arg-type]
    settings.better_auth_secret = None  # type: ignore[misc]
    print(secret + settings.database_url)  # type: ignore[operator]
    return url or settings.better_auth_secret  # type: ignore[return-value]


def a_refusal_without_a_reason() -> None:
    raise Unauthorized()  # type: ignore[call-arg]
