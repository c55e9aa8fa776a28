"""host.json: the settings of the Functions host and the durable extension that a local host honours."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from durable_status.app.errors import AppError
from durable_status.app.host_notices import find_notices
from durable_status.app.log_levels import LogLevels, read_log_levels
from durable_status.app.section import HOST_FILE, Section, overlay
from durable_status.app.settings_file import read_settings_file

FILE_NAME = HOST_FILE

_OVERRIDE_PREFIX = "AzureFunctionsJobHost__"
_HUB_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{2,49}")
_HUB_NAME_ELSEWHERE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,63}")  # other providers do not name tables after it
_SETTING_REFERENCE = re.compile(r"%([^%]+)%")
_OTHER_PROVIDERS = ("mssql", "netherite", "azureManaged")

_INVISIBLE_SECONDS = 30
_LONGEST_INVISIBLE_SECONDS = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureStorageSettings:
    """``storageProvider`` of Azure Storage, as a host on one machine uses it.

    A message in hand is invisible for 30 s at a time and not for the platform's 300: so much less is lost when the
    host is killed. An idle queue is asked every second, and not every 30: development is not to wait.
    """

    partition_count: int | None = None
    """Of a new hub; an existing one has its own. None: the platform's default."""
    messages_in_hand: int = 256
    """Of each control queue."""
    control_invisible_seconds: int = _INVISIBLE_SECONDS
    work_invisible_seconds: int = _INVISIBLE_SECONDS
    longest_poll_seconds: float = 1.0


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
    uses_forwarded_host: bool = False
    default_version: str = ""
    uses_app_lease: bool = True
    azure_storage: AzureStorageSettings = field(default_factory=AzureStorageSettings)
    serves_rpc: bool = True
    """Whether there is an RPC endpoint, which the SDK's client needs."""
    extended_sessions: bool = False
    """Asked for, which Python apps cannot have: extension 2.x switches it off, 3.x does not start."""
    custom_headers: Mapping[str, str] = field(default_factory=dict)
    allowed_functions: frozenset[str] | None = None
    """The only functions to load, in lower case; None: all of them."""
    function_timeout_seconds: float | None = None
    """How long an activity, an HTTP function or a timer function may run; None: as long as it likes."""
    log_levels: LogLevels | None = None
    """Which log lines are shown; None: the file says nothing of them."""
    notices: tuple[str, ...] = ()
    """Settings that have no effect, here or at all, a sentence each."""


def read_host_settings(root: Path, environment: Mapping[str, str]) -> HostSettings:
    """Read host.json of the app in `root`, with what the environment lays over it; unknown names are ignored.

    Raises:
        AppError: the file is missing, no JSON, of another version, or holds a value the host would refuse.
    """
    path = root / FILE_NAME
    if not path.is_file():
        raise AppError(f'there is no {FILE_NAME} in {root}; an app needs one, at least {{"version": "2.0"}}.')
    content = Section(FILE_NAME, overlay(read_settings_file(path), environment, _OVERRIDE_PREFIX))
    if list(content) and content.value("version") != "2.0":  # an empty object is all defaults
        raise AppError(f'{FILE_NAME}: "version" must be "2.0", not {content.value("version")!r}.')
    extensions = content.section("extensions")
    durable = extensions.section("durableTask")
    http = extensions.section("http")
    http_calls = durable.section("httpSettings")
    storage_provider = durable.section("storageProvider")
    other_provider = _other_provider(storage_provider)
    prefix = http.text("routePrefix")
    allowed = content.texts("functions")
    concurrency = 10 * (os.cpu_count() or 1)
    override = durable.choice("overridableExistingInstanceStates", ("NonRunningStates", "AnyState"))
    return HostSettings(
        hub_name=_hub_name(durable.text("hubName"), environment, is_azure_storage=other_provider is None),
        connection_name=storage_provider.text("connectionName") or storage_provider.text("connectionStringName"),
        route_prefix=("api" if prefix is None else prefix).strip("/"),
        max_concurrent_orchestrators=durable.number("maxConcurrentOrchestratorFunctions", concurrency),
        max_concurrent_activities=durable.number("maxConcurrentActivityFunctions", concurrency),
        max_concurrent_entities=durable.number("maxConcurrentEntityFunctions", concurrency),
        max_entity_batch_size=durable.number("maxEntityOperationBatchSize", 5_000),
        entity_reorder_minutes=durable.number("entityMessageReorderWindowInMinutes", 30, least=0),
        max_orchestration_actions=durable.number("maxOrchestrationActions", 100_000),
        store_inputs_in_history=durable.truth("storeInputsInOrchestrationHistory"),
        replaces_live_instances=override == "AnyState",
        default_http_sleep_milliseconds=http_calls.number("defaultAsyncRequestSleepTimeMilliseconds", 30_000),
        uses_forwarded_host=http_calls.truth("useForwardedHost"),
        default_version=durable.text("defaultVersion") or "",
        uses_app_lease=durable.truth("useAppLease", default=True),
        azure_storage=_azure_storage(storage_provider) if other_provider is None else AzureStorageSettings(),
        serves_rpc=durable.truth("localRpcEndpointEnabled", default=True),
        extended_sessions=durable.truth("extendedSessionsEnabled"),
        custom_headers=_headers(http.section("customHeaders")),
        allowed_functions=None if allowed is None else frozenset(name.casefold() for name in allowed),
        function_timeout_seconds=_function_timeout(content),
        log_levels=read_log_levels(content),
        notices=tuple(find_notices(content, other_provider)),
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


def _other_provider(section: Section) -> str | None:
    """The storage provider, if it is another than Azure Storage. Apps run the same here, whichever they name."""
    kind = section.text("type")
    if kind is not None and kind.casefold() != "azurestorage":
        known = next((name for name in _OTHER_PROVIDERS if name.casefold() == kind.casefold()), None)
        if known is None:
            raise AppError(
                f"{FILE_NAME}: the storage provider '{kind}' does not exist; "
                f"write AzureStorage, {', '.join(_OTHER_PROVIDERS)}."
            )
        return known
    return None


def _azure_storage(section: Section) -> AzureStorageSettings:
    section.number("controlQueueBatchSize", 32)
    defaults = AzureStorageSettings()
    return AzureStorageSettings(
        partition_count=section.number("partitionCount", 0, most=16) or None,
        messages_in_hand=section.number("controlQueueBufferThreshold", defaults.messages_in_hand, most=1000),
        control_invisible_seconds=_whole_seconds(section, "controlQueueVisibilityTimeout"),
        work_invisible_seconds=_whole_seconds(section, "workItemQueueVisibilityTimeout"),
        longest_poll_seconds=_longest_poll_seconds(section, defaults.longest_poll_seconds),
    )


def _longest_poll_seconds(section: Section, default: float) -> float:
    seconds = section.span_seconds("maxQueuePollingInterval")
    if seconds == 0:
        raise AppError(f"{FILE_NAME}: maxQueuePollingInterval must be longer than 00:00:00.")
    return default if seconds is None else seconds


def _whole_seconds(section: Section, name: str) -> int:
    """Whole seconds, as queues count them: one at least, where the extension wants a minute, and an hour at most."""
    seconds = section.span_seconds(name)
    if seconds is not None and seconds > _LONGEST_INVISIBLE_SECONDS:
        raise AppError(f"{FILE_NAME}: {name} must be 01:00:00 at most, not {section.value(name)!r}.")
    return _INVISIBLE_SECONDS if seconds is None else max(1, round(seconds))


def _function_timeout(content: Section) -> float | None:
    """``functionTimeout``; without one, or with -1, functions run as long as they like."""
    return None if str(content.value("functionTimeout")) == "-1" else content.span_seconds("functionTimeout")


def _headers(section: Section) -> dict[str, str]:
    return {name: str(section.value(name)) for name in section}


def _hub_name(configured: str | None, environment: Mapping[str, str], *, is_azure_storage: bool) -> str:
    if configured is None:
        return _sanitized(_default_hub_name(environment))
    # Only a whole value is a reference (http.md §6.1).
    is_reference = _SETTING_REFERENCE.fullmatch(configured) is not None
    name = expand_settings(configured, environment, f"{FILE_NAME}: hubName") if is_reference else configured
    if not is_azure_storage and _HUB_NAME_ELSEWHERE.fullmatch(name) is not None:
        return name
    if _HUB_NAME.fullmatch(name) is None:
        raise AppError(
            f"Task hub name '{name}' should contain only alphanumeric characters, start with a letter, "
            "and have length between 3 and 45."
        )
    return name


def _default_hub_name(environment: Mapping[str, str]) -> str:
    slot = environment.get("WEBSITE_SLOT_NAME", "")
    if slot and slot.casefold() != "production":
        raise AppError(
            f"the default task hub name is not allowed in the slot '{slot}': slots would share one hub; "
            f"name one in {FILE_NAME}: extensions.durableTask.hubName."
        )
    return environment.get("WEBSITE_SITE_NAME") or "TestHubName"


def _sanitized(site_name: str) -> str:
    """A hub name made of a site name, as the extension makes it."""
    name = re.sub("[^A-Za-z0-9]", "", site_name)[:45]
    if not name:
        return "DefaultTaskHub"
    if name[0].isdigit():
        name = f"t{name}"[:45]
    return name if len(name) >= 3 else f"{name}Hub"
