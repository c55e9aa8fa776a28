"""The functions an orchestration can reach: those of an app, or a lone orchestrator that may call any name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from durable_status.app.functions import (
    ACTIVITY_TRIGGER,
    ENTITY_TRIGGER,
    HTTP_TRIGGER,
    ORCHESTRATION_TRIGGER,
    App,
    AppFunction,
    by_durable_name,
)
from durable_status.replay.host_facts import FunctionKind, FunctionNames, HostFacts
from durable_status.testing.errors import HarnessError, known_names
from durable_status.testing.observer import ObservedOrchestrator


@dataclass(frozen=True, slots=True)
class _AnyName(FunctionNames):
    """Knows every name; for an orchestrator that is tested without its app."""

    def find(self, name: str) -> str | None:
        return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Functions:
    """What the harness can run, and what the host knows of it."""

    host: HostFacts
    orchestrators: Mapping[str, ObservedOrchestrator]
    activities: Mapping[str, AppFunction]
    entities: Mapping[str, AppFunction]
    http: Mapping[str, AppFunction]

    @classmethod
    def of_app(cls, app: App, *, guarded: bool = True) -> Self:
        """The functions of a loaded app."""
        enabled = [function for function in app.functions if not function.is_disabled]
        disabled = [function for function in app.functions if function.is_disabled]
        orchestrators = by_durable_name(enabled, ORCHESTRATION_TRIGGER)
        activities = by_durable_name(enabled, ACTIVITY_TRIGGER)
        entities = by_durable_name(enabled, ENTITY_TRIGGER)

        def names(kind: FunctionKind, of_enabled: Iterable[str], trigger_type: str) -> FunctionNames:
            return FunctionNames.create(kind, of_enabled, by_durable_name(disabled, trigger_type))

        return cls(
            host=HostFacts(
                orchestrators=names(FunctionKind.ORCHESTRATOR, orchestrators, ORCHESTRATION_TRIGGER),
                activities=names(FunctionKind.ACTIVITY, activities, ACTIVITY_TRIGGER),
                entities=names(FunctionKind.ENTITY, entities, ENTITY_TRIGGER),
                max_orchestration_actions=app.settings.max_orchestration_actions,
                store_inputs_in_history=app.settings.store_inputs_in_history,
                default_http_sleep_milliseconds=app.settings.default_http_sleep_milliseconds,
            ),
            orchestrators={
                name: ObservedOrchestrator.of_app(item, guarded=guarded) for name, item in orchestrators.items()
            },
            activities=activities,
            entities=entities,
            http=by_durable_name(enabled, HTTP_TRIGGER),
        )

    @classmethod
    def of_orchestrators(cls, *, guarded: bool = True, **functions: Any) -> Self:
        """Orchestrators by name, without an app: they may call any activity, entity or other orchestrator."""
        return cls(
            host=HostFacts(
                orchestrators=_AnyName(FunctionKind.ORCHESTRATOR),
                activities=_AnyName(FunctionKind.ACTIVITY),
                entities=_AnyName(FunctionKind.ENTITY),
            ),
            orchestrators={
                name: ObservedOrchestrator.of_code(item, guarded=guarded) for name, item in functions.items()
            },
            activities={},
            entities={},
            http={},
        )

    def entity(self, registered_name: str) -> AppFunction:
        """The entity of that name.

        Raises:
            HarnessError: there is none.
        """
        try:
            return self.entities[registered_name]
        except KeyError:
            raise HarnessError(f"there is no entity {registered_name!r}; {known_names(self.entities)}.") from None

    def orchestrator(self, name: str) -> ObservedOrchestrator:
        """The orchestrator of that name, in any case.

        Raises:
            HarnessError: there is none.
        """
        if self.host.orchestrators.is_disabled(name):
            raise HarnessError(
                f"the orchestrator {name!r} is switched off by a setting, so on the platform its instances never run."
            )
        for known, orchestrator in self.orchestrators.items():
            if known.casefold() == name.casefold():
                return orchestrator
        raise HarnessError(f"there is no orchestrator {name!r}; {known_names(self.orchestrators)}.")
