"""The port that the server listens on."""

import socket

from api.settings import SettingsError


def listener(host: str, port: str | int) -> socket.socket:
    """A socket on that address. Raises `SettingsError` when it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family)
    except (OSError, OverflowError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a number from 0 to 65535"
        raise SettingsError(
            f"cannot listen on {host} port {port} ({reason}); choose another, such as 8001"
        ) from None
