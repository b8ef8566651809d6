"""The real server on a real port, in the process of the tests, so that coverage includes it."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

from api.main import TaskAPI, create_app
from api.serving.server import Config, Server
from api.settings import Settings
from tests.cluster import TaskDatabase
from tests.people import SECRET, People


@contextlib.contextmanager
def serving(settings: Settings, app: TaskAPI | None = None) -> Iterator[str]:
    """The API for these settings, or this application of theirs, until the block ends; its
    address."""
    listener = socket.create_server(("127.0.0.1", 0))
    started = threading.Event()
    server = Server(Config(app or create_app(settings), settings, log_config=None), started.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not started.wait(0.1):
            assert thread.is_alive(), "the server did not start"
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        listener.close()
        assert not thread.is_alive(), "the server did not stop"


@contextlib.contextmanager
def people_of(database: TaskDatabase, **settings: Any) -> Iterator[People]:
    """The people of an API of their own on this database, in secret mode."""
    usual = {"database_url": database.task_app, "better_auth_secret": SECRET}
    with serving(Settings(**(usual | settings))) as address, People(address) as people:
        yield people
