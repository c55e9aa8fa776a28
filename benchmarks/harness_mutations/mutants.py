"""The seeded bugs: each one replaces a piece of the five orchestrations' text.

They are bugs that are made with Durable Functions in Python: every one deploys, and most run once without a sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SHAPES = Path(__file__).parent / "shapes"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One bug: `old` becomes `new`, in the orchestration of that name."""

    shape: str
    name: str
    old: str
    new: str

    def apply(self, source: str) -> str:
        """The app's text with the bug.

        Raises:
            ValueError: the text to replace is not there exactly once.
        """
        start = source.index(f"def {self.shape}(")
        end = source.find("\n\n\n", start)
        body = source[start:end]
        if body.count(self.old) != 1:
            raise ValueError(f"{self.shape}, {self.name}: the text to replace is there {body.count(self.old)} times")
        return source[:start] + body.replace(self.old, self.new) + source[end:]


_STATUS_OF_FILES = 'context.set_custom_status({"done": len(done), "of": len(files)})'

MUTANTS = (
    # Reserve: an event against a timer.
    Mutant("Reserve", "the losing timer is not cancelled", "        deadline.cancel()\n", ""),
    Mutant("Reserve", "the deadline is by the wall clock", "context.current_utc_datetime +", "_now() +"),
    Mutant("Reserve", "the winner is compared the wrong way", "winner == confirmed", "winner != confirmed"),
    Mutant(
        "Reserve",
        "the status is set on the first run only",
        'context.set_custom_status({"stage": "offer", "price": price})',
        'context.is_replaying or context.set_custom_status({"stage": "offer", "price": price})',
    ),
    Mutant(
        "Reserve", "a datetime in the status", '"price": price}', '"price": price, "at": context.current_utc_datetime}'
    ),
    Mutant("Reserve", "a falsy final status", '{"stage": "too late"}', "{}"),
    Mutant("Reserve", "an activity name that does not exist", '"Price", user', '"Prices", user'),
    Mutant("Reserve", "the event's name in another case", '"Confirmed"', '"confirmed"'),
    Mutant("Reserve", "the call is not yielded", "price = yield context.call", "price = context.call"),
    Mutant("Reserve", "minutes for seconds", "timedelta(seconds=60)", "timedelta(minutes=60)"),
    Mutant(
        "Reserve",
        "an activity inserted before the first (breaks running instances)",
        "    price = yield",
        '    yield context.call_activity("Hold", user)\n    price = yield',
    ),
    Mutant(
        "Reserve",
        "the status set too early to be seen",
        '    price = yield context.call_activity("Price", user)\n'
        '    context.set_custom_status({"stage": "offer", "price": price})\n',
        '    context.set_custom_status({"stage": "offer", "price": 0})\n'
        '    context.set_custom_status({"stage": "offer"})\n'
        '    price = yield context.call_activity("Price", user)\n',
    ),
    # Convert: side by side.
    Mutant("Convert", "the result depends on who is first", "return sorted(done)", "return done"),
    Mutant(
        "Convert", "a countdown that ends at a falsy 0", _STATUS_OF_FILES, "context.set_custom_status(len(pending))"
    ),
    Mutant("Convert", "a status that outgrows 16 KB", '"of": len(files)', '"of": [text * 2_000 for text in done]'),
    Mutant("Convert", "the wrong task is taken off the list", "pending.remove(winner)", "pending.pop(0)"),
    Mutant("Convert", "a random order of the calls", "for file in files]", "for file in _shuffled(files)]"),
    Mutant("Convert", "an id from uuid4 in an input", '"ConvertOne", file)', '"ConvertOne", f"{file}{_id()}"[:1])'),
    Mutant("Convert", "ends with the first", "    while pending:\n", "    if pending:\n"),
    Mutant(
        "Convert",
        "the status comes one step late",
        f"        done.append(winner.result)\n        {_STATUS_OF_FILES}",
        f"        {_STATUS_OF_FILES}\n        done.append(winner.result)",
    ),
    # Pay: retries and compensation.
    Mutant(
        "Pay",
        "the retry is dropped",
        'call_activity_with_retry("Charge", RETRY, order)',
        'call_activity("Charge", order)',
    ),
    Mutant("Pay", "one attempt only", '"Charge", RETRY,', '"Charge", df.RetryOptions(5_000, 1),'),
    Mutant(
        "Pay",
        "the compensation is not yielded",
        '        yield context.call_activity("Release"',
        '        context.call_activity("Release"',
    ),
    Mutant("Pay", "the compensation is forgotten", '        yield context.call_activity("Release", order)\n', ""),
    Mutant("Pay", "catches a type that never comes", "except Exception:", "except ValueError:"),
    Mutant("Pay", "milliseconds for seconds", '"Charge", RETRY,', '"Charge", df.RetryOptions(5, 3),'),
    Mutant("Pay", "sleeps in the orchestrator", "    try:\n", "    _sleep()\n    try:\n"),
    Mutant("Pay", "returns a set", "return receipt", "return {receipt}"),
    Mutant(
        "Pay",
        "a memo in the process",
        '    yield context.call_activity("Hold", order)\n',
        '    if order not in _memo:\n        _memo[order] = True\n        yield context.call_activity("Hold", order)\n',
    ),
    Mutant(
        "Pay",
        "releases although it was paid",
        '        receipt = yield context.call_activity_with_retry("Charge", RETRY, order)\n',
        '        receipt = yield context.call_activity_with_retry("Charge", RETRY, order)\n'
        '        yield context.call_activity("Release", order)\n',
    ),
    # Watch: a generation per round.
    Mutant("Watch", "the round is not counted", 'state["round"] + 1', 'state["round"]'),
    Mutant("Watch", "the alarm is not yielded", 'yield context.call_activity("Alarm"', 'context.call_activity("Alarm"'),
    Mutant("Watch", "the pause is not yielded", "    yield context.create_timer", "    context.create_timer"),
    Mutant(
        "Watch",
        "a deadline without a time zone",
        "context.current_utc_datetime +",
        "context.current_utc_datetime.replace(tzinfo=None) +",
    ),
    Mutant("Watch", "a threshold off by ten", "level > 90", "level > 100"),
    Mutant("Watch", "the last round one too late", '["round"] == 3', '["round"] > 3'),
    # Approve: two events, two children.
    Mutant(
        "Approve",
        "two waits on one name (python#507)",
        'wait_for_external_event("Second")',
        'wait_for_external_event("First")',
    ),
    Mutant("Approve", "both children under one id", '"copy": copy})', '"copy": copy}, "copy")'),
    Mutant("Approve", "task_all is not yielded", "copies = yield context.task_all(", "copies = context.task_all("),
    Mutant(
        "Approve", "a list is yielded", "copies = yield context.task_all(\n        [", "copies = yield list(\n        ["
    ),
    Mutant("Approve", "a child name that does not exist", '"Print", {', '"Prints", {'),
    Mutant(
        "Approve",
        "the first approval is forgotten in the status",
        '{"approved by": [first, second]})\n    copies',
        '{"approved by": [second]})\n    copies',
    ),
)

HELPERS = """
import datetime as _datetime
import random as _random
import time as _time
import uuid as _uuid

_memo = {}


def _now():
    return _datetime.datetime.now(_datetime.timezone.utc)


def _shuffled(items):
    return _random.sample(items, len(items))


def _id():
    return _uuid.uuid4()


def _sleep():
    _time.sleep(0)
"""
"""What some of the bugs call; it stands at the end of every app's text."""
