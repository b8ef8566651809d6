"""Whatever the environment says: one line that names the variable, and never a traceback."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import TaskDatabase
from tests.commands.test_serve import asks, settings_for
from tests.program import run, running
from tests.scratch import scratch

pytestmark = pytest.mark.slow

JWKS = {
    "AUTH_JWKS_URL": "http://127.0.0.1:1/jwks",
    "AUTH_ISSUER": "https://auth.example.com",
    "AUTH_AUDIENCE": "https://auth.example.com",
}
COLLECTOR = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
SERVE = ["serve", "--port", "0"]

# What a client of the issuer reads: variable, value, and the words that name the fault.
UNUSABLE = [
    ("ALL_PROXY", "socks5://alice:hush-hush@127.0.0.1:1", "ALL_PROXY is a SOCKS proxy"),
    ("all_proxy", "ftp://alice:hush-hush@127.0.0.1", "all_proxy is no URL of a proxy"),
    ("HTTPS_PROXY", "http://alice:hush-hush@h:port", "HTTPS_PROXY is no URL of a proxy"),
    ("HTTP_PROXY", "http://hush-hush\x01", "HTTP_PROXY is no URL of a proxy"),
    ("SSL_CERT_FILE", "/nonexistent", "SSL_CERT_FILE cannot be used (No such file"),
    ("SSL_CERT_FILE", "/", "SSL_CERT_FILE cannot be used (Is a directory)"),
    ("SSL_CERT_FILE", __file__, "SSL_CERT_FILE cannot be used (NO_CERTIFICATE"),
]

each_unusable = pytest.mark.parametrize(("name", "value", "words"), UNUSABLE)


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


@pytest.mark.parametrize(
    ("workers", "name", "value", "words"),
    [*(("1", *one) for one in UNUSABLE), ("2", *UNUSABLE[0]), ("2", *UNUSABLE[4])],
)
def test_serve_refuses_what_no_client_can_use(
    database: TaskDatabase, workers: str, name: str, value: str, words: str
) -> None:
    settings = {"DATABASE_URL": database.task_app, **JWKS, name: value}
    line = run(*SERVE, "--workers", workers, **settings).refusal()
    assert words in line
    assert "unset it" in line
    assert "hush-hush" not in line


@each_unusable
def test_doctor_says_what_no_client_can_use(
    database: TaskDatabase, name: str, value: str, words: str
) -> None:
    outcome = run("doctor", DATABASE_URL=database.task_app, **JWKS, **{name: value})
    assert (outcome.code, outcome.err) == (1, "")
    (found,) = (line for line in outcome.out.splitlines() if line.startswith("  FAIL"))
    assert "key set" in found
    assert words in found
    assert "unset it" in outcome.out
    assert "hush-hush" not in outcome.out


@pytest.mark.parametrize(("name", "value", "words"), [UNUSABLE[0], UNUSABLE[4]])
def test_dev_refuses_what_no_client_can_use(
    folder: Path, name: str, value: str, words: str
) -> None:
    assert words in run("dev", folder=folder, PORT="0", **JWKS, **{name: value}).refusal()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_secret_needs_no_client(database: TaskDatabase, workers: str) -> None:
    settings = settings_for(database) | {"ALL_PROXY": "socks5://h", "SSL_CERT_FILE": "/nonexistent"}
    with running(*SERVE, "--workers", workers, **settings) as serve:
        assert asks(serve, "/api/tasks").status_code == 200


@pytest.mark.skipif(
    importlib.util.find_spec("opentelemetry") is None, reason="OpenTelemetry is not installed"
)
@pytest.mark.parametrize(
    ("name", "value", "workers"),
    [
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "100000", "1"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "100000", "2"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many", "1"),
        ("OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER", "nobody", "1"),
    ],
)
def test_what_the_sdk_cannot_use_is_refused(
    database: TaskDatabase, name: str, value: str, workers: str
) -> None:
    settings = settings_for(database) | COLLECTOR | {name: value}
    line = run(*SERVE, "--workers", workers, **settings).refusal()
    assert "an OTEL_ variable cannot be used" in line


@pytest.mark.parametrize("host", ["a..b", "a" * 300, "ü" * 70])
def test_a_host_for_metrics_that_is_none_is_refused(database: TaskDatabase, host: str) -> None:
    line = run(*SERVE, **settings_for(database), METRICS_PORT="0", METRICS_HOST=host).refusal()
    assert "METRICS_HOST: cannot listen" in line


@pytest.mark.parametrize("name", ["PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir"])
def test_a_folder_for_numbers_of_others_is_not_used(database: TaskDatabase, name: str) -> None:
    settings = settings_for(database) | {"METRICS_PORT": "0", name: "/nonexistent"}
    with running(*SERVE, **settings) as serve:
        serve.says("serving on")


@pytest.mark.parametrize("proxies", ["nginx", "300.1.1.1/99", "10.0.0.1 10.0.0.2", "[::"])
def test_a_proxy_that_is_no_address_is_refused(database: TaskDatabase, proxies: str) -> None:
    line = run(*SERVE, **settings_for(database), FORWARDED_ALLOW_IPS=proxies).refusal()
    assert "FORWARDED_ALLOW_IPS takes addresses and networks such as 10.0.0.0/8" in line


@pytest.mark.parametrize(
    "settings",
    [
        {"WEB_CONCURRENCY": "4"},
        {"UVICORN_WORKERS": "many", "UVICORN_PORT": "harbour"},
        {"PORT": "harbour"},
        {"TZ": "Nowhere/\u00ff", "LC_ALL": "xx_YY"},
        {"HOME": "/nonexistent", "TMPDIR": "/nonexistent"},
    ],
)
def test_what_is_meant_for_others_does_no_harm(
    database: TaskDatabase, settings: dict[str, str]
) -> None:
    with running(*SERVE, **settings_for(database) | settings) as serve:
        serve.says("serving on")
        assert "Traceback" not in serve.err
