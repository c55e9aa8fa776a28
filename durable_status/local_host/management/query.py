"""The query string by the platform's rules: names in any case, what does not parse counts as absent."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from urllib.parse import unquote_plus

from durable_status.local_host.management.dates import UnknownDateError, read_date
from durable_status.local_host.management.refusal import bad_argument
from durable_status.replay.events import OrchestrationStatus
from durable_status.replay.ticks import Ticks

_WHOLE_NUMBER = re.compile(r"[+-]?0*[0-9]{1,10}")
_SECONDS = re.compile(r"[+-]?(?:[0-9][0-9,]*\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NOT_FINITE = {"nan": math.nan, "infinity": math.inf, "+infinity": math.inf, "-infinity": -math.inf}
_INT32 = range(-(2**31), 2**31)


class Query:
    """The parameters of one request."""

    def __init__(self, raw: str) -> None:
        self._values: dict[str, list[str]] = {}
        for parameter in raw.split("&"):
            name, equals, value = parameter.partition("=")
            if equals:  # one without it is ignored
                self._values.setdefault(unquote_plus(name).casefold(), []).append(unquote_plus(value))

    def text(self, name: str) -> str | None:
        """The value, several joined with commas; None when it is not there."""
        values = self._values.get(name.casefold())
        return None if values is None else ",".join(values)

    def truth(self, name: str, default: bool) -> bool:
        """``true`` or ``false`` in any case, else `default`."""
        text = self._stripped(name).casefold()
        return text == "true" if text in ("true", "false") else default

    def integer(self, name: str) -> int | None:
        """A whole number of 32 bits, blanks around it allowed."""
        return _int32(self._stripped(name))

    def seconds(self, name: str) -> float | None:
        """A number of seconds, NaN and the infinities included; commas in it are passed over (``5,0`` is 50)."""
        text = self._stripped(name)
        if text.casefold() in _NOT_FINITE:
            return _NOT_FINITE[text.casefold()]
        return float(text.replace(",", "")) if _SECONDS.fullmatch(text) else None

    def moment(self, name: str) -> Ticks | None:
        """A date and time in any usual form; without a zone it is this machine's local time, as on the platform.

        The first moment of all counts as absent: the platform has no other word for that.

        Raises:
            Refusal: 400, it is not known which date the platform would read.
        """
        try:
            return read_date(self._stripped(name)) or None
        except UnknownDateError as error:
            raise bad_argument(str(error)) from error

    def statuses(self, name: str) -> Sequence[OrchestrationStatus] | None:
        """Runtime statuses by exact name or by number; unknown names are left out, unknown numbers match nothing.

        None when nothing is left, which is no filter.
        """
        found: list[OrchestrationStatus] = []
        is_filter = False
        for item in (self.text(name) or "").split(","):
            word = item.strip()
            number = _int32(word)
            named = [status for status in OrchestrationStatus if word == status.value or number == status.number]
            is_filter = is_filter or bool(named) or number is not None
            found += named
        return found if is_filter else None

    def names_unknown_status(self, name: str) -> bool:
        """Whether one of the runtime statuses is ``Unknown``, by name or by number: a status of the clients only."""
        words = [item.strip() for item in (self.text(name) or "").split(",")]
        return any(word == "Unknown" or _int32(word) == -1 for word in words)

    def _stripped(self, name: str) -> str:
        return (self.text(name) or "").strip()


def _int32(text: str) -> int | None:
    return int(text) if _WHOLE_NUMBER.fullmatch(text) and int(text) in _INT32 else None
