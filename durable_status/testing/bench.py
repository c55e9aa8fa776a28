"""The door to the harness for one app: what the pytest fixture `durable` is, usable without pytest too."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from durable_status.app.functions import App
from durable_status.app.load import load_app
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from durable_status.testing.check_replay import CheckedHistory, ReplayBroken, check_history
from durable_status.testing.client import FakeDurableClient
from durable_status.testing.errors import HarnessError, RuleBroken, known_names
from durable_status.testing.explore import DEFAULT_LIMIT, SCHEDULE, Exploration, ExploredRun, explore
from durable_status.testing.faults import NO_FAULTS, Faults
from durable_status.testing.functions import Functions
from durable_status.testing.in_process import InProcessHub
from durable_status.testing.module_memory import ModuleMemory
from durable_status.testing.moves import ExternalEvent, Node, Tree
from durable_status.testing.outcomes import Outcomes
from durable_status.testing.payloads import start_text
from durable_status.testing.recorded import histories_in, read_histories
from durable_status.testing.rules import RULES
from durable_status.testing.run import OrchestrationRun
from durable_status.testing.snapshots import Snapshots, no_snapshots
from durable_status.testing.task_hub import TaskHub
from durable_status.testing.view import InstanceView

if TYPE_CHECKING:  # Hypothesis is optional
    from hypothesis.strategies import SearchStrategy

_PROFILES = {profile.name: profile for profile in (PROFILE_2_13, PROFILE_3)}

Stubs = Mapping[str, Any]
Result = TypeVar("Result")

_SCRIPT_SETTING = "PYTHON_SCRIPT_FILE_NAME"


@dataclass(frozen=True, slots=True)
class LoadedApp:
    """An app that is ready to be tested, with what its modules' variables were when it was loaded."""

    app: App
    functions: Functions
    memory: ModuleMemory

    @classmethod
    def of_folder(cls, folder: Path, script: str | None = None) -> Self:
        """Load the app in `folder`, once per process: an app object lists its functions only once.

        Raises:
            AppError: the folder holds no app that can be loaded, here and on the platform.
        """
        root = folder.resolve()
        key = (root, script)
        if key not in _loaded:
            environment = dict(os.environ) | ({} if script is None else {_SCRIPT_SETTING: script})
            app = load_app(root, environment)
            app.require_all()
            _loaded[key] = cls(app, Functions.of_app(app), ModuleMemory.of_app(root))
        loaded = _loaded[key]
        assert isinstance(loaded, cls)
        return loaded


_loaded: dict[tuple[Path, str | None], LoadedApp] = {}


class DurableBench:
    """Starts, explores and replays the orchestrations of one app; every start has a task hub of its own."""

    def __init__(
        self,
        app: LoadedApp,
        *,
        extension: str = PROFILE_3.name,
        allow: Sequence[str] = (),
        snapshots: Snapshots | None = None,
    ) -> None:
        """Take a loaded app; see `of_folder`.

        Args:
            app: the app.
            extension: which line of the durable extension to be, ``"2.13"`` or ``"3"``.
            allow: rules (names of `durable_status.testing.rules.RULES`) that may be broken.
            snapshots: where accepted timelines are.

        Raises:
            HarnessError: there is no such extension or rule.
        """
        self.app = app.app
        self._profile = _profile(extension)
        self._allow = check_rule_names(allow)
        self._functions = app.functions
        self._memory = app.memory
        self._snapshots = snapshots
        self._stubs = Outcomes.create(self._functions, self._profile, None, None, None)
        self._started = 0

    @classmethod
    def of_folder(cls, folder: str | Path, *, script: str | None = None, **options: Any) -> Self:
        """Load the app in `folder` (the one with host.json), once per process.

        `script` is the file with the app object, function_app.py unless said otherwise. The values of the app's
        local.settings.json are not put into the environment.

        Raises:
            AppError: the folder holds no app that can be loaded.
        """
        return cls(LoadedApp.of_folder(Path(folder), script), **options)

    def __repr__(self) -> str:
        return f"<DurableBench of {str(self.app.root)!r}, extension {self._profile.name}>"

    @property
    def orchestrators(self) -> tuple[str, ...]:
        """The registered names of the app's orchestrators."""
        return tuple(self._functions.orchestrators)

    def start(
        self,
        orchestration: str,
        input: Any = None,
        *,
        instance_id: str | None = None,
        activities: Stubs | None = None,
        sub_orchestrations: Stubs | None = None,
        http: Stubs | Callable[[Any], Any] | None = None,
        faults: Faults = NO_FAULTS,
        allow: Sequence[str] = (),
    ) -> OrchestrationRun:
        """Start an instance, as the SDK's client would, and let happen what needs no time.

        Args:
            orchestration: its registered name.
            input: any value the SDK's client takes.
            instance_id: by default the name and a number.
            activities: outcomes by name (see `outcomes`); without one the app's own function runs.
            sub_orchestrations: outcomes by name; without one the app's own orchestrator runs.
            http: answers of call_http by ``"METHOD url"`` or url, or a callable that gets the request.
            faults: what else happens on the way.
            allow: rules that may be broken, besides those of the bench.

        Raises:
            HarnessError: a name is unknown.
            RuleBroken: the orchestrator broke a rule.
        """
        hub = TaskHub(self._functions, self._profile)
        outcomes = Outcomes.create(self._functions, self._profile, activities, sub_orchestrations, http)
        name = self._registered(orchestration)
        self._started += 1
        chosen_id = instance_id or f"{name}-{self._started}"
        run = OrchestrationRun(
            hub,
            chosen_id,
            outcomes,
            faults=faults,
            allow=(*self._allow, *check_rule_names(allow)),
            forget=self._memory.restore,
        )
        return run.begin(hub.create(name, start_text(input), chosen_id))

    def explore(
        self,
        orchestration: str,
        input: Any = None,
        *,
        events: Sequence[ExternalEvent] = (),
        limit: int = DEFAULT_LIMIT,
        seed: int = 0,
        **options: Any,
    ) -> Exploration:
        """Let everything happen in every order: activities end, timers fire, sub-orchestrations end, events come.

        Args:
            orchestration: its registered name.
            input: any value the SDK's client takes.
            events: each may come once, at any moment, or not at all (`moves.event`).
            limit: how many orders to follow at most; above it half of them are drawn.
            seed: of the draw.
            options: `activities`, `sub_orchestrations`, `http`, `instance_id` and `allow` as for `start`;
                ``batch=2``: up to two messages come in one episode; ``duplicates=True``: an event may come twice.

        Raises:
            HarnessError: a name is unknown.
            RuleBroken: in some order the orchestrator broke a rule; the shortest such order is told.
        """
        tree, root = self._tree(orchestration, input, events, **options)
        arguments = [repr(orchestration), repr(input), SCHEDULE, f"events={list(events)!r}"]
        arguments += [f"{name}={value!r}" for name, value in options.items()]
        replay_line = f"durable.replay({', '.join(arguments)})"
        return explore(tree, root, limit=limit, seed=seed, replay_line=replay_line)

    def replay(
        self,
        orchestration: str,
        input: Any,
        schedule: str,
        *,
        events: Sequence[ExternalEvent] = (),
        **options: Any,
    ) -> ExploredRun:
        """Let happen exactly what `schedule` says; an exploration prints it for what it finds.

        Raises:
            HarnessError: something in it cannot happen; the text says what can.
            RuleBroken: the orchestrator broke a rule.
        """
        options["batch"] = max(word.count("+") + 1 for word in schedule.split() or [""])
        tree, root = self._tree(orchestration, input, events, **(options | {"duplicates": True}))
        run = ExploredRun(tree, tree.follow_text(root, schedule))
        if run.findings:
            raise RuleBroken(run.findings, str(run.timeline))
        return run

    @property
    def client(self) -> Any:
        """The SDK's own durable client of a task hub in the test; await its methods with `wait`."""
        return self._in_process[1].make()

    def wait(self, awaited: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine to its end, such as a call of `client`; its sleeps cost virtual time only."""
        return self._in_process[1].wait(awaited)

    def call(self, function: str, **request: Any) -> Any:
        """Call a function of the app, such as an HTTP starter, without a server.

        Args:
            function: its name.
            request: of an HTTP function `method`, `route` (the route's values), `params`, `headers` and `body` (JSON
                or bytes); of any other `trigger`, what its trigger is bound to.

        Raises:
            HarnessError: there is no such function.
        """
        return self._in_process[1].call(function, **request)

    def run(self, instance_id: str) -> OrchestrationRun:
        """An instance that was started through `client` or `call`.

        Raises:
            HarnessError: there is none.
        """
        return self._in_process[0].run(instance_id)

    def stub(
        self,
        *,
        activities: Stubs | None = None,
        sub_orchestrations: Stubs | None = None,
        http: Stubs | Callable[[Any], Any] | None = None,
    ) -> None:
        """Say how calls end in instances that are started through `client` or `call` from now on.

        Raises:
            HarnessError: a name is unknown.
        """
        self._stubs = Outcomes.create(self._functions, self._profile, activities, sub_orchestrations, http)

    @cached_property
    def _in_process(self) -> tuple[InProcessHub[OrchestrationRun], FakeDurableClient]:
        def make_run(hub: TaskHub, instance_id: str) -> OrchestrationRun:
            return OrchestrationRun(hub, instance_id, self._stubs, allow=self._allow)

        hub = InProcessHub(TaskHub(self._functions, self._profile), make_run)
        return hub, FakeDurableClient(self.app, hub, allow=self._allow)

    def check_replay(self, *sources: Any, strict: bool = False) -> list[CheckedHistory]:
        """Put recorded histories to today's code: would the instances that are running now survive it?

        Args:
            sources: files of JSON (paths), or parsed JSON; `durable_status.testing.recorded` names the three kinds.
            strict: whether what the platform does not mind (times, inputs, outcomes) counts as well.

        Raises:
            HarnessError: a source holds no history.
            ReplayBroken: an instance would fail; the text says where and why.
        """
        histories = [
            history
            for source in sources
            for history in (read_histories(Path(source)) if isinstance(source, str | Path) else histories_in(source))
        ]
        checked = [check_history(history, self._functions, self._profile) for history in histories]
        broken = [item for item in checked if item.problem or (strict and item.notes)]
        if broken:
            raise ReplayBroken(broken)
        return checked

    def schedules(
        self, orchestration: str, input: Any = None, *, events: Sequence[ExternalEvent] = (), **options: Any
    ) -> SearchStrategy[ExploredRun]:
        """A Hypothesis strategy that draws orders and shrinks to the simplest; the arguments are those of `explore`.

        Raises:
            HarnessError: a name is unknown, or Hypothesis is not installed.
        """
        from durable_status.testing.strategies import schedules

        return schedules(*self._tree(orchestration, input, events, **options))

    def _tree(
        self,
        orchestration: str,
        input: Any,
        events: Sequence[ExternalEvent],
        *,
        instance_id: str = "instance",
        activities: Stubs | None = None,
        sub_orchestrations: Stubs | None = None,
        http: Stubs | Callable[[Any], Any] | None = None,
        batch: int = 1,
        duplicates: bool = False,
        allow: Sequence[str] = (),
    ) -> tuple[Tree, Node]:
        hub = TaskHub(self._functions, self._profile)
        tree = Tree(
            root_id=instance_id,
            outcomes=Outcomes.create(self._functions, self._profile, activities, sub_orchestrations, http),
            events=tuple(events),
            batch=batch,
            duplicates=duplicates,
            allow=frozenset({*self._allow, *check_rule_names(allow)}),
        )
        return tree, tree.begin(hub, hub.create(self._registered(orchestration), start_text(input), instance_id))

    def snapshot(self, run: InstanceView, name: str | None = None) -> None:
        """Compare a run's timeline with the accepted one, a text file beside the test; `name` tells several apart.

        Raises:
            AssertionError: it differs, or none has been accepted.
            HarnessError: the bench has no place for snapshots.
        """
        if self._snapshots is None:
            raise no_snapshots()
        self._snapshots.check(str(run.timeline), name)

    def _registered(self, orchestration: str) -> str:
        names = self._functions.host.orchestrators
        registered = names.find(orchestration)
        if registered is None or names.is_disabled(orchestration):
            raise HarnessError(f"cannot start {orchestration!r}. {names.unknown_sentence(orchestration)}")
        return registered


def check_rule_names(names: Sequence[str]) -> Sequence[str]:
    """Return `names`.

    Raises:
        HarnessError: one of them is no rule.
    """
    for name in names:
        if name not in RULES:
            raise HarnessError(f"there is no rule {name!r}; {known_names(RULES)}.")
    return names


def _profile(extension: str) -> Profile:
    try:
        return _PROFILES[extension]
    except KeyError:
        raise HarnessError(f"there is no extension {extension!r}; {known_names(_PROFILES)}.") from None
