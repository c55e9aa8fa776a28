"""What an episode needs to know of the host it runs in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Self

from durable_status.replay.names import caseless
from durable_status.replay.ticks import PER_DAY, PER_SECOND, Ticks


class FunctionKind(Enum):
    """The kinds of functions an orchestration can address; the value is the platform's word in messages."""

    ORCHESTRATOR = "orchestrator"
    ACTIVITY = "activity"
    ENTITY = "entity"


@dataclass(frozen=True, slots=True)
class FunctionNames:
    """The registered names of one kind; names are looked up in any case.

    Those of functions that a setting switches off are among them: the platform knows them and fails to call them.
    """

    kind: FunctionKind
    _registered: dict[str, str] = field(default_factory=dict)
    _disabled: frozenset[str] = frozenset()

    @classmethod
    def create(cls, kind: FunctionKind, names: Iterable[str], disabled: Iterable[str] = ()) -> Self:
        """Make the set of `names`, and of `disabled` ones."""
        off = list(disabled)
        registered = {caseless(name): name for name in (*names, *off)}
        return cls(kind, registered, frozenset(map(caseless, off)))

    def find(self, name: str) -> str | None:
        """The registered spelling of `name`, or None."""
        return self._registered.get(caseless(name))

    def is_disabled(self, name: str) -> bool:
        """Whether the function is registered and switched off."""
        return caseless(name) in self._disabled

    def unknown_sentence(self, name: str) -> str:
        """What the platform says of a name that is not registered, or disabled."""
        article = "an" if self.kind.value[0] in "aeo" else "a"
        if self._registered:
            known = ", ".join(f"'{registered}'" for registered in self._registered.values())
            hint = f"The following are the known {self.kind.value} functions: {known}."
        else:
            hint = f"No {self.kind.value} functions are currently registered!"
        return (
            f"The function '{name}' doesn't exist, is disabled, or is not {article} {self.kind.value} function. "
            f"Additional info: {hint}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """The app's functions and the settings that an episode depends on. Spans are in ticks."""

    orchestrators: FunctionNames = FunctionNames(FunctionKind.ORCHESTRATOR)
    activities: FunctionNames = FunctionNames(FunctionKind.ACTIVITY)
    entities: FunctionNames = FunctionNames(FunctionKind.ENTITY)
    max_orchestration_actions: int = 100_000
    maximum_short_timer: Ticks = Ticks(6 * PER_DAY)
    long_timer_interval: Ticks = Ticks(3 * PER_DAY)
    entity_reorder_window: Ticks = Ticks(30 * 60 * PER_SECOND)
    store_inputs_in_history: bool = False
    default_http_sleep_milliseconds: int = 30_000
