"""`make openapi`: write openapi.json, from which front ends generate their types."""

import json
from pathlib import Path
from typing import Any, Final

from api.main import create_app
from api.settings import Settings
from tests.people import SECRET

FILE: Final = Path(__file__).parent.parent / "openapi.json"
NOWHERE: Final = "postgresql://task_app@nowhere.invalid/tasks"
DOCUMENT: Final[dict[str, Any]] = create_app(
    Settings(database_url=NOWHERE, better_auth_secret=SECRET)
).openapi()


def text() -> str:
    """The document, as it is committed."""
    return json.dumps(DOCUMENT, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
    print(f"wrote {FILE.name}; look at what changed before you commit it")
