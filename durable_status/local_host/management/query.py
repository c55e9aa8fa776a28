"""The query string by the platform's rules: names in any case, what does not parse counts as absent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from urllib.parse import parse_qsl

from dateutil.parser import ParserError
from dateutil.parser import parse as parse_date

from durable_status.replay.events import OrchestrationStatus
from durable_status.replay.ticks import Ticks, ticks_from_datetime


class Query:
    """The parameters of one request."""

    def __init__(self, raw: str) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in parse_qsl(raw, keep_blank_values=True, errors="replace"):
            self._values.setdefault(name.casefold(), []).append(value)

    def text(self, name: str) -> str | None:
        """The value, several joined with commas; None when it is not there."""
        values = self._values.get(name.casefold())
        return None if values is None else ",".join(values)

    def truth(self, name: str, default: bool) -> bool:
        """``true`` or ``false`` in any case, else `default`."""
        text = (self.text(name) or "").strip().casefold()
        return text == "true" if text in ("true", "false") else default

    def integer(self, name: str) -> int | None:
        """A whole number, blanks around it allowed."""
        try:
            return int((self.text(name) or "").strip())
        except ValueError:
            return None

    def moment(self, name: str) -> Ticks | None:
        """A date and time in any usual form; without a zone it is this machine's local time, as on the platform."""
        text = (self.text(name) or "").strip()
        if not text or text.isdigit():  # neither Unix seconds nor 20240102 nor 2024 count
            return None
        try:
            moment = parse_date(text)
        except (ParserError, OverflowError):
            return None
        return ticks_from_datetime(moment.astimezone(UTC))

    def statuses(self, name: str) -> Sequence[OrchestrationStatus]:
        """Runtime statuses by exact name or by number; unknown ones are left out.

        Raises:
            UnknownStatusError: one of them is ``Unknown`` or its number, which the platform refuses.
        """
        found: list[OrchestrationStatus] = []
        for item in (self.text(name) or "").split(","):
            word = item.strip()
            if word in ("Unknown", "-1"):
                raise UnknownStatusError(word)
            for status in OrchestrationStatus:
                if word in (status.value, str(status.number)):
                    found.append(status)
        return found


class UnknownStatusError(ValueError):
    """The status filter names ``Unknown``."""
