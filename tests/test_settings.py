"""What the environment may say, and what the program answers when it does not start."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from api.auth.authenticator import issue_token
from api.settings import AuthSettings, MigrationSettings, Settings, SettingsError, load

SECRET = "correct horse battery staple, and more"
DATABASE = "postgresql://task_app:pass-word@db.example.com:5432/tasks"
JWKS = {
    "AUTH_JWKS_URL": "https://auth.example.com/api/auth/jwks",
    "AUTH_ISSUER": "https://auth.example.com",
    "AUTH_AUDIENCE": "https://auth.example.com",
}
PEM = (
    ed25519.Ed25519PrivateKey.generate()
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode()
)

Environment = Callable[..., None]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    def environment(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return environment


def refusal(kind: Callable[[], AuthSettings | MigrationSettings]) -> str:
    with pytest.raises(SettingsError) as caught:
        load(kind)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_a_secret_is_enough_to_verify_tokens(environment: Environment) -> None:
    environment(BETTER_AUTH_SECRET=SECRET)
    settings = load(AuthSettings)
    assert settings.better_auth_secret is not None
    assert settings.better_auth_secret.get_secret_value() == SECRET
    assert settings.auth_user_claim == "sub"
    assert SECRET not in repr(settings)


def test_a_key_set_its_issuer_and_an_audience_are_enough(environment: Environment) -> None:
    environment(**JWKS)
    assert load(AuthSettings).auth_algorithms == ("EdDSA",)


MODES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "neither": ({}, ("AUTH_JWKS_URL", "BETTER_AUTH_SECRET", "set one")),
    "both": ({"BETTER_AUTH_SECRET": SECRET, **JWKS}, ("both set", "unset")),
    "no-issuer": (JWKS | {"AUTH_ISSUER": ""}, ("AUTH_ISSUER", "required")),
    "no-audience": (JWKS | {"AUTH_AUDIENCE": ""}, ("AUTH_AUDIENCE", "required")),
    "empty-secret": ({"BETTER_AUTH_SECRET": ""}, ("neither",)),
    "empty-key-set": (JWKS | {"AUTH_JWKS_URL": ""}, ("neither",)),
}


@pytest.mark.evidence("two-modes")
@pytest.mark.parametrize(("variables", "words"), MODES.values(), ids=MODES)
def test_a_mode_half_set_is_refused_with_the_remedy(
    variables: dict[str, str], words: tuple[str, ...], environment: Environment
) -> None:
    environment(**variables)
    line = refusal(AuthSettings)
    assert all(word in line for word in words), line
    assert SECRET not in line


def test_what_is_set_to_nothing_is_not_set(environment: Environment) -> None:
    environment(
        BETTER_AUTH_SECRET=SECRET,
        AUTH_JWKS_URL="",
        AUTH_ISSUER="",
        AUTH_AUDIENCE="",
        AUTH_ALGORITHMS="",
        AUTH_USER_CLAIM="",
        CORS_ORIGINS="",
        DATABASE_URL=DATABASE,
    )
    settings = load(Settings)
    assert settings.auth_issuer is None
    assert settings.auth_audience is None
    assert settings.auth_user_claim == "sub"
    assert settings.cors_origins == ()


SECRETS = {
    "31-bytes": ("s" * 31, "shorter than 32 bytes"),
    "30-bytes-in-15-characters": ("é" * 15, "shorter than 32 bytes"),
    "public-default": ("better-auth-secret-12345678901234567890", "public default"),
    "public-key": (PEM, "key file"),
    "ssh-key": ("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ user@example", "key file"),
    "not-utf-8": ("s" * 40 + "\udcff", "not UTF-8"),
}


@pytest.mark.evidence("weak-secret")
@pytest.mark.parametrize(("secret", "reason"), SECRETS.values(), ids=SECRETS)
def test_a_weak_secret_is_refused_and_not_shown(
    secret: str, reason: str, environment: Environment
) -> None:
    environment(BETTER_AUTH_SECRET=secret)
    line = refusal(AuthSettings)
    assert line.startswith("BETTER_AUTH_SECRET is ")
    assert reason in line
    assert "openssl rand" in line
    assert secret not in line
    assert "udcff" not in line


@pytest.mark.parametrize("secret", ["s" * 32, "é" * 16], ids=["ascii", "sixteen-of-two-bytes"])
def test_32_bytes_are_a_secret(secret: str, environment: Environment) -> None:
    environment(BETTER_AUTH_SECRET=secret)
    load(AuthSettings)


@pytest.mark.parametrize("name", ["HS256", "none", "ES384", "eddsa", "EdDSA,HS256", "EdDSA;ES256"])
def test_an_algorithm_that_is_not_known_is_refused(name: str, environment: Environment) -> None:
    environment(**JWKS, AUTH_ALGORITHMS=name)
    line = refusal(AuthSettings)
    assert line.startswith("AUTH_ALGORITHMS knows EdDSA, ES256, ES512, RS256, PS256; not ")


def test_algorithms_are_separated_by_commas(environment: Environment) -> None:
    environment(**JWKS, AUTH_ALGORITHMS=" EdDSA, ES256 ,RS256,")
    assert load(AuthSettings).auth_algorithms == ("EdDSA", "ES256", "RS256")


def test_a_list_of_no_algorithms_is_refused(environment: Environment) -> None:
    environment(**JWKS, AUTH_ALGORITHMS=" , ")
    assert refusal(AuthSettings).startswith("AUTH_ALGORITHMS names no algorithm")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("auth.example.com/jwks", "http(s)"),
        ("file:///etc/passwd", "http(s)"),
        ("https://", "http(s)"),
        ("https:///jwks", "http(s)"),
        ("https://[::1/jwks", "http(s)"),
        ("https://auth.example.com:99999/jwks", "http(s)"),
        ("https://auth.example.com:port/jwks", "http(s)"),
        ("https://auth.example.com/jwks\n", "http(s)"),
        ("https://user:pass-word@auth.example.com/jwks", "password"),
    ],
)
def test_what_a_key_set_cannot_be_fetched_from_is_refused(
    url: str, reason: str, environment: Environment
) -> None:
    environment(**JWKS | {"AUTH_JWKS_URL": url})
    line = refusal(AuthSettings)
    assert line.startswith("AUTH_JWKS_URL ")
    assert reason in line
    assert "pass-word" not in line


@pytest.mark.parametrize("claim", ["sub", "user.id", "user_id", "a.b.c"])
def test_the_user_claim_may_be_a_path(claim: str, environment: Environment) -> None:
    environment(BETTER_AUTH_SECRET=SECRET, AUTH_USER_CLAIM=claim)
    assert load(AuthSettings).auth_user_claim == claim


@pytest.mark.parametrize("claim", [".", "user.", ".id", "user..id", "user id", " "])
def test_a_user_claim_that_names_nothing_is_refused(claim: str, environment: Environment) -> None:
    environment(BETTER_AUTH_SECRET=SECRET, AUTH_USER_CLAIM=claim)
    assert refusal(AuthSettings).startswith("AUTH_USER_CLAIM ")


@pytest.mark.evidence("other-purpose")
@pytest.mark.parametrize("claim", ["email", "user.email", "Email"])
def test_nobody_is_known_by_their_e_mail_address(claim: str, environment: Environment) -> None:
    environment(BETTER_AUTH_SECRET=SECRET, AUTH_USER_CLAIM=claim)
    assert "e-mail" in refusal(AuthSettings)


def test_a_link_in_an_e_mail_is_not_taken_for_a_token(environment: Environment) -> None:
    environment(BETTER_AUTH_SECRET=SECRET, AUTH_USER_CLAIM="userId")
    assert "e-mails" in refusal(AuthSettings)
    environment(BETTER_AUTH_SECRET=SECRET, AUTH_USER_CLAIM="userId", AUTH_AUDIENCE="task-api")
    assert load(AuthSettings).auth_audience == "task-api"


CHROME = "abcdefghijklmnop" * 2
FIREFOX = "0b7a4f0e-7c0d-4c6e-9a57-6d6f2f0f7c11"
SAFARI = FIREFOX.upper()
ORIGINS = {
    "one": ("https://app.example.com", ("https://app.example.com",)),
    "two": ("https://a.example, http://b.example", ("https://a.example", "http://b.example")),
    "port": ("http://localhost:3000", ("http://localhost:3000",)),
    "ipv6": ("http://[::1]:3000", ("http://[::1]:3000",)),
    "final-comma": ("https://a.example,", ("https://a.example",)),
    "nothing-between": (" , ", ()),
    "ipv4": ("http://127.0.0.1:5173", ("http://127.0.0.1:5173",)),
    "capacitor": ("capacitor://localhost", ("capacitor://localhost",)),
    "ionic": ("ionic://localhost", ("ionic://localhost",)),
    "tauri": ("tauri://localhost", ("tauri://localhost",)),
    "electron": ("app://-,app://.", ("app://-", "app://.")),
    "chrome": (f"chrome-extension://{CHROME}", (f"chrome-extension://{CHROME}",)),
    "firefox": (f"moz-extension://{FIREFOX}", (f"moz-extension://{FIREFOX}",)),
    "safari": (f"safari-web-extension://{SAFARI}", (f"safari-web-extension://{SAFARI}",)),
    "a-scheme's-port": ("app.v2+x://localhost:443", ("app.v2+x://localhost:443",)),
    "https-443": ("https://app.example.com:443", ("https://app.example.com",)),
    "http-80": ("http://app.example.com:80", ("http://app.example.com",)),
    "ipv6-80": ("http://[::1]:80", ("http://[::1]",)),
    "http-443": ("http://app.example.com:443", ("http://app.example.com:443",)),
    "last-port": ("https://app.example.com:65535", ("https://app.example.com:65535",)),
    "twice": ("https://a.example,https://a.example:443", ("https://a.example",)),
}


@pytest.mark.parametrize(("text", "origins"), ORIGINS.values(), ids=ORIGINS)
def test_origins_are_separated_by_commas(
    text: str, origins: tuple[str, ...], environment: Environment
) -> None:
    environment(BETTER_AUTH_SECRET=SECRET, DATABASE_URL=DATABASE, CORS_ORIGINS=text)
    assert load(Settings).cors_origins == origins


@pytest.mark.evidence("cors")
@pytest.mark.parametrize(
    "text",
    [
        "*",
        "null",
        "app.example.com",
        "https://",
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://app.example.com?query",
        "https://*.example.com",
        "https://user@app.example.com",
        "https://App.example.com",
        "https://app.example.com:port",
        "https://app example.com",
        "ftp://app.example.com",
        "https://good.example,*",
        "https://good.example https://other.example",
        "file://",
        "file://localhost",
        "data://x",
        "wss://app.example.com",
        "://app.example.com",
        "1app://localhost",
        "App://localhost",
        "chrome-extension://",
        f"chrome-extension://{CHROME}/",
        f"chrome-extension://{CHROME}/page.html",
        "chrome-extension://*",
        "capacitor://user@localhost",
        "capacitor://[::1]",
        "capacitor://localhost:",
        "http://[0:0:0:0:0:0:0:1]",
        "http://[::1",
        "http://127.1",
        "http://999.0.0.1",
        "https://app.example.com:0",
        "https://app.example.com:0443",
        "https://app.example.com:-1",
    ],
)
def test_what_no_browser_sends_as_an_origin_is_refused(text: str, environment: Environment) -> None:
    environment(BETTER_AUTH_SECRET=SECRET, DATABASE_URL=DATABASE, CORS_ORIGINS=text)
    line = refusal(Settings)
    assert line.startswith("CORS_ORIGINS takes origins such as https://app.example.com")


@pytest.mark.parametrize("port", ["65536", "99999", "9" * 5_000])
@pytest.mark.parametrize("scheme", ["https", "capacitor"])
def test_a_port_that_cannot_be_is_refused_by_its_limit(
    scheme: str, port: str, environment: Environment
) -> None:
    origins = f"https://app.example.com,{scheme}://localhost:{port}"
    environment(BETTER_AUTH_SECRET=SECRET, DATABASE_URL=DATABASE, CORS_ORIGINS=origins)
    assert refusal(Settings).startswith("CORS_ORIGINS names a port above 65535; ")


@pytest.mark.parametrize(
    "path", ["/todo", "/v1/to-do", "/a.b/~c_d", f"/{'x' * 199}", "/...", "/.x"]
)
def test_a_path_prefix_is_a_path(path: str, environment: Environment) -> None:
    environment(BETTER_AUTH_SECRET=SECRET, DATABASE_URL=DATABASE, ROOT_PATH=path)
    assert load(Settings).root_path == path


@pytest.mark.parametrize(
    "path",
    [
        "todo",
        "/",
        "/todo/",
        "//todo",
        "//evil.example/todo",
        "/to//do",
        "/to do",
        "/todo\n",
        "/todo?x=1",
        "/todo#x",
        "/todo<x>",
        "/%74odo",
        "/./todo",
        "/todo/..",
        "/..",
        "/to\\do",
        "/tödo",
        "https://example.com/todo",
        f"/{'x' * 200}",
    ],
)
def test_what_is_no_path_prefix_is_refused(path: str, environment: Environment) -> None:
    environment(BETTER_AUTH_SECRET=SECRET, DATABASE_URL=DATABASE, ROOT_PATH=path)
    assert refusal(Settings).startswith("ROOT_PATH takes a path such as /todo: ")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://task_app@localhost/tasks",
        "postgres://task_app:pass-word@db.example.com:5432/tasks",
        "postgresql://task_app@/tasks?host=/run/postgresql",
        "postgresql:///tasks?host=/run/postgresql",
        "postgresql://task_app:pass-word@one:5432,two:5433/tasks?target_session_attrs=primary",
        "postgresql://task_app:p@ep-a-1-pooler.eu.aws.neon.tech/neondb"
        "?sslmode=require&channel_binding=require",
    ],
)
def test_the_database_is_named_by_a_url(url: str, environment: Environment) -> None:
    environment(BETTER_AUTH_SECRET=SECRET, DATABASE_URL=url)
    settings = load(Settings)
    assert settings.database_url.get_secret_value() == url
    assert "pass-word" not in repr(settings)


@pytest.mark.evidence("password-leaks")
@pytest.mark.parametrize(
    "url",
    [
        "pass-word",
        "postgresql:pass-word",
        "host=localhost password=pass-word",
        "postgresql+asyncpg://task_app:pass-word@localhost/tasks",
        "mysql://task_app:pass-word@localhost/tasks",
        "postgresql://task_app:pass-word@localhost:port/tasks",
        "postgresql://task_app:pass-word@localhost:99999/tasks",
        "postgresql://task_app:pass-word@localhost:0/tasks",
        "postgresql://task_app:pass-word@localhost:5432,localhost:port/tasks",
        "postgresql://task_app:[pass-word@localhost/tasks",
    ],
)
def test_what_names_no_database_is_refused_and_not_shown(
    url: str, environment: Environment
) -> None:
    environment(BETTER_AUTH_SECRET=SECRET, DATABASE_URL=url, MIGRATION_DATABASE_URL=url)
    for kind, name in ((Settings, "DATABASE_URL"), (MigrationSettings, "MIGRATION_DATABASE_URL")):
        line = refusal(kind)
        assert line.startswith(f"{name} is not a URL such as postgresql://")
        assert "pass-word" not in line


@pytest.mark.parametrize("share", ["0", "-1", "half", "0.5", "1001"])
def test_a_share_of_the_pool_is_a_number_of_connections(
    share: str, environment: Environment
) -> None:
    environment(BETTER_AUTH_SECRET=SECRET, DATABASE_URL=DATABASE, POOL_SHARE=share)
    assert refusal(Settings).startswith("POOL_SHARE ")


@pytest.mark.parametrize(("size", "share"), [("10", "11"), ("1", "2")])
def test_a_share_of_the_pool_is_no_more_than_the_pool(
    size: str, share: str, environment: Environment
) -> None:
    environment(BETTER_AUTH_SECRET=SECRET, DATABASE_URL=DATABASE, POOL_SIZE=size, POOL_SHARE=share)
    assert refusal(Settings).startswith("POOL_SHARE is more than POOL_SIZE; lower it")
    environment(POOL_SHARE=size)
    assert load(Settings).pool_share == int(size)


def test_a_database_is_needed_to_serve_and_to_migrate(environment: Environment) -> None:
    environment(BETTER_AUTH_SECRET=SECRET)
    assert refusal(Settings) == "DATABASE_URL is not set"
    assert refusal(MigrationSettings) == "MIGRATION_DATABASE_URL is not set"


def test_migrations_do_not_go_through_neons_pooler(environment: Environment) -> None:
    host = "ep-cool-night-a1b2{}.eu-central-1.aws.neon.tech"
    url = f"postgresql://neondb_owner:pass-word@{host}/neondb?sslmode=require"
    environment(MIGRATION_DATABASE_URL=url.format("-pooler"))
    line = refusal(MigrationSettings)
    assert "direct" in line
    assert "pass-word" not in line
    environment(MIGRATION_DATABASE_URL=url.format(""))
    load(MigrationSettings)


def test_no_token_is_issued_for_somebody_elses_keys(environment: Environment) -> None:
    environment(**JWKS)
    with pytest.raises(ValueError, match="signed by the issuer"):
        issue_token(load(AuthSettings), "alice")


@pytest.mark.parametrize("user_id", ["", " ", "alice\0", "a" * 256])
def test_no_token_is_issued_for_what_names_nobody(user_id: str, environment: Environment) -> None:
    environment(BETTER_AUTH_SECRET=SECRET)
    with pytest.raises(ValueError, match="user id"):
        issue_token(load(AuthSettings), user_id)
