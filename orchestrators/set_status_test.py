"""S5, a status to query over HTTP: sets it and stays around for 30 seconds, so that it can be read."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from durable_status import set_custom_status
from orchestrators.set_status_test_contract import ORCHESTRATION, NextActions

_SECONDS_TO_STAY = 30

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration=ORCHESTRATION)
def set_status_test(context: df.DurableOrchestrationContext) -> Generator[Any, Any, None]:
    """Set the status and wait; there is no output."""
    set_custom_status(context, NextActions(nextActions=["A", "B", "C"], foo=2))
    yield context.create_timer(context.current_utc_datetime + timedelta(seconds=_SECONDS_TO_STAY))
