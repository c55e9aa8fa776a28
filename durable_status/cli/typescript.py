"""TypeScript types from the JSON Schema that pydantic writes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_PRIMITIVES = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_NAME = re.compile(r"[A-Za-z_$][\w$]*")


def typescript(document: Mapping[str, Any]) -> str:
    """A module with a type for each definition, and one that has the custom status of each orchestration."""
    return "\n".join(_lines(document))


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    yield "// The custom statuses of this app. Made by `durable-status schema --format typescript`."
    for name, schema in sorted(document["$defs"].items()):
        yield ""
        yield f"export type {_identifier(name)} = {_type(schema, 0)};"
    yield "/** The custom status of each orchestration; null while there is none. */"
    yield f"export type {document['title']} = {_type(dict(document) | {'required': list(document['properties'])}, 0)};"


def _type(schema: Any, depth: int) -> str:
    match schema:
        case {"$ref": str(reference)}:
            return _identifier(reference.rpartition("/")[2])
        case {"const": value}:
            return json.dumps(value)
        case {"enum": list(values)}:
            return " | ".join(json.dumps(value) for value in values)
        case {"anyOf": list(options)} | {"oneOf": list(options)}:
            return " | ".join(dict.fromkeys(_type(option, depth) for option in options))
        case {"allOf": list(parts)}:
            return " & ".join(_in_brackets(_type(part, depth)) for part in parts)
        case {"type": "array", "prefixItems": list(items)}:
            return f"[{', '.join(_type(item, depth) for item in items)}]"
        case {"type": "array"}:
            return f"{_in_brackets(_type(schema.get('items', {}), depth))}[]"
        case {"type": "object", "properties": dict(properties)}:
            return _object(properties, schema.get("required", []), depth)
        case {"type": "object"}:
            values = schema.get("additionalProperties", True)
            return f"Record<string, {_type({} if values is True else values, depth)}>"
        case {"type": str(kind)} if kind in _PRIMITIVES:
            return _PRIMITIVES[kind]
    return "unknown"


def _object(properties: Mapping[str, Any], required: list[str], depth: int) -> str:
    indent = "  " * (depth + 1)
    members = [
        f"{indent}{name if _NAME.fullmatch(name) else json.dumps(name)}{'' if name in required else '?'}: "
        f"{_type(schema, depth + 1)};"
        for name, schema in properties.items()
    ]
    return "\n".join(["{", *members, "  " * depth + "}"])


def _in_brackets(text: str) -> str:
    return f"({text})" if " | " in text or " & " in text else text


def _identifier(name: str) -> str:
    """A name that TypeScript takes; pydantic writes `RecentItems_str_` for generics already."""
    return re.sub(r"\W", "_", name)
