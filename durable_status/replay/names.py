"""How the platform compares names when their case does not matter."""

from __future__ import annotations


def caseless(name: str) -> str:
    """A form of `name` that is equal for names differing in case only, character by character.

    That is .NET's ordinal comparison: no character becomes two, so ``ß`` and ``SS`` are different names.
    """
    if name.isascii():
        return name.upper()
    return "".join(upper if len(upper := character.upper()) == 1 else character for character in name)
