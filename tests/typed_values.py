"""The values of the contract table: what people set as a custom status, by name, with the type a reader reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pydantic


class Stage(Enum):
    """An enum."""

    PACKED = "packed"


@dataclass(frozen=True)
class Order:
    """A dataclass."""

    number: int
    due: datetime
    price: Decimal = Decimal("1.50")
    tags: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)


class Parcel(pydantic.BaseModel):
    """A pydantic model."""

    id: UUID
    stage: Stage
    weight_grams: int = pydantic.Field(alias="weightGrams")


class WithToJson:
    """What SDK 1.x writes with its class and module."""

    @staticmethod
    def to_json(_value: WithToJson) -> dict[str, int]:
        """Its data."""
        return {"a": 1}


_MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)

READ_BACK: dict[str, tuple[Any, Any]] = {
    "text": ("Tokyo", str),
    "number": (7, int),
    "fraction": (0.1, float),
    "true": (True, bool),
    "list": (["a", "b"], list[str]),
    "dataclass": (Order(0, _MOMENT, tags=("x",), counts={"": 0}), Order),
    "pydantic model": (Parcel(id=UUID(int=7), stage=Stage.PACKED, weightGrams=0), Parcel),
    "datetime": (_MOMENT, datetime),
    "timedelta": (timedelta(days=1, microseconds=1), timedelta),
    "UUID": (UUID(int=1), UUID),
    "Decimal": (Decimal("0.10"), Decimal),
    "Enum": (Stage.PACKED, Stage),
    "typed values inside": ({"orders": [Order(1, _MOMENT)]}, dict[str, list[Order]]),
    "falsy values inside": ({"zero": 0, "none": None, "empty": ""}, dict[str, int | str | None]),
}
"""Each is read back equal."""

REFUSED: dict[str, Any] = {
    "zero": 0,
    "false": False,
    "empty text": "",
    "empty object": {},
    "empty list": [],
    "None": None,
    "object with to_json": WithToJson(),
    "nan": float("nan"),
    "40,000 characters": "x" * 40_000,
    "set": {"a"},
}
"""Each is refused, and the instance fails in the words of `set_custom_status`."""
