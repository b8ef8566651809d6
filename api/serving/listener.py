"""Listening sockets."""

import socket

from api.settings import SettingsError


def listener(host: str, port: str | int) -> socket.socket:
    """A socket that listens on this host and port. Raises `SettingsError` if it cannot."""
    listening = bound(host, port)
    listening.listen()
    return listening


def bound(host: str, port: str | int) -> socket.socket:
    """A socket bound to this host and port. Raises `SettingsError` if it cannot be."""
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, int(port)))
    except (OSError, OverflowError, ValueError) as error:
        made.close()
        reason = error.strerror if isinstance(error, OSError) else "not a number from 0 to 65535"
        raise SettingsError(
            f"cannot listen on {host} port {port} ({reason}); choose another, such as 8001"
        ) from None
    return made
