"""The actions of an answer: what the SDK asks of the host, by the platform's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

Action = Mapping[str, Any]
"""One action as the SDK writes it; `actionType` says which."""


class ActionType(IntEnum):
    """The platform's number of each kind of action."""

    CALL_ACTIVITY = 0
    CALL_ACTIVITY_WITH_RETRY = 1
    CALL_SUB_ORCHESTRATOR = 2
    CALL_SUB_ORCHESTRATOR_WITH_RETRY = 3
    CONTINUE_AS_NEW = 4
    CREATE_TIMER = 5
    WAIT_FOR_EXTERNAL_EVENT = 6
    CALL_ENTITY = 7
    CALL_HTTP = 8
    SIGNAL_ENTITY = 9
    SIGNAL_ENTITY_LATER = 10
    WHEN_ANY = 11
    WHEN_ALL = 12


COMPOUND = (ActionType.WHEN_ANY, ActionType.WHEN_ALL)
WITH_RETRY = (ActionType.CALL_ACTIVITY_WITH_RETRY, ActionType.CALL_SUB_ORCHESTRATOR_WITH_RETRY)
NEVER_AWAITED = (ActionType.CONTINUE_AS_NEW, ActionType.SIGNAL_ENTITY, ActionType.SIGNAL_ENTITY_LATER)
