"""Tells systemd that the service is ready, or stopping (sd_notify(3), for units of Type=notify)."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"


def notifier() -> Callable[[str], None]:
    """A function that sends a state to the service manager; it does nothing if there is none."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    address = f"\0{path[1:]}" if path.startswith("@") else path  # @: Linux's abstract namespace

    def notify(state: str) -> None:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(state.encode(), address)

    return notify if address else lambda _: None
