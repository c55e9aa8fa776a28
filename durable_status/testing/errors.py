"""The harness's errors.

::

    DurableStatusError
    ├── HarnessError       the test asked for something that cannot be: an unknown name, nothing pending, a bad schedule
    └── RuleBroken         the orchestrator broke a rule of the platform; also an AssertionError
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from durable_status.errors import DurableStatusError


class HarnessError(DurableStatusError):
    """The test asked for something that cannot be; the text says what could."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule that an orchestrator broke, and where."""

    rule: str
    """The rule's short name, which `allow` takes."""
    text: str

    def __str__(self) -> str:
        return f"{self.text} [{self.rule}]"


class RuleBroken(DurableStatusError, AssertionError):
    """The orchestrator broke a rule that holds on the platform; the test fails whatever it asserts."""

    def __init__(self, findings: Sequence[Finding], story: str) -> None:
        super().__init__("\n".join([*map(str, findings), "", story]).rstrip())
        self.findings = tuple(findings)


def fresh(error: BaseException) -> BaseException:
    """An exception as if it had never been raised: the traceback of one that is raised again grows each time."""
    try:
        again = copy.copy(error)
    except Exception:  # its class cannot be copied
        again = error
    if type(again) is not type(error):
        again = error
    again.__cause__ = error.__cause__
    return again.with_traceback(None)


def known_names(names: Iterable[str]) -> str:
    """The end of an error about an unknown name."""
    listed = ", ".join(sorted(names))
    return f"known: {listed}" if listed else "there are none"
