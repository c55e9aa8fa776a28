"""The OpenAPI description of the management API, and requests that are made up from it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from durable_status.local_host.management.description import DESCRIPTION_PATH
from durable_status.local_host.management.paths import _ROUTES
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from tests.hosts import TRANSCRIPTS, RunningHost, running_host

_EXAMPLES = 8
_CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
_SECONDS = 10
_SENTINELS = ("sentinel-live", "sentinel-done", "sentinel-failed", "@counter@sentinel")


@contextmanager
def _served(profile: Profile) -> Iterator[RunningHost]:
    """A host on a thread of its own, for a client that blocks."""
    ready = threading.Event()
    box: dict[str, Any] = {}

    async def serve() -> None:
        box["loop"], box["stop"] = asyncio.get_running_loop(), asyncio.Event()
        async with running_host(TRANSCRIPTS, profile=profile) as host:
            await host.start("WaitGo", _SENTINELS[0], 1)
            await host.until_status(_SENTINELS[0], "Running")
            await host.start("Greet", _SENTINELS[1], 1)
            await host.until_status(_SENTINELS[1], "Completed")
            await host.start("FailNow", _SENTINELS[2], 1)
            await host.until_status(_SENTINELS[2], "Failed")
            await host.manage("POST", "entities/Counter/sentinel?op=add", '"5"')
            await host.until(_SENTINELS[3], lambda document: document["customStatus"] == {"entityExists": True})
            box["host"] = host
            ready.set()
            await box["stop"].wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(_SECONDS)
        yield box["host"]
    finally:
        box["loop"].call_soon_threadsafe(box["stop"].set)
        thread.join(_SECONDS)


def test_the_description_names_every_route() -> None:
    async def main() -> Any:
        async with running_host(TRANSCRIPTS) as host:
            assert (await host.request("POST", DESCRIPTION_PATH)).status == 404
            answer = await host.request("GET", DESCRIPTION_PATH)
            assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
            return answer.json

    described = {
        (
            path.strip("/")
            .replace("{functionName}", "{name}")
            .replace("eventName", "event_name")
            .replace("entityName", "entity_name")
            .replace("entityKey", "entity_key")
            .replace("instanceId", "instance_id"),
            method.upper(),
        )
        for path, operations in asyncio.run(main())["paths"].items()
        for method in operations
    }
    served = {(path, "POST" if method == "*" else method) for path, operations in _ROUTES for method in operations}

    assert described == served


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3], ids=lambda profile: profile.name)
def test_no_request_breaks_the_host_and_what_nobody_purged_is_still_there(profile: Profile) -> None:
    with _served(profile) as host:
        base = host.host.base_url
        document = requests.get(base + DESCRIPTION_PATH, timeout=_SECONDS).json()
        parameters = document["components"]["parameters"]
        for name in ("timeout", "pollingInterval"):  # so that no request waits long
            parameters[name]["schema"]["maximum"] = 0.05
        parameters["functionName"]["schema"] = {"enum": ["Greet", "WaitGo", "FailNow", "Nope"]}
        parameters["entityName"]["schema"] = {"enum": ["Counter", "box", "Nope"]}
        for name in ("instanceId", "entityKey"):  # some requests are about the same ones, the others about any
            parameters[name]["schema"] = {"anyOf": [{"enum": ["one", "two"]}, {"type": "string", "minLength": 1}]}
        # Purges reach what the run itself makes, but not the sentinels.
        since = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        parameters["createdTimeFrom"]["schema"] = {"enum": [since, "2999-01-01", "nonsense", ""]}
        schema = schemathesis.openapi.from_dict(document)
        schema.config.update(base_url=f"{base}/runtime/webhooks/durabletask")
        before = {name: _status(base, name) for name in _SENTINELS}
        for found in schema.get_all_operations():
            _try_out(found.ok())
        after = {name: _status(base, name) for name in _SENTINELS}

    assert after == before


def _status(base: str, instance_id: str) -> Any:
    return requests.get(f"{base}/runtime/webhooks/durabletask/instances/{instance_id}", timeout=_SECONDS).json()


def _try_out(operation: Any) -> None:
    @hypothesis.settings(
        max_examples=_EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy())
    def send(case: Any) -> None:
        response = case.call(timeout=_SECONDS)
        case.validate_response(response, checks=_CHECKS)
        assert "its log says why" not in response.text, "the host itself failed"

    send()
