"""Which release of durable-status this is, for who asks a running host."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def library_version() -> str:
    """The installed version; it is known only to who installed the package."""
    try:
        return version("durable-status")
    except PackageNotFoundError:
        return "(not installed)"
