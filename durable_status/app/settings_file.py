"""Reads the JSON files of an app, which may hold comments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from durable_status.app.errors import AppError


def read_settings_file(path: Path) -> dict[str, Any]:
    """Read a JSON object; comments and trailing commas are accepted, as the Functions host does.

    Raises:
        AppError: the file cannot be read, or is not one JSON object.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AppError(f"{path.name} cannot be read: {error}") from error
    try:
        value = json.loads(text)
    except ValueError as error:
        value = _read_with_comments(path, text, error)
    if not isinstance(value, dict):
        raise AppError(f"{path.name} must hold one JSON object, not {type(value).__name__}.")
    return value


def _read_with_comments(path: Path, text: str, plain_error: ValueError) -> Any:
    import jsonc  # imported here: most files are plain JSON, and start-up time counts

    try:
        return jsonc.loads(text)
    except ValueError:
        where = ""
        if isinstance(plain_error, json.JSONDecodeError):
            where = f" at line {plain_error.lineno}, column {plain_error.colno}"
            if plain_error.msg == "Extra data":
                raise AppError(
                    f"{path.name} is not valid JSON: a second value begins{where}; keep one object and delete the rest."
                ) from None
            where += f" ({plain_error.msg})"
        raise AppError(f"{path.name} is not valid JSON{where}.") from None
