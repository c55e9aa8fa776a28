"""What a text from outside is in a line of ours."""

from __future__ import annotations

import pytest
from hypothesis import given

from durable_status.harmless_text import masked, one_line
from tests.texts_from_outside import TEXTS, steers


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("order-7", "order-7"),
        ("a\nb\r\nc\td", "a\\nb\\r\\nc\\td"),
        ("\x1b]0;title\x07\x1b[2J\x9b31m\x7f", "\\u001b]0;title\\u0007\\u001b[2J\\u009b31m\\u007f"),
        ("\u202ecod\u2066.\u200f", "\\u202ecod\\u2066.\\u200f"),
        ("\u2028\u2029\x85\x0b\x0c", "\\u2028\\u2029\\u0085\\u000b\\u000c"),
        ("\ud83c\udfab \udcff", "\\ud83c\\udfab \\udcff"),
        ("\U000e0041", "\\U000e0041"),
        ("予約\u3000🎫 👩\u200d💻 می\u200cشود\xa0", "予約\u3000🎫 👩\u200d💻 می\u200cشود\xa0"),
        ("[bold]:smile:[/]", "[bold]:smile:[/]"),
    ],
)
def test_what_would_steer_a_terminal_is_written_as_an_escape(text: str, shown: str) -> None:
    assert one_line(text) == shown


@given(TEXTS)
def test_any_text_is_one_harmless_line(text: str) -> None:
    shown = one_line(text)

    assert len(shown.splitlines()) <= 1
    assert not any(map(steers, shown))
    shown.encode()
    assert one_line(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET http://x/api/y?code=s3cr3t&sig=abc failed", "GET http://x/api/y?code=***&sig=*** failed"),
        ("http://x/y?CODE=a%2Fb==", "http://x/y?CODE=***"),
        ("x-functions-key=abc, decode=1", "x-functions-key=*** decode=1"),
        ("no key", "no key"),
    ],
)
def test_keys_in_urls_are_masked(text: str, shown: str) -> None:
    assert masked(text) == shown
