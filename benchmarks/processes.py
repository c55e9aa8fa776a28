"""Every measurement has a process of its own: what one leaves behind does not weigh on the next."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]


def environment() -> dict[str, str]:
    """This process's environment, with this checkout's packages and compiled files that are kept."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(ROOT), "HELLO_SECONDS": "0"}


def host_number(storage: str, kind: str, size: int) -> float:
    """One measurement of the local host."""
    return _number([sys.executable, "-m", "benchmarks.host_worker", storage, kind, str(size)])


def azure_host_number(settings: Mapping[str, str], kind: str, size: int) -> float:
    """One measurement of the local host on a hub in Azure Storage."""
    return _number([sys.executable, "-m", "benchmarks.host_worker", "azure", kind, str(size)], settings)


def floor_seconds(connection_string: str, requests: Path, instances: int, at_once: int) -> float:
    """What an instance's recorded requests take without a host."""
    arguments = [connection_string, str(requests), str(instances), str(at_once)]
    return _number([sys.executable, "-m", "benchmarks.floor_worker", *arguments])


def peer_number(python: Path, kind: str, size: int) -> float:
    """One measurement of the peer, which cannot choose a free port itself."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    return _number([str(python), "-m", "benchmarks.peer_worker", str(port), kind, str(size)])


def _number(command: list[str], settings: Mapping[str, str] | None = None) -> float:
    done = subprocess.run(
        command, cwd=ROOT, env=environment() | dict(settings or {}), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return float(done.stdout.split()[-1])
