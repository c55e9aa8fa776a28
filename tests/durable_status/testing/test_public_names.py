"""The package's public names."""

from __future__ import annotations

import durable_status.testing as package


def test_every_public_name_can_be_imported_and_none_is_missing() -> None:
    assert sorted(package.__all__) == sorted(package._MODULES)
    assert all(getattr(package, name) is not None for name in package.__all__)
