"""The environment."""

from typing import Final

from tests.mutants.mutant import mutants

SETTINGS: Final = [
    *mutants(
        "api/setting_values.py",
        (
            "a short secret is taken",
            'if len(value.get_secret_value().encode(errors="replace")) < 32:',
            "if False:",
        ),
        ("a secret of 31 bytes is taken", "< 32:", "< 31:"),
        (
            "the public default is taken for a secret",
            "if value.get_secret_value() == _PUBLIC_SECRET:",
            "if False:",
        ),
        (
            "a public key is taken for a secret",
            'jwt.get_algorithm_by_name("HS256").prepare_key(value.get_secret_value())',
            "pass",
        ),
        (
            "any algorithm may be set",
            "if unknown := set(values) - set(Algorithm):",
            "if unknown := set[str]():",
        ),
        (
            "HS256 is an algorithm of key sets",
            '    PS256 = "PS256"\n',
            '    PS256 = "PS256"\n    HS256 = "HS256"\n',
        ),
        (
            "an e-mail address is an identity",
            'if value.rpartition(".")[2].lower() == "email":',
            "if False:",
        ),
        (
            "any origin is taken",
            'if not found or not _is_host(found["scheme"], found["host"]):',
            "if not found:",
        ),
        (
            "an origin may be of any scheme",
            "if scheme in _SCHEMES_WITHOUT_ORIGIN:",
            "if False:",
        ),
        (
            "an origin may have any port",
            "if port and (len(port) > len(str(_MAX_PORT)) or int(port) > _MAX_PORT):",
            "if False:",
        ),
        (
            "a default port is kept, and no browser sends it",
            "if port == _DEFAULT_PORTS.get(scheme) else value",
            "if False else value",
        ),
        (
            "a path prefix may be another host",
            "or not _ROOT_PATH.fullmatch(value):",
            'or not value.startswith("/"):',
        ),
        ("migrations go through the pooler", '"-pooler." in host', '"-pooler.." in host'),
    ),
    *mutants(
        "api/setting_values.py",
        (
            "a final newline belongs to the URL",
            "url = value.get_secret_value().strip()",
            "url = value.get_secret_value()",
        ),
        ("a URL is taken as it comes", "    postgres_url.read(url)\n", ""),
        witness="database/test_urls.py",
    ),
    *mutants(
        "api/postgres_url.py",
        ("a raw # in a password is taken", 'for character in "#?[]":', 'for character in "?[]":'),
        ("a raw ? in a password is taken", 'for character in "#?[]":', 'for character in "#[]":'),
        ("a raw [ in a password is taken", 'for character in "#?[]":', 'for character in "#?":'),
        ("a raw @ in a password is taken", 'if "@" in hosts + dbname:', "if False:"),
        ("a plus is a blank", "unquote(text, errors=", 'unquote(text.replace("+", " "), errors='),
        ("what libpq does not know is taken", "if name not in PARAMETERS:", "if False:"),
        ("a port may be anything", "if not all(0 < port <= _MAX_PORT", "if not all(-1 < port"),
        ("an empty sslmode is the default one", 'if options.get(name) == "":', "if False:"),
        ("a host may be missing in the middle", "if len(names) > 1 and", "if False and"),
        witness="database/test_urls.py",
    ),
    *mutants(
        "api/database/addresses.py",
        (
            "a folder with an address is a socket",
            'if name.startswith("/"):\n        return address',
            'if name.startswith("/"):\n        return name',
        ),
        witness="database/test_urls.py",
    ),
    *mutants(
        "api/database/connector.py",
        (
            "hostaddr is not read",
            "loop=addresses.loop(hosts)",
            "loop=None",
        ),
        witness="database/test_urls.py",
    ),
    *mutants(
        "api/settings.py",
        (
            "a key set needs no audience",
            'for name in ("auth_issuer", "auth_audience"):',
            'for name in ("auth_issuer",):',
        ),
        (
            "a key set needs no issuer",
            'for name in ("auth_issuer", "auth_audience"):',
            'for name in ("auth_audience",):',
        ),
        (
            "neither mode is taken",
            "if not self.better_auth_secret and not self.auth_jwks_url:",
            "if False:",
        ),
        (
            "a link in an e-mail is a token",
            'self.auth_user_claim == "userId" and not self.auth_audience',
            "False",
        ),
        ("both modes are taken", "if self.better_auth_secret and self.auth_jwks_url:", "if False:"),
        ("inputs are shown in errors", 'one["msg"].removeprefix("Value error, ")', "str(error)"),
    ),
]

SETTINGS_FAULTS: Final = [
    *mutants(
        "api/settings.py",
        (
            "a share may be more than there is",
            "if self.pool_share is not None and self.pool_share > self.pool_size:",
            "if False:",
        ),
        witness="test_settings.py",
    ),
]
