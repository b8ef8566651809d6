"""What PostgreSQL is told in one go, and what it answers."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import psycopg
import pytest

from api.database.connector import Connector
from api.database.pipeline import BEGIN, COMMIT, ROLLBACK, Call, Connection, Pipeline
from tests.cluster import TaskDatabase

PATIENCE = 10.0
HARD = 'a "quoted" word, a \\backslash, {braces}, NULL, a\nline and 日本語 🥛'

pytestmark = pytest.mark.anyio


@pytest.fixture
async def connection(database: TaskDatabase) -> AsyncIterator[Connection]:
    connection = await Connector(database.direct)(PATIENCE)
    yield connection
    connection.terminate()


async def only(connection: Connection, sql: str, *arguments: object) -> Any:
    """The one value of the one row."""
    ((row,),) = await connection.pipeline.run(Call(sql, arguments))
    (value,) = row.values()
    return value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "Buy milk"),
        ("text", ""),
        ("text", HARD),
        ("text", None),
        ("boolean", True),
        ("boolean", False),
        ("bigint", 2**63 - 1),
        ("bigint", -(2**63)),
        ("smallint", 7),
        ("double precision", None),
    ],
)
async def test_a_value_comes_back_as_it_was(
    connection: Connection, kind: str, value: object
) -> None:
    got = await only(connection, f"select $1::{kind} as got", value)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize("values", [[], ["milk"], [HARD, "", "null"], ["{}", '"', "\\", ","]])
async def test_a_list_of_texts_is_those_texts(connection: Connection, values: list[str]) -> None:
    joined = await only(connection, "select array_to_string($1::text[], '|', '?') as got", values)
    assert joined == "|".join(values)
    assert await only(connection, "select cardinality($1::text[]) as got", values) == len(values)


async def test_a_list_of_numbers_is_those_numbers(connection: Connection) -> None:
    assert await only(connection, "select $1::bigint = any ($2::bigint[]) as got", 7, (1, 7))
    assert not await only(connection, "select $1::bigint = any ($2::bigint[]) as got", 8, [1, 7])


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 22, 8, 30, 0, 1, tzinfo=UTC),
        datetime(1, 1, 2, tzinfo=UTC),
        datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=UTC),
        # further from Greenwich than PostgreSQL reads
        datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=23, minutes=59))),
    ],
)
async def test_a_moment_is_that_moment(connection: Connection, moment: datetime) -> None:
    sql = (
        "select to_char($1::timestamptz at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US') as got"
    )
    got = await only(connection, sql, moment)
    assert datetime.fromisoformat(got).replace(tzinfo=UTC) == moment


async def test_an_age_is_that_long(connection: Connection) -> None:
    sql = "select extract(epoch from $1::interval)::double precision as got"
    assert await only(connection, sql, timedelta(hours=24)) == 86_400
    assert await only(connection, sql, timedelta(milliseconds=1)) == 0.001


async def test_what_cannot_be_told_is_not_begun(connection: Connection) -> None:
    with pytest.raises(KeyError):
        await connection.pipeline.run(BEGIN, Call("select $1::text", (object(),)))
    assert not connection.pipeline.in_transaction
    assert await only(connection, "select 1 as got") == 1


async def test_each_call_has_its_own_rows(connection: Connection) -> None:
    numbers = Call("select n from generate_series(1, $1::bigint) as n", (3,))
    nothing = Call("select 1 as n where false")
    answers = await connection.pipeline.run(BEGIN, numbers, nothing, numbers, COMMIT)
    assert answers == [[], [{"n": 1}, {"n": 2}, {"n": 3}], [], [{"n": 1}, {"n": 2}, {"n": 3}], []]


async def test_what_comes_after_a_failure_is_not_run(
    connection: Connection, database: TaskDatabase
) -> None:
    insert = "insert into task (user_id, title) values ($1, $2) returning id"
    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        await connection.pipeline.run(
            BEGIN,
            Call("select set_config('app.user_id', $1, true)", ("alice-the-first",)),
            Call("select 'x'::text::bigint"),
            Call(insert, ("alice-the-first", "Buy milk")),
            COMMIT,
        )
    assert connection.pipeline.has_failed
    await connection.pipeline.run(ROLLBACK)
    assert not connection.pipeline.in_transaction
    with psycopg.connect(database.superuser) as everybody:
        found = everybody.execute("select 1 from task where user_id = 'alice-the-first'")
        assert found.fetchall() == []


async def test_it_is_told_which_constraint_was_broken(connection: Connection) -> None:
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await connection.pipeline.run(
            BEGIN,
            Call("select set_config('app.user_id', 'alice', true)"),
            Call("insert into task (user_id, title) values ('alice', '')"),
        )
    assert refused.value.sqlstate == "23514"
    assert refused.value.constraint_name == "task_title_check"


async def test_a_statement_is_prepared_once(connection: Connection) -> None:
    sql = "select $1::bigint as got"
    for number in range(3):
        assert await only(connection, sql, number) == number
    found = "select count(*) as got from pg_prepared_statements where statement = $1"
    assert await only(connection, found, sql) == 1


async def test_only_so_many_stay_prepared(connection: Connection) -> None:
    for number in range(150):
        assert await only(connection, f"select {number} as got") == number
    assert await only(connection, "select 0 as got") == 0  # forgotten, and prepared again
    assert await only(connection, "select count(*) as got from pg_prepared_statements") <= 101


async def test_what_was_rejected_is_tried_again(
    connection: Connection, database: TaskDatabase
) -> None:
    sql = "select title as got from seldom"
    with pytest.raises(asyncpg.UndefinedTableError):
        await only(connection, sql)
    with psycopg.connect(database.superuser, autocommit=True) as owner:
        owner.execute("create table seldom as select 'there' as title")
        owner.execute("grant select on seldom to task_app")
        assert await only(connection, sql) == "there"
        owner.execute("drop table seldom")


async def test_warnings_and_settings_in_between_are_no_answers(connection: Connection) -> None:
    named = Call("set application_name = 'somebody'")
    answers = await connection.pipeline.run(BEGIN, BEGIN, named, Call("select 1 as n"), COMMIT)
    assert answers == [[], [], [], [{"n": 1}], []]


async def test_a_long_answer_is_put_together(connection: Connection) -> None:
    rows = await connection.pipeline.read(
        "select n, repeat('milk ', 1000) as title from generate_series(1, 1000) as n"
    )
    assert [row["n"] for row in rows] == list(range(1, 1001))
    assert {row["title"] for row in rows} == {"milk " * 1000}


async def test_a_long_question_arrives(connection: Connection) -> None:
    calls = [Call("select length($1) as n", ("m" * 100_000,)) for _ in range(100)]
    assert await connection.pipeline.run(*calls) == [[{"n": 100_000}]] * 100


async def test_an_answer_may_come_in_drops(database: TaskDatabase) -> None:
    async with way(database.direct, drips=True) as there:
        connection = await Connector(there.url)(PATIENCE)
        for _ in range(2):
            rows = await connection.pipeline.read(
                "select n, 'milk' as t from generate_series(1, 9) n"
            )
            assert rows == [{"n": n, "t": "milk"} for n in range(1, 10)]
        with pytest.raises(asyncpg.DivisionByZeroError):
            await connection.pipeline.run(Call("select 1 / 0"))
        assert await only(connection, "select 1 as got") == 1
        await connection.close()


async def test_an_answer_is_copied_as_it_comes_and_not_once_more_with_every_part_of_it(
    database: TaskDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive = Pipeline.data_received
    came = copied = 0

    def counted(self: Pipeline, data: bytes) -> None:
        nonlocal came, copied
        known = [*self._parts, data]
        receive(self, data)
        came += len(data)
        copied += sum(
            len(part) for part in self._parts if not any(part is other for other in known)
        )

    monkeypatch.setattr(Pipeline, "data_received", counted)
    connection = await Connector(database.direct)(PATIENCE)
    length = 20 * 10**6
    assert len(await only(connection, "select repeat('m', $1::int) as got", length)) == length
    assert came > length
    assert copied < came
    connection.terminate()


async def test_long_rows_are_put_together_whatever_their_lengths(connection: Connection) -> None:
    rows = await connection.pipeline.read(
        "select n, repeat(chr(64 + n % 32), n * n * 40) as t from generate_series(0, 160) as n"
    )
    assert [len(row["t"]) for row in rows] == [n * n * 40 for n in range(161)]
    assert all({*row["t"]} <= {chr(64 + row["n"] % 32)} for row in rows)


# ParameterStatus, which a server or a pooler may send at any time, and in parts
MARS = b"S" + struct.pack("!i", 4 + 14) + b"TimeZone\0Mars\0"
assert len(MARS) == 19


@pytest.mark.parametrize("length", [1, 4, 5, 6, 18, 19])
@pytest.mark.parametrize("arrives", ["while nothing is asked", "with the answer"])
async def test_what_is_told_unasked_may_come_in_parts(
    database: TaskDatabase, length: int, arrives: str
) -> None:
    async with way(database.direct) as there:
        connection = await Connector(there.url)(PATIENCE)
        assert await only(connection, "select 1 as got") == 1
        await there.tells(MARS[:length])
        if arrives == "with the answer":
            there.before_the_next += MARS[length:]
        else:
            await there.tells(MARS[length:])
            assert connection.get_settings().TimeZone == "Mars"
        async with asyncio.timeout(PATIENCE / 4):
            assert await only(connection, "select 2 as got") == 2
        assert connection.get_settings().TimeZone == "Mars"  # asyncpg is told, and whole
        assert await connection.fetchval("select 3") == 3
        await connection.close()


async def test_what_is_told_unasked_in_the_middle_of_an_answer_is_no_part_of_it(
    connection: Connection,
) -> None:
    zone = Call("select set_config('TimeZone', 'Europe/Rome', false) as zone")
    answers = await connection.pipeline.run(zone, Call("select 1 as n"))
    assert answers == [[{"zone": "Europe/Rome"}], [{"n": 1}]]
    assert connection.get_settings().TimeZone == "Europe/Rome"


async def test_it_is_idle_when_nothing_is_asked_and_the_server_said_so(
    connection: Connection,
) -> None:
    pipeline = connection.pipeline
    assert pipeline.is_idle
    asked = asyncio.create_task(pipeline.run(Call("select pg_sleep(0.1)")))
    await asyncio.sleep(0.02)
    assert not pipeline.is_idle
    await asked
    assert pipeline.is_idle
    await pipeline.run(BEGIN)
    assert not pipeline.is_idle
    await pipeline.run(ROLLBACK)
    assert pipeline.is_idle
    await connection.execute("begin")  # by way of asyncpg
    assert not pipeline.is_idle
    await connection.execute("rollback")
    assert pipeline.is_idle
    connection.terminate()
    await asyncio.sleep(0.05)
    assert not pipeline.is_idle


async def test_a_connection_is_asked_one_thing_at_a_time(connection: Connection) -> None:
    asked = asyncio.create_task(only(connection, "select 1 as got from pg_sleep(0.2)"))
    await asyncio.sleep(0.05)
    with pytest.raises(asyncpg.InterfaceError):
        await only(connection, "select 2 as got")
    assert await asked == 1


async def test_who_is_cancelled_leaves_no_answer_to_the_next(connection: Connection) -> None:
    asked = asyncio.create_task(only(connection, "select 1 as got from pg_sleep(0.2)"))
    await asyncio.sleep(0.05)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    with pytest.raises(asyncpg.InterfaceError):
        await only(connection, "select 2 as got")


async def test_who_was_thrown_out_is_told_why(
    connection: Connection, database: TaskDatabase
) -> None:
    asked = asyncio.create_task(only(connection, "select 1 as got from pg_sleep(60)"))
    await asyncio.sleep(0.1)
    with psycopg.connect(database.superuser, autocommit=True) as superuser:
        superuser.execute("select pg_terminate_backend(%s)", [connection.get_server_pid()])
    with pytest.raises(asyncpg.AdminShutdownError):
        await asyncio.wait_for(asked, PATIENCE)
    await asyncio.sleep(0.2)
    assert connection.is_closed()
    with pytest.raises(asyncpg.PostgresConnectionError):
        await asyncio.wait_for(only(connection, "select 1 as got"), PATIENCE)


async def test_who_is_cut_off_does_not_wait_for_ever(connection: Connection) -> None:
    asked = asyncio.create_task(only(connection, "select 1 as got from pg_sleep(60)"))
    await asyncio.sleep(0.1)
    connection.terminate()
    with pytest.raises(asyncpg.PostgresConnectionError):
        await asyncio.wait_for(asked, PATIENCE)


async def test_asyncpg_can_be_asked_on_the_same_connection(connection: Connection) -> None:
    await connection.pipeline.run(
        BEGIN, Call("select set_config('app.user_id', $1, true)", ("alice",))
    )
    assert await connection.fetchval("select current_setting('app.user_id')") == "alice"
    await connection.pipeline.run(COMMIT)
    assert await connection.fetchval("select current_setting('app.user_id')") == ""


@dataclass
class Way:
    """The way to a database, on which somebody else may tell something, too."""

    url: str
    drips: bool
    before_the_next: bytes = b""  # is carried together with the answer that comes next
    answers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def tells(self, content: bytes) -> None:
        """This arrives by itself."""
        self.answers[-1].write(content)
        await asyncio.sleep(0.05)

    async def carry(self, content: bytes) -> None:
        content, self.before_the_next = self.before_the_next + content, b""
        if not self.drips:
            self.answers[-1].write(content)
            return
        for byte in content:
            self.answers[-1].write(bytes([byte]))
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def way(url: str, *, drips: bool = False) -> AsyncIterator[Way]:
    """The way to this database; if it `drips`, every byte of an answer comes by itself."""
    parts = urlsplit(url)
    ended = asyncio.Event()

    async def carry(client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        server, questions = await reached(url)
        there.answers.append(answers)

        async def ask() -> None:
            while content := await client.read(65536):
                questions.write(content)

        asking = asyncio.create_task(ask())
        with contextlib.suppress(OSError):
            while content := await server.read(65536):
                await there.carry(content)
        asking.cancel()
        for writer in (questions, answers):
            writer.transport.abort()
        ended.set()

    async with await asyncio.start_server(carry, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        who = parts.netloc.rpartition("@")[0]
        there = Way(parts._replace(netloc=f"{who}@127.0.0.1:{port}", query="").geturl(), drips)
        yield there
        await asyncio.wait_for(ended.wait(), PATIENCE)


async def reached(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The database, on its socket or its port."""
    parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
    if parts.hostname:
        return await asyncio.open_connection(parts.hostname, parts.port or 5432)
    (folder,), (port,) = query["host"], query.get("port", ["5432"])
    return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")
