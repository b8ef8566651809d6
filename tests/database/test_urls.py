"""One URL is read alike by libpq, for the owner, and by the driver of the server."""

import socket
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from api import postgres_url
from api.commands.migrate import migrate
from api.database.connector import CannotConnect, Connector
from api.settings import DatabaseSettings, MigrationSettings, SettingsError, load
from tests.cluster import TaskDatabase, with_query
from tests.program import run
from tests.tls import HOST, Secure, secure

URL: Final = "postgresql://"
WORST: Final = {"user": "o", "password": "a@b/c?d#e[f]g:h %", "host": "h", "dbname": "d"}

# libpq's reading of each, which is ours.
READ: Final[dict[str, dict[str, str]]] = {
    "o:p@h:5433/d": {"user": "o", "password": "p", "host": "h", "port": "5433", "dbname": "d"},
    "": {},
    "/d": {"dbname": "d"},
    "h": {"host": "h"},
    "o@/d": {"user": "o", "dbname": "d"},
    "o@:5433/d": {"user": "o", "port": "5433", "dbname": "d"},
    "o:@h": {"user": "o", "host": "h"},
    ":p@h": {"password": "p", "host": "h"},
    "o:a:b@h": {"user": "o", "password": "a:b", "host": "h"},
    "o:a+b@h": {"user": "o", "password": "a+b", "host": "h"},
    "o:a%40b%2Fc%3Fd%23e%5Bf%5Dg%3Ah%20%25@h/d": WORST,
    "o%40corp:p@h": {"user": "o@corp", "password": "p", "host": "h"},
    "o:p%c3%bc@h/%C3%BC": {"user": "o", "password": "pü", "host": "h", "dbname": "ü"},
    "ü@h/ü": {"user": "ü", "host": "h", "dbname": "ü"},
    "h/a%20b": {"host": "h", "dbname": "a b"},
    "h/a/b": {"host": "h", "dbname": "a/b"},
    "h/d#x": {"host": "h", "dbname": "d#x"},
    "h?dbname=d": {"host": "h", "dbname": "d"},
    "h/d?dbname=e": {"host": "h", "dbname": "e"},
    "o:p@h/d?user=u&password=q": {"user": "u", "password": "q", "host": "h", "dbname": "d"},
    "h:1/d?host=i&port=2": {"host": "i", "port": "2", "dbname": "d"},
    "h:1/d?host=i": {"host": "i", "port": "1", "dbname": "d"},
    "/d?host=/run/postgresql": {"host": "/run/postgresql", "dbname": "d"},
    "%2Frun%2Fpostgresql/d": {"host": "/run/postgresql", "dbname": "d"},
    "/d?host=::1": {"host": "::1", "dbname": "d"},
    "[::1]/d": {"host": "::1", "dbname": "d"},
    "[::1]:5433/d": {"host": "::1", "port": "5433", "dbname": "d"},
    "o@[2001:db8::1]:1,[::1]": {"user": "o", "host": "2001:db8::1,::1", "port": "1,"},
    "a,b/d": {"host": "a,b", "port": ",", "dbname": "d"},
    "a:1,b:2,c/d": {"host": "a,b,c", "port": "1,2,", "dbname": "d"},
    "/d?host=a,b&port=1,2": {"host": "a,b", "port": "1,2", "dbname": "d"},
    "a,b/d?target_session_attrs=read-write": {
        "host": "a,b",
        "port": ",",
        "dbname": "d",
        "target_session_attrs": "read-write",
    },
    "h/d?hostaddr=127.0.0.1": {"host": "h", "hostaddr": "127.0.0.1", "dbname": "d"},
    "/d?hostaddr=127.0.0.1,::1": {"hostaddr": "127.0.0.1,::1", "dbname": "d"},
    "h/d?application_name=a+b": {"host": "h", "dbname": "d", "application_name": "a+b"},
    "h/d?application_name=a%20b%26": {"host": "h", "dbname": "d", "application_name": "a b&"},
    "h/d?options=-cwork_mem%3D1MB": {"host": "h", "dbname": "d", "options": "-cwork_mem=1MB"},
    "h/d?ssl=true": {"host": "h", "dbname": "d", "sslmode": "require"},
    "h/d?sslmode=disable&sslmode=require": {"host": "h", "dbname": "d", "sslmode": "require"},
    "h/d?sslmode=require&channel_binding=require": {
        "host": "h",
        "dbname": "d",
        "sslmode": "require",
        "channel_binding": "require",
    },
    "h/d?ssl%6dode=require&": {"host": "h", "dbname": "d", "sslmode": "require"},
    "/d?user=o@corp": {"user": "o@corp", "dbname": "d"},
    "h/d?": {"host": "h", "dbname": "d"},
    "h/d?passfile=": {"host": "h", "dbname": "d", "passfile": ""},
}

FORM: Final = "is not a URL such as postgresql://"
# What is refused, with what is said of it; and libpq's reading, or None if it refuses it as well.
REFUSED: Final[dict[str, tuple[str, dict[str, str] | None]]] = {
    "o:hush#x@h/d": ("%23 (#)", {"user": "o", "password": "hush#x", "host": "h", "dbname": "d"}),
    "o:hush?x@h/d": ("%3F (?)", {"user": "o", "password": "hush?x", "host": "h", "dbname": "d"}),
    "o:hush[x@h/d": ("%5B ([)", {"user": "o", "password": "hush[x", "host": "h", "dbname": "d"}),
    "o:hush]x@h/d": ("%5D (])", {"user": "o", "password": "hush]x", "host": "h", "dbname": "d"}),
    "o:1/hush@h/d": ("%2F (/)", {"host": "o", "port": "1", "dbname": "hush@h/d"}),
    "o:hush@x@h/d": (
        "%40 (@)",
        {"user": "o", "password": "hush", "host": "x@h", "dbname": "d"},
    ),
    "o:1/hush?x@h/d": ("%40 (@)", None),
    "o:1/hush?x=y@h/d": ("%40 (@)", None),
    "o:hush%zz@h/d": ("%25 (%)", None),
    "o:hush%00@h/d": ("percent-encoded", None),
    "o:hush%ff@h/d": ("not UTF-8", None),
    "h/hush hush": ("has a blank", None),
    "h/hush\thush": ("has a blank", {"host": "h", "dbname": "hush\thush"}),
    "h/d?search_path=hush": (
        "a parameter that libpq does not know: search_path",
        None,
    ),
    "h/d?sslmode": ("behind its ? are parameters", None),
    "h/d?sslmode=a=hush": ("behind its ? are parameters", None),
    "h/d?&sslmode=require": ("behind its ? are parameters", None),
    "[::1": (FORM, None),
    "[::1]x/d": (FORM, None),
    "[]/d": (FORM, None),
    "o:hush@::1/d": (FORM, {"user": "o", "password": "hush", "port": ":1", "dbname": "d"}),
    "h:0/d": (FORM, {"host": "h", "port": "0", "dbname": "d"}),
    "h:hush/d": (FORM, {"host": "h", "port": "hush", "dbname": "d"}),
    "/d?host=h&port=99999": (FORM, {"host": "h", "port": "99999", "dbname": "d"}),
    "a,,b/d": ("names no host between two", {"host": "a,,b", "port": ",,", "dbname": "d"}),
    "/d?host=[::1]": ("an IPv6 address has none", {"host": "[::1]", "dbname": "d"}),
    "h/d?sslmode=": ("no value for sslmode", {"host": "h", "dbname": "d", "sslmode": ""}),
    "/d?target_session_attrs=": (
        "no value for target_session_attrs",
        {"dbname": "d", "target_session_attrs": ""},
    ),
    "/d?hostaddr=hush": ("a hostaddr that is no IP", {"hostaddr": "hush", "dbname": "d"}),
}


def libpqs(url: str) -> dict[str, str | int | None] | None:
    """How libpq reads it; None if it refuses it."""
    try:
        return conninfo_to_dict(url)
    except (psycopg.ProgrammingError, UnicodeError):
        return None


def refusals(monkeypatch: pytest.MonkeyPatch, url: str) -> set[str]:
    """What serve and migrate say of it."""
    said = set()
    for name, kind in (
        ("DATABASE_URL", DatabaseSettings),
        ("MIGRATION_DATABASE_URL", MigrationSettings),
    ):
        monkeypatch.setenv(name, url)
        with pytest.raises(SettingsError) as refused:
            load(kind)
        said.add(str(refused.value).removeprefix(f"{name} "))
    return said


@pytest.mark.parametrize("url", READ)
def test_what_is_taken_is_read_as_libpq_reads_it(url: str) -> None:
    assert postgres_url.read(URL + url) == libpqs(URL + url) == READ[url]
    assert postgres_url.read(f"postgres://{url}") == READ[url]


@pytest.mark.evidence("password-leaks")
@pytest.mark.parametrize("url", REFUSED)
def test_what_is_refused_is_refused_alike_in_words_without_the_password(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, reading = REFUSED[url]
    (said,) = refusals(monkeypatch, URL + url)
    assert words in said
    assert "hush" not in said
    assert said.isprintable()
    assert libpqs(URL + url) == reading


@pytest.mark.parametrize("character", "#?[")
def test_what_is_to_be_percent_encoded_is_said(
    character: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (said,) = refusals(monkeypatch, f"{URL}o:a{character}b@h/d")
    assert said.startswith(FORM)
    assert f"{character} in its password" in said
    assert f"percent-encode it, as {quote(character)} ({character})" in said


PIECES: Final = [*"ab:@/?#[]=&,%+ 14é\n", "%41", "%2C", "user=", "host=", "port=", "[::1]"]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_whatever_is_taken_libpq_reads_it_alike(text: str) -> None:
    try:
        ours = postgres_url.read(URL + text)
    except postgres_url.InvalidURL:
        return
    assert ours == libpqs(URL + text)


TEXT: Final = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@given(TEXT, TEXT)
def test_every_password_and_name_can_be_written(password: str, name: str) -> None:
    url = f"{URL}o:{quote(password, '')}@h/{quote(name, '')}"
    expected = {"user": "o", "password": password, "host": "h", "dbname": name}
    assert postgres_url.read(url) == libpqs(url) == expected


def test_every_parameter_of_libpq_is_known() -> None:
    assert {one.keyword.decode() for one in pq.Conninfo.get_defaults()} == postgres_url.PARAMETERS


@pytest.mark.parametrize("around", ["{}\n", " {}", "\t{} \r\n"])
def test_blanks_around_a_url_are_ignored(around: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql://o:p@h/d"
    monkeypatch.setenv("DATABASE_URL", around.format(url))
    monkeypatch.setenv("MIGRATION_DATABASE_URL", around.format(url))
    assert load(DatabaseSettings).database_url.get_secret_value() == url
    assert load(MigrationSettings).migration_database_url.get_secret_value() == url


@pytest.mark.parametrize(
    "url",
    ["o@/d?host=ep-x-pooler.eu.neon.tech", "o@ep-x%2Dpooler.neon.tech/d", "o@h,ep-x-POOLER.a/d"],
)
def test_neons_pooler_is_found_wherever_it_is_written(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIGRATION_DATABASE_URL", URL + url)
    with pytest.raises(SettingsError, match="without -pooler"):
        load(MigrationSettings)


# The same database, said otherwise; {d}: its name, {r}: the role, {f}: the folder of the socket,
# {q}: the folder quoted, {p}: the port of the socket.
SAME: Final = {
    "all in the query": "?user={r}&dbname={d}&host={f}&port={p}",
    "the folder as the host": "{r}@{q}:{p}/{d}",
    "the query wins": "nobody@nowhere.invalid:1/none?user={r}&dbname={d}&host={f}&port={p}",
    "a folder without a server first": "{r}@%2Fnowhere:1,{q}:{p}/{d}",
    "read and write": "{r}@/{d}?host=/nowhere,{f}&port=1,{p}&target_session_attrs=read-write",
    "a plus in a name": "{r}@/{d}?host={f}&port={p}&application_name=a+b%2Bc",
    "encoded names of parameters": "{r}@/{d}?h%6Fst={q}&port={p}",
    "one port for both": "{r}@/{d}?host=/nowhere,{f}&port={p}",
}


@pytest.mark.anyio
@pytest.mark.parametrize("form", SAME.values(), ids=SAME)
async def test_each_way_to_say_it_leads_both_to_the_same_database(
    form: str, own_database: TaskDatabase
) -> None:
    there = conninfo_to_dict(own_database.direct)

    def said(role: str) -> str:
        folder = str(there["host"])
        return URL + form.format(
            d=there["dbname"], r=role, f=folder, q=quote(folder, ""), p=there.get("port", 5432)
        )

    migrate(said(urlsplit(own_database.owner).username or ""))
    with psycopg.connect(said("task_app")) as connection:
        ours = connection.execute(WHO).fetchone()
    assert await asked(said("task_app")) == ours


WHO: Final = (
    "select current_database()::text, current_user::text, current_setting('application_name')"
)


async def asked(url: str) -> tuple[str, ...]:
    connection = await Connector(url)(5)
    try:
        return tuple(await connection.fetchrow(WHO))
    finally:
        await connection.close()


def test_the_commands_take_a_url_with_a_final_newline(own_database: TaskDatabase) -> None:
    assert run("migrate", MIGRATION_DATABASE_URL=f"{own_database.owner}\n").code == 0
    outcome = run("export", "alice", DATABASE_URL=f"\n{own_database.direct}\n")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


@pytest.fixture(scope="module")
def server() -> Iterator[Secure]:
    with secure() as server:
        yield server


@pytest.fixture(scope="module")
def there(server: Secure) -> Iterator[TaskDatabase]:
    with server.cluster.database() as database:
        yield database


@pytest.mark.anyio
@pytest.mark.parametrize("query", ["sslmode=disable", "sslmode=verify-full&sslrootcert={ca}"])
async def test_a_host_with_an_address_is_reached_there_and_verified_by_its_name(
    query: str, server: Secure, there: TaskDatabase
) -> None:
    """Nobody asks DNS: what leads elsewhere by its name is reached by the address."""
    query = query.format(ca=quote(str(server.authority), ""))
    for name in (HOST, "nowhere.invalid"):
        at = there.task_app.replace(f"@{HOST}:", f"@{name}:")
        url = with_query(at, f"{query}&hostaddr=127.0.0.1")
        if name != HOST and "verify" in query:
            with pytest.raises(CannotConnect, match=f"certificate is refused.*{name}"):
                await asked(url)
            with pytest.raises(psycopg.OperationalError, match=name):
                psycopg.connect(url)
        else:
            with psycopg.connect(url) as connection:
                assert connection.execute(WHO).fetchone() == await asked(url)


@pytest.mark.anyio
async def test_an_address_alone_is_enough(there: TaskDatabase) -> None:
    parts = urlsplit(there.task_app)
    url = f"{URL}task_app:{parts.password}@:{parts.port}{parts.path}?hostaddr=127.0.0.1"
    with psycopg.connect(url) as connection:
        assert connection.execute(WHO).fetchone() == await asked(url)


@pytest.mark.anyio
async def test_an_address_is_reached_whatever_folder_is_the_host(there: TaskDatabase) -> None:
    parts = urlsplit(there.task_app)
    url = f"{URL}task_app:{parts.password}@%2Fnowhere:{parts.port}{parts.path}?hostaddr=127.0.0.1"
    with psycopg.connect(url) as connection:
        assert connection.execute(WHO).fetchone() == await asked(url)


@pytest.mark.anyio
@pytest.mark.parametrize("addresses", ["127.0.0.2,127.0.0.1", "127.0.0.1,127.0.0.2"])
async def test_each_address_of_a_name_is_tried(there: TaskDatabase, addresses: str) -> None:
    """Of the two one listens."""
    parts = urlsplit(there.task_app)
    url = f"{URL}task_app:{parts.password}@{HOST},{HOST}{parts.path}?hostaddr={addresses}"
    url += f"&port={parts.port}&target_session_attrs=read-write&sslmode=prefer"
    with psycopg.connect(url) as connection:
        assert connection.execute(WHO).fetchone() == await asked(url)


@pytest.mark.anyio
async def test_each_host_has_an_address_or_none_has() -> None:
    url, said = f"{URL}o@a,b/d?hostaddr=127.0.0.1", "could not match 2 host names with 1 hostaddr"
    with pytest.raises(CannotConnect, match=said):
        await Connector(url)(5)
    with pytest.raises(psycopg.OperationalError, match=said):
        psycopg.connect(url)


@pytest.mark.anyio
async def test_an_ipv6_address_is_a_host_with_and_without_brackets() -> None:
    with socket.socket(socket.AF_INET6) as closed:
        closed.bind(("::1", 0))
        port = closed.getsockname()[1]
        for url in (f"o@[::1]:{port}/d", f"o@/d?host=::1&port={port}"):
            with pytest.raises(CannotConnect, match="ConnectionRefusedError"):
                await Connector(URL + url)(5)
