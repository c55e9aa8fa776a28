"""The JSON Schema of custom statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(status_types: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON Schema of an object with these members, as they are written."""
    schemas, definitions = TypeAdapter.json_schemas(
        [(name, "serialization", TypeAdapter(status_type)) for name, status_type in sorted(status_types.items())],
        schema_generator=_AsWritten,
    )
    return {
        "$schema": _DIALECT,
        "title": "CustomStatuses",
        "type": "object",
        "properties": {name: shown for (name, _), shown in schemas.items()},
        "$defs": definitions.get("$defs", {}),
    }


class _AsWritten(GenerateJsonSchema):
    """Every field is there, default or not; fields have no titles but their names."""

    def field_is_required(self, field: Any, total: bool) -> bool:
        return super().field_is_required(field, total) or field["type"] != "typed-dict-field"

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - of none
        return False
