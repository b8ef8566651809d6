"""Whom the system trusts to vouch for servers, for a client that does not know where to look."""

import os
import ssl


def find() -> None:
    """Say it in the environment, unless that was done already.

    psycopg's wheel brings an OpenSSL of its own, which looks in a folder that no system has, so
    that sslrootcert=system would trust nobody. Python's knows the system's.
    """
    paths = ssl.get_default_verify_paths()
    for name, path in (
        (paths.openssl_cafile_env, paths.cafile),
        (paths.openssl_capath_env, paths.capath),
    ):
        if path:
            os.environ.setdefault(name, path)
