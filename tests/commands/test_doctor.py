"""`task-api doctor`: what is wrong is said with its remedy, in bounded time, without a secret."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from api.cli import main
from api.commands.audit import checks
from api.commands.doctor.serving import is_local
from api.database.migrations import newest
from tests.cluster import Cluster, TaskDatabase
from tests.forked import Outcome
from tests.keyserver import Issuer
from tests.people import SECRET
from tests.pgbouncer import pgbouncer, version
from tests.program import run
from tests.redis import PASSWORD, Redis, redis
from tests.tls import Authority, Secure, secure

pytestmark = pytest.mark.slow

NOWHERE = "postgresql://task_app:hush-hush@127.0.0.1:1/tasks"
_FINDING = re.compile(r"  (ok  |warn|FAIL|skip)  (\S+(?: \S+)*) +(\S.*)")


@dataclass(frozen=True)
class Finding:
    level: str
    said: str
    remedy: str = ""


@dataclass(frozen=True)
class Report:
    """What was said, by what it is about; of the owner's connection apart."""

    code: int
    text: str
    findings: dict[str, Finding]
    owner: dict[str, Finding]

    def levels(self) -> dict[str, str]:
        return {about: finding.level for about, finding in self.findings.items()}

    def bad(self) -> dict[str, str]:
        """What is not as it should be, and its level. How old the server is does not matter."""
        return {
            about: finding.level
            for about, finding in (self.findings | self.owner).items()
            if finding.level in ("warn", "FAIL") and about != "server version"
        }


def read(outcome: Outcome) -> Report:
    assert outcome.err == "", outcome
    for secret in (SECRET, "hush-hush", PASSWORD, quote(PASSWORD)):
        assert secret not in outcome.out
    found: dict[str, Finding] = {}
    sections = [found]
    for line in outcome.out.splitlines():
        if line == "Database, as MIGRATION_DATABASE_URL":
            sections.append({})
        if match := _FINDING.fullmatch(line):
            level, about, said = match.groups()
            last = about.strip()
            sections[-1][last] = Finding(level.strip(), said)
        elif line.lstrip().startswith("-> "):
            before = sections[-1][last]
            sections[-1][last] = Finding(before.level, before.said, line.lstrip()[3:])
    findings, owner = sections
    every = [*findings.values(), *owner.values()]
    assert all(bool(one.remedy) == (one.level in ("warn", "FAIL")) for one in every), outcome.out
    assert outcome.code == any(one.level == "FAIL" for one in every)
    return Report(outcome.code, outcome.out, findings, owner)


def doctor(**settings: str) -> Report:
    return read(run("doctor", **settings))


@pytest.fixture
def direct(cluster: Cluster, own_database: TaskDatabase) -> TaskDatabase:
    """A database of one's own, with no pooler in between."""
    name = own_database.owner.partition("?")[0].rpartition("/")[2]
    url = Cluster(cluster.superuser).url("task_app", name)
    return TaskDatabase(own_database.superuser, own_database.owner, url)


def looks(database: TaskDatabase, *statements: str, **settings: str) -> Report:
    """What is found in secret mode, after the superuser did something."""
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
    given = {"DATABASE_URL": database.task_app, "BETTER_AUTH_SECRET": SECRET}
    return doctor(**given | settings)


def name_of(database: TaskDatabase) -> str:
    return database.superuser.partition("?")[0].rpartition("/")[2]


def test_where_all_is_well_nothing_fails(direct: TaskDatabase) -> None:
    report = looks(direct, MIGRATION_DATABASE_URL=direct.owner, POOL_SIZE="7", POOL_SHARE="3")
    assert report.code == 0
    assert report.bad() == {}
    assert report.findings["POOL_SIZE"].said == "7"
    assert report.findings["POOL_SHARE"].said == "3"
    assert "task_app at " in report.findings["DATABASE_URL"].said
    assert report.findings["BETTER_AUTH_SECRET"].said == "is set, and not shown"
    assert "HS256" in report.findings["mode"].said
    assert report.findings["encoding"].said == "UTF8"
    assert report.findings["role"].said == "task_app"
    assert report.findings["privileges"].said == "task_app has all that the statements need"
    assert report.findings["row security"].said == "in force for task_app"
    assert report.findings["migrations"].said == f"all applied, up to {newest()}"
    assert report.findings["limits"].said == (
        "statement_timeout 5s, lock_timeout 2s, idle_in_transaction_session_timeout 10s"
    )
    assert "does not leave this machine" in report.findings["TLS"].said
    assert report.findings["pooler"].said.startswith("none")
    assert report.findings["prepared statements"].said == "kept"
    assert [about for about, one in report.owner.items() if one.level == "ok"] == [
        "connection", "direct", "owner", "roles", "same database",
    ]  # fmt: skip


def test_without_any_settings_it_says_which_to_set() -> None:
    report = doctor()
    assert report.bad() == {"DATABASE_URL": "FAIL", "together": "FAIL"}
    assert report.findings["together"].remedy == "Set one of them."
    assert report.owner["connection"] == Finding("skip", "MIGRATION_DATABASE_URL is not set")


def test_every_wrong_setting_is_said_and_the_rest_is_looked_at(direct: TaskDatabase) -> None:
    report = looks(
        direct,
        BETTER_AUTH_SECRET="hush-hush",
        POOL_SIZE="0",
        AUTH_AUDIANCE="x",
        CORS_ORIGINS="*",
        MIGRATION_DATABASE_URL="postgresql://o:hush-hush@ep-x-pooler.neon/d",
        TASK_APP_PASSWORD="hush-hush",
    )
    assert report.bad() == {
        "BETTER_AUTH_SECRET": "FAIL",
        "POOL_SIZE": "FAIL",
        "CORS_ORIGINS": "FAIL",
        "MIGRATION_DATABASE_URL": "FAIL",
        "AUTH_AUDIANCE": "warn",
    }
    assert report.findings["BETTER_AUTH_SECRET"].remedy.startswith("Make one with: openssl")
    assert "without -pooler" in report.findings["MIGRATION_DATABASE_URL"].remedy
    assert report.findings["AUTH_AUDIANCE"].remedy == "Is it meant to be AUTH_AUDIENCE?"
    assert report.findings["row security"].level == "ok"


@pytest.mark.parametrize(
    "password", ["hush-hush/x", "12/hush-hush", "12#hush-hush", "1?hush-hush", "hush-hush%zz"]
)
def test_a_password_that_would_be_taken_for_something_else_is_not_told(password: str) -> None:
    url = f"postgresql://task_app:{password}@127.0.0.1:1/tasks"
    report = doctor(DATABASE_URL=url, MIGRATION_DATABASE_URL=url, BETTER_AUTH_SECRET=SECRET)
    assert report.code == 1
    assert report.owner["connection"].level in ("FAIL", "skip")
    if password[0] in "12":  # of a host u, port 1
        assert "%40 (@)" in report.findings["connection"].remedy
        assert "%40 (@)" in report.owner["connection"].remedy


def test_a_database_that_is_away_fails_and_hides_the_password() -> None:
    report = doctor(DATABASE_URL=NOWHERE, MIGRATION_DATABASE_URL=NOWHERE, BETTER_AUTH_SECRET=SECRET)
    assert report.bad() == {"connection": "FAIL"}
    assert report.findings["connection"].remedy.startswith("Check DATABASE_URL")
    assert report.owner["connection"].remedy.startswith("Check MIGRATION_DATABASE_URL")
    assert report.findings["DATABASE_URL"].said == "task_app at 127.0.0.1:1, database tasks"


def test_a_database_that_is_not_there_is_named(direct: TaskDatabase) -> None:
    url = direct.task_app.replace(name_of(direct), "no_such_database")
    found = looks(direct, DATABASE_URL=url).findings["connection"]
    assert "no_such_database" in found.said
    assert "name of the database" in found.remedy


@pytest.fixture
def silent() -> Iterator[str]:
    """Somebody who takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def test_it_does_not_wait_for_ever(silent: str) -> None:
    url = f"postgresql://task_app:hush-hush@{silent}/tasks"
    started = time.monotonic()
    report = doctor(
        DATABASE_URL=url,
        MIGRATION_DATABASE_URL=url,
        AUTH_JWKS_URL=f"http://{silent}/jwks",
        AUTH_ISSUER="https://auth.example.com",
        AUTH_AUDIENCE="https://auth.example.com",
    )
    assert time.monotonic() - started < 20
    assert report.bad() == {"key set": "FAIL", "connection": "FAIL"}
    assert report.findings["connection"].said == "no answer within 5 s"
    assert report.owner["connection"].said == "no answer within 5 s"


def test_a_role_that_sees_past_the_policies_fails(direct: TaskDatabase) -> None:
    report = looks(direct, DATABASE_URL=direct.superuser)
    assert report.bad() == {"role": "warn", "row security": "FAIL", "limits": "FAIL"}
    assert "is a superuser, whom no policy binds" in report.findings["row security"].said
    assert report.findings["row security"].remedy.startswith("Connect DATABASE_URL as task_app")


@pytest.mark.parametrize(
    ("statement", "about", "level", "said"),
    [
        ("alter table task disable row level security", "row security", "FAIL", "is off"),
        ("comment on table task is null", "migrations", "FAIL", "by an older version"),
        ("comment on table task is '0001.create-task'", "migrations", "FAIL", newest()),
        ("comment on table task is '9999.later'", "migrations", "ok", "ahead of this program"),
        ("revoke delete on task from task_app", "privileges", "FAIL", "lacks delete on table task"),
        (
            "alter role task_app in database {} set search_path = aside",
            "row security", "FAIL", "finds nothing where it looks for table public.task",
        ),
        (
            "alter role task_app in database {} set search_path = public, pg_catalog",
            "row security", "FAIL", "looks in schema public before pg_catalog",
        ),
        ("alter role task_app in database {} set lock_timeout = 0", "limits", "FAIL", "0 is none"),
        (
            "alter database {} set default_transaction_read_only = on",
            "writable", "FAIL", "read-only",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_database_is_said(
    direct: TaskDatabase, statement: str, about: str, level: str, said: str
) -> None:
    report = looks(direct, statement.format(name_of(direct)))
    assert report.findings[about].level == level
    assert said in report.findings[about].said
    assert report.bad() == ({} if level == "ok" else {about: level})


def test_a_database_that_was_never_migrated_fails(cluster: Cluster, direct: TaskDatabase) -> None:
    with cluster.empty_database() as empty:
        url = direct.task_app.replace(name_of(direct), name_of(empty))
        report = looks(empty, DATABASE_URL=url, MIGRATION_DATABASE_URL=empty.owner)
    assert report.bad() == {"row security": "FAIL", "migrations": "FAIL"}
    assert report.findings["migrations"].remedy == "Run task-api migrate."


def test_the_owner_must_be_the_owner_of_the_same_database(
    direct: TaskDatabase, database: TaskDatabase
) -> None:
    report = looks(direct, MIGRATION_DATABASE_URL=direct.task_app)
    assert report.bad() == {"owner": "FAIL", "roles": "FAIL"}
    report = looks(direct, MIGRATION_DATABASE_URL=database.owner)
    assert report.bad() == {"same database": "FAIL"}


def test_the_version_of_the_server_is_judged_as_the_audit_judges_it(direct: TaskDatabase) -> None:
    (check,) = [check for check in checks.checks() if check.id == "server_version"]
    with psycopg.connect(direct.superuser) as connection:
        faults = checks.run(check, connection).findings
    found = looks(direct).findings["server version"]
    assert found.level == ("warn" if faults else "ok")
    assert all(fault.detail in found.said for fault in faults)


def test_a_pooler_is_noticed_and_is_nothing_to_migrate_through(
    cluster: Cluster, direct: TaskDatabase
) -> None:
    with pgbouncer(cluster.superuser) as url:
        pooled = Cluster(cluster.superuser, url).url("task_app", name_of(direct))
        report = looks(direct, DATABASE_URL=pooled, MIGRATION_DATABASE_URL=pooled)
    assert report.findings["pooler"].said.startswith("yes")
    assert report.owner["direct"].level == "FAIL"
    assert report.owner["same database"].level == "ok"
    kept = report.findings["prepared statements"]
    assert (kept.level == "ok") == (kept.said == "kept")


def test_prepared_statements_that_a_pooler_loses_are_noticed(
    cluster: Cluster, direct: TaskDatabase
) -> None:
    settings = {"max_prepared_statements": 0} if version() >= (1, 21) else {}
    with pgbouncer(cluster.superuser, **settings) as url:
        pooled = Cluster(cluster.superuser, url).url("task_app", name_of(direct))
        report = looks(direct, DATABASE_URL=pooled)
    assert report.bad() == {"prepared statements": "warn"}


@pytest.fixture(scope="module")
def encrypted() -> Iterator[Secure]:
    with secure() as server:
        yield server


@pytest.mark.parametrize(
    ("query", "level", "said"),
    [
        ("sslmode=require&channel_binding=require", "warn", "was not verified"),
        ("sslmode=verify-ca&sslrootcert={authority}", "warn", "not that it is for this host"),
        ("sslmode=verify-full&sslrootcert={authority}", "ok", "verified for this host"),
        ("sslmode=disable", "ok", "does not leave this machine"),
    ],
)
def test_whether_the_connection_is_encrypted_and_to_whom_is_said(
    encrypted: Secure, query: str, level: str, said: str
) -> None:
    with encrypted.cluster.database() as database:
        url = f"{database.task_app}?{query.format(authority=encrypted.authority)}"
        report = looks(database, DATABASE_URL=url)
    assert (report.findings["TLS"].level, report.code) == (level, 0)
    assert said in report.findings["TLS"].said


def test_only_what_stays_on_this_machine_may_go_without_encryption() -> None:
    assert all(map(is_local, ("", None, ("127.0.0.1", 5432), ("::1", 5432, 0, 0))))
    assert not any(map(is_local, (("10.0.0.7", 5432), ("fe80::1", 5432, 0, 0))))


@pytest.fixture
def with_keys(direct: TaskDatabase, issuer: Issuer) -> dict[str, str]:
    """Settings of JWKS mode, in which all is well."""
    issuer.makes_key("first")
    return {"DATABASE_URL": direct.task_app} | issuer.settings


def test_the_keys_of_the_issuer_are_fetched(issuer: Issuer, with_keys: dict[str, str]) -> None:
    issuer.makes_key("second", "ES256")
    report = doctor(**with_keys)
    assert report.bad() == {}
    assert report.findings["key set"].said.startswith("1 usable")
    assert "first (EdDSA)" in report.findings["key set"].said
    assert issuer.origin in report.findings["mode"].said
    assert report.findings["issuer's clock"].level == "ok"
    both = doctor(**with_keys, AUTH_ALGORITHMS="EdDSA,ES256")
    assert both.findings["key set"].said.startswith("2 usable")


def test_keys_that_cannot_be_had_fail(issuer: Issuer, with_keys: dict[str, str]) -> None:
    report = doctor(**with_keys, AUTH_ALGORITHMS="RS256")
    assert report.bad() == {"key set": "FAIL"}
    assert "no usable key" in report.findings["key set"].said
    issuer.status = 500
    assert "the issuer answered 500" in doctor(**with_keys).findings["key set"].said


@pytest.mark.parametrize("ahead", [-60.0, 60.0])
def test_an_issuer_of_another_time_is_noticed(
    issuer: Issuer, with_keys: dict[str, str], ahead: float
) -> None:
    issuer.ahead = ahead
    report = doctor(**with_keys)
    assert report.bad() == {"issuer's clock": "warn"}
    assert ("ahead of" in report.findings["issuer's clock"].said) == (ahead > 0)
    issuer.headers["Age"] = "60"
    assert doctor(**with_keys).findings["issuer's clock"].level == "skip"


@pytest.mark.parametrize("wrong", [-60.0, 60.0])
def test_a_database_of_another_time_is_noticed(
    direct: TaskDatabase,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    wrong: float,
) -> None:
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + wrong)
    monkeypatch.setenv("DATABASE_URL", direct.task_app)
    monkeypatch.setenv("BETTER_AUTH_SECRET", SECRET)
    report = read(Outcome(main(["doctor"]), *capfd.readouterr()))
    assert report.bad() == {"clock": "warn"}
    assert ("ahead of" in report.findings["clock"].said) == (wrong < 0)


def test_keys_that_come_in_the_open_are_noticed() -> None:
    report = doctor(
        AUTH_JWKS_URL="http://nobody.invalid/jwks?key=hush-hush",
        AUTH_ISSUER="https://auth.example.com",
        AUTH_AUDIENCE="https://auth.example.com",
    )
    assert report.findings["transport"].level == "warn"
    assert report.findings["AUTH_JWKS_URL"].said == "http://nobody.invalid/jwks"


@pytest.fixture
def a_redis() -> Iterator[Redis]:
    with redis("--bind", "127.0.0.1", "127.0.0.2") as one:
        yield one


def counting(url: str, **settings: str) -> Report:
    """What is found of this Redis; there is no database."""
    patient = {"RATE_LIMIT_STORAGE_TIMEOUT": "5"} | settings
    return doctor(
        RATE_LIMIT_STORAGE=url, DATABASE_URL=NOWHERE, BETTER_AUTH_SECRET=SECRET, **patient
    )


def test_a_redis_that_counts_is_well(a_redis: Redis) -> None:
    report = counting(a_redis.url)
    assert report.findings["shared count"].level == "ok"
    assert "encryption" not in report.findings
    assert report.findings["shared count"].said.startswith("in Redis: ")
    there = a_redis.url.partition("@")[2]
    assert report.findings["RATE_LIMIT_STORAGE"].said == f"redis://{there}"


def test_without_redis_each_process_counts_by_itself() -> None:
    report = doctor(DATABASE_URL=NOWHERE, BETTER_AUTH_SECRET=SECRET)
    assert report.findings["shared count"] == Finding("ok", "none: each process counts by itself")


def test_a_redis_across_a_network_is_better_encrypted(a_redis: Redis) -> None:
    report = counting(a_redis.url.replace("127.0.0.1", "127.0.0.2"))
    assert report.findings["encryption"].level == "warn"
    assert "rediss://" in report.findings["encryption"].remedy


def fails(url: str, said: str, **settings: str) -> None:
    found = counting(url, **settings).findings["shared count"]
    assert found.level == "FAIL"
    assert said in found.said
    assert found.remedy.startswith("Check RATE_LIMIT_STORAGE, and that Redis is up")


@pytest.mark.parametrize(
    ("given", "instead", "said"),
    [
        ("redis://:", "redis://:hush-hush", "Error: it refuses the user or the password"),
        ("redis://:", "redis://eve:", "AuthenticationError: it refuses the user or the password"),
        (f":{quote(PASSWORD)}@", "", "Error: it wants a password, and the URL has none"),
        ("/0", "/99", "ResponseError: it has no database of that number"),
        ("/0", f"/{10**20}", "ResponseError: it has no database of that number"),
        ("127.0.0.1", "no.such.host.invalid", "ConnectionError: "),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_url_of_redis_fails(
    a_redis: Redis, given: str, instead: str, said: str
) -> None:
    assert given in a_redis.url
    fails(a_redis.url.replace(given, instead), said)


def test_a_redis_that_is_away_fails(a_redis: Redis) -> None:
    a_redis.goes()
    fails(a_redis.url, "ConnectionError: Connection refused")


def test_a_redis_slower_than_the_server_waits_for_is_warned_of(a_redis: Redis) -> None:
    found = counting(a_redis.url, RATE_LIMIT_STORAGE_TIMEOUT="0.0001").findings["shared count"]
    assert found.level == "warn"
    assert "0.1 ms" in found.said
    assert "RATE_LIMIT_STORAGE_TIMEOUT" in found.remedy


def test_a_redis_that_hangs_fails(a_redis: Redis) -> None:
    a_redis.hangs()
    fails(a_redis.url, "TimeoutError: no answer in time")


def test_a_redis_that_only_reads_fails() -> None:
    with redis("--replicaof", "127.0.0.1", "1", "--replica-serve-stale-data", "yes") as replica:
        fails(replica.url, "ReadOnlyError")


def test_a_redis_whom_nobody_vouches_for_fails(tmp_path: Path) -> None:
    authority, other = (Authority(tmp_path, name) for name in ("authority", "other"))
    certificate, key = tmp_path / "redis.crt", tmp_path / "redis.key"
    authority.vouches("localhost", certificate, key)
    with redis() as a_redis:
        a_redis.goes()
        a_redis.speaks_tls(certificate, key)
        a_redis.comes()
        trusted = counting(a_redis.url, SSL_CERT_FILE=str(authority.certificate))
        assert trusted.findings["shared count"].level == "ok"
        said = "ConnectionError: its certificate is refused: "
        fails(a_redis.url, said, SSL_CERT_FILE=str(other.certificate))
        fails(a_redis.url.replace("rediss://", "redis://"), "ConnectionError")


def test_a_server_that_speaks_no_tls_fails() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answers() -> None:
            for _ in range(2):  # it is tried again once
                client, _ = listener.accept()
                client.sendall(b"-ERR Protocol error\r\n" * 10)
                client.close()

        thread = threading.Thread(target=answers, daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        fails(f"rediss://:hush-hush@127.0.0.1:{port}/0", "ConnectionError: TLS failed: ")


def test_each_process_wakes_its_own_streams_alone(direct: TaskDatabase) -> None:
    found = looks(direct).findings["streams"]
    assert (found.level, "each process wakes its own alone" in found.said) == ("ok", True)


def test_streams_are_woken_through_redis() -> None:
    with redis() as there:
        report = doctor(
            DATABASE_URL=NOWHERE, BETTER_AUTH_SECRET=SECRET, RATE_LIMIT_STORAGE=there.url
        )
    assert "through the Redis" in report.findings["streams"].said
    assert report.findings["streams"].level == "ok"


def test_streams_are_not_woken_through_a_redis_that_is_away_or_refuses(a_redis: Redis) -> None:
    stranger = counting(a_redis.url.replace("redis://:", "redis://:hush-hush")).findings["streams"]
    assert stranger.level == "FAIL"
    assert "it refuses the user or the password" in stranger.said
    a_redis.goes()
    away = counting(a_redis.url).findings["streams"]
    assert (away.level, "Connection refused" in away.said) == ("FAIL", True)
    assert away.remedy.startswith("Check RATE_LIMIT_STORAGE")


def test_a_notify_is_heard_on_a_direct_connection_to_the_same_database(
    direct: TaskDatabase, cluster: Cluster
) -> None:
    found = looks(direct, LISTEN_DATABASE_URL=direct.task_app).findings["streams"]
    assert (found.level, "through LISTEN" in found.said) == ("ok", True)
    with cluster.database() as other:
        found = looks(direct, LISTEN_DATABASE_URL=other.direct).findings["streams"]
    assert (found.level, "is not heard" in found.said) == ("FAIL", True)
    with pgbouncer(direct.superuser) as pooled:
        found = looks(direct, LISTEN_DATABASE_URL=pooled).findings["streams"]
    assert (found.level, "is not heard" in found.said) == ("FAIL", True)
    found = looks(direct, LISTEN_DATABASE_URL=NOWHERE).findings["streams"]
    assert found.level == "FAIL"
    assert "LISTEN_DATABASE_URL" in found.remedy


def test_what_wakes_the_streams_is_skipped_if_the_settings_are_refused() -> None:
    assert doctor(BETTER_AUTH_SECRET=SECRET).findings["streams"].level == "skip"
