"""Serves an app until Ctrl-C, loading it anew when its files change, if asked to."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from durable_status.app.functions import App
from durable_status.app.load import load_app
from durable_status.app.local_settings import split_origins
from durable_status.cli.output import echo
from durable_status.cli.payload_folder import STATE_FOLDER, noting_payload_folder
from durable_status.local_host.clock import SystemClock
from durable_status.local_host.storage.choice import StorageChoice
from durable_status.local_host.storage.provider import StorageProvider
from durable_status.replay.profile import Profile

if TYPE_CHECKING:  # imported late, see `serve`
    from durable_status.local_host.host import HostOptions

_LOOPBACK = "127.0.0.1"
_GRACE_SECONDS_AT_RELOAD = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What was chosen on the command line; None: not chosen."""

    folder: Path
    port: int | None
    default_port: int
    address: str | None
    rpc_port: int
    storage: StorageChoice
    profile: Profile
    strict: bool
    enable_auth: bool
    cors: str | None
    cors_credentials: bool
    quiet: bool
    honours_log_levels: bool
    """Whether host.json says what is logged; --log-level and --quiet go before it."""


def serve(choices: Choices, *, reload: bool) -> None:
    """Serve the app until Ctrl-C or SIGTERM.

    Raises:
        DurableStatusError: the app cannot be loaded, or the host cannot start.
    """
    shell = dict(os.environ)
    if reload:
        sys.dont_write_bytecode = True  # two versions within a second may look like one to Python's cache
    with _no_garbage_collection():
        app = load(choices)
        # Imported now: the SDK, which the app has just loaded, and the servers take most of the start-up time.
        from durable_status.cli.banner import banner, short_banner
        from durable_status.local_host.host import run_host

    async def run(app: App, payload_folder: Path | None) -> None:
        clock = SystemClock()
        storage, description = choices.storage.open_for(app.root, app.settings, os.environ, clock)
        stopped = _stop_signal()
        options = replace(_options(choices, app), payload_folder=payload_folder)
        if reload:
            options = replace(options, grace_seconds=_GRACE_SECONDS_AT_RELOAD)
        async with _changes(app.root, stopped, watches=reload) as changes:
            following: App | None = app
            while following is not None:
                async with AsyncExitStack() as stack:
                    with _stopping_at(stopped):
                        host = await stack.enter_async_context(run_host(following, storage, options, clock))
                    os.environ["WEBSITE_HOSTNAME"] = host.base_url.removeprefix("http://")
                    stack.enter_context(noting_payload_folder(app.root, host.port, payload_folder))
                    text = short_banner(host) if choices.quiet else banner(host, options, description)
                    for line in text.split("\n"):
                        echo(line)
                    following = await _unless_lost(storage, _next_app(choices, app.root, changes, shell))
                    if following is None:
                        echo("Stopping.")
                options = replace(options, port=host.port)  # 0 was any free one; it stays

    with choices.storage.payload_folder(app.root, app.settings) as folder:
        try:
            asyncio.run(run(app, folder))
        except asyncio.CancelledError:  # stopped before it served
            echo("Stopping.")


def load(choices: Choices) -> App:
    """Load the app with the variables that a Functions host sets, and go to its folder."""
    os.environ |= {
        "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
        "AzureWebJobsScriptRoot": str(choices.folder.resolve()),
    }
    os.environ.setdefault("PYTHON_ENABLE_DEBUG_LOGGING", "1")
    app = load_app(choices.folder, os.environ)
    if choices.strict:
        app.require_all()  # here, so that with --reload the version before goes on
    if choices.honours_log_levels:
        from durable_status.local_host.log_categories import honour_log_levels  # imports the SDK, as the app has by now

        honour_log_levels(app.settings.log_levels)
    os.chdir(app.root)  # as the Functions host does; apps open files by relative paths
    return app


def _options(choices: Choices, app: App) -> HostOptions:
    from durable_status.local_host.host import HostOptions

    settings = app.local_settings
    return HostOptions(
        port=choices.port if choices.port is not None else settings.http_port or choices.default_port,
        rpc_port=choices.rpc_port,
        profile=choices.profile,
        address=choices.address or settings.http_address or _LOOPBACK,
        enable_auth=choices.enable_auth,
        cors_origins=settings.cors_origins if choices.cors is None else split_origins(choices.cors),
        cors_credentials=choices.cors_credentials or settings.cors_credentials,
        strict=choices.strict,
        state_folder=app.root / STATE_FOLDER,
    )


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """For imports: what they make stays, and searching it again and again takes a fifth of the start-up time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@asynccontextmanager
async def _changes(root: Path, stopped: asyncio.Event, *, watches: bool) -> AsyncIterator[asyncio.Queue[list[str]]]:
    """The changes of files while the context lasts, also those during a restart; an empty one says to stop."""
    queue: asyncio.Queue[list[str]] = asyncio.Queue()

    async def watch() -> None:
        if watches:
            from durable_status.cli.reload import changes

            async for changed in changes(root, stopped):
                queue.put_nowait(changed)
        await stopped.wait()
        queue.put_nowait([])

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)  # from here on no change is missed
    try:
        yield queue
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _next_app(
    choices: Choices, root: Path, changes: asyncio.Queue[list[str]], shell: dict[str, str]
) -> App | None:
    """The app as it is after the next change that can be loaded; None when it is time to stop."""
    while changed := await changes.get():
        from durable_status.cli.reload import load_again

        echo(f"Changed: {', '.join(changed)}.")
        following = load_again(root, shell, lambda: load(replace(choices, folder=root)))
        if following is not None:
            return following
    return None


async def _unless_lost(storage: StorageProvider, following: Coroutine[Any, Any, App | None]) -> App | None:
    """What comes next, unless the task hub is taken from this host before.

    Raises:
        StorageError: it was.
    """
    lost = asyncio.create_task(storage.until_lost())
    coming = asyncio.create_task(following)
    try:
        await asyncio.wait((coming, lost), return_when=asyncio.FIRST_COMPLETED)
        if lost.done():
            lost.result()
        return await coming
    finally:
        lost.cancel()
        coming.cancel()
        await asyncio.gather(lost, coming, return_exceptions=True)


@contextmanager
def _stopping_at(stopped: asyncio.Event) -> Iterator[None]:
    """Cancel what is done here when it is time to stop: to open a task hub may take as long as another host runs."""
    opening = asyncio.current_task()
    assert opening is not None

    async def cancel() -> None:
        await stopped.wait()
        opening.cancel()

    watching = asyncio.create_task(cancel())
    try:
        yield
    finally:
        watching.cancel()


def _stop_signal() -> asyncio.Event:
    """An event that the first Ctrl-C or SIGTERM sets; the second ends the process at once."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()

    def stop(number: int, _frame: object) -> None:
        if stopped.is_set():
            os._exit(128 + number)
        loop.call_soon_threadsafe(stopped.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return stopped
