"""What `durable-status start` prints when it is ready."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from durable_status.app.functions import (
    ACTIVITY_TRIGGER,
    ENTITY_TRIGGER,
    ORCHESTRATION_TRIGGER,
    AppFunction,
    by_durable_name,
)
from durable_status.app.links import WEBHOOK_BASE
from durable_status.harmless_text import one_line
from durable_status.local_host.host import HostOptions, LocalHost
from durable_status.local_host.keys import FILE_NAME as KEYS_FILE
from durable_status.local_host.library_version import library_version

_KINDS = (("orchestrators", ORCHESTRATION_TRIGGER), ("activities", ACTIVITY_TRIGGER), ("entities", ENTITY_TRIGGER))


def banner(host: LocalHost, options: HostOptions, storage: str) -> str:
    """The functions, what does not work and why, and the URLs to try."""
    return _harmless(_lines(host, options, storage))


def short_banner(host: LocalHost) -> str:
    """Where the app is, and what of it does not work and why."""
    return _harmless([f"{host.app.root} is at {host.base_url}", *(f"  {remark}" for remark in _remarks(host))])


def _harmless(lines: Iterable[str]) -> str:
    return "\n".join(map(one_line, lines))


def _lines(host: LocalHost, options: HostOptions, storage: str) -> Iterator[str]:
    yield f"durable-status {library_version()}: {host.app.root}"
    yield f"  durable extension {options.profile.name}, task hub {host.app.settings.hub_name} in {storage}"
    if options.enable_auth:
        yield f"  keys are asked for; they are in {(options.state_folder or host.app.root) / KEYS_FILE}"
    yield ""
    yield from _functions(host)
    remarks = _remarks(host)
    if remarks:
        yield ""
        yield from (f"  {remark}" for remark in remarks)
    yield ""
    management = f"{host.base_url}{WEBHOOK_BASE}"
    key, with_key = "", ""
    if options.enable_auth:
        key, with_key = ' -H "x-functions-key: KEY"', ", with the key durabletask_extension of that file for KEY"
    yield f"Try{with_key}:"
    for name in list(by_durable_name(_enabled(host), ORCHESTRATION_TRIGGER))[:1]:
        yield f"  curl{key} -X POST {management}/orchestrators/{name}"
    yield f"  curl{key} {management}/instances"
    yield ""
    yield "Ctrl-C stops the host."


def _remarks(host: LocalHost) -> list[str]:
    return [*host.problems, *host.app.notices]


def _functions(host: LocalHost) -> Iterator[str]:
    for item in host.served:
        methods = ",".join(item.function.trigger.get("methods") or ["any method"])
        yield f"  {item.function.name}: [{methods}] {host.base_url}{item.path}"
    for title, trigger_type in _KINDS:
        names = list(by_durable_name(_enabled(host), trigger_type))
        if names:
            yield f"  {title}: {', '.join(names)}"
    for function in host.timers:
        yield f"  {function.name}: timer {function.trigger['schedule']}"


def _enabled(host: LocalHost) -> list[AppFunction]:
    return [function for function in host.app.functions if not function.is_disabled]
