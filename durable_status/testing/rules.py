"""The rules that are checked after every episode, whatever the test asserts.

Each rule has a short name; `allow` of a run, an exploration or the pytest marker takes such names. `RULES` says what
each one means.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from durable_status.app.action_lines import place_text, placed
from durable_status.custom_status import MAX_STATUS_BYTES
from durable_status.replay.episode import Episode
from durable_status.replay.events import Event, EventRaised
from durable_status.replay.failures import cut_state
from durable_status.replay.profile import Profile
from durable_status.replay.traps import TrapKind
from durable_status.stored_json import dump_stored, utf16_size
from durable_status.stored_text import read_stored
from durable_status.testing.errors import Finding
from durable_status.testing.observer import Observation
from durable_status.testing.payloads import shown, shown_value

_OWN_RULES = {
    "clock": "no clock but context.current_utc_datetime",
    "random": "no random numbers and ids but the context's",
    "io": "no I/O, threads and sleeps in an orchestrator",
    "yield": "only tasks are yielded",
    "unyielded": "a call that is made is yielded, too; otherwise it never runs",
    "repeatable": "the same history gives the same answer",
    "stable": "what was asked for in an episode is asked for in every later one",
    "once": "an external event is consumed once",
    "agreement": "when the orchestrator has ended, the host gets there too",
    "falsy-status": "a custom status is truthy; SDK 1.x drops others",
    "status-size": "a custom status keeps to 16 KB",
    "answer": "the SDK can write status and output",
    "await": "a call of a durable client is awaited; otherwise it is not sent",
}

_SAME_RULE = {
    TrapKind.EARLY_EVENT: "once",
    TrapKind.NOTHING_AWAITED: "yield",
    TrapKind.YIELDED_NO_TASK: "yield",
    TrapKind.RAW_FAILURE: "answer",
    TrapKind.STATUS_NOT_JSON: "answer",
    TrapKind.STATUS_TOO_LARGE: "status-size",
    TrapKind.NON_DETERMINISM: "stable",
}


def rule_of(kind: TrapKind) -> str:
    """The rule's name for one of the traps that an episode reports."""
    return _SAME_RULE.get(kind, kind.title.replace(" ", "-"))


RULES = {rule_of(kind): kind.value for kind in TrapKind} | _OWN_RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one call of the orchestrator said, as far as the rules look at it."""

    text: str
    actions: Sequence[Mapping[str, Any]]
    has_ended: bool
    has_raised: bool = False
    """Whether the code has ended by an error."""
    status: Any = None
    is_usable: bool = True
    """Whether the host finds in it what the code asked for."""


def read_answer(observation: Observation, profile: Profile) -> Answer:
    """Read the answer of the latest call, or the state that its failure carries."""
    failure = observation.failure
    text = observation.answer if failure is None else cut_state(failure, profile)
    if text is None:
        assert failure is not None
        return Answer(text=failure.message, actions=(), has_ended=True, has_raised=True, is_usable=False)
    state = json.loads(text)
    has_raised = bool(state.get("error"))
    (actions,) = state.get("actions") or [[]]
    return Answer(
        text=text,
        actions=actions,
        has_ended=bool(state.get("isDone")) or has_raised,
        has_raised=has_raised,
        status=state.get("customStatus"),
    )


def check_episode(
    answer: Answer,
    observation: Observation,
    episode: Episode,
    *,
    definition: str | None,
    before: Answer | None,
    history: Sequence[Event],
) -> Iterator[Finding]:
    """What is wrong with one episode; `before` is the answer of the episode before in the same generation.

    What the rules here say of an episode is not said again as a trap. `definition` is where the orchestrator begins.
    """
    findings = [
        *_own_findings(answer, observation, before),
        *_check_events(observation, history),
    ]
    yield from findings
    said = {finding.rule for finding in findings}
    is_told = bool(findings)
    for trap in episode.warnings:
        rule = rule_of(trap.kind)
        if rule in said or (is_told and trap.kind is TrapKind.MASKED_ERROR):  # which only says that there is another
            continue
        is_told = True
        place = observation.lines.place_of(trap.action, trap.kind.subject) or definition
        yield Finding(rule=rule, text=placed(place, f"{trap.sentence} {trap.cure}"))


def _own_findings(answer: Answer, observation: Observation, before: Answer | None) -> Iterator[Finding]:
    yield from observation.findings
    if not answer.is_usable:
        return  # the episode's trap says why
    yield from _check_stable(answer, before)
    yield from _check_status(answer, observation)
    if answer.has_ended and not answer.has_raised:
        yield from _check_end(observation)


def _check_events(observation: Observation, events: Sequence[Event]) -> Iterator[Finding]:
    """Compare the external events that the code got with those that were raised."""
    raised = Counter(_event_key(event.name, event.input) for event in events if isinstance(event, EventRaised))
    for wait in observation.waits:
        if not wait.task.is_completed:
            continue
        key = (wait.target, shown_value(wait.task.result))
        if raised[key] == 0:
            yield Finding(
                rule="once",
                text=f"The orchestrator got event {wait.target}({key[1]}) more often than it was raised: an early "
                "event is handed out twice by SDK 1.x (azure-functions-durable-python#507), and others of its name are "
                "lost. "
                "Wait for the event before it can come, or give each event a name of its own",
            )
            return
        raised[key] -= 1


def check_at_rest(name: str, answer: Answer) -> Iterator[Finding]:
    """What is wrong when nothing can happen any more and the instance is still running."""
    if answer.has_ended:
        yield Finding(
            rule="agreement",
            text=f"{name} has ended for the SDK, but the host still waits for something that it was asked for earlier: "
            "the instance stays Running for ever",
        )


def _event_key(name: str, input_text: str | None) -> tuple[str, str]:
    return name, shown_value(read_stored(input_text))


def _check_stable(answer: Answer, before: Answer | None) -> Iterator[Finding]:
    if before is None or not before.is_usable:
        return
    for index, old in enumerate(before.actions):
        new = answer.actions[index] if index < len(answer.actions) else None
        if new is None or _without_cancel(new) != _without_cancel(old):
            now = "is missing now" if new is None else f"is {_action_text(new)} now"
            yield Finding(
                rule="stable",
                text=f"The orchestrator is not deterministic: its action {index} was {_action_text(old)} in the "
                f"episode before and {now}",
            )
            return


def _without_cancel(action: Any) -> Any:
    match action:
        case dict():
            return {key: _without_cancel(value) for key, value in action.items() if key != "isCanceled"}
        case list():
            return [_without_cancel(item) for item in action]
        case _:
            return action


def _action_text(action: Mapping[str, Any]) -> str:
    for key in ("functionName", "externalEventName", "fireAt"):
        if key in action:
            return f"{key} {shown(str(action[key]))} with input {shown(str(action.get('input')))}"
    return shown(json.dumps(action))


def _check_status(answer: Answer, observation: Observation) -> Iterator[Finding]:
    if not observation.statuses:
        return
    last = observation.statuses[-1]
    if not last and last is not None:
        yield Finding(
            rule="falsy-status",
            text=f"set_custom_status({last!r}): SDK 1.x does not send falsy values, so readers see null. Put it into "
            'an object, such as {"done": 0}',
        )
    if answer.status is not None:
        size = utf16_size(dump_stored(answer.status))
        if size > MAX_STATUS_BYTES:
            yield Finding(
                rule="status-size",
                text=f"The custom status takes {size:,} bytes, the limit is {MAX_STATUS_BYTES:,} (UTF-16 of its JSON "
                "text). Put it into storage: yield from publish_status(context, status)",
            )


def _check_end(observation: Observation) -> Iterator[Finding]:
    for call in observation.calls:
        if not call.task._is_scheduled:
            sentence = f"context.{call.method}({call.target!r}) was called, but its task never yielded: it never runs"
            yield Finding(rule="unyielded", text=placed(place_text(call.place), sentence))
