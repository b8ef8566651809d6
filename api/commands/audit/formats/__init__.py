"""How a report is shown. Each format is a function from a report to text."""

from collections.abc import Callable
from typing import Final

from api.commands.audit.formats import html, json, sarif, text
from api.commands.audit.report import Report

FORMATS: Final[dict[str, Callable[[Report], str]]] = {
    "text": text.render,
    "json": json.render,
    "sarif": sarif.render,
    "html": html.render,
}
