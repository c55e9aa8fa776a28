"""Orchestrators, and `main`, which answers triggers for them in a process of its own, with the SDK as it comes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator
from typing import Any

import azure.durable_functions as df

from tests.fidelity.programs import program


class Money:
    """What the SDK sends with a note of its class."""

    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __repr__(self) -> str:
        return f"{self.cents} cents"

    @staticmethod
    def to_json(money: Money) -> int:
        """What it is made of."""
        return money.cents

    @staticmethod
    def from_json(cents: int) -> Money:
        """Made again."""
        return Money(cents)


INPUTS = [1, -(2**70), 0.5, 1e300, float("nan"), True, None, "é\u2028\x00\ud83d", [1, "{"], {"k": [None]}, Money(5)]
TYPES = [None, int, str, float, list, dict, Money]


def everything(context: Any) -> Generator[Any, Any, Any]:
    """Send every kind of input, ask for every type of result, and tell what the context shows."""
    seen: list[Any] = []
    for number, value in enumerate(INPUTS):
        result = yield context.call_activity("Echo", value, expected_type=TYPES[number % len(TYPES)])
        seen.append(repr(result))
        seen += [str(context.current_utc_datetime), context.is_replaying, str(context.new_guid())]
        seen.append([(event.event_type, event.event_id, event.is_played) for event in context.histories])
        context.set_custom_status(seen[-1])
    return [*seen, context.instance_id, context.version, context.get_input()]


def answer(orchestrator: Callable[[str], str], trigger: str) -> str:
    """What the handle returns, or what it raises."""
    try:
        return orchestrator(trigger)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


HANDLES = {"Program": df.Orchestrator.create(program), "Everything": df.Orchestrator.create(everything)}


def main() -> None:
    """Read lines with a name and a trigger, and write a line for each; all is JSON."""
    for line in sys.stdin:
        name, trigger = json.loads(line)
        print(json.dumps(answer(HANDLES[name], trigger)), flush=True)
