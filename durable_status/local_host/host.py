"""Puts the local host together: one app, one task hub, two listeners."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass

from durable_status.app.functions import (
    ACTIVITY_TRIGGER,
    DURABLE_CLIENT,
    ENTITY_TRIGGER,
    HTTP_TRIGGER,
    ORCHESTRATION_TRIGGER,
    App,
    AppFunction,
)
from durable_status.app.sdk import speed_up_sdk
from durable_status.local_host.activities import Activities
from durable_status.local_host.clock import Clock
from durable_status.local_host.dispatcher import Dispatcher
from durable_status.local_host.entities import Entities
from durable_status.local_host.http_calls import HttpCalls, open_http_session
from durable_status.local_host.http_functions import HttpFunctions, ServedFunction, serve_functions
from durable_status.local_host.listen import LOOPBACK, AsgiServer, listen, listen_near, port_of
from durable_status.local_host.management.api import ManagementApi
from durable_status.local_host.management.links import Links
from durable_status.local_host.management.operations import Operations
from durable_status.local_host.management.paths import RPC_BASE, WEBHOOK_BASE
from durable_status.local_host.orchestrations import Orchestrations
from durable_status.local_host.reply import Receive, Scope, Send
from durable_status.local_host.storage.provider import StorageProvider
from durable_status.local_host.worker import Worker
from durable_status.replay.entity_batch import EntitySettings
from durable_status.replay.host_facts import FunctionKind, FunctionNames, HostFacts
from durable_status.replay.profile import Profile
from durable_status.replay.ticks import PER_SECOND, Ticks

_RUN_HERE = frozenset({ORCHESTRATION_TRIGGER, ACTIVITY_TRIGGER, ENTITY_TRIGGER, HTTP_TRIGGER, "http", DURABLE_CLIENT})
_ORCHESTRATOR_THREADS = 1  # they share one interpreter lock, so more of them only take turns
_KEY_BYTES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOptions:
    """How to run a host. Port 0 is any free one."""

    port: int
    rpc_port: int
    profile: Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalHost:
    """A host that is running."""

    app: App
    base_url: str
    """Scheme, host and port of the public listener."""
    rpc_base_url: str
    """The RPC endpoint, which the SDK's own client calls."""
    served: Sequence[ServedFunction]
    problems: Sequence[str]
    """Functions that do not work here, a sentence each."""


@asynccontextmanager
async def run_host(app: App, storage: StorageProvider, options: HostOptions, clock: Clock) -> AsyncIterator[LocalHost]:
    """Serve `app` from `storage` while the context lasts.

    What still runs when it ends stays in the task hub, and the next host does it again.

    Raises:
        LocalHostError: a port or the task hub cannot be had; nothing is left running.
    """
    speed_up_sdk()
    functions, problems = _runnable(app)
    http_functions = [function for function in functions if function.trigger_type == HTTP_TRIGGER]
    served, route_problems = serve_functions(http_functions, app.settings.route_prefix)
    facts = _host_facts(app, functions)
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(closing(listen(options.port)))
        rpc_listener = stack.enter_context(closing(listen_near(options.rpc_port)))
        await storage.open()
        stack.push_async_callback(storage.close)
        base_url = f"http://localhost:{port_of(listener)}"
        rpc_base_url = f"http://{LOOPBACK}:{port_of(rpc_listener)}{RPC_BASE}"
        worker = Worker(orchestrator_threads=min(_ORCHESTRATOR_THREADS, app.settings.max_concurrent_orchestrators))
        stack.enter_context(worker.running())
        http_calls = HttpCalls(await stack.enter_async_context(open_http_session(options.profile)), clock)
        await stack.enter_async_context(
            _dispatcher(app, functions, facts, storage, worker, http_calls, options.profile, clock).running()
        )
        links = Links(
            hub=app.settings.hub_name,
            connection=app.settings.connection_name,
            key=secrets.token_urlsafe(_KEY_BYTES),
            public_origin=base_url,
            rpc_base_url=rpc_base_url,
        )
        management = _management(app, facts, links, storage, options.profile, clock, port_of(rpc_listener))
        public = _PublicApplication(management, HttpFunctions(served, links, worker))
        await stack.enter_async_context(AsgiServer(public, listener).running())
        await stack.enter_async_context(AsgiServer(management, rpc_listener).running())
        yield LocalHost(
            app=app,
            base_url=base_url,
            rpc_base_url=rpc_base_url,
            served=served,
            problems=[*app.problems, *problems, *route_problems],
        )


class _PublicApplication:
    """What the public listener serves: the management API under its base, the app's functions everywhere else."""

    def __init__(self, management: ManagementApi, functions: HttpFunctions) -> None:
        self._management = management
        self._functions = functions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_management = scope["path"].casefold().startswith(WEBHOOK_BASE)
        application = self._management if is_management else self._functions
        await application(scope, receive, send)


def _runnable(app: App) -> tuple[list[AppFunction], list[str]]:
    """The functions this host runs, and a sentence for each of the others."""
    functions: list[AppFunction] = []
    problems: list[str] = []
    for function in app.functions:
        foreign = [kind for kind in (str(binding["type"]) for binding in function.bindings) if kind not in _RUN_HERE]
        if foreign:
            problems.append(f"Function '{function.name}' is not run here: this host has no {', '.join(foreign)}.")
        else:
            functions.append(function)
    return functions, problems


def _host_facts(app: App, functions: Sequence[AppFunction]) -> HostFacts:
    def names(kind: FunctionKind, trigger_type: str) -> FunctionNames:
        return FunctionNames.create(
            kind, [function.durable_name for function in functions if function.trigger_type == trigger_type]
        )

    return HostFacts(
        orchestrators=names(FunctionKind.ORCHESTRATOR, ORCHESTRATION_TRIGGER),
        activities=names(FunctionKind.ACTIVITY, ACTIVITY_TRIGGER),
        entities=names(FunctionKind.ENTITY, ENTITY_TRIGGER),
        entity_reorder_window=_reorder_window(app),
        max_orchestration_actions=app.settings.max_orchestration_actions,
        store_inputs_in_history=app.settings.store_inputs_in_history,
        default_http_sleep_milliseconds=app.settings.default_http_sleep_milliseconds,
    )


def _reorder_window(app: App) -> Ticks:
    return Ticks(app.settings.entity_reorder_minutes * 60 * PER_SECOND)


def _dispatcher(
    app: App,
    functions: Sequence[AppFunction],
    facts: HostFacts,
    storage: StorageProvider,
    worker: Worker,
    http_calls: HttpCalls,
    profile: Profile,
    clock: Clock,
) -> Dispatcher:
    entity_settings = EntitySettings(
        reorder_window=_reorder_window(app), max_batch_size=app.settings.max_entity_batch_size
    )
    return Dispatcher(
        storage,
        Orchestrations(functions, facts, profile, clock),
        Entities(functions, facts.entities, entity_settings, profile, clock),
        Activities(functions, facts.activities, worker, http_calls, clock, profile),
        worker,
        clock,
        max_orchestrations=app.settings.max_concurrent_orchestrators,
        max_activities=app.settings.max_concurrent_activities,
        max_entities=app.settings.max_concurrent_entities,
    )


def _management(
    app: App,
    facts: HostFacts,
    links: Links,
    storage: StorageProvider,
    profile: Profile,
    clock: Clock,
    rpc_port: int,
) -> ManagementApi:
    operations = Operations(
        storage,
        facts.orchestrators,
        links,
        clock,
        profile,
        replaces_live_instances=app.settings.replaces_live_instances,
    )
    connections = {"Storage", "AzureWebJobsStorage", app.settings.connection_name or "Storage"}
    return ManagementApi(
        operations, profile, hub=app.settings.hub_name, connections=frozenset(connections), rpc_port=rpc_port
    )
