"""What the commands have in common, imported: their processes are forked from one that has it."""

import gc
from importlib import import_module
from typing import Final

_LIBRARIES: Final = [
    *("asyncpg", "fastapi", "httpx2", "jwt", "limits.aio", "prometheus_client", "psycopg"),
    *("pydantic_settings", "sqlmodel", "uvicorn.logging", "uvicorn.protocols.http.httptools_impl"),
    *("uvloop", "yoyo.backends"),
]
# Of ours what takes longest, the statements; the modules of commands stay to be measured.
_OURS: Final = ("api.main", "api.serving.server")

for _name in (*_LIBRARIES, *_OURS):
    import_module(_name)
gc.collect()
gc.freeze()  # nothing of it is garbage: nobody needs to look again
