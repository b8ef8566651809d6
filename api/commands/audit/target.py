"""The audited database: this program's own, or a foreign one with row security."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from api.commands.audit.checks import Subject
from api.settings import SettingsError

# Options of `task-api audit`, and keys of its configuration file.
KEYS: Final = ("manifest", "role", "setting", "setting_template", "owner_column")


@dataclass(frozen=True)
class Target:
    """The audited subject, and the format of its setting; %s is the owner."""

    subject: Subject = field(default_factory=Subject)
    setting_template: str = "%s"
    own: bool = True  # this program's database, with a manifest and probes of its tables

    def names(self, owner: str) -> str:
        """The value of the setting for an owner; escaped if the template is JSON."""
        if self.setting_template.startswith("{"):
            owner = json.dumps(owner)[1:-1]
        return self.setting_template.replace("%s", owner)


OWN: Final = Target()


def target(options: Mapping[str, str | None], config: Path | None) -> Target:
    """The target of the options, else of the file. Raises `SettingsError`."""
    given = _read(config) if config else {}
    given |= {key: value for key in KEYS if (value := options.get(key)) is not None}
    if not given:
        return OWN
    for key, value in given.items():
        if not isinstance(value, str) or not value or "\x00" in value:
            raise SettingsError(f"{key} of the audit is a text that is not empty")
    if given.pop("manifest", None) != "none":
        raise SettingsError(
            "the audit takes another role, setting or column with manifest none only, "
            "the one value there is: another's database has no manifest here"
        )
    template = given.pop("setting_template", "%s")
    _refuse_template(template)
    return Target(Subject(**given), template, own=False)


def _read(file: Path) -> dict[str, str]:
    try:
        read = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"--config {file} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"--config {file} is not TOML: {error}") from None
    given = {key.replace("-", "_"): value for key, value in read.items()}
    if unknown := sorted({*given} - {*KEYS}):
        raise SettingsError(f"--config {file} knows {', '.join(KEYS)}; not {', '.join(unknown)}")
    return given


def _refuse_template(template: str) -> None:
    good = template.count("%s") == 1
    if good and template.startswith("{"):
        try:
            json.loads(template.replace("%s", "x"))
        except ValueError:
            good = False
    if not good:
        raise SettingsError(
            "setting_template of the audit has %s once, where the owner stands, and is JSON "
            """when it begins with {, such as {"sub": "%s"}"""
        )
