"""Typed values as plain JSON, and back: one codec per type, kept.

On the wire there is nothing but the JSON a reader in any language expects: no class names, no wrappers. Enums are
their values, datetimes ISO 8601 text, UUIDs and Decimals text; dataclasses, pydantic models and TypedDicts are
objects with the names (or aliases) of their fields. Sets become lists, in no fixed order. On Python 3.11 a TypedDict
that is to be read comes from ``typing_extensions``: the older one of the standard library is not whole.

pydantic writes and checks. It takes a third of a second to import, so it is imported with the first typed value and
not with this module: an app whose statuses are plain JSON never pays for it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeGuard, TypeVar, cast
from uuid import UUID

from typing_extensions import TypeForm

from durable_status.errors import StatusDecodeError, StatusEncodeError
from durable_status.stored_json import Json

if TYPE_CHECKING:
    from pydantic import TypeAdapter

S = TypeVar("S")

_WRITTEN_AS_TEXT = (date, time, timedelta, UUID, Decimal)  # a datetime is a date


class StatusCodec(Generic[S]):
    """Writes and reads one type. Get it from `codec_for`, which keeps it."""

    def __init__(self, status_type: TypeForm[S]) -> None:
        self.status_type = status_type

    @property
    def name(self) -> str:
        """The type, as in a sentence."""
        return getattr(self.status_type, "__name__", None) or str(self.status_type)

    def encode(self, value: S) -> Json:
        """Write `value` as plain JSON that `decode` takes.

        Raises:
            StatusEncodeError: it does not fit its own type, or no reader of that type could read it back.
            TypeError: the type cannot be one of a status.
        """
        adapter = self._adapter
        try:
            plain: Json = adapter.dump_python(value, mode="json", by_alias=True, warnings="error")
            self.decode(plain)
        except (TypeError, ValueError, RecursionError, StatusDecodeError) as error:
            raise StatusEncodeError(
                f"This {self.name} cannot be written as JSON and read back: {_one_line(error)}. "
                "Give its fields values of their types.",
                status_type=type(value),
            ) from error
        return plain

    def decode(self, payload: Any) -> S:
        """Read parsed JSON. Nothing is guessed: a text is no number, a number no date. Unknown keys are passed over.

        Raises:
            StatusDecodeError: it does not fit the type; the error holds it.
            TypeError: the type cannot be one of a status.
        """
        adapter = self._adapter
        try:
            return adapter.validate_json(json.dumps(payload), strict=True)
        except (TypeError, ValueError, RecursionError) as error:
            raise StatusDecodeError(
                f"The JSON does not fit {self.name}: {_one_line(error)}. "
                "Bring the type up to date, or read the JSON as it is.",
                status_type=self.status_type,
                payload=payload,
            ) from error

    def admits(self, value: Any) -> TypeGuard[S]:
        """Whether `value` is of the type as it is, not as JSON: one of its classes, or anything for ``Any``."""
        try:
            return self._adapter.validate_python(value, strict=True) is value
        except ValueError:
            return False

    @cached_property
    def _adapter(self) -> TypeAdapter[S]:
        from pydantic import TypeAdapter
        from pydantic.errors import PydanticUserError

        try:
            return TypeAdapter(self.status_type)
        except (PydanticUserError, NameError) as error:
            raise TypeError(
                f"{self.name} cannot be the type of a status. Use a text, number, list, dict, dataclass, TypedDict, "
                f"pydantic model or enum of them. pydantic says: {_one_line(error)}"
            ) from error


@cache
def _kept(status_type: Any) -> StatusCodec[Any]:
    return StatusCodec(status_type)


def codec_for(status_type: TypeForm[S]) -> StatusCodec[S]:
    """The codec of a type: a class, a TypedDict, or anything else one can annotate with, such as a union."""
    return cast("StatusCodec[S]", _kept(cast("Any", status_type)))


def to_plain(value: Any, deepest_level: int) -> Any:
    """Copy `value` with every typed part written as plain JSON; what no codec knows is left in its place.

    Below `deepest_level` nothing is looked at, so that a value that holds itself comes to an end.

    Raises:
        StatusEncodeError: a typed part does not fit its own type.
    """
    if isinstance(value, Enum):
        return to_plain(value.value, deepest_level)
    if isinstance(value, str | int | float | None):
        return value
    if deepest_level < 1:
        return value
    if isinstance(value, dict):
        plain = {_plain_key(key): to_plain(item, deepest_level - 1) for key, item in value.items()}
        return plain if len(plain) == len(value) else value
    if isinstance(value, list | tuple):
        return [to_plain(item, deepest_level - 1) for item in value]
    return codec_for(type(value)).encode(value) if _is_typed(value) else value


def _plain_key(key: Any) -> Any:
    if isinstance(key, Enum):
        return key.value
    return codec_for(type(key)).encode(key) if isinstance(key, _WRITTEN_AS_TEXT) else key


def _is_typed(value: Any) -> bool:
    if isinstance(value, _WRITTEN_AS_TEXT):
        return True
    is_instance = not isinstance(value, type)
    return is_instance and (dataclasses.is_dataclass(value) or hasattr(type(value), "__pydantic_serializer__"))


def _one_line(error: Exception) -> str:
    """What is wrong, without the links and without the values: they may be long, and nobody's business."""
    details: Callable[..., list[dict[str, Any]]] | None = getattr(error, "errors", None)
    if details is None:
        return " ".join(str(error).split())
    found = details(include_url=False, include_input=False, include_context=False)
    first = found[0]
    place = ".".join(str(part) for part in first["loc"])
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{place + ': ' if place else ''}{first['msg']}{more}"
