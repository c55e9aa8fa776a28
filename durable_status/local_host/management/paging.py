"""Pages of a list: the size that is asked for, and the token that leads to the next one."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Self

from durable_status.local_host.management.refusal import OUT_OF_RANGE, failure, storage_failure
from durable_status.local_host.management.request import Request
from durable_status.local_host.storage.provider import InstanceFilter, Page, StorageProvider
from durable_status.replay.profile import Profile

_TOKEN_HEADER = "x-ms-continuation-token"
_DEFAULT_SIZE = 100
_BAD_TOKEN = (
    "The input is not a valid Base-64 string as it contains a non-base 64 character, more than two padding characters,"
    " or an illegal character among the padding characters."
)
_BAD_SIZE = "Take count must be positive and greater than 0."
_NEGATIVE = "Non-negative number required. (Parameter 'capacity')"


class PageSizeError(ValueError):
    """The page size is below 1; `exception_type` is what the platform raises for it."""

    def __init__(self, text: str, exception_type: str) -> None:
        super().__init__(text)
        self.exception_type = exception_type


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which page a request wants; a size of 0 is an empty page."""

    after_id: str | None
    size: int

    @classmethod
    def read(cls, request: Request, profile: Profile) -> Self:
        """Read ``top`` and the token. What makes no sense is refused by 2.13 and empties the page in 3.x.

        Raises:
            PageSizeError: the size is refused.
            Refusal: 500, the size or the token is not usable.
        """
        top = request.query.integer("top")
        size = _DEFAULT_SIZE if top is None else top
        if size < 1 and profile.checks_pages:
            raise PageSizeError(*((_BAD_SIZE, "System.ArgumentException") if size == 0 else (_NEGATIVE, OUT_OF_RANGE)))
        if size < 0:
            raise storage_failure()
        try:
            return cls(after_id=_read_token(request.headers.get(_TOKEN_HEADER, "")), size=size)
        except ValueError as error:
            if profile.checks_pages:
                raise failure(_BAD_TOKEN, "System.FormatException") from error
            return cls(after_id=None, size=0)

    async def fetch(self, storage: StorageProvider, wanted: InstanceFilter) -> Page:
        """Read the page."""
        return await storage.list_instances(wanted, after_id=self.after_id, limit=self.size) if self.size else Page()


def token_header(page: Page) -> tuple[str, str]:
    """The header that leads to the page after `page`; its value is empty on the last."""
    last_id = page.last_id
    return _TOKEN_HEADER, "" if last_id is None else base64.urlsafe_b64encode(last_id.encode()).decode()


def _read_token(token: str) -> str | None:
    """The id that a page ended with.

    Raises:
        ValueError: it is no token of ours.
    """
    return base64.b64decode(token, altchars=b"-_", validate=True).decode() if token else None
