"""Route templates and their constraints."""

from __future__ import annotations

import pytest

from durable_status.local_host.route_constraints import RouteTemplateError
from durable_status.local_host.route_templates import FunctionRoute


def _values(template: str, path: str) -> dict[str, str] | None:
    return FunctionRoute(template, ()).values("GET", path)


@pytest.mark.conforms("H5-11", "H5-12")
@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("/api/{id:int?}", "/api", {}),
        ("/api/{id:int?}", "/API/5/", {"id": "5"}),
        ("/api/{id:int?}", "/api/five", None),
        ("/api/{id:int}", "/api/2147483648", None),
        ("/api/{id:long}", "/api/2147483648", {"id": "2147483648"}),
        ("/api/{id:int:range(1,5)}/x", "/api/5/x", {"id": "5"}),
        ("/api/{id:int:range(1,5)}/x", "/api/6/x", None),
        ("/api/{id:min(3)}", "/api/2", None),
        ("/api/{id:max(3)}", "/api/3", {"id": "3"}),
        ("/api/{name:length(2,3)}", "/api/abcd", None),
        ("/api/{name:length(4)}", "/api/abcd", {"name": "abcd"}),
        ("/api/{name:minlength(2):alpha}", "/api/a1", None),
        ("/api/{name:maxlength(2)}", "/api/abc", None),
        ("/api/{day:datetime}", "/api/2026-11-25", {"day": "2026-11-25"}),
        ("/api/{day:datetime}", "/api/soon", None),
        ("/api/{id:guid}", "/api/0f8fad5b-d9cb-469f-a165-70867728950e", {"id": "0f8fad5b-d9cb-469f-a165-70867728950e"}),
        ("/api/{flag:bool}", "/api/TRUE", {"flag": "TRUE"}),
        ("/api/{price:decimal}", "/api/1.5", {"price": "1.5"}),
        ("/api/{price:double}", "/api/1e5", {"price": "1e5"}),
        (r"/api/{code:regex(^\d{{3}}-\d{{2}}$)}", "/api/123-45", {"code": "123-45"}),
        (r"/api/{code:regex(^\d{{3}}-\d{{2}}$)}", "/api/123-4", None),
        ("/api/{name:required}", "/api/x", {"name": "x"}),
        ("/api/{name:file}", "/api/a.txt", {"name": "a.txt"}),
        ("/api/{name:nonfile}", "/api/a.txt", None),
        ("/api/{*rest}", "/api", {}),
        ("/api/{*rest}", "/api/a/b%2Fc%20d", {"rest": "a/b%2Fc d"}),
        ("/api/{size=small}", "/api", {"size": "small"}),
        ("/api/{size=small}", "/api/large", {"size": "large"}),
        ("/api/{file}.{kind}", "/api/a.b.c", {"file": "a.b", "kind": "c"}),
        ("/{first}/{second?}", "/x", {"first": "x"}),
    ],
)
def test_a_template_matches_what_aspnet_matches(template: str, path: str, values: dict[str, str] | None) -> None:
    assert _values(template, path) == values


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("/api/{id:prime}", "the route constraint 'prime' is not known"),
        ("/api/{id:min(x)}", "needs 1 whole number"),
        ("/api/{id:range(1)}", "needs 2 whole number"),
        ("/api/{id:regex([)}", "cannot be read"),
        ("/api/{id", "the braces of the route"),
        ("/api/id}", "the braces of the route"),
        ("/api/{}", "cannot be read"),
        ("/api/{a}/{a}", "appears twice"),
    ],
)
def test_a_template_that_cannot_be_served_says_why(template: str, reason: str) -> None:
    with pytest.raises(RouteTemplateError, match=reason.replace("(", r"\(")):
        FunctionRoute(template, ())


@pytest.mark.conforms("H5-14")
def test_literals_go_before_constrained_parameters_those_before_plain_ones_and_catch_alls_last() -> None:
    templates = ["/a/{*rest}", "/a/{x}", "/a/{x:int}", "/a/b", "/a/{*rest:minlength(1)}"]

    assert sorted(templates, key=lambda template: FunctionRoute(template, ()).precedence) == [
        "/a/b",
        "/a/{x:int}",
        "/a/{x}",
        "/a/{*rest:minlength(1)}",
        "/a/{*rest}",
    ]
