"""host.json: the settings of the Functions host and the durable extension that a local host honours."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from durable_status.app.errors import AppError
from durable_status.app.settings_file import read_settings_file

FILE_NAME = "host.json"

_HUB_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{2,49}")
_SETTING_REFERENCE = re.compile(r"%([^%]+)%")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """What the local host takes from host.json; the defaults are those of the durable extension."""

    hub_name: str = "TestHubName"
    connection_name: str | None = None
    route_prefix: str = "api"
    max_concurrent_orchestrators: int
    max_concurrent_activities: int
    max_concurrent_entities: int
    max_entity_batch_size: int = 5_000
    entity_reorder_minutes: int = 30
    max_orchestration_actions: int = 100_000
    store_inputs_in_history: bool = False
    replaces_live_instances: bool = False
    default_http_sleep_milliseconds: int = 30_000


def read_host_settings(root: Path, environment: Mapping[str, str]) -> HostSettings:
    """Read host.json of the app in `root`; names are matched in any case, unknown ones ignored.

    Raises:
        AppError: the file is missing, no JSON, of another version, or holds a value the host would refuse.
    """
    path = root / FILE_NAME
    if not path.is_file():
        raise AppError(f'there is no {FILE_NAME} in {root}; an app needs one, at least {{"version": "2.0"}}.')
    content = _Section(FILE_NAME, read_settings_file(path))
    if content.value("version") != "2.0":
        raise AppError(f'{FILE_NAME}: "version" must be "2.0", not {content.value("version")!r}.')
    extensions = content.section("extensions")
    durable = extensions.section("durableTask")
    prefix = extensions.section("http").text("routePrefix")
    concurrency = 10 * (os.cpu_count() or 1)
    return HostSettings(
        hub_name=_hub_name(durable.text("hubName"), environment),
        connection_name=_connection_name(durable.section("storageProvider")),
        route_prefix=("api" if prefix is None else prefix).strip("/"),
        max_concurrent_orchestrators=durable.positive("maxConcurrentOrchestratorFunctions", concurrency),
        max_concurrent_activities=durable.positive("maxConcurrentActivityFunctions", concurrency),
        max_concurrent_entities=durable.positive("maxConcurrentEntityFunctions", concurrency),
        max_entity_batch_size=durable.positive("maxEntityOperationBatchSize", 5_000),
        entity_reorder_minutes=durable.positive("entityMessageReorderWindowInMinutes", 30, or_zero=True),
        max_orchestration_actions=durable.positive("maxOrchestrationActions", 100_000),
        store_inputs_in_history=durable.truth("storeInputsInOrchestrationHistory"),
        replaces_live_instances=(durable.text("overridableExistingInstanceStates") or "").casefold() == "anystate",
        default_http_sleep_milliseconds=durable.section("httpSettings").positive(
            "defaultAsyncRequestSleepTimeMilliseconds", 30_000
        ),
    )


def expand_settings(text: str, environment: Mapping[str, str], where: str) -> str:
    """Replace each ``%NAME%`` by that app setting.

    Raises:
        AppError: a setting is missing.
    """

    def setting(found: re.Match[str]) -> str:
        value = environment.get(found[1])
        if not value:
            raise AppError(
                f"{where} refers to the app setting {found[0]}, which has no value; "
                f"set it in local.settings.json or in the environment."
            )
        return value

    return _SETTING_REFERENCE.sub(setting, text)


class _Section:
    """One object of host.json, with the name errors call it by."""

    def __init__(self, name: str, content: object) -> None:
        if not isinstance(content, dict):
            raise AppError(f"{name} must be an object, not {content!r}.")
        self._name = name
        self._content = {key.casefold(): value for key, value in content.items()}

    def value(self, key: str) -> Any:
        return self._content.get(key.casefold())

    def section(self, key: str) -> _Section:
        return _Section(f"{self._name}: {key}", {} if self.value(key) is None else self.value(key))

    def text(self, key: str) -> str | None:
        value = self.value(key)
        if value is not None and not isinstance(value, str):
            raise AppError(f"{self._name}: {key} must be a text, not {value!r}.")
        return value

    def positive(self, key: str, default: int, *, or_zero: bool = False) -> int:
        value = self.value(key)
        if value is None:
            return default
        # All scalars become texts in the host's configuration, so "5" is as good as 5.
        is_whole = not isinstance(value, bool) and str(value).strip().isdecimal()
        if not is_whole or (int(value) == 0 and not or_zero):
            wanted = "zero or a whole number above it" if or_zero else "a whole number above zero"
            raise AppError(f"{self._name}: {key} must be {wanted}, not {value!r}.")
        return int(value)

    def truth(self, key: str) -> bool:
        value = self.value(key)
        text = str(value).casefold()
        if value is not None and text not in ("true", "false"):
            raise AppError(f"{self._name}: {key} must be true or false, not {value!r}.")
        return text == "true"


def _hub_name(configured: str | None, environment: Mapping[str, str]) -> str:
    if configured is None:
        return _sanitized(environment.get("WEBSITE_SITE_NAME") or "TestHubName")
    name = expand_settings(configured, environment, f"{FILE_NAME}: hubName")
    if _HUB_NAME.fullmatch(name) is None:
        raise AppError(
            f"Task hub name '{name}' should contain only alphanumeric characters, start with a letter, "
            "and have length between 3 and 45."
        )
    return name


def _sanitized(site_name: str) -> str:
    """A hub name made of a site name, as the extension makes it."""
    name = re.sub("[^A-Za-z0-9]", "", site_name)[:45]
    if not name:
        return "DefaultTaskHub"
    if name[0].isdigit():
        name = f"t{name}"[:45]
    return name if len(name) >= 3 else f"{name}Hub"


def _connection_name(storage_provider: _Section) -> str | None:
    return storage_provider.text("connectionName") or storage_provider.text("connectionStringName")
