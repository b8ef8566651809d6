"""The system's CA certificates, for TLS clients that do not find them."""

import os
import ssl


def find() -> None:
    """Export the system's CA paths as SSL_CERT_FILE and SSL_CERT_DIR, unless these are set.

    psycopg's wheel brings its own OpenSSL, whose default folder exists on no system, so that
    sslrootcert=system would trust no server. Python's OpenSSL knows the system's paths.
    """
    paths = ssl.get_default_verify_paths()
    for name, path in (
        (paths.openssl_cafile_env, paths.cafile),
        (paths.openssl_capath_env, paths.capath),
    ):
        if path:
            os.environ.setdefault(name, path)
