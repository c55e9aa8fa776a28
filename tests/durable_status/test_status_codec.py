"""What typed values look like as JSON, that they can be read back, and what a type refuses to read."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any, Literal
from uuid import UUID

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import TypedDict

from durable_status import Progress, RecentItems, StatusDecodeError, StatusEncodeError
from durable_status.status_codec import codec_for, to_plain
from tests.paths import ROOT


class Stage(StrEnum):
    """An enum of texts."""

    PICKED = "picked"
    PACKED = "packed"


class Level(IntEnum):
    """An enum of numbers."""

    LOW = 0
    HIGH = 9


class Colour(Enum):
    """An enum of both."""

    RED = "red"
    TWO = 2


class Address(pydantic.BaseModel):
    """A pydantic model with an alias."""

    model_config = pydantic.ConfigDict(frozen=True)

    street: str
    zip_code: str | None = pydantic.Field(default=None, alias="zipCode")


class Line(TypedDict):
    """A TypedDict."""

    article: UUID
    price: Decimal


@dataclass(frozen=True)
class Order:
    """A dataclass with a bit of everything inside."""

    stage: Stage
    level: Level = Level.LOW
    colour: Colour | None = None
    due: datetime | None = None
    day: date | None = None
    took: timedelta = timedelta()
    lines: tuple[Line, ...] = ()
    counts: dict[Stage, int] = field(default_factory=dict)
    address: Address | None = None
    weight: float = 0.0


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_MOMENTS = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(None))
_ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_LINES = st.fixed_dictionaries(
    {"article": st.uuids(), "price": st.decimals(allow_nan=False, allow_infinity=False, places=4)}
)
_ORDERS = st.builds(
    Order,
    stage=st.sampled_from(Stage),
    level=st.sampled_from(Level),
    colour=st.none() | st.sampled_from(Colour),
    due=st.none() | _MOMENTS | st.datetimes(timezones=_ZONES),
    day=st.none() | st.dates(),
    took=st.timedeltas(min_value=timedelta(days=-1_000), max_value=timedelta(days=1_000)),
    lines=st.lists(_LINES, max_size=3).map(tuple),
    counts=st.dictionaries(st.sampled_from(Stage), st.integers()),
    address=st.none() | st.builds(Address, street=_TEXTS, zipCode=st.none() | _TEXTS),
    weight=st.floats(allow_nan=False, allow_infinity=False),
)
_PARTS = st.builds(RecentItems.last, st.lists(_TEXTS), keep=st.integers(0, 5))
_ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["stage", "level", "items", "start", "total", "zipCode", "due"]), inner)
    ),
)


@settings(deadline=None, max_examples=60)
@given(order=_ORDERS)
def test_what_is_written_is_read_back_equal(order: Order) -> None:
    codec = codec_for(Order)
    on_the_wire = json.loads(json.dumps(codec.encode(order)))

    assert codec.decode(on_the_wire) == order


@settings(deadline=None)
@given(recent=_PARTS, stage=_TEXTS, total=st.integers(1, 99), now=_MOMENTS)
def test_the_ready_made_parts_are_read_back_equal(
    recent: RecentItems[str], stage: str, total: int, now: datetime
) -> None:
    progress = Progress.begin(now, stage, total)

    assert codec_for(RecentItems[str]).decode(to_plain(recent, 60)) == recent
    assert codec_for(Progress).decode(to_plain(progress, 60)) == progress


@settings(deadline=None, max_examples=40)
@given(payload=_ANY_JSON)
@pytest.mark.parametrize("status_type", [Order, Address, Line, Stage, RecentItems[int], list[Colour], Literal["a", 1]])
def test_arbitrary_json_fits_or_raises_our_error_with_it(status_type: Any, payload: Any) -> None:
    codec = codec_for(status_type)

    refused = None
    try:
        value = codec.decode(payload)
    except StatusDecodeError as error:
        refused = error

    if refused is None:
        assert codec.decode(codec.encode(value)) == value
    else:
        assert (refused.payload is payload, refused.status_type is status_type) == (True, True)


def test_the_json_is_plain() -> None:
    order = Order(Stage.PACKED, colour=Colour.TWO, counts={Stage.PICKED: 1}, address=Address(street="A", zipCode="1"))

    assert codec_for(Order).encode(order) == {
        "stage": "packed",
        "level": 0,
        "colour": 2,
        "due": None,
        "day": None,
        "took": "PT0S",
        "lines": [],
        "counts": {"picked": 1},
        "address": {"street": "A", "zipCode": "1"},
        "weight": 0.0,
    }


@pytest.mark.parametrize(
    ("status_type", "payload"),
    [
        pytest.param(int, "5", id="a text is no number"),
        pytest.param(str, 5, id="a number is no text"),
        pytest.param(datetime, 1_700_000_000, id="a number is no date"),
        pytest.param(bool, 1, id="a number is no boolean"),
        pytest.param(int, 1.0, id="a fraction is no whole number"),
        pytest.param(Stage, "PACKED", id="a name is no value"),
    ],
)
def test_nothing_is_guessed(status_type: Any, payload: Any) -> None:
    with pytest.raises(StatusDecodeError) as refused:
        codec_for(status_type).decode(payload)

    assert refused.value.payload == payload


def test_unknown_keys_are_passed_over() -> None:
    assert codec_for(Address).decode({"street": "A", "later": 1}) == Address(street="A")


def test_a_decode_error_says_where_and_what_but_not_the_value() -> None:
    with pytest.raises(StatusDecodeError) as refused:
        codec_for(Order).decode({"stage": "packed", "level": "secret"})

    assert str(refused.value) == (
        "The JSON does not fit Order: level: Input should be 0 or 9. "
        "Bring the type up to date, or read the JSON as it is."
    )


@dataclass
class Loose:
    """A dataclass whose field takes anything."""

    value: Any = None


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(Loose(object()), id="not JSON"),
        pytest.param(Loose(b"\xff"), id="bytes"),
        pytest.param(Order("packed", took=7), id="wrong types"),  # type: ignore[arg-type]
        pytest.param(Address.model_construct(street=1), id="an unchecked model"),
        pytest.param(Decimal("NaN"), id="no number"),
    ],
)
def test_what_no_reader_could_read_back_is_refused(value: Any) -> None:
    with pytest.raises(StatusEncodeError) as refused:
        to_plain({"inside": [value]}, 60)

    assert refused.value.status_type is type(value)


def test_a_type_that_no_codec_knows_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"^Iterator cannot be the type of a status"):
        codec_for(type("Iterator", (), {})).decode(1)


def test_one_codec_is_kept_per_type() -> None:
    assert codec_for(Order) is codec_for(Order)
    assert codec_for(RecentItems[int]) is codec_for(RecentItems[int])
    assert codec_for(RecentItems[int]) is not codec_for(RecentItems[str])


def test_an_error_says_what_is_wrong_without_the_value() -> None:
    for payload in ("s3cret", ["s3cret"], {"s3cret": 1}):
        with pytest.raises(StatusDecodeError) as error:
            codec_for(int).decode(payload)

        assert "s3cret" not in str(error.value) + repr(error.value)
        assert error.value.payload == payload


def test_pydantic_is_not_imported_until_a_value_is_typed() -> None:
    code = (
        "import sys, durable_status\n"
        "class C:\n"
        "    def set_custom_status(self, status): self.status = status\n"
        "context = C()\n"
        "durable_status.set_custom_status(context, {'done': 1})\n"
        "assert not {'pydantic', 'httpx', 'aiohttp', 'azure'} & set(sys.modules)\n"
        "durable_status.set_custom_status(context, durable_status.Progress(stage='a'))\n"
        "assert 'pydantic' in sys.modules\n"
    )

    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
