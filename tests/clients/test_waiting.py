"""When a custom status is the wanted one."""

from __future__ import annotations

import pytest

from clients.waiting import WantedStatus


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("London", "London"),
        ('"London"', "London"),
        ("5", 5),
        ("5", "5"),
        ("5.0", 5),
        ("true", True),
        ('{"b": [1, 2], "a": null}', {"a": None, "b": [1, 2]}),
        ("[]", []),
        ("null", "null"),
        ("{", "{"),
    ],
)
def test_a_text_is_shown_by_itself_and_by_the_value_it_writes(text: str, status: object) -> None:
    assert WantedStatus.create(text).is_shown_by(status)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("London", None),
        ("null", None),
        ("London", "london"),
        ("London", ["London"]),
        ("1", True),
        ("true", 1),
        ("[1]", [True]),
        ('{"a": 1}', {"a": 1, "b": 2}),
        ('{"a": 1}', {"a": "1"}),
        ("[1, 2]", [2, 1]),
        ("[1]", [1, 1]),
        ("false", 0),
    ],
)
def test_another_value_does_not_show_it(text: str, status: object) -> None:
    assert not WantedStatus.create(text).is_shown_by(status)
