"""The keys of a host, and who may call what when they count (http.md §5.6, §7.1)."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from durable_status.local_host.errors import LocalHostError
from durable_status.local_host.reply import Scope

FILE_NAME = "keys.json"

_BYTES = 40
_MASTER, _HOST, _SYSTEM, _FUNCTIONS = "master", "host", "durabletask_extension", "functions"


class Access(Enum):
    """What a key opens."""

    GRANTED = 200
    NO_KEY = 401
    WRONG_KEY = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys by whom they are for. Never shown: they are only in their file, and one is in the management URLs."""

    master: str = field(repr=False)
    host: str = field(repr=False)
    """Opens every function of level FUNCTION."""
    system: str = field(repr=False)
    """Opens the management API and nothing else."""
    functions: Mapping[str, str] = field(repr=False)
    """Each opens one function."""

    def to_management(self, presented: str | None) -> Access:
        """Whether a key opens the management API."""
        return self._access(presented, self.system, self.master)

    def to_admin(self, presented: str | None) -> Access:
        """Whether a key opens what is under ``/admin``."""
        return self._access(presented, self.master)

    def to_function(self, name: str, auth_level: str, presented: str | None) -> Access:
        """Whether a key opens an HTTP function. A valid key of another kind is as good as none."""
        if auth_level == "ANONYMOUS":
            return Access.GRANTED
        opening = [self.master] if auth_level == "ADMIN" else [self.functions[name], self.host, self.master]
        return Access.GRANTED if _is_one_of(presented, opening) else Access.NO_KEY

    def _access(self, presented: str | None, *opening: str) -> Access:
        if _is_one_of(presented, opening):
            return Access.GRANTED
        known = [self.master, self.host, self.system, *self.functions.values()]
        return Access.WRONG_KEY if _is_one_of(presented, known) else Access.NO_KEY


def presented_key(scope: Scope) -> str | None:
    """The key of a request: the header, or, only without the header, the first ``code`` of the query."""
    for name, value in scope["headers"]:
        if name.lower() == b"x-functions-key":
            return str(value.decode("latin-1"))
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return next((value for name, value in query if name.casefold() == "code"), None)


def load_keys(path: Path | None, function_names: Iterable[str]) -> Keys:
    """Read the keys in `path`, and add those that are missing; without a path they last as long as the host.

    Raises:
        LocalHostError: the file cannot be read or written.
    """
    stored = _read(path) if path and path.exists() else {}
    functions = stored.get(_FUNCTIONS) or {}
    keys = {name: str(stored.get(name) or _new_key()) for name in (_MASTER, _HOST, _SYSTEM)}
    per_function = {name: str(functions.get(name) or _new_key()) for name in function_names}
    wanted = {**keys, _FUNCTIONS: {**functions, **per_function}}
    if path and wanted != stored:
        _write(path, json.dumps(wanted, indent=2))
    return Keys(master=keys[_MASTER], host=keys[_HOST], system=keys[_SYSTEM], functions=per_function)


def _read(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LocalHostError(
            f"the keys in {path} cannot be read ({error}); delete the file to get new ones."
        ) from error
    if not isinstance(stored, dict):
        raise LocalHostError(f"{path} holds no keys; delete the file to get new ones.")
    return stored


def _write(path: Path, text: str) -> None:
    """Replace the file at once, so that a host that starts beside this one never reads half of it."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        fresh.replace(path)
    except OSError as error:
        raise LocalHostError(f"the keys cannot be kept in {path}: {error.strerror}.") from error


def _new_key() -> str:
    return secrets.token_urlsafe(_BYTES)


def _is_one_of(presented: str | None, keys: Iterable[str]) -> bool:
    given = (presented or "").encode()
    return any(secrets.compare_digest(given, key.encode()) for key in keys)
