"""Texts from outside, such as ids, names and errors, in a form that harms nobody who reads them in a line of ours."""

from __future__ import annotations

import re
import unicodedata

_KEY = re.compile(r"""(?i)\b(code|sig|x-functions-key)=[^&\s"'<>]+""")
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_JOINERS = "\u200c\u200d"  # Persian and emoji are written with them, and they move nothing


def one_line(text: str) -> str:
    """The text in one line, with an escape such as ``\\n`` or ``\\u001b`` for what is not to be printed."""
    return text if text.isprintable() else "".join(char if _is_harmless(char) else _escaped(char) for char in text)


def masked(text: str) -> str:
    """The text without the values of keys in URLs."""
    return _KEY.sub(r"\1=***", text)


def _is_harmless(char: str) -> bool:
    return char.isprintable() or char in _JOINERS or unicodedata.category(char) == "Zs"


def _escaped(char: str) -> str:
    number = ord(char)
    return _NAMED.get(char) or (f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}")
