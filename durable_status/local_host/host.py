"""Puts the local host together: one app, one task hub, two listeners."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from durable_status.app.client_calls import telling_lost_calls
from durable_status.app.functions import (
    ACTIVITY_TRIGGER,
    DURABLE_CLIENT,
    ENTITY_TRIGGER,
    HTTP_OUTPUT,
    HTTP_TRIGGER,
    ORCHESTRATION_TRIGGER,
    TIMER_TRIGGER,
    App,
    AppFunction,
    by_durable_name,
)
from durable_status.app.links import RPC_BASE, Links
from durable_status.app.sdk import speed_up_sdk
from durable_status.local_host.activities import Activities
from durable_status.local_host.admin import Admin, Call, ListedFunction
from durable_status.local_host.clock import Clock
from durable_status.local_host.dispatcher import Dispatcher
from durable_status.local_host.errors import LocalHostError
from durable_status.local_host.failures import Failures
from durable_status.local_host.http_calls import HttpCalls, open_http_session
from durable_status.local_host.http_functions import HttpFunctions, ServedFunction, serve_functions
from durable_status.local_host.keys import FILE_NAME as KEYS_FILE
from durable_status.local_host.keys import load_keys
from durable_status.local_host.listen import LOOPBACK, AsgiServer, listen, listen_near, port_of
from durable_status.local_host.log_categories import of_function
from durable_status.local_host.management.api import ManagementApi, Surroundings
from durable_status.local_host.management.callers import Callers
from durable_status.local_host.management.control import Control
from durable_status.local_host.management.entities import EntityOperations
from durable_status.local_host.management.operations import operations_of
from durable_status.local_host.management.purge import Purging
from durable_status.local_host.management.read import Reading
from durable_status.local_host.management.start import Starting, StartRules
from durable_status.local_host.public import PublicApplication, with_cors
from durable_status.local_host.sdk import keep_read_events
from durable_status.local_host.storage.provider import StorageProvider
from durable_status.local_host.timers import FILE_NAME as TIMERS_FILE
from durable_status.local_host.timers import Schedule, ScheduleError, Timers, read_schedule
from durable_status.local_host.worker import Worker
from durable_status.payloads.folder import FolderPayloadStore
from durable_status.payloads.hub import payloads_in
from durable_status.replay.host_facts import FunctionKind, FunctionNames, HostFacts
from durable_status.replay.profile import PROFILE_3, Profile
from durable_status.replay.ticks import PER_SECOND, Ticks
from durable_status.replay.traps import Mode

if TYPE_CHECKING:  # imported late, see the dispatcher
    from durable_status.local_host.entities import Entities
    from durable_status.local_host.orchestrations import Orchestrations

logger = logging.getLogger(__name__)

_RUN_HERE = frozenset(
    {ORCHESTRATION_TRIGGER, ACTIVITY_TRIGGER, ENTITY_TRIGGER, HTTP_TRIGGER, HTTP_OUTPUT, TIMER_TRIGGER, DURABLE_CLIENT}
)
_ORCHESTRATOR_THREADS = 1  # they share one interpreter lock, so more of them only take turns


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOptions:
    """How to run a host. Port 0 is any free one."""

    port: int
    rpc_port: int
    profile: Profile
    address: str = LOOPBACK
    """The IP address of the public listener; the RPC endpoint stays on loopback."""
    enable_auth: bool = False
    """Whether keys count; without it everybody may call everything."""
    cors_origins: Sequence[str] = ()
    """Origins whose web pages may call the app and the management API."""
    cors_credentials: bool = False
    strict: bool = False
    """Whether a trap ends an orchestration with a clear error, instead of doing what the platform does."""
    grace_seconds: float = 2.0
    """How long functions and requests in hand may take to finish when the host stops."""
    state_folder: Path | None = None
    """Where keys and the times of timers are kept; None: they last as long as the host."""
    payload_folder: Path | None = None
    """Where the app puts offloaded statuses; None: into blob storage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalHost:
    """A host that is running."""

    app: App
    base_url: str
    """Scheme, host and port of the public listener."""
    port: int
    """The port of the public listener."""
    rpc_base_url: str | None
    """The RPC endpoint, which the SDK's own client calls; None when host.json switches it off."""
    served: Sequence[ServedFunction]
    problems: Sequence[str]
    """Functions that do not work here, a sentence each."""
    timers: Sequence[AppFunction] = field(default=())


@asynccontextmanager
async def run_host(app: App, storage: StorageProvider, options: HostOptions, clock: Clock) -> AsyncIterator[LocalHost]:
    """Serve `app` from `storage` while the context lasts.

    What still runs when it ends stays in the task hub, and the next host does it again.

    Raises:
        LocalHostError: a port or the task hub cannot be had; nothing is left running.
        AppError: the host is strict, and the platform would load no function of the app.
    """
    app = _checked(app, options)
    speed_up_sdk()
    keep_read_events()
    functions, problems = _runnable(app)
    http_functions = [
        function for function in (*functions, *_switched_off(app)) if function.trigger_type == HTTP_TRIGGER
    ]
    routed, route_problems = serve_functions(http_functions, app.settings.route_prefix)
    schedules, timer_problems = _schedules(functions)
    facts = _host_facts(app, functions, options.profile)
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(closing(listen(options.port, options.address)))
        rpc_listener = stack.enter_context(closing(listen_near(options.rpc_port))) if app.settings.serves_rpc else None
        stack.enter_context(payloads_in(options.payload_folder))
        await storage.open()
        stack.push_async_callback(storage.close)
        base_url = f"http://{_called(options.address)}:{port_of(listener)}"
        rpc_base_url = f"http://{LOOPBACK}:{port_of(rpc_listener)}{RPC_BASE}" if rpc_listener else None
        worker = Worker(
            orchestrator_threads=min(_ORCHESTRATOR_THREADS, app.settings.max_concurrent_orchestrators),
            timeout_seconds=app.settings.function_timeout_seconds,
        )
        stack.enter_context(worker.running())
        keys = load_keys(_in_state(options, KEYS_FILE), [function.name for function in http_functions])
        links = _links(app, options, keys.system, base_url, rpc_base_url)
        http_calls = HttpCalls(await stack.enter_async_context(open_http_session(options.profile)), clock)
        activities = Activities(functions, facts.activities, links, worker, http_calls, clock, options.profile)
        failures = Failures()
        dispatcher = _dispatcher(app, functions, facts, storage, worker, activities, options, clock, failures)
        await stack.enter_async_context(dispatcher.running())
        rpc_port = None if rpc_listener is None else port_of(rpc_listener)
        timers = Timers(schedules, worker, links, clock, _in_state(options, TIMERS_FILE))
        management = _management(app, facts, links, storage, options, clock, rpc_port)
        enforced = keys if options.enable_auth else None
        http = HttpFunctions(routed, links, worker, enforced)
        admin = Admin(_listed(app, routed, http, timers, activities), base_url, enforced)
        await stack.enter_async_context(admin.running())
        public = PublicApplication(management, admin, http, failures, enforced, app.settings.custom_headers)
        open_to = with_cors(public, options.cors_origins, credentials=options.cors_credentials)
        await stack.enter_async_context(AsgiServer(open_to, listener, options.grace_seconds).running())
        if rpc_listener is not None:
            await stack.enter_async_context(AsgiServer(management, rpc_listener, options.grace_seconds).running())
            logger.info("Opened local http RPC endpoint: %s", rpc_base_url)
        await stack.enter_async_context(timers.running())
        yield LocalHost(
            app=app,
            base_url=base_url,
            port=port_of(listener),
            rpc_base_url=rpc_base_url,
            served=[item for item in routed if not item.function.is_disabled],
            problems=[*app.problems, *filter(None, [app.loss]), *problems, *route_problems, *timer_problems],
            timers=[function for function, _ in schedules],
        )


def _telling(function: AppFunction) -> AppFunction:
    """A function whose calls of the durable client that are not awaited are in the log."""

    def tell(lost: str) -> None:
        logger.warning("Function '%s': %s", function.name, lost, extra=of_function(function.name))

    return telling_lost_calls(function, tell)


def _checked(app: App, options: HostOptions) -> App:
    """The app as it is run."""
    if app.settings.extended_sessions and options.profile is PROFILE_3:
        raise LocalHostError(
            "host.json: extendedSessionsEnabled is not available to Python apps, and extension 3.x does not start "
            "with it; delete it, or be 2.13 with --extension 2.13."
        )
    if options.strict:
        app.require_all()
    return replace(app, functions=tuple(map(_telling, app.functions)))


def _links(app: App, options: HostOptions, key: str, base_url: str, rpc_base_url: str | None) -> Links:
    return Links(
        hub=app.settings.hub_name,
        connection=app.settings.connection_name,
        key=key,
        public_origin=base_url,
        rpc_base_url=rpc_base_url,
        writes_newer_members=options.profile.writes_newer_members,
    )


def _called(address: str) -> str:
    """The name under which a caller on this machine reaches the address."""
    if address in (LOOPBACK, "0.0.0.0", "::", "::1"):
        return "localhost"
    return f"[{address}]" if ":" in address else address


def _in_state(options: HostOptions, name: str) -> Path | None:
    return options.state_folder / name if options.state_folder else None


def _schedules(functions: Sequence[AppFunction]) -> tuple[list[tuple[AppFunction, Schedule]], list[str]]:
    """The timer functions with their schedules, and a sentence for each whose schedule cannot be read."""
    schedules: list[tuple[AppFunction, Schedule]] = []
    problems: list[str] = []
    for function in functions:
        if function.trigger_type == TIMER_TRIGGER:
            try:
                schedules.append((function, read_schedule(str(function.trigger.get("schedule")))))
            except ScheduleError as error:
                problems.append(f"Function '{function.name}' is not run: {error}")
    return schedules, problems


def _listed(
    app: App, served: Sequence[ServedFunction], http: HttpFunctions, timers: Timers, activities: Activities
) -> list[ListedFunction]:
    """Every function of the app, for ``/admin/functions``."""
    paths = {item.function.name: item.path for item in served}
    calls: dict[str, Call] = {
        HTTP_TRIGGER: http.call,
        TIMER_TRIGGER: lambda function, _: timers.call(function),
        ACTIVITY_TRIGGER: activities.call_directly,
    }
    return [
        ListedFunction(function=function, path=paths.get(function.name), call=calls.get(function.trigger_type))
        for function in app.functions
    ]


def _runnable(app: App) -> tuple[list[AppFunction], list[str]]:
    """The functions this host runs, and a sentence for each that it does not run, or not as on the platform."""
    functions: list[AppFunction] = []
    problems: list[str] = []
    for function in app.functions:
        if function.is_disabled:
            problems.append(f"Function '{function.name}' is disabled by a setting.")
            continue
        outputs = [str(binding["type"]) for binding in function.foreign_outputs]
        foreign = [kind for kind in (str(binding["type"]) for binding in function.bindings) if kind not in _RUN_HERE]
        inputs = [kind for kind in foreign if kind not in outputs]
        if inputs:
            problems.append(
                f"Function '{function.name}' is not run here: this host has no {', '.join(inputs)}. "
                'Give what it does an HTTP function too, or run the app with "func start".'
            )
            continue
        functions.append(function)
        if outputs:
            problems.append(
                f"Function '{function.name}' is run, but this host has no {', '.join(outputs)}: "
                "what it puts there is logged and goes nowhere."
            )
    return functions, problems


def _switched_off(app: App) -> list[AppFunction]:
    """The functions that could be run here, and are disabled."""
    return [
        function
        for function in app.functions
        if function.is_disabled and all(binding["type"] in _RUN_HERE for binding in function.bindings)
    ]


def _host_facts(app: App, functions: Sequence[AppFunction], profile: Profile) -> HostFacts:
    disabled = _switched_off(app) if profile.knows_disabled_functions else []

    def names(kind: FunctionKind, trigger_type: str) -> FunctionNames:
        switched_off = by_durable_name(disabled, trigger_type)
        return FunctionNames.create(kind, by_durable_name(functions, trigger_type), switched_off)

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
    activities: Activities,
    options: HostOptions,
    clock: Clock,
    failures: Failures,
) -> Dispatcher:
    def engine() -> tuple[Orchestrations, Entities]:
        from durable_status.local_host.entities import Entities
        from durable_status.local_host.orchestrations import Orchestrations
        from durable_status.replay.entity_batch import EntitySettings

        entity_settings = EntitySettings(
            reorder_window=_reorder_window(app), max_batch_size=app.settings.max_entity_batch_size
        )
        mode = Mode.STRICT if options.strict else Mode.FAITHFUL
        return (
            Orchestrations(functions, facts, options.profile, clock, mode, failures=failures),
            Entities(functions, facts.entities, entity_settings, options.profile, clock),
        )

    return Dispatcher(
        storage,
        engine,
        activities,
        worker,
        clock,
        max_orchestrations=app.settings.max_concurrent_orchestrators,
        max_activities=app.settings.max_concurrent_activities,
        max_entities=app.settings.max_concurrent_entities,
        grace_seconds=options.grace_seconds,
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
    payloads = None if options.payload_folder is None else FolderPayloadStore(options.payload_folder)
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
        Purging(storage, clock, profile, strict=options.strict, payloads=payloads),
        EntityOperations(storage, facts.entities, clock, profile),
    )
    callers = Callers(
        rpc_port=rpc_port,
        allowed_origins=options.cors_origins,
        is_reached_from_outside=options.address not in (LOOPBACK, "::1"),
    )
    return ManagementApi(operations, surroundings, callers)
