"""What `durable-status start` prints when it is ready."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from durable_status.app.functions import ACTIVITY_TRIGGER, ENTITY_TRIGGER, ORCHESTRATION_TRIGGER, by_durable_name
from durable_status.local_host.host import LocalHost
from durable_status.local_host.management.paths import WEBHOOK_BASE
from durable_status.replay.profile import Profile


def banner(host: LocalHost, profile: Profile, storage: str) -> str:
    """The functions, what does not work, and the URLs to try."""
    return "\n".join(_lines(host, profile, storage))


def _lines(host: LocalHost, profile: Profile, storage: str) -> Iterator[str]:
    management = f"{host.base_url}{WEBHOOK_BASE}"
    yield f"durable-status {_version()}: {host.app.root}"
    yield f"  durable extension {profile.name}, task hub {host.app.settings.hub_name} in {storage}"
    yield ""
    for item in host.served:
        methods = ",".join(item.function.trigger.get("methods") or ["any method"])
        yield f"  {item.function.name}: [{methods}] {host.base_url}{item.path}"
    kinds = (("orchestrators", ORCHESTRATION_TRIGGER), ("activities", ACTIVITY_TRIGGER), ("entities", ENTITY_TRIGGER))
    for title, trigger_type in kinds:
        names = list(by_durable_name(host.app.functions, trigger_type))
        if names:
            yield f"  {title}: {', '.join(names)}"
    if host.problems:
        yield ""
        yield from (f"  {problem}" for problem in host.problems)
    yield ""
    yield "Try:"
    for name in list(by_durable_name(host.app.functions, ORCHESTRATION_TRIGGER))[:1]:
        yield f"  curl -X POST {management}/orchestrators/{name}"
    yield f"  curl {management}/instances"
    yield ""
    yield "Ctrl-C stops the host."


def _version() -> str:
    try:
        return version("durable-status")
    except PackageNotFoundError:
        return "(not installed)"
