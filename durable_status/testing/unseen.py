"""Which calls of `set_custom_status` nobody can have observed.

A status becomes visible at the end of an episode. A replay makes all the earlier calls again, so only the calls that an
episode adds count; of those the last one is published.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from durable_status.testing.timeline import Unseen


def unseen_statuses(before: Sequence[Any], statuses: Sequence[Any], seconds: float, cause: str) -> Iterator[Unseen]:
    """The calls that a run adds to those of the run before it and that will not be seen, with the reason."""
    known = len(before)
    added = statuses[known:] if _texts(statuses[:known]) == _texts(before) else statuses
    for index, status in enumerate(added):
        last = index == len(added) - 1
        if not last:
            reason = "overwritten before the episode ended"
        elif not status and status is not None:
            reason = "falsy, so SDK 1.x does not send it"
        else:
            continue
        yield Unseen(seconds=seconds, status=status, reason=reason, cause=cause)


def _texts(statuses: Sequence[Any]) -> list[str]:
    return [json.dumps(status, default=repr, sort_keys=True) for status in statuses]
