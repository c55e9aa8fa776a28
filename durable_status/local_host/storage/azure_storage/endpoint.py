"""One service of a storage account: requests are signed, tried again while the service is not well, and answered.

Straight on aiohttp: a request costs a small part of the processor time that it costs through the SDK, and an episode is
nothing but requests. Whether the service lets a request in is seen here; what else it refuses, the caller knows best.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
from yarl import URL

from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.errors import UnavailableError
from durable_status.local_host.storage.azure_storage.refusals import Answer, not_let_in
from durable_status.local_host.storage.azure_storage.signing import Request, Signer
from durable_status.task_hub.connection import StorageConnection

SERVICE_VERSION = "2020-12-06"  # the first in which tables take the tokens of identities

_REQUEST_ID = "x-ms-request-id"  # in every answer of a storage service
_MANY_BYTES = 1024 * 1024
_TRY_AGAIN = frozenset({408, 429, 500, 502, 503, 504})

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a service is waited for. Seconds; the pauses are before the second try, the third ..."""

    answer: float = 30.0
    pauses: tuple[float, ...] = (0.1, 0.3, 1.0, 2.0, 4.0, 8.0)
    first_pauses: tuple[float, ...] = (0.1, 0.3)
    """For a service that cannot be reached and never was: a wrong address is told soon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trouble:
    """Why a try brought no answer that counts."""

    reason: str
    was_sent: bool = True
    is_broken: bool = False
    """An open connection has ended. Servers end idle ones (Azurite after 5 s), and may do it while we send."""


class _ConnectionLostError(aiohttp.ClientConnectionError):
    """A connection has ended before the answer."""


async def lose_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep the session from sending a request again by itself: who asks has to know that it was sent before."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _ConnectionLostError(str(error)) from error


class Endpoint:
    """A service at an address. `kind` is its name: ``table``, ``queue`` or ``blob``."""

    def __init__(
        self,
        kind: str,
        url: str,
        connection: StorageConnection,
        *,
        session: aiohttp.ClientSession,
        signer: Signer,
        patience: Patience,
    ) -> None:
        self.url = url
        self.label = f"the {kind} service at {url}"
        parts = urlsplit(url)
        self._origin, self._path = f"{parts.scheme}://{parts.netloc}", parts.path
        self._connection = connection
        self._session = session
        self._signer = signer
        self._patience = patience
        self._was_reached = False
        self._is_out = False

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Send a request. `path` begins with a slash and is percent-encoded; `query` is not.

        Returns:
            What the service answered: that it was done, or which fault the request has.

        Raises:
            UnavailableError: the service did not answer, or cannot now, try after try.
            StorageError: the service does not let the request in, or is no storage service.
        """
        tries, was_sent = 0, False
        while True:
            request = Request(method, self._path + path, dict(query or {}), dict(headers or {}), body)
            outcome = await self._try(request, after_retry=was_sent)
            if isinstance(outcome, Answer):
                break
            was_sent = was_sent or outcome.was_sent
            await self._pause(outcome, tries)
            tries += 1
        self._recovered()
        if _REQUEST_ID not in outcome.headers:
            raise StorageError(
                f"{self.label} is none: something else answers there ({outcome.status}); correct the address in "
                f"{self._connection.setting}."
            )
        if outcome.status in (401, 403):
            raise not_let_in(outcome, self.label, self._connection)
        return outcome

    def refusal(self, answer: Answer, about: str) -> StorageError:
        """The error for an answer that the caller does not expect; `about` is the table, queue or blob."""
        said = ": ".join(filter(None, (f"{answer.status} {answer.code}".rstrip(), answer.message)))
        return StorageError(f"{self.label} refused a request on {about}: {said}")

    async def _try(self, request: Request, *, after_retry: bool) -> Answer | _Trouble:
        request.headers["x-ms-version"] = SERVICE_VERSION
        await self._signer.sign(request)
        query = f"?{urlencode(request.query, quote_via=quote)}" if request.query else ""
        url = URL(self._origin + request.path + query, encoded=True)
        try:
            async with self._session.request(
                request.method, url, data=_data(request.body), headers=request.headers, allow_redirects=False
            ) as response:
                answer = Answer(response.status, response.headers, await response.read(), after_retry)
        except aiohttp.ClientConnectorDNSError:
            return _Trouble(reason="cannot be reached: there is no host of that name", was_sent=False)
        except aiohttp.ClientConnectorError as error:
            return _Trouble(reason=f"cannot be reached: {_system_text(error)}", was_sent=False)
        except TimeoutError:
            return _Trouble(reason=f"has not answered within {self._patience.answer:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return _Trouble(reason="has ended the connection", is_broken=isinstance(error, _ConnectionLostError))
        self._was_reached = True
        if answer.status in _TRY_AGAIN:
            return _Trouble(reason=f"answers {answer.status} {answer.code}".rstrip())
        return answer

    async def _pause(self, trouble: _Trouble, tries: int) -> None:
        if trouble.is_broken and tries == 0:
            return
        pauses = self._patience.pauses if self._was_reached else self._patience.first_pauses
        if tries >= len(pauses):
            raise UnavailableError(f"{self.label} {trouble.reason}; {self._cure()}.")
        if not self._is_out:
            self._is_out = True
            logger.warning("%s %s; trying again.", self.label, trouble.reason)
        await asyncio.sleep(pauses[tries] * random.uniform(0.75, 1.25))  # so that many do not come back at once

    def _recovered(self) -> None:
        if self._is_out:
            self._is_out = False
            logger.warning("%s answers again.", self.label)

    def _cure(self) -> str:
        if self._was_reached:
            return "look after it, then try again"
        return f"start it, or correct the address in {self._connection.setting}"


def _data(body: bytes) -> bytes | BytesIO | None:
    # aiohttp writes bytes at once, which keeps others waiting when they are many; it warns of that.
    return BytesIO(body) if len(body) > _MANY_BYTES else body or None


def _system_text(error: aiohttp.ClientConnectorError) -> str:
    if isinstance(error, aiohttp.ClientSSLError):  # its numbers are not the system's
        return f"no secure connection, {error.strerror or error}"
    return str(error) if error.errno is None else os.strerror(error.errno).lower()
