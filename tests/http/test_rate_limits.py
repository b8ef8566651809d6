"""Who asks too often is told when to come back, and nobody else has to wait for that."""

import asyncio
import contextlib
import gc
import re
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import jwt
import pytest
from starlette.types import Scope

from api.auth.authenticator import Authenticator, Unauthorized, named_by_operator
from api.http import rate_limits, shared_counters
from api.http.problems import Failure
from api.http.rate_limits import RateLimits
from api.http.routing import authenticated
from api.settings import Settings, SettingsError, load
from tests.cluster import TaskDatabase
from tests.people import SECRET, People, Person, signed
from tests.problems import problem
from tests.redis import PASSWORD, Redis, redis
from tests.server import serving

pytestmark = pytest.mark.anyio

LIMIT = re.compile(r'"user";r=(\d+);t=(\d+)')

Limited = Callable[..., People]


@pytest.fixture
def limited(database: TaskDatabase) -> Iterator[Limited]:
    """The people of another server, with these settings of its limits."""
    with contextlib.ExitStack() as stack:

        def limited(**limits: Any) -> People:
            given = {
                "rate_limit_storage_timeout": 5
            } | limits  # where many tests run, it may be slow
            settings = Settings(database_url=database.task_app, better_auth_secret=SECRET, **given)
            people = People(stack.enter_context(serving(settings)))
            stack.callback(people.leave)
            return people

        yield limited


@pytest.fixture
def a_redis() -> Iterator[Redis]:
    with redis() as one:
        yield one


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose headers have been read."""
    tokens: list[str] = []
    read = jwt.get_unverified_header

    def seen(token: str) -> Any:
        tokens.append(token)
        return read(token)

    monkeypatch.setattr(jwt, "get_unverified_header", seen)
    return tokens


def limits_of(**limits: Any) -> tuple[RateLimits, Authenticator]:
    """A server's, without the server."""
    settings = Settings(database_url="postgresql://nowhere", better_auth_secret=SECRET, **limits)
    return RateLimits(settings), Authenticator(settings)


def asks(person: Person, **headers: str) -> httpx2.Response:
    return person.http.get("/api/tasks", headers=headers)


def statuses(person: Person, times: int, **headers: str) -> list[int]:
    return [asks(person, **headers).status_code for _ in range(times)]


def remaining(answer: httpx2.Response) -> tuple[int, int]:
    """How many more, and the seconds until there are all of them again."""
    found = LIMIT.fullmatch(answer.headers["RateLimit"])
    assert found is not None
    return int(found[1]), int(found[2])


def wait(answer: httpx2.Response) -> int:
    """The seconds that the answer asks to wait."""
    problem(answer, 429, "rate-limited")
    return int(answer.headers["Retry-After"])


def the_same(person: Person, people: People) -> Person:
    """This person, at another server."""
    other = people.stranger()
    other.id = person.id
    other.http.headers["Authorization"] = person.http.headers["Authorization"]
    return other


def from_elsewhere(person: Person) -> httpx2.Response:
    """The person asks from another address."""
    transport = httpx2.HTTPTransport(local_address="127.0.0.2")
    with httpx2.Client(transport=transport, headers=person.http.headers) as http:
        return http.get(f"{person.http.base_url}/api/tasks")


def guesses(stranger: Person, times: int, **headers: str) -> list[int]:
    """What a stranger is told who tries tokens."""
    return [
        asks(stranger, Authorization=f"Bearer a.b.{number}", **headers).status_code
        for number in range(times)
    ]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "api.http.shared_counters"
    ]


@pytest.mark.evidence("guessing")
def test_who_asks_too_often_is_told_when_to_come_back_and_nobody_else_is(limited: Limited) -> None:
    people = limited(rate_limit="3/minute")
    alice, bob = people.person("alice"), people.person("bob")
    assert statuses(alice, 3) == [200] * 3
    refused = asks(alice)
    assert 50 <= wait(refused) <= 60
    assert problem(refused, 429)["detail"] == (
        f"You may ask 3 times in 60 seconds; come back in {wait(refused)} s."
    )
    assert statuses(bob, 3) == [200] * 3


def test_the_count_comes_back_when_the_time_has_passed(limited: Limited) -> None:
    alice = limited(rate_limit="2/2second").person("alice")
    assert [remaining(asks(alice))[0] for _ in range(2)] == [1, 0]
    for _ in range(2):
        refused = asks(alice)
        assert remaining(refused) == (0, wait(refused))
    time.sleep(wait(refused))
    assert remaining(asks(alice)) == (1, 2)


def test_each_answer_counts_down_failures_as_well(limited: Limited) -> None:
    alice = limited(rate_limit="6/day").person("alice")
    task = alice.creates()
    answers = [
        alice.http.get("/api/tasks?colour=red"),
        alice.http.get("/api/tasks/0"),
        alice.http.post("/api/tasks", content=b"{", headers={"Content-Type": "application/json"}),
        alice.http.get(f"/api/tasks/{task['id']}", headers={"If-None-Match": "*"}),
        alice.http.delete(f"/api/tasks/{task['id']}"),
        asks(alice),
    ]
    assert [answer.status_code for answer in answers] == [422, 404, 400, 304, 204, 429]
    assert [remaining(answer)[0] for answer in answers] == [4, 3, 2, 1, 0, 0]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"user";q=6;w=86400'}


def test_what_comes_too_often_is_not_done(limited: Limited) -> None:
    people = limited(rate_limit="1/day")
    alice = people.person("alice")
    alice.creates()
    problem(alice.http.post("/api/tasks", json={"title": "Buy more"}), 429)
    assert len(the_same(alice, limited()).lists()) == 1


def test_6000_a_minute_unless_something_else_is_said(limited: Limited) -> None:
    answer = asks(limited().person("alice"))
    assert answer.headers["RateLimit-Policy"] == '"user";q=6000;w=60'
    assert answer.headers["RateLimit"] == '"user";r=5999;t=60'


NAMES = [
    *("alice", "Alice", "alice/3", "user/alice", "alice/3/1/day", "/alice", "alice/"),
    *("127.0.0.1", "address/127.0.0.1", "alice:", "a*", "é", "e\u0301", "x" * 255),
]


@pytest.mark.evidence("guessing")
@pytest.mark.parametrize("storage", ["memory", "redis"])
def test_no_users_requests_count_for_another(
    storage: str, limited: Limited, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("a_redis").url if storage == "redis" else "memory://"
    people = limited(rate_limit="3/day", rate_limit_address="3/day", rate_limit_storage=url)
    stranger = people.stranger()
    for left in (2, 1, 0):
        for name in NAMES:
            answer = asks(stranger, Authorization=f"Bearer {signed({'sub': name})}")
            assert (answer.status_code, remaining(answer)[0]) == (200, left), name
    for name in NAMES:
        problem(asks(stranger, Authorization=f"Bearer {signed({'sub': name})}"), 429)
    assert guesses(stranger, 4) == [401, 401, 401, 429]  # nor for the address of that name


@pytest.mark.evidence("guessing")
def test_a_stranger_who_guesses_is_stopped_before_tokens_are_looked_at(
    limited: Limited, looked_at: list[str]
) -> None:
    people = limited(rate_limit_address="3/minute")
    alice, stranger = people.person("alice"), people.stranger()
    assert guesses(stranger, 5) == [401, 401, 401, 429, 429]
    assert looked_at == ["a.b.0", "a.b.1", "a.b.2"]
    refused = asks(alice)
    assert 50 <= wait(refused) <= 60
    assert problem(refused, 429)["detail"].startswith("Too many tokens from this address were ")
    assert "RateLimit" not in refused.headers
    assert len(looked_at) == 3
    assert from_elsewhere(alice).status_code == 200


def test_the_stranger_may_guess_again_when_the_time_has_passed(limited: Limited) -> None:
    people = limited(rate_limit_address="1/2second")
    alice, stranger = people.person("alice"), people.stranger()
    assert guesses(stranger, 2) == [401, 429]
    time.sleep(wait(asks(alice)))
    assert asks(alice).status_code == 200
    assert guesses(stranger, 2) == [401, 429]


def test_a_good_token_counts_for_its_user_alone(limited: Limited) -> None:
    people = limited(rate_limit="5/day", rate_limit_address="1/day")
    assert statuses(people.person("alice"), 5) == [200] * 5
    assert statuses(people.person("bob"), 6) == [200] * 5 + [429]
    answer = people.stranger().http.get("/api/tasks")
    problem(answer, 401)
    assert not {"ratelimit", "ratelimit-policy"} & {*answer.headers}


WRONG = {
    "none": {},
    "another-scheme": {"Authorization": "Basic YTpi"},
    "expired": {"Authorization": f"Bearer {signed({'sub': 'alice', 'exp': 1})}"},
    "another-key": {"Authorization": f"Bearer {signed({'sub': 'alice'}, 'x' * 40)}"},
    "nobody": {"Authorization": f"Bearer {signed({})}"},
}


@pytest.mark.parametrize("headers", WRONG.values(), ids=WRONG)
def test_whatever_is_wrong_with_a_token_is_counted(
    headers: dict[str, str], limited: Limited
) -> None:
    stranger = limited(rate_limit_address="1/day").stranger()
    assert statuses(stranger, 2, **headers) == [401, 429]


def test_what_needs_no_token_is_never_refused(limited: Limited) -> None:
    people = limited(rate_limit="1/day", rate_limit_address="1/day")
    alice, stranger = people.person("alice"), people.stranger()
    assert statuses(alice, 2) == [200, 429]
    assert guesses(stranger, 2) == [401, 429]
    for person in (alice, stranger):
        for address in ("/livez", "/readyz", "/", "/openapi.json", "/docs"):
            answer = person.http.get(address)
            assert answer.status_code == 200
            assert not {"ratelimit", "ratelimit-policy"} & {*answer.headers}
    problem(stranger.http.get("/nowhere"), 404)


def test_behind_a_trusted_proxy_strangers_are_apart(limited: Limited) -> None:
    people = limited(rate_limit_address="2/day")
    stranger, alice = people.stranger(), people.person("alice")
    for told in ({"X-Forwarded-For": "203.0.113.9"}, {"X-Forwarded-For": "2001:db8::9"}):
        assert guesses(stranger, 3, **told) == [401, 401, 429]
        problem(asks(alice, **told), 429)
    assert asks(alice, **{"X-Forwarded-For": "198.51.100.7"}).status_code == 200
    assert asks(alice).status_code == 200


def test_what_a_proxy_names_by_no_address_counts_for_the_proxy(limited: Limited) -> None:
    stranger = limited(rate_limit_address="2/day").stranger()
    for told, status in (("unknown", 401), ("x" * 50_000, 401), ("203.0.113.9, _", 429)):
        assert guesses(stranger, 1, **{"X-Forwarded-For": told}) == [status]


@pytest.mark.evidence("guessing", "forwarded-address")
def test_who_is_no_trusted_proxy_cannot_name_another_address(limited: Limited) -> None:
    people = limited(rate_limit_address="2/day")
    stranger = people.stranger()
    transport = httpx2.HTTPTransport(local_address="127.0.0.2")
    with httpx2.Client(base_url=stranger.http.base_url, transport=transport) as stranger.http:
        for number, status in enumerate([401, 401, 429]):
            assert guesses(stranger, 1, **{"X-Forwarded-For": f"203.0.113.{number}"}) == [status]


@pytest.mark.parametrize(
    ("address", "same", "other"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", "2001:db8:0:2::1"),
        ("::ffff:203.0.113.9", "203.0.113.9", "::ffff:203.0.113.8"),
        ("fe80::1%eth0", "fe80::2%eth0", "fe80:1::1%eth0"),
        ("unknown", "unknown", "_hidden"),
    ],
    ids=["half-of-ipv6", "ipv4-in-ipv6", "of-a-link", "whatever-a-proxy-says"],
)
async def test_a_stranger_is_one_whichever_address_of_theirs_it_is(
    address: str, same: str, other: str
) -> None:
    limits, authenticator = limits_of(rate_limit_address="1/day")
    for host, outcome in ((address, Unauthorized), (same, Failure), (other, Unauthorized)):
        with pytest.raises(outcome):
            await authenticated({"client": (host, 1)}, limits, authenticator, [])


async def test_who_come_by_a_unix_socket_are_not_one_stranger() -> None:
    limits, authenticator = limits_of(rate_limit_address="1/day")
    for _ in range(3):
        with pytest.raises(Unauthorized):
            await authenticated({"client": None}, limits, authenticator, [])


def test_several_servers_with_one_redis_share_a_count(limited: Limited, a_redis: Redis) -> None:
    here, there = (limited(rate_limit="4/minute", rate_limit_storage=a_redis.url) for _ in range(2))
    alice = here.person("alice")
    same = the_same(alice, there)
    answers = [asks(person) for person in (alice, same, same, alice, same, alice)]
    assert [answer.status_code for answer in answers] == [200] * 4 + [429] * 2
    assert [remaining(answer)[0] for answer in answers] == [3, 2, 1, 0, 0, 0]
    assert all(50 <= remaining(answer)[1] <= 60 for answer in answers)
    assert asks(there.person("bob")).status_code == 200


def test_the_shared_count_comes_back_as_well(limited: Limited, a_redis: Redis) -> None:
    here, there = (
        limited(rate_limit="1/2second", rate_limit_storage=a_redis.url) for _ in range(2)
    )
    alice = here.person("alice")
    same = the_same(alice, there)
    assert asks(alice).status_code == 200
    time.sleep(0.6)  # the rest is not a whole number of seconds, as Redis tells it
    refused = asks(same)
    time.sleep(wait(refused))
    assert asks(same).status_code == 200
    assert asks(alice).status_code == 429


def test_a_stranger_is_known_to_all_servers_with_one_redis(
    limited: Limited, a_redis: Redis
) -> None:
    here, there = (
        limited(rate_limit_address="3/day", rate_limit_storage=a_redis.url) for _ in range(2)
    )
    assert guesses(here.stranger(), 4) == [401, 401, 401, 429]
    # one more, and it knows
    assert guesses(there.stranger(), 3) == [401, 429, 429]


def test_without_redis_people_are_served_and_the_log_says_so_once(
    limited: Limited, a_redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    a_redis.goes()
    people = limited(rate_limit="3/day", rate_limit_address="3/day", rate_limit_storage=a_redis.url)
    alice, stranger = people.person("alice"), people.stranger()
    answers = [asks(alice) for _ in range(4)]
    # each server counts by itself
    assert [remaining(answer)[0] for answer in answers] == [2, 1, 0, 0]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert guesses(stranger, 4) == [401, 401, 401, 429]
    (warning,) = warnings(caplog)
    assert (
        warning
        == "Redis is away, each process counts by itself: ConnectionError: Connection refused"
    )


def test_a_wrong_password_of_redis_refuses_nobody_and_is_not_in_the_log(
    limited: Limited, a_redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    url = a_redis.url.replace("redis://:", "redis://:not%20")
    assert statuses(limited(rate_limit_storage=url).person("alice"), 3) == [200] * 3
    (warning,) = warnings(caplog)
    assert warning.endswith("AuthenticationError: it refuses the user or the password")
    assert PASSWORD not in caplog.text


def test_nobody_waits_for_a_redis_that_hangs(
    limited: Limited,
    a_redis: Redis,
    caplog: pytest.LogCaptureFixture,
) -> None:
    people = limited(rate_limit_storage=a_redis.url, rate_limit_storage_timeout=2)
    everybody = [people.person(f"person-{number}") for number in range(10)]
    assert {asks(person).status_code for person in everybody} == {200}
    a_redis.hangs()
    with ThreadPoolExecutor(len(everybody)) as threads:
        before = time.monotonic()
        assert {answer.status_code for answer in threads.map(asks, everybody)} == {200}
        once = time.monotonic() - before
        assert {answer.status_code for answer in threads.map(asks, everybody)} == {200}
        assert 2 <= once < 5
        assert time.monotonic() - before - once < 1
    assert warnings(caplog) == [
        "Redis is away, each process counts by itself: TimeoutError: no answer in time"
    ]


def test_when_redis_is_back_they_share_again(
    limited: Limited,
    a_redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(shared_counters, "PAUSE", 1.0)
    here, there = (limited(rate_limit="100/day", rate_limit_storage=a_redis.url) for _ in range(2))
    alice = here.person("alice")
    same = the_same(alice, there)
    assert [remaining(asks(person))[0] for person in (alice, same)] == [99, 98]
    a_redis.goes()
    for _ in range(2):  # each pause has its warning, and only one
        assert statuses(alice, 3) == [200] * 3
        time.sleep(1.1)
    assert len(warnings(caplog)) == 2
    a_redis.comes()
    assert [remaining(asks(person))[0] for person in (alice, same, alice)] == [99, 98, 97]


def test_off_means_off(limited: Limited) -> None:
    people = limited(rate_limit="off", rate_limit_address="1/day")
    alice = people.person("alice")
    assert guesses(people.stranger(), 3) == [401] * 3
    assert not {"ratelimit", "ratelimit-policy"} & {*asks(alice).headers}


def test_addresses_alone_can_be_let_off(limited: Limited) -> None:
    people = limited(rate_limit="2/day", rate_limit_address="Off")
    assert guesses(people.stranger(), 3) == [401] * 3
    assert statuses(people.person("alice"), 3) == [200, 200, 429]


async def served(limits: RateLimits, authenticator: Authenticator, name: str) -> bool:
    token = signed({"sub": name})
    try:
        await authenticated({}, limits, authenticator, [f"Bearer {token}"])
    except Failure:
        return False
    return True


async def test_where_too_many_are_counted_the_oldest_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rate_limits, "MOST", 2)
    limits, authenticator = limits_of(rate_limit="1/day")
    asked = ["alice", "bob", "bob", "alice", "carol", "bob", "alice", "carol"]
    assert [await served(limits, authenticator, name) for name in asked] == [
        *(True, True, False, False),
        *(True, False),  # carol has taken alice's place
        *(True, False),  # and alice, bob's
    ]


MEBIBYTES = 30  # as docs/operating.md has it
KEYS: dict[str, Callable[[int], str]] = {
    "IPv4": lambda n: f"{11 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.7",
    "IPv6 prefixes": lambda n: f"2001:db8:{n >> 16:x}:{n & 0xFFFF:x}:6789:abcd:ef01:2345",
    "the longest networks": lambda n: f"2001:ffff:{n >> 12 | 0xA000:x}:{n & 0xFFF | 0xF000:x}::",
    "user ids": lambda n: f"{n:032}",
    "the longest user ids": lambda n: f"{n:08}" + "\U0001f95b" * 247,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KEYS)
async def test_the_limits_keep_at_most_what_operating_says(kind: str) -> None:
    key, most = KEYS[kind], rate_limits.MOST
    limits, _ = limits_of(rate_limit="1/day", rate_limit_address="1/day")
    gc.collect()
    before = windows()
    tracemalloc.start()
    try:
        for number in range(most + most // 4):
            scope: Scope = {"client": (key(number), 1)}
            if "user" in kind:
                await limits.count(scope, named_by_operator(key(number)))
            else:
                await limits.refused(scope)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < MEBIBYTES * 2**20
    assert windows() - before == most


async def test_two_users_with_long_ids_are_two(limited: Limited) -> None:
    limits, authenticator = limits_of(rate_limit="1/day")
    alice, bob = f"{'é' * 250}alice", f"{'é' * 250}bob"
    asked = [await served(limits, authenticator, name) for name in (alice, bob, alice, bob)]
    assert asked == [True, True, False, False]


async def test_who_has_not_asked_for_a_while_takes_no_memory() -> None:
    limits, authenticator = limits_of(rate_limit="1/second")
    before = windows()
    for number in range(500):
        assert await served(limits, authenticator, f"person-{number}")
    assert windows() > before + 100
    await asyncio.sleep(1)
    assert await served(limits, authenticator, "alice")
    assert windows() <= before + 1


def windows() -> int:
    """How many counts there are in this process."""
    return sum(type(one).__qualname__ == "_Window" for one in gc.get_objects())


SAID = "takes one limit such as 6000/minute, of a day at most, or off"
REFUSED = {
    "no-limit": ("RATE_LIMIT", "often", SAID),
    "no-time": ("RATE_LIMIT", "6000", SAID),
    "no-unit": ("RATE_LIMIT", "6000/fortnight", SAID),
    "none": ("RATE_LIMIT", "0/minute", SAID),
    "less-than-none": ("RATE_LIMIT", "-1/minute", SAID),
    "more-than-a-header-can-say": ("RATE_LIMIT", f"{10**15}/minute", SAID),
    "more-than-can-be-read": ("RATE_LIMIT", f"{'9' * 5000}/minute", SAID),
    "two": ("RATE_LIMIT", "10/second; 100/minute", SAID),
    "a-month": ("RATE_LIMIT", "1000/month", SAID),
    "of-an-address": ("RATE_LIMIT_ADDRESS", "never", SAID),
    "a-storage-of-another-kind": (
        "RATE_LIMIT_STORAGE",
        "memcached://cache",
        "takes memory://, or ",
    ),
    "no-storage": ("RATE_LIMIT_STORAGE", "memory", "takes memory://, or a URL such as redis://"),
    "no-host": ("RATE_LIMIT_STORAGE", f"redis://:{PASSWORD}@/0", "redis://:password@host:6379/0"),
    "a-port": ("RATE_LIMIT_STORAGE", f"redis://:{PASSWORD}@h:65536", "or a URL such as redis://"),
    "a-database": ("RATE_LIMIT_STORAGE", f"redis://:{PASSWORD}@h/tasks", "or a URL such as"),
    "options": ("RATE_LIMIT_STORAGE", f"redis://h/0?password={PASSWORD}", "or a URL such as"),
}


@pytest.mark.parametrize(("name", "value", "words"), REFUSED.values(), ids=REFUSED)
def test_a_setting_that_is_refused_says_what_to_do(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError) as refused:
        read(monkeypatch, **{name: value})
    line = str(refused.value)
    assert line.startswith(f"{name} takes ")
    assert words in line
    assert "\n" not in line
    assert PASSWORD not in line


def test_redis_needs_its_client_and_the_refusal_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.setting_values.find_spec", lambda _: None)
    assert read(monkeypatch).rate_limit_storage.get_secret_value() == "memory://"
    with pytest.raises(SettingsError) as refused:
        read(monkeypatch, RATE_LIMIT_STORAGE=f"redis://:{PASSWORD}@h")
    assert str(refused.value) == (
        "RATE_LIMIT_STORAGE is Redis, which needs: pip install 'task-api[redis]'"
    )


@pytest.mark.parametrize(
    ("text", "amount", "seconds"),
    [
        ("6000/minute", 6000, 60),
        ("1 per second", 1, 1),
        ("10/2 hours", 10, 7200),
        ("9/DAY", 9, 86400),
    ],
)
def test_a_limit_is_so_many_in_some_time(
    text: str, amount: int, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = read(monkeypatch, RATE_LIMIT=text).rate_limit
    assert limit is not None
    assert (limit.amount, limit.get_expiry()) == (amount, seconds)


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_the_password_of_redis_is_not_shown(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"{scheme}://:{PASSWORD}@cache.example.com:6379/0"
    read_settings = read(monkeypatch, RATE_LIMIT_STORAGE=url)
    assert read_settings.rate_limit_storage.get_secret_value() == url
    assert PASSWORD not in repr(read_settings)


def read(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    needed = {"DATABASE_URL": "postgresql://nowhere", "BETTER_AUTH_SECRET": SECRET}
    for name, value in (needed | environment).items():
        monkeypatch.setenv(name, value)
    return load(Settings)
