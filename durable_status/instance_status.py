"""The answer to a status query, typed: `InstanceStatus`, with the platform's `RuntimeStatus`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, Self, TypeVar, cast

from typing_extensions import TypeForm

from durable_status.errors import HostError, PayloadError, StatusDecodeError
from durable_status.failure import Failure
from durable_status.offloaded import Offloaded
from durable_status.status_codec import codec_for
from durable_status.stored_json import Json

S = TypeVar("S")
T = TypeVar("T")


class RuntimeStatus(StrEnum):
    """Where the platform has got to with an instance."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    CONTINUED_AS_NEW = "ContinuedAsNew"
    COMPLETED = "Completed"
    FAILED = "Failed"
    TERMINATED = "Terminated"
    CANCELED = "Canceled"

    @property
    def has_ended(self) -> bool:
        """Whether an instance stays like this unless somebody restarts or rewinds it."""
        return self in ENDED

    @property
    def has_failed(self) -> bool:
        """Whether it has ended without a result."""
        return self.has_ended and self is not RuntimeStatus.COMPLETED


ENDED = frozenset(
    {RuntimeStatus.COMPLETED, RuntimeStatus.FAILED, RuntimeStatus.TERMINATED, RuntimeStatus.CANCELED},
)
"""The statuses of an instance that has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceStatus(Generic[S]):
    """An instance as it was when it was asked for."""

    name: str
    """The orchestration, as the starter spelled it."""
    instance_id: str
    runtime_status: RuntimeStatus
    created_time: datetime
    """Aware, whole seconds. It changes when the instance continues as new."""
    last_updated_time: datetime
    """Aware, whole seconds. It moves with every episode, whether the custom status has changed or not."""
    custom_status_json: Json
    """The custom status as it came, with keys the type does not know; None without one.

    Of an offloaded one, what the payload store has; without a store the reference.
    """
    output: Json
    """What it returned, why it failed, or the reason for which it was terminated; None until it has ended."""
    input: Json
    """None unless it was asked for. What a Python client has started shows a JSON text inside a text."""
    history: list[Json] | None
    """None unless it was asked for."""
    status_type: TypeForm[S]
    payload_error: PayloadError | None = field(default=None, repr=False)
    """Why an offloaded custom status could not be read from the payload store."""

    @property
    def custom_status(self) -> S | None:
        """The custom status, read as `status_type`; None without one.

        One that is offloaded comes from the client's payload store. Without a store it is an `Offloaded`, for a
        type that admits it: ``Order | Offloaded``, or ``Any``.

        Raises:
            StatusDecodeError: it does not fit; the error holds the JSON.
            PayloadError: it is offloaded, and the payload store does not have it.
        """
        if self.custom_status_json is None:
            return None
        codec, offloaded = codec_for(self.status_type), self.offloaded
        if offloaded is None:
            return codec.decode(self.custom_status_json)
        if self.payload_error is not None:
            raise self.payload_error
        if codec.admits(offloaded):
            return offloaded
        raise StatusDecodeError(
            f"The status of {self.instance_id!r} is offloaded: {offloaded.size:,} bytes in {offloaded.reference}. "
            f"Give the client its payload_store, or ask for {codec.name} | Offloaded.",
            status_type=self.status_type,
            payload=self.custom_status_json,
        )

    @property
    def offloaded(self) -> Offloaded | None:
        """The reference to the custom status, if it is offloaded and was not read from a payload store.

        Raises:
            StatusDecodeError: a newer version of this library wrote the reference.
        """
        return Offloaded.from_json(self.custom_status_json)

    @property
    def failure(self) -> Failure | None:
        """Why it ended Failed, out of the output; None if it did not, or if the output was not asked for.

        The lines of an activity that failed are in it, those of an orchestrator are not: the platform keeps only the
        text of its exception.
        """
        has_said_why = self.runtime_status is RuntimeStatus.FAILED and self.output is not None
        return Failure.from_output(self.output) if has_said_why else None

    def output_as(self, output_type: TypeForm[T]) -> T:
        """The output, read as a type.

        Raises:
            StatusDecodeError: it does not fit; the error holds the JSON.
        """
        return codec_for(output_type).decode(self.output)

    @classmethod
    def from_document(cls, document: Mapping[str, Any], status_type: TypeForm[S]) -> Self:
        """Read a status document of the management API.

        A suspended or resumed instance shows the reason of that as its output (http.md §1.2); here it is None.

        Raises:
            HostError: it is none.
        """
        try:
            runtime_status = RuntimeStatus(document["runtimeStatus"])
            return cls(
                name=document["name"],
                instance_id=document["instanceId"],
                runtime_status=runtime_status,
                created_time=_moment(document["createdTime"]),
                last_updated_time=_moment(document["lastUpdatedTime"]),
                custom_status_json=document["customStatus"],
                output=document["output"] if runtime_status.has_ended else None,
                input=document["input"],
                history=document.get("historyEvents"),
                status_type=status_type,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise HostError(
                f"The host's answer is no status document ({error}). Is this the management API?"
            ) from error

    def to_document(self) -> dict[str, Json]:
        """The document, with the keys and the order of the management API."""
        document: dict[str, Json] = {
            "name": self.name,
            "instanceId": self.instance_id,
            "runtimeStatus": self.runtime_status.value,
            "input": self.input,
            "customStatus": self.custom_status_json,
            "output": self.output,
            "createdTime": _text(self.created_time),
            "lastUpdatedTime": _text(self.last_updated_time),
        }
        return document if self.history is None else document | {"historyEvents": cast("Json", self.history)}


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
