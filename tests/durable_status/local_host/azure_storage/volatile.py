"""What no two runs share in a hub: ids, times, random parts of names, addresses, counts of a process.

They are compared by what they say of each other: one id stands for one other id everywhere in a record, and two times
that are one in the recording are one in ours. All text around them is compared to the letter.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

_VOLATILE = re.compile(
    r"(?P<id>(?!0{8}-)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f]))"
    r"|(?P<time>2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)"
    r"|(?P<suffix>(?<=-)[0-9A-F]{8}(?=-\w+\.json\.gz))"
    r"|(?P<address>http://127\.0\.0\.1:\d+(?=/))"
)
_TICKS = 7
_INNER = '"InnerException":'
_STACK = ", StackTrace: "  # ends what a parent is told of its child
_OF_INNER = ("RemoteMessage", "Message", "Data", "InnerException", "HelpLink", "HResult")


@dataclass(frozen=True, slots=True)
class Token:
    """A volatile part of a text: equal values are one thing."""

    kind: str
    value: str


def taken_apart(text: str, *, has_all_digits: bool = False) -> tuple[str, list[Token]]:
    """The text with marks in place of its volatile parts, and these.

    The mark of an id says how its GUID was made and whether it has hyphens; that of a time, whether it is written as it
    has to be: with all seven digits, as in a column of times, or without the zeros that end the fraction.
    """
    tokens: list[Token] = []

    def mark(found: re.Match[str]) -> str:
        kind, value = str(found.lastgroup), found[0]
        if kind == "id":
            digits = value.replace("-", "")
            tokens.append(Token(kind, digits))
            return f"<id of version {digits[12]}{' with hyphens' if '-' in value else ''}>"
        if kind == "time":
            seconds, _, fraction = value.partition(".")
            tokens.append(Token(kind, f"{seconds}.{fraction:0<{_TICKS}}"))
            is_right = len(fraction) == _TICKS if has_all_digits else not value.endswith(".") and fraction[-1:] != "0"
            return "<time>" if is_right and len(fraction) <= _TICKS else f"<time with {len(fraction)} digits>"
        tokens.append(Token(kind, value))
        return f"<{kind}>"

    return _VOLATILE.sub(mark, without_imitated(text)), tokens


@dataclass
class Matching:
    """Which recorded value stands for which of ours."""

    ours: dict[Token, Token] = field(default_factory=dict)
    recorded: dict[Token, Token] = field(default_factory=dict)

    def digits_not_written(self, ours: Token) -> int:
        """How many zeros the recorded time ends in that one of ours stands for: text leaves them out."""
        recorded = [one.value for one, other in self.ours.items() if other == ours and ours.kind == "time"]
        return max((len(value) - len(value.rstrip("0")) for value in recorded), default=0)

    def mismatch(self, recorded: Token, ours: Token) -> str | None:
        """Take the two for one; why they cannot be, if they cannot.

        One of our times may stand for several: the extension looks at its clock for every event, we for every episode.
        """
        known = self.ours.setdefault(recorded, ours)
        if known != ours:
            return f"the {recorded.kind} {recorded.value} is {known.value} elsewhere, and {ours.value} here"
        back = recorded if recorded.kind == "time" else self.recorded.setdefault(ours, recorded)
        if back != recorded:
            return f"our {ours.kind} {ours.value} stands for {back.value} elsewhere, and for {recorded.value} here"
        return None


def without_imitated(text: str) -> str:
    """A failure's .NET exception with what is evidence of its inner one: the Functions host was imitated there.

    That exception's class, and with it the order of its members, was the imitation's; stacks are those of a machine.
    """
    if json.dumps(_INNER)[1:-1] in text and text.startswith('"'):  # an orchestrator returned what it caught
        return json.dumps(without_imitated(json.loads(text)))
    if f"{_INNER}{{" not in text:
        return text
    kept, _, rest = text.partition(_INNER)
    while rest:
        inner, rest = _inner_exception(rest)
        between, _, rest = rest.partition(_INNER)
        kept += f"{_INNER}{inner}{between}"
    return kept.partition(_STACK)[0]


def _inner_exception(text: str) -> tuple[str, str]:
    """What is evidence of the exception that the text begins with, and the text behind it."""
    inner, end = json.JSONDecoder().raw_decode(text)
    if inner is None:
        return "null", text[end:]
    kept = {name: inner.get(name, "missing") for name in _OF_INNER}
    kept["Message"] = str(kept["Message"]).partition("\nStack: ")[0]
    return json.dumps(kept), text[end:]


def with_fixed_lengths(text: str) -> str:
    """The text of a blob with volatile parts of one length: times with all digits, numbers of messages with two."""
    padded = re.sub(r'(?<="SequenceNumber":)[1-9]\d*', "NN", text)
    return _VOLATILE.sub(lambda found: _padded(found[0]) if found.lastgroup == "time" else found[0], padded)


def _padded(time: str) -> str:
    seconds, _, fraction = time.partition(".")
    return f"{seconds}.{fraction:0<{_TICKS}}"
