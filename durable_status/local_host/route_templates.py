"""Route templates of HTTP functions (ASP.NET's syntax) as routes of the router library.

``{name}``, ``{name?}``, ``{name=default}``, ``{name:constraint}``, ``{*rest}``. Matching ignores case; constraints only
select, values stay text.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from starlette.convertors import CONVERTOR_TYPES, Convertor, register_url_convertor
from starlette.routing import Match, Route
from starlette.types import Scope

_PARAMETER = re.compile(
    r"\{(?P<star>\*{0,2})(?P<name>\w+)(?::(?P<constraint>[^}?=]+))?(?:=(?P<default>[^}?]*))?(?P<optional>\??)\}"
)

_CATCH_ALL = ".*"
_CONSTRAINTS = {
    "alpha": "[a-zA-Z]+",
    "bool": "true|false",
    "decimal": r"[+-]?\d+(?:\.\d+)?",
    "double": r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?",
    "float": r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?",
    "guid": r"\{?[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\}?",
    "int": r"[+-]?\d+",
    "long": r"[+-]?\d+",
}


class RouteTemplateError(ValueError):
    """The template cannot be served; the text says why."""


class FunctionRoute:
    """One template with the methods it answers; all methods if none are given.

    Raises:
        RouteTemplateError: the template holds something that is not supported.
    """

    def __init__(self, template: str, methods: Collection[str]) -> None:
        segments = [segment for segment in template.split("/") if segment]
        self.precedence = tuple(map(_precedence, segments))
        """Sorts literal segments before constrained parameters, those before plain ones, catch-alls last."""
        self.methods = frozenset(method.upper() for method in methods)
        self._defaults = {
            found["name"]: found["default"] for found in _PARAMETER.finditer(template) if found["default"] is not None
        }
        self._routes = [_TextRoute(path) for path in _paths(segments)]

    def overlaps(self, other: FunctionRoute) -> bool:
        """Whether both answer some method, given equal templates."""
        return not self.methods or not other.methods or bool(self.methods & other.methods)

    def values(self, scope: Scope) -> dict[str, str] | None:
        """The values of the parameters if `scope` matches; parameters that are absent have none."""
        if self.methods and scope["method"] not in self.methods:
            return None
        for route in self._routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                present = {name: value for name, value in child["path_params"].items() if value}
                return self._defaults | present
        return None


class _TextRoute(Route):
    """Matches only; the function is called by whoever asked."""

    def __init__(self, path: str) -> None:
        super().__init__(path, _TextRoute)
        self.methods = None
        self.path_regex = re.compile(self.path_regex.pattern.removesuffix("$") + "/?$", re.IGNORECASE)


class _TextConvertor(Convertor[str]):
    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


def _paths(segments: list[str]) -> list[str]:
    """The template in the router's syntax, followed by what is left of it when its last parameters are absent."""
    path, shorter = "", []
    for segment in segments:
        found = _PARAMETER.fullmatch(segment)
        if found and (found["optional"] or found["star"] or found["default"] is not None):
            shorter.append(path or "/")
        path = f"{path}/{_PARAMETER.sub(_converted, segment)}"
    return [path or "/", *reversed(shorter)]


def _converted(found: re.Match[str]) -> str:
    constraint = found["constraint"]
    if constraint is not None and constraint not in _CONSTRAINTS:
        raise RouteTemplateError(
            f"the route constraint '{constraint}' is not supported here; known are {', '.join(_CONSTRAINTS)}."
        )
    if found["star"]:
        return f"{{{found['name']}:{_convertor('any', _CATCH_ALL)}}}"
    if constraint is not None:
        return f"{{{found['name']}:{_convertor(constraint, _CONSTRAINTS[constraint])}}}"
    return f"{{{found['name']}}}"


def _convertor(name: str, regex: str) -> str:
    registered = f"text_{name}"
    if registered not in CONVERTOR_TYPES:
        register_url_convertor(registered, type("_Convertor", (_TextConvertor,), {"regex": regex})())
    return registered


def _precedence(segment: str) -> int:
    found = _PARAMETER.search(segment)
    if found is None:
        return 0
    return 3 if found["star"] else 1 if found["constraint"] else 2
