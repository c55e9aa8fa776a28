"""Texts as anybody may send them, and what in a text a terminal or a log would obey."""

from __future__ import annotations

import unicodedata

from hypothesis import strategies as st

TEXTS = st.text(st.characters(exclude_categories=[]) | st.sampled_from("\n\r\x1b\x9b\x07\u202e\u2066\u2028\x85\ud800"))
_JOINERS = "\u200c\u200d"


def steers(char: str) -> bool:
    """Whether a character does more than to stand in its place."""
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and char not in _JOINERS
