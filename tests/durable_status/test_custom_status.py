"""What `set_custom_status` lets through, what a reader then sees, and what it refuses; the SDK is the real one."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import azure.durable_functions as df
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from durable_status import MAX_STATUS_BYTES, StatusEncodeError, clear_custom_status, custom_status, set_custom_status
from durable_status.stored_json import dump_stored, utf16_size

_BEGIN = {"EventId": -1, "IsPlayed": False, "Timestamp": "2026-11-22T11:30:00Z"}
_FIRST_EPISODE = json.dumps(
    {
        "history": [{"EventType": 12, **_BEGIN}, {"EventType": 0, "Name": "Main", "Version": "", **_BEGIN}],
        "input": None,
        "instanceId": "instance",
        "isReplaying": False,
        "parentInstanceId": None,
        "upperSchemaVersion": 1,
        "upperSchemaVersionNew": 2,
    }
)


def answer_to(set_status: Callable[[Any, Any], None], status: Any) -> dict[str, Any]:
    """What the SDK answers when an orchestrator sets `status` by `set_status` in its first episode."""

    def orchestrator(context: Any) -> Any:
        set_status(context, status)
        yield context.wait_for_external_event("go")

    answer: dict[str, Any] = json.loads(df.Orchestrator.create(orchestrator)(_FIRST_EPISODE))
    return answer


def set_unchecked(context: Any, status: Any) -> None:
    """What an orchestrator does that calls the SDK itself."""
    context.set_custom_status(status)


class Context:
    """Keeps what was set, as an orchestration context does."""

    def __init__(self) -> None:
        self.statuses: list[Any] = []

    def set_custom_status(self, status: Any) -> None:
        """Keep `status`."""
        self.statuses.append(status)


def refusal_of(status: Any) -> StatusEncodeError:
    """The error that refuses `status`, after a look that nothing was set."""
    context = Context()
    with pytest.raises(StatusEncodeError) as refused:
        set_custom_status(context, status)

    assert context.statuses == []
    return refused.value


# The table of the module's docstring


class WithToJson:
    """An object of the kind that SDK 1.x writes with its class and module."""

    @staticmethod
    def to_json(_value: WithToJson) -> dict[str, int]:
        """Its data."""
        return {"a": 1}


class Stage(Enum):
    """An enum."""

    PACKED = "packed"


@dataclasses.dataclass(frozen=True)
class Order:
    """A dataclass."""

    number: int = 1
    when: datetime | None = None


@dataclasses.dataclass(frozen=True)
class Empty:
    """A dataclass of no fields."""


class Parcel(pydantic.BaseModel):
    """A pydantic model."""

    weight: int


def nested(levels: int) -> Any:
    """A text in so many lists."""
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


def _table() -> list[tuple[str, str, str]]:
    lines = (custom_status.__doc__ or "").splitlines()
    first, second, last = (index for index, line in enumerate(lines) if line.startswith("==="))
    columns = [match.span() for match in re.finditer("=+", lines[first])]
    assert first + 2 == second
    return [
        (line[slice(*columns[0])].strip(), line[slice(*columns[1])].strip(), line[columns[2][0] :].strip())
        for line in lines[second + 1 : last]
    ]


_NAMES = {
    known.__name__: known
    for known in (Decimal, Empty, Order, Parcel, Stage, UUID, WithToJson, datetime, nested, timedelta)
} | {"UTC": UTC}
_ACCEPTED = [pytest.param(value, seen, id=value) for value, seen, _ in _table() if seen != "refused"]
_REFUSED = [pytest.param(value, why, id=value) for value, seen, why in _table() if seen == "refused"]


def _evaluate(text: str) -> Any:
    return eval(text, dict(_NAMES))  # the table writes Python


def test_the_table_covers_every_kind_of_value() -> None:
    assert (len(_ACCEPTED), len(_REFUSED)) == (22, 28)


@pytest.mark.parametrize(("value", "seen"), _ACCEPTED)
def test_a_reader_sees_what_the_table_says(value: str, seen: str) -> None:
    sent = answer_to(set_custom_status, _evaluate(value))["customStatus"]

    assert dump_stored(sent) == dump_stored(json.loads(seen))


@pytest.mark.parametrize(("value", "why"), _REFUSED)
def test_what_the_table_says_is_refused_is_refused_and_not_set(value: str, why: str) -> None:
    error = refusal_of(_evaluate(value))

    assert error.status_type is type(_evaluate(value))
    assert len(why) > 0


@pytest.mark.parametrize(("value", "why"), _REFUSED)
def test_the_sdk_alone_would_do_what_the_table_says(value: str, why: str) -> None:
    status = _evaluate(value)

    if why == "not JSON: the instance fails":
        with pytest.raises(TypeError):
            answer_to(set_unchecked, status)
        return
    sent = answer_to(set_unchecked, status)
    if why == "SDK 1.x drops it: readers see null":
        assert "customStatus" not in sent
    elif why == "readers see class and module names":
        assert {"__class__", "__module__"} <= sent["customStatus"].keys()
    elif why == "half a character: the host replaces it":
        assert "\ufffd" in dump_stored(sent["customStatus"])
    elif why == 'one key in JSON: readers see "b" only':
        assert sent["customStatus"] == {"1": "b"}
    elif why == "over 16,384 bytes with its quotes":
        assert utf16_size(dump_stored(sent["customStatus"])) > MAX_STATUS_BYTES
    elif why.startswith("the host stores the text "):
        assert why.removeprefix("the host stores the text ") in dump_stored(sent["customStatus"])
    elif why == "readers would look for a blob":
        assert sent["customStatus"] == status
    else:  # known of the host only
        assert why.startswith("the host ")


# The limit


@pytest.mark.parametrize(
    ("character", "longest"),
    [
        pytest.param("a", 8_190, id="ASCII"),
        pytest.param("\x7f", 8_190, id="DEL"),
        pytest.param("é", 8_190, id="BMP"),
        pytest.param("\U0001f3ab", 4_095, id="astral"),
        pytest.param('"', 4_095, id="quote"),
        pytest.param("\\", 4_095, id="backslash"),
        pytest.param("\n", 4_095, id="line feed"),
        pytest.param("\x01", 1_365, id="control character"),
        pytest.param("\x85", 1_365, id="U+0085"),
        pytest.param("\u2028", 1_365, id="U+2028"),
    ],
)
def test_the_limit_counts_the_utf_16_of_the_stored_text_with_its_quotes(character: str, longest: int) -> None:
    sent = answer_to(set_custom_status, character * longest)["customStatus"]
    error = refusal_of(character * (longest + 1))

    assert utf16_size(dump_stored(sent)) == MAX_STATUS_BYTES == 16_384
    assert error.size is not None
    assert error.size > MAX_STATUS_BYTES


def test_an_object_counts_with_its_braces_and_keys_but_no_blanks() -> None:
    sent = answer_to(set_custom_status, {"k": "a" * 8_184})["customStatus"]

    assert utf16_size(dump_stored(sent)) == MAX_STATUS_BYTES
    assert refusal_of({"k": "a" * 8_185}).size == MAX_STATUS_BYTES + 2


def test_the_error_of_the_limit_names_type_size_limit_and_cure() -> None:
    error = refusal_of({"k": "a" * 8_185})

    assert str(error) == (
        "This dict takes 16,386 bytes as a custom status, the limit is 16,384 (UTF-16 of its JSON text). "
        "Put it into storage: yield from publish_status(context, status)."
    )


@pytest.mark.parametrize("levels", [1, 60])
def test_what_is_nested_as_deep_as_the_host_reads_is_accepted(levels: int) -> None:
    assert answer_to(set_custom_status, nested(levels))["customStatus"] == nested(levels)


@pytest.mark.parametrize("number", [10**379 - 1, -(10**379 - 1), 2**64])
def test_whole_numbers_are_accepted_as_long_as_the_host_reads_them(number: int) -> None:
    assert answer_to(set_custom_status, number)["customStatus"] == number


# The sentences


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (
            {"items": ["a", "b", "c", {"d"}]},
            'status["items"][3] is a set, which is not JSON. Use a sorted list.',
        ),
        ({"tags": {"a"}}, 'status["tags"] is a set, which is not JSON. Use a sorted list.'),
        (
            [Order(number="7")],  # type: ignore[arg-type]
            "This Order cannot be written as JSON and read back: Pydantic serializer warnings: "
            "PydanticSerializationUnexpectedValue(Expected `int` - serialized value may not be as expected "
            "[field_name='number', input_value='7', input_type=str]). Give its fields values of their types.",
        ),
        (
            {Stage.PACKED: 1, "packed": 2},
            "The status has a Stage as a key, and keys are texts in JSON. Use a text.",
        ),
        (
            {"order": WithToJson()},
            'status["order"] is a WithToJson, which is not JSON. '
            "The SDK would show readers its class and module; use a dict of what they need.",
        ),
        (
            {1: b""},
            "status[1] is a bytes, which is not JSON. Use texts, numbers, booleans, lists and dicts of them.",
        ),
        (
            {"a": {("x", "y"): 1}},
            'status["a"] has a tuple as a key, and keys are texts in JSON. Use a text.',
        ),
        (
            {"ratio": float("nan")},
            'status["ratio"] is nan, which JSON has no number for. Use None or a text, inside an object.',
        ),
        (
            {"a": [{"\udc00": 1}]},
            'A key of status["a"][0] holds half of a surrogate pair, which is no character and would be replaced. '
            "Mend it.",
        ),
        (
            0,
            "A custom status cannot be 0 (int): SDK 1.x does not send it, and readers would see null instead. "
            'Set an object that holds it, such as {"done": 0}.',
        ),
        (
            {"$ref": "a"},
            "The status has the key $ref, which the host takes as its own. Use another name.",
        ),
    ],
)
def test_a_refusal_says_where_what_and_what_to_do(status: Any, sentence: str) -> None:
    assert str(refusal_of(status)) == sentence


def test_a_long_key_is_cut_in_the_sentence() -> None:
    assert len(str(refusal_of({"k" * 100_000: b""}))) < 200


def test_a_status_that_holds_itself_is_refused() -> None:
    status: list[Any] = []
    status.append(status)

    assert "holds itself" in str(refusal_of(status))


def test_keys_of_the_host_are_its_own_only_in_the_outermost_object() -> None:
    status = {"schema": {"$ref": "#/a", "$type": "T"}}

    assert answer_to(set_custom_status, status)["customStatus"] == status


def test_a_dict_with_to_json_is_sent_as_the_dict_it_is() -> None:
    class Row(dict[str, int]):
        @staticmethod
        def to_json(_row: Row) -> dict[str, int]:
            return {}

    assert answer_to(set_custom_status, Row(a=1))["customStatus"] == {"a": 1}


def test_the_context_gets_a_copy_in_plain_json() -> None:
    context, status = Context(), {"a": [Stage.PACKED], "b": (1, 2)}

    set_custom_status(context, status)
    status["a"].append(b"not JSON")  # type: ignore[attr-defined]

    assert context.statuses == [{"a": ["packed"], "b": [1, 2]}]


def test_a_cleared_status_is_not_sent_so_that_the_host_stores_null() -> None:
    def set_and_clear(context: Any, status: Any) -> None:
        set_custom_status(context, status)
        clear_custom_status(context)

    assert "customStatus" in answer_to(set_custom_status, "Tokyo")
    assert "customStatus" not in answer_to(set_and_clear, "Tokyo")


# Invariants

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
_ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())  # surrogates, too
    | st.text('aé\U0001f3ab"\x01', min_size=1_300, max_size=1_500).map(lambda text: text * 3)
    | st.binary()
    | st.datetimes()
    | st.decimals(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers() | st.floats() | st.booleans() | st.none() | st.dates(), inner)
    ),
)


@settings(deadline=None)
@given(status=_ANYTHING)
def test_what_is_accepted_is_sent_whole_and_fits_and_what_is_refused_is_not_sent(status: Any) -> None:
    answer = answer_to(_set_or_leave, status)

    if "customStatus" in answer:
        stored = dump_stored(answer["customStatus"])
        with contextlib.suppress(TypeError):  # typed values inside: test_status_codec.py
            assert json.loads(stored) == json.loads(json.dumps(status))
        assert utf16_size(stored) <= MAX_STATUS_BYTES
    else:
        refusal_of(status)


@settings(deadline=None)
@given(status=_JSON.filter(bool))
def test_every_truthy_json_value_that_fits_is_accepted(status: Any) -> None:
    if utf16_size(dump_stored(status)) <= MAX_STATUS_BYTES:
        assert answer_to(set_custom_status, status)["customStatus"] == status


def _set_or_leave(context: Any, status: Any) -> None:
    try:
        set_custom_status(context, status)
    except StatusEncodeError:
        return
