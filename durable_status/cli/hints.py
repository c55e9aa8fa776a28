"""What commands ask a host beyond the management API, to say more than the platform does.

The local host answers, Core Tools some of it, a host in Azure nothing; then a command says what it knows without.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from durable_status.cli.connection import Connection
from durable_status.errors import RefusedError
from durable_status.failure import Failure, Frame
from durable_status.instance_status import InstanceStatus

_FUNCTIONS = "/admin/functions"
_FAILURES = "/runtime/durable-status/failures"
_ORCHESTRATOR = "orchestrationTrigger"


def check_orchestrator(connection: Connection, name: str) -> None:
    """Look whether the app has an orchestrator of that name.

    Raises:
        RefusedError: it has not, or a setting switches it off. Extension 3.x starts an instance all the same, and that
            one fails.
    """
    functions = connection.ask(_FUNCTIONS)
    if not isinstance(functions, list):
        return
    known: dict[str, str] = {}
    switched_off: dict[str, str] = {}
    with suppress(TypeError, KeyError, AttributeError):
        for function in functions:
            for binding in function["config"]["bindings"]:
                if binding["type"] == _ORCHESTRATOR:
                    registered = str(binding.get("orchestration") or function["name"])
                    names = switched_off if function.get("isDisabled") else known
                    names[registered.casefold()] = registered
        if name.casefold() in switched_off:
            raise RefusedError(f"The orchestrator {name!r} is switched off by a setting, so nothing was started.")
        if name.casefold() not in known:
            listed = ", ".join(sorted(known.values())) or "none"
            raise RefusedError(
                f"There is no orchestrator {name!r} in the app, so nothing was started. Known: {listed}."
            )


def failure_of(connection: Connection, status: InstanceStatus[Any]) -> Failure | None:
    """Why an instance has failed, with the lines of its orchestrator if the host still knows them."""
    if status.failure is None:
        return None
    with suppress(TypeError, KeyError, ValueError):
        told = connection.ask(_FAILURES, instanceId=status.instance_id)
        frames = [Frame(str(at["file"]), int(at["line"]), str(at["function"])) for at in told["frames"]]
        return Failure(reason=str(told["reason"]), frames=tuple(frames))
    return status.failure
