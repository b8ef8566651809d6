"""A real nginx as a reverse proxy in front of the API, with a usual configuration."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Final

from tests import wanted
from tests.loopback import free_port
from tests.scratch import scratch

_PATIENCE: Final = 10  # seconds
# With one process and one connection kept to the API, so that requests follow each other on it.
_CONFIGURATION: Final = """
daemon off;
{user}
worker_processes 1;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    {temporary}
    {http}
    map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
    upstream api {{ server {api}; keepalive 1; }}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 2m;
        {server}
        location {path} {{
            proxy_pass http://api{passed};
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            {location}
        }}
    }}
}}
"""
_TEMPORARY: Final = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@contextlib.contextmanager
def nginx(
    api: str,
    *,
    http: str = "",
    server: str = "",
    location: str = "",
    path: str = "/",
    passed: str = "",
) -> Iterator[str]:
    """The address of an nginx before the API at this one; more of its configuration, if given.

    It passes on what is below `path`, as it is, or with `passed` instead of `path`.
    """
    program = wanted.program("nginx")
    port = free_port()
    with scratch() as folder:
        configuration = folder / "nginx.conf"
        configuration.write_text(
            _CONFIGURATION.format(
                folder=folder,
                user="user root;" if os.geteuid() == 0 else "",  # it would be nobody's folder
                temporary=" ".join(f"{name}_temp_path {folder}/{name};" for name in _TEMPORARY),
                api=api.removeprefix("http://"),
                port=port,
                http=http,
                server=server,
                path=path,
                passed=passed,
                location=location,
            )
        )
        command = [program, "-p", str(folder), "-c", str(configuration)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait_until_it_listens(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(_PATIENCE)


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        assert process.poll() is None, "nginx did not start"
        assert time.monotonic() < deadline, "nginx does not listen"
        time.sleep(0.01)
