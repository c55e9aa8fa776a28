"""S1, visualize progress: greets three cities and shows after each which one it was."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, get_args

import azure.durable_functions as df

from activities.hello_sequence import SAY_HELLO
from durable_status import set_custom_status
from orchestrators.hello_sequence_contract import ORCHESTRATION, City

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration=ORCHESTRATION)
def hello_sequence(context: df.DurableOrchestrationContext) -> Generator[Any, Any, list[str]]:
    """Greet the cities one after the other; the output is the list of greetings."""
    greetings = []
    for city in get_args(City):
        greetings.append((yield context.call_activity(SAY_HELLO, city)))
        set_custom_status(context, city)
    return greetings
