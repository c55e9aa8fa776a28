"""Runs hosts inside the test, on free ports, and talks to them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from durable_status.app.functions import App
from durable_status.app.links import WEBHOOK_BASE
from durable_status.app.load import load_app
from durable_status.local_host.clock import Clock, SystemClock
from durable_status.local_host.host import HostOptions, LocalHost, run_host
from durable_status.local_host.storage.memory import MemoryStorage
from durable_status.local_host.storage.provider import StorageProvider
from durable_status.replay.profile import PROFILE_3, Profile
from tests.paths import APPS, ROOT

_SHORTEST_PAUSE_SECONDS = 0.005
_LONGEST_PAUSE_SECONDS = 0.05
_PATIENCE_SECONDS = 60.0
_loaded: dict[Path, App] = {}


def app_in(folder: Path) -> App:
    """Load the app in `folder`, once per process: an app lists its functions only once."""
    if folder not in _loaded:
        before = set(sys.modules)
        _loaded[folder] = load_app(folder, {"TASKHUB_NAME": "TestHub"})
        if folder != ROOT:  # another app may have modules of the same names
            for name in set(sys.modules) - before:
                file = getattr(sys.modules[name], "__file__", None)
                if file and Path(file).is_relative_to(folder):
                    del sys.modules[name]
            sys.path.remove(str(folder))
    return _loaded[folder]


@dataclass(frozen=True)
class Answer:
    """Status, headers and text of an HTTP answer."""

    status: int
    headers: CIMultiDictProxy[str]
    text: str

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)


@dataclass(frozen=True)
class Address:
    """Where a host in another process listens."""

    base_url: str


@dataclass(frozen=True)
class RunningHost:
    """A running host and an HTTP session to it."""

    host: LocalHost | Address
    session: aiohttp.ClientSession

    async def request(
        self,
        method: str,
        path: str,
        body: str | bytes | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        rpc: bool = False,
    ) -> Answer:
        """Send a request; the path goes out exactly as it is written."""
        origin = self.host.rpc_base_url.removesuffix("/durabletask/") if rpc else self.host.base_url
        no_type = {} if rpc or body is None else {"Content-Type": "application/json"}
        async with self.session.request(
            method,
            URL(f"{origin}{path}", encoded=True),
            data=body,
            headers=no_type | dict(headers or {}),
            skip_auto_headers=["Content-Type"],
            allow_redirects=False,
        ) as response:
            return Answer(response.status, response.headers, await response.text())

    async def manage(self, method: str, path: str, body: str | None = None, **options: Any) -> Answer:
        """Send a request to the management API."""
        return await self.request(method, f"{WEBHOOK_BASE}/{path}", body, **options)

    async def start(self, name: str, instance_id: str, input_json: Any = None) -> None:
        """Start an instance as the SDK's client does: JSON text inside a JSON text."""
        body = None if input_json is None else json.dumps(json.dumps(input_json))
        answer = await self.manage("POST", f"orchestrators/{name}/{instance_id}", body)
        assert answer.status == 202, answer.text

    async def status(self, instance_id: str) -> Any:
        """The status document."""
        return (await self.manage("GET", f"instances/{instance_id}")).json

    async def until(self, instance_id: str, condition: Callable[[Any], bool]) -> Any:
        """Ask for the status until `condition` holds."""

        async def poll() -> Any:
            pause = _SHORTEST_PAUSE_SECONDS
            while True:
                answer = await self.manage("GET", f"instances/{instance_id}")
                if answer.status != 404 and condition(answer.json):
                    return answer.json
                await asyncio.sleep(pause)  # longer each time, so that asking does not hold up a busy machine
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

        return await asyncio.wait_for(poll(), _PATIENCE_SECONDS)

    async def until_status(self, instance_id: str, runtime_status: str) -> Any:
        """Ask until the runtime status is this one."""
        return await self.until(instance_id, lambda document: document["runtimeStatus"] == runtime_status)

    async def raise_event(self, instance_id: str, name: str, payload: Any) -> None:
        """Raise an event with native JSON."""
        answer = await self.manage("POST", f"instances/{instance_id}/raiseEvent/{name}", json.dumps(payload))
        assert answer.status == 202, answer.text


@asynccontextmanager
async def running_host(
    folder: Path = ROOT,
    *,
    storage: Callable[[Clock], StorageProvider] = MemoryStorage,
    profile: Profile = PROFILE_3,
    clock: Clock | None = None,
    settings: Mapping[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[RunningHost]:
    """Serve the app in `folder` while the context lasts, with these changes to its settings and these host options."""
    used_clock = clock or SystemClock()
    app = app_in(folder)
    app = replace(app, settings=replace(app.settings, **settings or {}))
    host_options = HostOptions(**{"port": 0, "rpc_port": 0, "profile": profile, **options})
    async with (
        run_host(app, storage(used_clock), host_options, used_clock) as host,
        aiohttp.ClientSession() as session,
    ):
        yield RunningHost(host, session)


BLUEPRINT_SHAPE = APPS / "blueprint_shape"
CLIENT_CALLS = APPS / "client_calls"
TRANSCRIPTS = APPS / "transcripts"
