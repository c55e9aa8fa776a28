"""Compares what two hosts left in a task hub, field by field: the recorded extension's and ours.

A record is a document as in `tests/goldens/storage`: rows of the Instances and the History table as the service answers
them, messages in the order in which they were put, blobs. All is compared to the letter, columns and their types,
texts, the order of messages and of the members of their JSON, except:

| what | why |
|---|---|
| ids, random parts of names | made anew in every run; one stands for one other everywhere in a record |
| queue of a child | follows from its id, which is its parent's random one; so it is computed from that |
| times | of the run; what is one time in the recording is one in ours, and each is written in its place's form |
| `odata.etag`, `Timestamp` | the service's own, from when it stored the row |
| `SequenceNumber` | counts the messages of a process, to all instances; their order is compared |
| address of the blob service | the port that it listens on |
| `ClientSpanId` | no evidence: tracing was adapted in the recorded build |
| `InnerException` in a failure's text | no evidence: the Functions host was imitated, its class and all stacks |
| size of a blob | the compressors differ; ends and length of the text are compared |
| `visibilitytimeout` of what is due at once | a host may hold what it puts for 30 s and need not fetch it |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from durable_status.task_hub.names import DEFAULT_PARTITION_COUNT, partition_of
from tests.check_goldens import both
from tests.durable_status.local_host.azure_storage.volatile import Matching, taken_apart, with_fixed_lengths

Members = Mapping[str, Any]

_HELD_SECONDS = 30
_NOT_COMPARED = frozenset({"odata.etag", "Timestamp", "ClientSpanId"})
_TYPE = "@odata.type"
_MISSING = "nothing"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in which our record is not as recorded."""

    field: str
    recorded: Any
    ours: Any
    reason: str = ""

    def __str__(self) -> str:
        told = f"{self.field}: {both(self.recorded, self.ours, found_in='ours')}"
        return f"{told} ({self.reason})" if self.reason else told


def find_differences(recorded: Members, ours: Members) -> list[Difference]:
    """All fields in which two records differ."""
    matching = Matching()
    found: list[Difference] = []
    for table in ("instances", "history"):
        pairs = _pairs(table, recorded[table], ours[table], found)
        found += [difference for pair in pairs for difference in _row(*pair, matching)]
    found += _sequence(ours["messages"])
    pairs = _pairs("messages", recorded["messages"], ours["messages"], found)
    found += [difference for pair in pairs for difference in _message(*pair, matching)]
    pairs = _pairs("blobs", recorded["blobs"], ours["blobs"], found)
    return found + [difference for pair in pairs for difference in _blob(*pair, matching)]


def find_hub_differences(recorded: Members, ours: Members) -> list[Difference]:
    """All fields in which what is around the instances differs: containers, leases, queues, tables."""
    return list(_value("hub", dict(recorded), dict(ours), Matching()))


def _pairs(
    path: str, recorded: Sequence[Any], ours: Sequence[Any], found: list[Difference]
) -> Iterator[tuple[str, Any, Any]]:
    if len(recorded) != len(ours):
        found.append(Difference(f"{path}.length", len(recorded), len(ours)))
    for number, (one, other) in enumerate(zip(recorded, ours, strict=False)):
        yield f"{path}[{number}]", one, other


def _row(path: str, recorded: Members, ours: Members, matching: Matching) -> Iterator[Difference]:
    for name in _names(recorded, ours):
        if name not in _NOT_COMPARED:
            is_time = recorded.get(name + _TYPE) == "Edm.DateTime"
            values = recorded.get(name, _MISSING), ours.get(name, _MISSING)
            yield from _value(f"{path}.{name}", *values, matching, has_all_digits=is_time)


def _sequence(messages: Sequence[Members]) -> Iterator[Difference]:
    """Whether the numbers of messages tell the order in which they were put; one that is in a blob has none."""
    numbers = [number for put in messages if (number := put["body"]["SequenceNumber"])]
    if numbers != sorted(set(numbers)):
        yield Difference("messages.(order of SequenceNumber)", sorted(set(numbers)), numbers)


def _message(path: str, recorded: Members, ours: Members, matching: Matching) -> Iterator[Difference]:
    yield from _value(f"{path}.queue", _with_partition_of_child(recorded), _with_partition_of_child(ours), matching)
    yield from _value(f"{path}.encoding", recorded["encoding"], ours["encoding"], matching)
    query, our_query = dict(parse_qsl(recorded["query"])), dict(parse_qsl(ours["query"]))
    delay, our_delay = (int(one.pop("visibilitytimeout", 0)) for one in (query, our_query))
    yield from _value(f"{path}.query", query, our_query, matching)
    if delay != our_delay and not (delay == 0 and our_delay <= _HELD_SECONDS):
        yield Difference(f"{path}.query.visibilitytimeout", delay, our_delay)
    yield from _value(f"{path}.body", recorded["body"], ours["body"], matching)


def _with_partition_of_child(put: Members) -> str:
    """The queue; of a child whose id holds its parent's, whether it is the one that follows from the id."""
    queue, task = str(put["queue"]), put["body"]["TaskMessage"]
    instance_id = "" if task is None else str(task["OrchestrationInstance"]["InstanceId"])
    if not taken_apart(instance_id)[1]:
        return queue
    return queue.replace(f"-control-{partition_of(instance_id, DEFAULT_PARTITION_COUNT):02d}", "-control-(of its id)")


def _blob(path: str, recorded: Members, ours: Members, matching: Matching) -> Iterator[Difference]:
    for name in ("name", "content_type", "content_encoding"):
        yield from _value(f"{path}.{name}", recorded[name], ours[name], matching)
    text = with_fixed_lengths(ours["text"])
    head, tail = (with_fixed_lengths(recorded[end]) for end in ("head", "tail"))
    yield from _text(f"{path}.head", head, text[: len(head)], matching, has_all_digits=True)
    yield from _text(f"{path}.tail", tail, text[-len(tail) :], matching, has_all_digits=True)
    length = len(text) - sum(matching.digits_not_written(token) for token in taken_apart(text)[1])
    yield from _value(f"{path}.uncompressed_chars", recorded["uncompressed_chars"], length, matching)


def _value(
    path: str, recorded: Any, ours: Any, matching: Matching, *, has_all_digits: bool = False
) -> Iterator[Difference]:
    """The places where two JSON values differ; the members of objects are in an order."""
    if isinstance(recorded, dict) and isinstance(ours, dict):
        if sorted(recorded) == sorted(ours) and list(recorded) != list(ours):
            yield Difference(f"{path}.(order of members)", list(recorded), list(ours))
        for name in _names(recorded, ours):
            pair = recorded.get(name, _MISSING), ours.get(name, _MISSING)
            if name == "SequenceNumber" and all(isinstance(number, int) and number > 0 for number in pair):
                continue  # their order is compared
            yield from _value(f"{path}.{name}", *pair, matching)
    elif isinstance(recorded, str) and isinstance(ours, str):
        yield from _text(path, recorded, ours, matching, has_all_digits=has_all_digits)
    elif recorded != ours or type(recorded) is not type(ours):
        yield Difference(path, recorded, ours)


def _text(path: str, recorded: str, ours: str, matching: Matching, *, has_all_digits: bool) -> Iterator[Difference]:
    expected, recorded_tokens = taken_apart(recorded, has_all_digits=has_all_digits)
    found, our_tokens = taken_apart(ours, has_all_digits=has_all_digits)
    if expected != found:
        yield Difference(path, expected, found)
        return
    for one, other in zip(recorded_tokens, our_tokens, strict=True):
        reason = matching.mismatch(one, other)
        if reason is not None:
            yield Difference(path, recorded, ours, reason)


def _names(recorded: Members, ours: Members) -> list[str]:
    return [*recorded, *(name for name in ours if name not in recorded)]
