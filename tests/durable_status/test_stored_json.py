"""The text the host stores, held against what the real extension stored."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_status.stored_json import dump_stored, utf16_size, well_formed
from tests.paths import GOLDENS


def _recorded(column: str, member: str) -> list[Any]:
    """Each value a worker answered, with the text that the extension put into its row."""
    pairs = {}
    for name in ("mx-numbers", "mx-strings", "mx-status-nan", "mz-nan-output", "h00-00-Hello", "h00-12-BigStatusFirst"):
        for instance in json.loads((GOLDENS / "replay" / f"{name}.json").read_text())["instances"]:
            for episode in instance["episodes"]:
                value = json.loads(episode["answer"]).get(member)
                stored = (episode["committed"] or {}).get(column)
                if value is not None and stored not in (None, "null") and "failed" not in stored:
                    pairs[stored] = pytest.param(value, stored, id=f"{name}-{stored[:20]}")
    return list(pairs.values())


@pytest.mark.parametrize(
    ("value", "stored"), [*_recorded("CustomStatus", "customStatus"), *_recorded("Output", "output")]
)
def test_the_text_is_the_one_that_the_extension_stored(value: Any, stored: str) -> None:
    assert dump_stored(value) == stored


@pytest.mark.conforms("R1.3-3")
@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (2**70, "1180591620717411303424"),
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (0.0001, "0.0001"),
        (0.00001, "1E-05"),
        (1e16, "10000000000000000.0"),
        (9.999999999999998e16, "99999999999999980.0"),
        (1e17, "1E+17"),
        (1e30, "1E+30"),
        (5e-324, "5E-324"),
        (float("nan"), '"NaN"'),
        (float("inf"), '"Infinity"'),
        (float("-inf"), '"-Infinity"'),
        ("", '""'),
        ("5", '"5"'),
        ("é\U0001f3ab</'\x7f", '"é\U0001f3ab</\'\x7f"'),
        ('"\\\n\t\r\b\f', '"\\"\\\\\\n\\t\\r\\b\\f"'),
        ("\x00\x1f", '"\\u0000\\u001f"'),
        ("\x85\u2028\u2029", '"\\u0085\\u2028\\u2029"'),
        ("\ud800", '"\ufffd"'),
        ("\udcab\ud83c", '"\ufffd\ufffd"'),
        ([], "[]"),
        ({}, "{}"),
        ((1, (2,)), "[1,[2]]"),
        ({"é": [1, {"b": None}]}, '{"é":[1,{"b":null}]}'),
        ({1: 1, 1.5: 2, False: 3, None: 4}, '{"1":1,"1.5":2,"false":3,"null":4}'),
    ],
)
def test_values_are_written_as_the_host_writes_them(value: Any, stored: str) -> None:
    assert dump_stored(value) == stored


@pytest.mark.parametrize("value", [b"", {1}, object(), {"a": [b""]}, {("a",): 1}])
def test_what_is_not_json_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError):
        dump_stored(value)


@pytest.mark.parametrize(("text", "size"), [("", 0), ("ab", 4), ("é", 2), ("\U0001f3ab", 4), ("\ud800", 2)])
def test_the_size_is_that_of_utf_16_without_a_mark(text: str, size: int) -> None:
    assert utf16_size(text) == size


def test_half_a_surrogate_pair_becomes_the_replacement_character_and_a_whole_one_a_character() -> None:
    assert well_formed("a\ud83c\udfabb\ud83c") == "a\U0001f3abb\ufffd"


_FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | _FINITE | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_reading_the_stored_text_gives_the_value_back(value: Any) -> None:
    assert json.loads(dump_stored(value)) == value


@given(_FINITE)
def test_a_number_keeps_every_bit(number: float) -> None:
    assert struct.pack("d", json.loads(dump_stored(number))) == struct.pack("d", number)
