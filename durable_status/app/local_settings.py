"""local.settings.json: the app settings of a local start."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from durable_status.app.errors import AppError
from durable_status.app.settings_file import read_settings_file

FILE_NAME = "local.settings.json"

_LAST_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSettings:
    """The part of the file a local host uses; without a file, all defaults."""

    values: Mapping[str, str] = field(default_factory=dict)
    http_port: int | None = None


def read_local_settings(root: Path) -> LocalSettings:
    """Read the file of the app in `root`, if there is one.

    Raises:
        AppError: the file is not usable, or says that it is encrypted.
    """
    path = root / FILE_NAME
    if not path.is_file():
        return LocalSettings()
    content = read_settings_file(path)
    if content.get("IsEncrypted") is True:
        raise AppError(
            f'{FILE_NAME} is encrypted; run "func settings decrypt" or write plain values and IsEncrypted false.'
        )
    values = _section(content, "Values").items()
    return LocalSettings(
        values={name: _as_text(name, value) for name, value in values if name and value is not None},
        http_port=_port(_section(content, "Host").get("LocalHttpPort")),
    )


def apply_to_environment(settings: LocalSettings, environment: MutableMapping[str, str]) -> None:
    """Set each value, unless the environment has one that is not empty: the shell wins over the file."""
    for name, value in settings.values.items():
        if not environment.get(name):
            environment[name] = value


def _section(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = content.get(name)
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise AppError(f'{FILE_NAME}: "{name}" must be an object.')
    return section


def _as_text(name: str, value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return "True" if value else "False"
        case int() | float():
            return str(value)
        case _:
            raise AppError(f'{FILE_NAME}: the value of "{name}" must be a text, not {type(value).__name__}.')


def _port(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not str(value).isdecimal() or int(value) > _LAST_PORT:
        raise AppError(f"{FILE_NAME}: Host.LocalHttpPort must be a port number, not {value!r}.")
    return int(value)
