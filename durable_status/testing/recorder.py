"""Keeps the histories of a running app, so that `check_replay` can put them to the code of tomorrow.

It wraps the app's orchestrators and keeps the last trigger of each instance: complete, exact, and the same on every
storage provider. What it keeps may be private; see `redaction`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from durable_status.testing.errors import HarnessError
from durable_status.testing.redaction import redact

Sink = Callable[[str, Any], None]
"""Takes an instance id and the parsed body of its latest trigger."""

_UNSAFE = re.compile(r"[^\w.-]")


def record_histories(app: Any, sink: Sink, *, redacted: bool = False) -> None:
    """Hand the body of every trigger of `app`'s orchestrators to `sink`; the last one of an instance holds the others.

    Call it once, before the app's functions are listed. An error in `sink` fails the episode, so that it is seen.

    Args:
        app: a ``DFApp``, ``FunctionApp`` or ``Blueprint``.
        sink: where the bodies go, such as `to_folder`.
        redacted: whether inputs, results and reasons are taken out.

    Raises:
        HarnessError: `app` has no orchestrators.
    """
    builders = [
        builder
        for builder in getattr(app, "_function_builders", ())
        if hasattr(builder._function._func, "orchestrator_function")
    ]
    if not builders:
        raise HarnessError(f"{app!r} has no orchestrators; register them before recording.")
    for builder in builders:
        builder._function._func = _recording(builder._function._func, sink, redacted)


def to_folder(folder: Path) -> Sink:
    """A sink that keeps one file of JSON per instance."""

    def write(instance_id: str, body: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{_UNSAFE.sub('_', instance_id)}.json"
        unfinished = path.with_suffix(".part")
        unfinished.write_text(json.dumps(body, indent=1))
        unfinished.replace(path)

    return write


def _recording(handle: Any, sink: Sink, redacted: bool) -> Any:
    def recording(context: Any) -> Any:
        body = json.loads(getattr(context, "body", None) or context)
        sink(body["instanceId"], redact(body) if redacted else body)
        return handle(context)

    recording.__name__ = handle.__name__
    recording.orchestrator_function = handle.orchestrator_function  # type: ignore[attr-defined]
    return recording
