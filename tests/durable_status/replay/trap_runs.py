"""Runs an orchestrator into a trap in both modes: what the host does, and what strict mode says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from durable_status.replay.episode import Episode
from durable_status.replay.traps import Mode, Trap, TrapError, TrapKind
from tests.durable_status.replay.histories import Driven, UserCode


def run_into(
    user_code: UserCode, steps: Callable[[Driven], object], kind: TrapKind, **options: Any
) -> tuple[Driven, Trap]:
    """The instance as the host has it after `steps`, and the trap of `kind` that strict mode raises on the way."""
    faithful = Driven(user_code, **options)
    steps(faithful)
    strict = Driven(user_code, mode=Mode.STRICT, **options)
    with pytest.raises(TrapError) as raised:
        steps(strict)
    trap = raised.value.trap
    assert trap.kind is kind
    assert f"{trap.sentence} {trap.cure} ({trap.kind.title})" in str(raised.value)
    assert trap.orchestrator == "Main"
    return faithful, trap


def last_episode(driven: Driven) -> Episode:
    """The episode that an instance ran last."""
    assert driven.last is not None
    return driven.last
