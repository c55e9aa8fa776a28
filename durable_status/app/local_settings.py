"""local.settings.json: the app settings of a local start."""

from __future__ import annotations

import ipaddress
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

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Never shown: connection strings are among them."""
    http_port: int | None = None
    http_address: str | None = None
    cors_origins: tuple[str, ...] = ()
    cors_credentials: bool = False
    notices: tuple[str, ...] = ()
    """What of the file has no effect, a sentence each."""


def read_local_settings(root: Path) -> LocalSettings:
    """Read the file of the app in `root`, if there is one. Without IsEncrypted the values are taken as plain.

    Raises:
        AppError: the file is not usable, or says that it is encrypted.
    """
    path = root / FILE_NAME
    if not path.is_file():
        return LocalSettings()
    content = read_settings_file(path)
    if str(content.get("IsEncrypted")).casefold() == "true":
        raise AppError(
            f'{FILE_NAME} is encrypted; run "func settings decrypt" or write plain values and IsEncrypted false.'
        )
    values, notices = _values(_object(content, "Values"))
    host = _object(content, "Host")
    return LocalSettings(
        values=values | _connection_strings(_object(content, "ConnectionStrings")),
        http_port=_port(host.get("LocalHttpPort")),
        http_address=_address(host.get("LocalHttpAddress")),
        cors_origins=split_origins(str(host.get("CORS") or "")),
        cors_credentials=str(host.get("CORSCredentials")).casefold() == "true",
        notices=tuple(notices),
    )


def apply_to_environment(settings: LocalSettings, environment: MutableMapping[str, str]) -> list[str]:
    """Set each value, unless the environment has one that is not empty: the shell wins over the file.

    Returns a sentence that names the values which lost, if any did.
    """
    kept = []
    for name, value in settings.values.items():
        if not environment.get(name):
            environment[name] = value
        elif environment[name] != value:
            kept.append(name)
    return [f"{FILE_NAME}: the environment's own value stays for {', '.join(sorted(kept))}."] if kept else []


def split_origins(text: str) -> tuple[str, ...]:
    """The origins of a comma-separated list."""
    return tuple(origin.strip().rstrip("/") for origin in text.split(",") if origin.strip())


def _object(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = content.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise AppError(f'{FILE_NAME}: "{name}" must be an object, not {type(value).__name__}.')
    return value


def _values(content: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """The values as texts. One that is an object or a list makes the tool ignore all of them (http.md §6.2)."""
    nested = [name for name, value in content.items() if isinstance(value, dict | list)]
    if nested:
        names = ", ".join(f'"{name}"' for name in nested)
        return {}, [f"{FILE_NAME}: no value is used, because {names} is not a text; write it as one."]
    empty = [name for name, value in content.items() if name and value is None]
    notices = [f"{FILE_NAME}: null is no value: {', '.join(empty)}."] if empty else []
    return {name: _as_text(value) for name, value in content.items() if name and value is not None}, notices


def _connection_strings(content: Mapping[str, Any]) -> dict[str, str]:
    texts = {}
    for name, value in content.items():
        text = value.get("ConnectionString") if isinstance(value, dict) else value
        if not isinstance(text, str):
            raise AppError(f'{FILE_NAME}: the connection string "{name}" must be a text, or an object that holds one.')
        texts[f"ConnectionStrings:{name}"] = text
    return texts


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "True" if value else "False"
    return str(value)


def _port(value: Any) -> int | None:
    if value is None:
        return None
    try:
        port = int(value)
    except (TypeError, ValueError):
        port = -1
    if not 0 <= port <= 65535:
        raise AppError(f"{FILE_NAME}: Host.LocalHttpPort must be a port number, not {value!r}.")
    return port


def _address(value: Any) -> str | None:
    if value is None:
        return None
    try:
        return str(ipaddress.ip_address(str(value)))
    except ValueError:
        raise AppError(f"{FILE_NAME}: Host.LocalHttpAddress must be an IP address, not {value!r}.") from None
