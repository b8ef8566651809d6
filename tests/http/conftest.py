"""An application, to be extended before it is served."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from api.main import TaskAPI, create_app
from tests.cluster import TaskDatabase
from tests.extended import Make, settings_of
from tests.people import People
from tests.server import serving


@pytest.fixture
def make(database: TaskDatabase) -> Iterator[Make]:
    """Makes an application to be extended, and what serves it then to its people."""
    with ExitStack() as stack:

        def made(**changed: Any) -> tuple[TaskAPI, Callable[[], People]]:
            settings = settings_of(database, **changed)
            app = create_app(settings)

            def serve() -> People:
                return stack.enter_context(People(stack.enter_context(serving(settings, app))))

            return app, serve

        yield made
