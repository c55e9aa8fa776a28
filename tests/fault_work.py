"""The work of the fault tests: instances of the app `faults`, and what must come of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from tests.paths import APPS

FAULTS = APPS / "faults"
_LARGE = 5_000
_KINDS = ("chain", "fan_out", "nap", "family", "listener", "countdown", "tally", "large", "stumble")


@dataclass(frozen=True, slots=True)
class Job:
    """One instance to start, and the document that its status ends with."""

    instance_id: str
    kind: str
    number: int

    @property
    def input(self) -> Any:
        """What it is started with."""
        return {"countdown": [3, self.number], "large": _LARGE}.get(self.kind, self.number)

    @property
    def output(self) -> Any:
        """What comes of it if every activity counts once."""
        number = self.number
        outputs: dict[str, Any] = {
            "chain": number + 3,
            "fan_out": sum(number + offset + 1 for offset in range(8)),
            "tally": 111,
        }
        outputs |= {"family": 2 * number + 5, "countdown": number + 4, "large": "0123456789" * _LARGE}
        return outputs.get(self.kind, number + 1)

    @property
    def custom_status(self) -> Any:
        """What it shows at the end."""
        statuses: Mapping[str, Any] = {
            "chain": {"number": self.number + 3},
            "fan_out": {"numbers": 8},
            "nap": "awake",
            "family": "has children",
            "listener": "listening",
            "countdown": {"left": 0},
            "tally": "signalled",
            "large": {"characters": 10 * _LARGE},
            "stumble": "stumbled",
        }
        return statuses[self.kind]

    def flaws(self, document: Any) -> list[str]:
        """What is wrong with the status document of the finished instance."""
        expected = {"runtimeStatus": "Completed", "output": self.output, "customStatus": self.custom_status}
        return [
            f"{self.instance_id}: {name} is {str(document.get(name))[:200]}, not {str(value)[:200]}"
            for name, value in expected.items()
            if document.get(name) != value
        ]


def jobs(*kinds: str) -> Iterator[Job]:
    """Instances without end: of these kinds, or of all, in turn."""
    chosen = kinds or _KINDS
    for number in count():
        kind = chosen[number % len(chosen)]
        yield Job(f"{kind}-{number}", kind, number)
