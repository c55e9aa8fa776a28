"""The reference to an offloaded status, and what a reader makes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_status import (
    InstanceStatus,
    Offloaded,
    PayloadError,
    PayloadMissingError,
    RuntimeStatus,
    StatusDecodeError,
    StatusEncodeError,
    set_custom_status,
)
from durable_status.offloaded import is_older
from durable_status.stored_json import dump_stored
from tests.typed_values import Order

_MOMENT = datetime(2026, 1, 2, 3, 4, 5, 6)
_TEXT = dump_stored({"text": "x" * 20_000})
_OFFLOADED = Offloaded.of(_TEXT, _MOMENT)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


class Lenient(pydantic.BaseModel):
    """A status that takes anything with these attributes."""

    model_config = pydantic.ConfigDict(from_attributes=True)
    reference: str
    size: int


def _status(shown: Any, status_type: Any = Any) -> InstanceStatus[Any]:
    return InstanceStatus(
        name="Publish",
        instance_id="i",
        runtime_status=RuntimeStatus.RUNNING,
        created_time=datetime(2026, 1, 1, tzinfo=UTC),
        last_updated_time=datetime(2026, 1, 1, tzinfo=UTC),
        custom_status_json=shown,
        output=None,
        input=None,
        history=None,
        status_type=status_type,
    )


def test_the_reference_says_what_it_is_where_and_how_large() -> None:
    assert _OFFLOADED.to_json() == {
        "durableStatusOffloaded": 1,
        "reference": "status-20260102T030405000006-cdf2f2c69126e8e2.json.gz",
        "size": 40_022,
        "contentType": "application/json",
    }
    assert Offloaded.from_json(json.loads(dump_stored(_OFFLOADED.to_json()))) == _OFFLOADED


@given(JSON)
def test_what_was_stored_is_read_back(value: Any) -> None:
    text = dump_stored(value)

    assert Offloaded.of(text, _MOMENT).read(text) == json.loads(text)


@given(JSON)
def test_no_status_of_ones_own_is_a_reference(value: Any) -> None:
    assert Offloaded.from_json(value) is None


def test_nobody_sets_a_status_that_looks_like_a_reference() -> None:
    class Context:
        def set_custom_status(self, status: Any) -> None:
            raise AssertionError(status)

    with pytest.raises(StatusEncodeError, match=r"has the key durableStatusOffloaded, .* Use another name"):
        set_custom_status(Context(), _OFFLOADED.to_json())


@pytest.mark.parametrize(
    "wrong",
    [{"durableStatusOffloaded": 2}, {"reference": "../victim/status.json.gz"}, {"reference": 7}, {"size": "40"}],
    ids=["newer", "elsewhere", "no text", "no number"],
)
def test_a_reference_of_another_form_is_an_error_with_the_cure_and_no_status(wrong: dict[str, Any]) -> None:
    status = _status(_OFFLOADED.to_json() | wrong)

    with pytest.raises(StatusDecodeError, match=r"that this version of durable-status cannot read\. Update it\."):
        status.custom_status  # noqa: B018


@pytest.mark.parametrize("text", [_TEXT[:-3] + '."}', _TEXT + " ", "[]"], ids=["same size", "larger", "smaller"])
def test_what_is_not_what_was_stored_is_refused(text: str) -> None:
    with pytest.raises(PayloadError, match="is not the status that was stored there"):
        _OFFLOADED.read(text)


@pytest.mark.parametrize("status_type", [Any, Offloaded, Order | Offloaded, str | Offloaded | None])
def test_without_a_store_a_type_that_admits_it_gets_the_reference(status_type: Any) -> None:
    assert _status(_OFFLOADED.to_json(), status_type).custom_status == _OFFLOADED


@pytest.mark.parametrize("status_type", [Order, Lenient, str, dict, dict[str, Any], list[int]])
def test_every_other_type_gets_an_error_that_names_the_cures(status_type: Any) -> None:
    status = _status(_OFFLOADED.to_json(), status_type)

    with pytest.raises(
        StatusDecodeError, match=r"Give the client its payload_store, or ask for .* \| Offloaded"
    ) as error:
        status.custom_status  # noqa: B018
    assert error.value.payload == _OFFLOADED.to_json()
    assert status.offloaded == _OFFLOADED


def test_what_went_wrong_with_the_store_is_raised_when_the_status_is_asked_for() -> None:
    status = replace(_status(_OFFLOADED.to_json()), payload_error=PayloadMissingError("gone"))

    with pytest.raises(PayloadMissingError, match="gone"):
        status.custom_status  # noqa: B018


def test_other_statuses_are_not_offloaded() -> None:
    assert [_status(shown).offloaded for shown in (None, "x", {"size": 1}, [1])] == [None] * 4


def test_names_are_in_the_order_of_time_and_tell_it() -> None:
    moments = [_MOMENT + timedelta(seconds=seconds) for seconds in (0, 0.000_001, 1, 3_600, 10**7)]
    names = [Offloaded.of(f'"{number}"', moment).reference for number, moment in enumerate(moments)]

    assert names == sorted(names)
    assert is_older(names[0], names[3], timedelta(minutes=59))
    assert not is_older(names[0], names[3], timedelta(hours=1))
