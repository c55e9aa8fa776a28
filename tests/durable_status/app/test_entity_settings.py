"""What host.json says of entities."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from durable_status.app.errors import AppError
from durable_status.app.host_settings import HostSettings, read_host_settings


def _read(folder: Path, **durable: Any) -> HostSettings:
    content = {"version": "2.0", "extensions": {"durableTask": durable}}
    (folder / "host.json").write_text(json.dumps(content))
    return read_host_settings(folder, {})


@pytest.mark.conforms("R3.7-41", "R3.7-47", "R3.7-58")
def test_without_settings_the_extensions_defaults_hold(tmp_path: Path) -> None:
    settings = _read(tmp_path)

    assert (settings.max_entity_batch_size, settings.entity_reorder_minutes) == (5_000, 30)
    assert settings.max_concurrent_entities == settings.max_concurrent_activities


@pytest.mark.conforms("R3.7-41", "R3.7-47", "R3.7-58")
def test_settings_are_read_and_a_window_of_zero_is_allowed(tmp_path: Path) -> None:
    settings = _read(
        tmp_path,
        maxConcurrentEntityFunctions=3,
        maxEntityOperationBatchSize=50,
        entityMessageReorderWindowInMinutes=0,
    )

    assert (settings.max_concurrent_entities, settings.max_entity_batch_size) == (3, 50)
    assert settings.entity_reorder_minutes == 0


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("maxEntityOperationBatchSize", 0, "must be a whole number above zero, not 0"),
        ("maxConcurrentEntityFunctions", -1, "must be a whole number above zero, not -1"),
        ("entityMessageReorderWindowInMinutes", -1, "must be a whole number of zero or more, not -1"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(tmp_path: Path, name: str, value: int, wanted: str) -> None:
    with pytest.raises(AppError, match=f"{name} {wanted}"):
        _read(tmp_path, **{name: value})
