"""Route templates of HTTP functions in ASP.NET's syntax.

``{name}``, ``{name?}``, ``{name=default}``, ``{name:constraint}``, ``{*rest}``, several parameters in a segment.
Matching ignores case; constraints only select, values stay text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from urllib.parse import unquote

from durable_status.local_host.route_constraints import Constraint, RouteTemplateError, read_constraints

_PARAMETER = re.compile(
    r"(?P<star>\*{0,2})(?P<name>\w+)(?P<constraints>(?::[a-zA-Z]+(?:\(.*\))?)*)(?:=(?P<default>.*?))?(?P<optional>\??)",
    re.DOTALL,
)
_ESCAPED_SLASH = re.compile("(%2F)", re.IGNORECASE)


class FunctionRoute:
    """One template with the methods it answers; all methods if none are given.

    Raises:
        RouteTemplateError: the template cannot be read.
    """

    def __init__(self, template: str, methods: Collection[str]) -> None:
        segments = _segments(template)
        self.precedence = tuple(map(_precedence, segments))
        """Sorts literal segments before constrained parameters, those before plain ones, catch-alls last."""
        self.methods = frozenset(method.upper() for method in methods)
        self._constraints: dict[str, tuple[Constraint, ...]] = {}
        self._defaults: dict[str, str] = {}
        self._pattern = re.compile("".join(map(self._segment_pattern, segments)) + "/?", re.IGNORECASE | re.DOTALL)

    def overlaps(self, other: FunctionRoute) -> bool:
        """Whether both answer some method, given equal templates."""
        return not self.methods or not other.methods or bool(self.methods & other.methods)

    def values(self, method: str, raw_path: str) -> dict[str, str] | None:
        """The values of the parameters if method and path match; parameters that are absent have none."""
        if self.methods and method not in self.methods:
            return None
        found = self._pattern.fullmatch(_decoded(raw_path))
        if found is None:
            return None
        present = {name: value for name, value in found.groupdict().items() if value}
        return self._defaults | present if self._are_met(present) else None

    def _are_met(self, present: Mapping[str, str]) -> bool:
        return all(
            constraint(present[name])
            for name, constraints in self._constraints.items()
            if name in present
            for constraint in constraints
        )

    def _segment_pattern(self, segment: str) -> str:
        """A segment as a regular expression, its slash included; one that may be absent takes its slash with it."""
        pieces = _pieces(segment)
        pattern = "/" + "".join(
            re.escape(piece) if isinstance(piece, str) else self._parameter_pattern(piece) for piece in pieces
        )
        whole = pieces[0] if len(pieces) == 1 else ""
        if isinstance(whole, str):
            return pattern
        may_be_absent = whole["optional"] or whole["star"] or whole["default"] is not None
        return f"(?:{pattern})?" if may_be_absent else pattern

    def _parameter_pattern(self, found: re.Match[str]) -> str:
        name = found["name"]
        if name in self._constraints:
            raise RouteTemplateError(f"the route parameter '{name}' appears twice.")
        self._constraints[name] = read_constraints(found["constraints"])
        if found["default"] is not None:
            self._defaults[name] = found["default"]
        # As much as possible in its segment, as ASP.NET fills "{name}.{extension}" from the right.
        return f"(?P<{name}>{'.*' if found['star'] else '[^/]+'})"


def _segments(template: str) -> list[str]:
    """Split at slashes outside of braces."""
    segments, depth = [""], 0
    for character in template.strip("/"):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            break
        if character == "/" and depth == 0:
            segments.append("")
        else:
            segments[-1] += character
    if depth:
        raise RouteTemplateError(f"the braces of the route '{template}' do not match.")
    return [segment for segment in segments if segment]


def _pieces(segment: str) -> list[str | re.Match[str]]:
    """The literal texts and the parameters of a segment, in order; a parameter is what stands in balanced braces."""
    pieces: list[str | re.Match[str]] = []
    depth = start = 0
    for position, character in enumerate(segment):
        if character == "{":
            if depth == 0 and position > start:
                pieces.append(segment[start:position])
            start = start if depth else position + 1
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                pieces.append(_parameter(segment[start:position]))
                start = position + 1
    return [*pieces, segment[start:]] if start < len(segment) else pieces


def _parameter(text: str) -> re.Match[str]:
    found = _PARAMETER.fullmatch(text)
    if found is None:
        raise RouteTemplateError(f"the route parameter '{{{text}}}' cannot be read.")
    return found


def _decoded(raw_path: str) -> str:
    """The path decoded once, except ``%2F``, which stays as it is."""
    parts = _ESCAPED_SLASH.split(raw_path)
    return "".join(part if index % 2 else unquote(part) for index, part in enumerate(parts)) or "/"


def _precedence(segment: str) -> int:
    pieces = _pieces(segment)
    parameters = [piece for piece in pieces if not isinstance(piece, str)]
    if not parameters:
        return 0
    is_constrained = any(parameter["constraints"] for parameter in parameters)
    if parameters[0]["star"]:
        return 3 if is_constrained else 4
    return 1 if is_constrained or len(pieces) > 1 else 2
