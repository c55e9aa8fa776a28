"""The peer's own virtual environment, made on first use: its packages are nobody else's business."""

from __future__ import annotations

import os
import subprocess
import venv
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / ".venv-peers"
_PYTHON = _FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
_REQUIREMENT = "durabletask==1.12.0"


class PeerMissingError(Exception):
    """The peer cannot be installed; the text says what pip said."""


def peer_python() -> Path:
    """The interpreter that has the peer installed.

    Raises:
        PeerMissingError: it cannot be installed; the next call tries again.
    """
    stamp = _FOLDER / ".installed"
    if not (stamp.is_file() and stamp.read_text() == _REQUIREMENT):
        venv.create(_FOLDER, clear=True, with_pip=True)
        pip = [str(_PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", _REQUIREMENT]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PeerMissingError((done.stderr.strip().splitlines() or ["pip failed"])[-1])
        stamp.write_text(_REQUIREMENT)
    return _PYTHON
