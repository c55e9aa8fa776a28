"""Puts the local host together: one app, one task hub, two listeners."""

from __future__ import annotations

import logging
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
from durable_status.local_host.activities import Activities
from durable_status.local_host.clock import Clock
from durable_status.local_host.dispatcher import Dispatcher
from durable_status.local_host.entities import Entities
from durable_status.local_host.http_calls import HttpCalls, open_http_session
from durable_status.local_host.http_functions import HttpFunctions, ServedFunction, serve_functions
from durable_status.local_host.listen import LOOPBACK, AsgiServer, listen, listen_near, port_of
from durable_status.local_host.management.api import ManagementApi, Surroundings
from durable_status.local_host.management.callers import Callers
from durable_status.local_host.management.control import Control
from durable_status.local_host.management.description import DESCRIPTION_PATH, serve_description
from durable_status.local_host.management.entities import EntityOperations
from durable_status.local_host.management.links import Links
from durable_status.local_host.management.operations import operations_of
from durable_status.local_host.management.paths import RPC_BASE, WEBHOOK_BASE
from durable_status.local_host.management.purge import Purging
from durable_status.local_host.management.read import Reading
from durable_status.local_host.management.start import Starting, StartRules
from durable_status.local_host.orchestrations import Orchestrations
from durable_status.local_host.reply import Receive, Scope, Send
from durable_status.local_host.sdk import speed_up_sdk
from durable_status.local_host.storage.provider import StorageProvider
from durable_status.local_host.worker import Worker
from durable_status.replay.entity_batch import EntitySettings
from durable_status.replay.host_facts import FunctionKind, FunctionNames, HostFacts
from durable_status.replay.profile import Profile
from durable_status.replay.ticks import PER_SECOND, Ticks

logger = logging.getLogger(__name__)

_RUN_HERE = frozenset({ORCHESTRATION_TRIGGER, ACTIVITY_TRIGGER, ENTITY_TRIGGER, HTTP_TRIGGER, "http", DURABLE_CLIENT})
_ORCHESTRATOR_THREADS = 1  # they share one interpreter lock, so more of them only take turns
_KEY_BYTES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOptions:
    """How to run a host. Port 0 is any free one."""

    port: int
    rpc_port: int
    profile: Profile
    strict: bool = False
    """Whether what the platform does and nobody wants is refused with a sentence."""
    allowed_origins: Sequence[str] = ()
    """Origins whose web pages may call the management API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalHost:
    """A host that is running."""

    app: App
    base_url: str
    """Scheme, host and port of the public listener."""
    rpc_base_url: str | None
    """The RPC endpoint, which the SDK's own client calls; None when host.json switches it off."""
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
        rpc_listener = None
        if app.settings.serves_rpc:
            rpc_listener = stack.enter_context(closing(listen_near(options.rpc_port)))
        await storage.open()
        stack.push_async_callback(storage.close)
        base_url = f"http://localhost:{port_of(listener)}"
        rpc_base_url = f"http://{LOOPBACK}:{port_of(rpc_listener)}{RPC_BASE}" if rpc_listener else None
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
            writes_newer_members=options.profile.writes_newer_members,
        )
        rpc_port = None if rpc_listener is None else port_of(rpc_listener)
        management = _management(app, facts, links, storage, options, clock, rpc_port)
        public = _PublicApplication(management, HttpFunctions(served, links, worker))
        await stack.enter_async_context(AsgiServer(public, listener).running())
        if rpc_listener is not None:
            await stack.enter_async_context(AsgiServer(management, rpc_listener).running())
            logger.info("Opened local http RPC endpoint: %s", rpc_base_url)
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
        if scope["path"] == DESCRIPTION_PATH:
            await serve_description(scope, receive, send)
        elif scope["path"].casefold().startswith(WEBHOOK_BASE):
            await self._management(scope, receive, send)
        else:
            await self._functions(scope, receive, send)


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
    options: HostOptions,
    clock: Clock,
    rpc_port: int | None,
) -> ManagementApi:
    profile, settings = options.profile, app.settings
    reading = Reading(storage, profile)
    rules = StartRules(
        hub=settings.hub_name,
        replaces_live_instances=settings.replaces_live_instances,
        default_version=settings.default_version,
    )
    surroundings = Surroundings(
        hub=settings.hub_name,
        connections=frozenset({"Storage", "AzureWebJobsStorage", settings.connection_name or "Storage"}),
        rpc_port=rpc_port,
        uses_forwarded_host=settings.uses_forwarded_host,
        profile=profile,
    )
    operations = operations_of(
        Starting(storage, facts.orchestrators, reading, links, clock, profile, rules),
        reading,
        Control(storage, clock, profile, uses_app_lease=settings.uses_app_lease),
        Purging(storage, clock, profile, strict=options.strict),
        EntityOperations(storage, facts.entities, clock, profile),
    )
    return ManagementApi(operations, surroundings, Callers(rpc_port=rpc_port, allowed_origins=options.allowed_origins))
