"""Tokens, and the key set of their issuer."""

from typing import Final

from tests.mutants.mutant import Edit, Mutant, mutants

_AUTH: Final = "api/auth/authenticator.py"
_HEADER_ALGORITHM: Final = 'if (algorithm := header.get("alg")) not in self._algorithms:'
_ANY_HEADER_ALGORITHM: Final = 'if (algorithm := header.get("alg")) is None:'
_ALL: Final = '["HS256", "HS384", "HS512", "none", "EdDSA", "ES256", "ES512", "RS256", "PS256"]'
_ALLOWED: Final = "                algorithms=self._algorithms,\n"
_ANY_ALLOWED: Final = f"                algorithms={_ALL},\n"
_OPTION: Final = '                    "verify_sub": False,'

TOKENS: Final = [
    *mutants(
        _AUTH,
        ("a token needs no end", '"require": ["exp"]', '"require": list[str]()'),
        ("any issuer is believed", "issuer=self._issuer,", "issuer=None,"),
        (
            "any audience is believed",
            '"verify_aud": self._audience is not None',
            '"verify_aud": False',
        ),
        ("a token never expires", _OPTION, f'"verify_exp": False,\n{_OPTION}'),
        ("a token may be used before its time", _OPTION, f'"verify_nbf": False,\n{_OPTION}'),
        ("a token may be issued in the future", _OPTION, f'"verify_iat": False,\n{_OPTION}'),
        ("a signature is not verified", _OPTION, f'"verify_signature": False,\n{_OPTION}'),
        ("an end may be after the year 9999", " or not expires < _YEAR_10000:", ":"),
        ("an end may be of any type", "type(expires) not in (int, float) or ", ""),
        ("clocks may differ by an hour", "LEEWAY: Final = 10 ", "LEEWAY: Final = 3600 "),
        ("the header may name any algorithm", _HEADER_ALGORITHM, _ANY_HEADER_ALGORITHM),
        ("a token may be of any type", "not in _TYPES:", "is None:"),
        ("a token may be of any length", " or len(match[1]) > _MAX_LENGTH:", ":"),
        ("several Authorization headers are taken", "if len(authorization) > 1:", "if False:"),
        ("the scheme may be anything", 'r"(?i:bearer) +([A-Za-z', 'r"(?i:[a-z]+) +([A-Za-z'),
        (
            "a remembered token never expires",
            "            and time.time() < known.user.expires\n",
            "",
        ),
        ("a remembered token outlives its key", " is known.key\n", " is not None\n"),
        (
            "tokens of one content are one token, however signed",
            "blake2b(authorization[0].encode())",
            'blake2b(authorization[0].rpartition(".")[0].encode())',
        ),
        (
            "a key id may be left out",
            "self._keys.key(kid, algorithm) if isinstance(kid, str) else None",
            "self._keys.key(str(kid), algorithm)",
        ),
        ("an identity may be blank", "or not is_identifier(value):", ":"),
        (
            "an identity need not be a string",
            "if not isinstance(value, str) or not is_identifier(value):",
            "if not is_identifier(str(value)):",
        ),
        (
            "the claim is always sub",
            'settings.auth_user_claim.split(".")\n        self',
            '["sub"]\n        self',
        ),
        (
            "an issued token lasts a century",
            "lifetime: int = 86_400",
            "lifetime: int = 3_153_600_000",
        ),
        ("an issued token names no issuer", 'claims["iss"] = settings.auth_issuer', "pass"),
        (
            "a token refused says nothing of why",
            "*, presented: bool = True",
            "*, presented: bool = False",
        ),
    ),
    *mutants(
        _AUTH,
        (
            "a short key is taken",
            '"enforce_minimum_key_length": True',
            '"enforce_minimum_key_length": False',
        ),
        witness="auth/test_weak_keys.py",
    ),
    *mutants(
        _AUTH,
        ("a token is issued for nobody", "    if not is_identifier(user_id):", "    if False:"),
        witness="commands/test_cli.py::test_a_failure_is_one_line_that_says_what_to_do",
    ),
    *mutants(
        _AUTH,
        ("a token needs no issuer", '+ ["iss"] * (self._issuer is not None)', ""),
        ("a token needs no audience", '+ ["aud"] * (self._audience is not None)', ""),
        equivalent="PyJWT demands the claim already where it is told which one is right",
    ),
    *mutants(
        _AUTH,
        ("any algorithm is decoded", _ALLOWED, _ANY_ALLOWED),
        equivalent="the header, whose alg PyJWT reads again, was held against the same list "
        "before; without that check too, the suite is red: see the next mutant",
    ),
    Mutant(
        "the header may name any algorithm, and any is decoded",
        (
            Edit(_AUTH, _HEADER_ALGORITHM, _ANY_HEADER_ALGORITHM),
            Edit(_AUTH, _ALLOWED, _ANY_ALLOWED),
        ),
    ),
    Mutant(
        "HS256 is taken beside the key set",
        (
            Edit(
                _AUTH,
                "else settings.auth_algorithms\n",
                'else (*settings.auth_algorithms, "HS256")\n',
            ),
            Edit(
                _AUTH,
                "KeySet(settings.auth_jwks_url, self._algorithms,",
                "KeySet(settings.auth_jwks_url, settings.auth_algorithms,",
            ),
        ),
    ),
    Mutant(
        "HS256 is taken with the public key for a secret",
        (
            Edit(
                _AUTH,
                "else settings.auth_algorithms\n",
                'else (*settings.auth_algorithms, "HS256")\n',
            ),
            Edit(
                _AUTH,
                "KeySet(settings.auth_jwks_url, self._algorithms,",
                "KeySet(settings.auth_jwks_url, settings.auth_algorithms,",
            ),
            Edit(
                _AUTH,
                "await self._keys.key(kid, algorithm)",
                "await self._keys.key(kid, self._algorithms[0])",
            ),
            Edit(
                _AUTH,
                "        return key\n",
                "        return key.public_bytes_raw() if algorithm == 'HS256' else key\n",
            ),
        ),
    ),
    *mutants(
        "api/text.py",
        (
            "anything is an identity",
            "return 1 <= len(text) <= 255 and _UNFIT.search(text) is None",
            "return True",
        ),
        ("an identity may be empty", "return 1 <= len(text) <= 255", "return len(text) <= 255"),
        ("an identity may be long", "1 <= len(text) <= 255", "1 <= len(text)"),
        ("an identity may hold blanks", " and _UNFIT.search(text) is None", ""),
        ("nothing is blank", "return _SHOWN.search(text) is None", "return False"),
        ("surrogates are fit", "\\ud800-\\udfff", ""),
    ),
]

_KEYS: Final = "api/auth/jwks.py"

KEYS: Final = mutants(
    _KEYS,
    (
        "a key of any kind is taken",
        '(entry.get("kty"), entry.get("crv")) == _KINDS[algorithm]',
        "True",
    ),
    (
        "a key of any curve is taken",
        '(entry.get("kty"), entry.get("crv")) == _KINDS[algorithm]',
        'entry.get("kty") == _KINDS[algorithm][0]',
    ),
    (
        "the alg of a key is not looked at",
        '                and entry.get("alg", algorithm) == algorithm\n',
        "",
    ),
    (
        "the use of a key is not looked at",
        '                and entry.get("use", "sig") == "sig"\n',
        "",
    ),
    ("a private key is taken", ' or "d" in entry:', ":"),
    ("keys are kept for ever", "            self._keys = {}\n", "            pass\n"),
    ("keys are never renewed", "requested_at - self._fetched > TTL", "False"),
    (
        "the issuer is asked without pause",
        "MIN_REFRESH_INTERVAL: Final = 2.0",
        "MIN_REFRESH_INTERVAL: Final = 0.0",
    ),
    ("redirects are followed", "follow_redirects=False", "follow_redirects=True"),
    ("a key set may be of any size", "if len(body) > _MAX_BYTES:", "if False:"),
    (
        "the issuer is waited for for ever",
        "asyncio.timeout(self._timeout)",
        "asyncio.timeout(None)",
    ),
    ("any answer is a key set", "if response.status_code != 200:", "if False:"),
    ("a set without keys is a key set", "            if not keys:\n", "            if False:\n"),
    ("one broken key spoils the set", "continue  # one broken", "raise  # one broken"),
    (
        "an outage is called a wrong key",
        "            if self._failed:\n                raise KeysUnavailable\n",
        "",
    ),
    (
        "who leaves takes the fetch along",
        "await asyncio.shield(self._fetch or self._start())",
        "await (self._fetch or self._start())",
    ),
) + mutants(
    _KEYS,
    (
        "a key of any type is taken",
        '(entry.get("kty"), entry.get("crv")) == _KINDS[algorithm]',
        'entry.get("crv") == _KINDS[algorithm][1]',
    ),
    equivalent="PyJWT looks at kty itself, and a key it refuses is left out",
)

AUTH_FAULTS: Final = [
    *mutants(
        _KEYS,
        (
            "a proxy that no client can use is a traceback",
            "    except Exception as error:\n        raise SettingsError",
            "    except RecursionError as error:\n        raise SettingsError",
        ),
        witness="commands/test_environment.py",
    ),
    *mutants(
        _KEYS,
        (
            "a proxy without a port is a fault of the program",
            "except Exception as error:  # a proxy",
            "except (httpx2.HTTPError, OSError, ValueError, RecursionError) as error:  # a proxy",
        ),
        (
            "the client's own timeout ends a fetch before AUTH_JWKS_TIMEOUT does",
            "            timeout=None,",
            "            timeout=5,",
        ),
        witness="auth/test_jwks.py",
    ),
]
