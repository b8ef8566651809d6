"""The real server on a real port, in this process, so that its coverage is seen."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

from api.main import TaskAPI, create_app
from api.serving.server import Config, Server
from api.settings import Settings
from tests.cluster import TaskDatabase
from tests.people import SECRET, People


def _as_it_is(_: TaskAPI) -> None:
    pass


@contextlib.contextmanager
def serving(settings: Settings, extend: Callable[[TaskAPI], None] = _as_it_is) -> Iterator[str]:
    """The API for these settings, and what `extend` adds to it, until the block ends; its
    address."""
    listener = socket.create_server(("127.0.0.1", 0))
    started = threading.Event()
    app = create_app(settings)
    extend(app)
    server = Server(Config(app, settings, log_config=None), started.set)
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
def people_of(
    database: TaskDatabase, extend: Callable[[TaskAPI], None] = _as_it_is, **settings: Any
) -> Iterator[People]:
    """The people of an API of their own on this database, in secret mode."""
    usual = {"database_url": database.task_app, "better_auth_secret": SECRET}
    with serving(Settings(**(usual | settings)), extend) as address, People(address) as people:
        yield people
