"""What lets a request in: a signature by the account's key, a signed permission, or the token of an identity.

https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
"""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl

from durable_status.local_host.errors import StorageError
from durable_status.task_hub.connection import AccountKey, Identity, SharedAccessSignature

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken
    from azure.core.credentials_async import AsyncTokenCredential

_SCOPE = "https://storage.azure.com/.default"
_RENEWED_BEFORE = 300.0  # seconds before its end that a token is replaced


@dataclass(slots=True)
class Request:
    """One try of a request. `path` is the whole path, percent-encoded; `query` is not encoded."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Signer(Protocol):
    """Adds to a request what lets it in."""

    async def sign(self, request: Request) -> None:
        """Change the headers or the query of a request; to be done anew for every try."""


class KeySigner:
    """Signs by the account's key. What is signed differs from service to service."""

    def __init__(self, account: AccountKey, signed_text: Callable[[Request, str], str], scheme: str) -> None:
        self._account = account.name
        self._key = base64.b64decode(account.key)
        self._signed_text = signed_text
        self._scheme = scheme

    async def sign(self, request: Request) -> None:
        request.headers["x-ms-date"] = formatdate(usegmt=True)
        text = self._signed_text(request, f"/{self._account}{request.path}")
        signature = base64.b64encode(hmac.digest(self._key, text.encode(), "sha256")).decode()
        request.headers["Authorization"] = f"{self._scheme} {self._account}:{signature}"


def shared_key_lite(account: AccountKey) -> KeySigner:
    """Sign requests to tables."""

    def signed_text(request: Request, resource: str) -> str:
        return f"{request.headers['x-ms-date']}\n{resource}"

    return KeySigner(account, signed_text, "SharedKeyLite")


def shared_key(account: AccountKey) -> KeySigner:
    """Sign requests to queues and blobs, for which Azurite does not know the shorter form."""

    def signed_text(request: Request, resource: str) -> str:
        headers = request.headers
        own = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers) if name.startswith("x-ms-"))
        query = "".join(f"\n{name}:{request.query[name]}" for name in sorted(request.query))
        length, kind = len(request.body) or "", headers.get("Content-Type", "")
        condition = headers.get("If-None-Match", "")
        return f"{request.method}\n\n\n{length}\n\n{kind}\n\n\n\n{condition}\n\n\n{own}{resource}{query}"

    return KeySigner(account, signed_text, "SharedKey")


class SignatureSigner:
    """Adds a shared access signature."""

    def __init__(self, signature: SharedAccessSignature) -> None:
        self._members = dict(parse_qsl(signature.token.replace("+", "%2B")))  # a plus in Base64 is no blank

    async def sign(self, request: Request) -> None:
        request.query |= self._members


class TokenSigner:
    """Adds the bearer token of an identity, which is asked for again shortly before it ends.

    `setting` is the connection's, for messages.
    """

    def __init__(self, credential: AsyncTokenCredential, setting: str) -> None:
        self._credential = credential
        self._setting = setting
        self._header = ""
        self._good_until = 0.0

    async def sign(self, request: Request) -> None:
        """Add the token.

        Raises:
            StorageError: there is none.
        """
        if time.time() > self._good_until:
            token = await self._token()
            self._header, self._good_until = f"Bearer {token.token}", token.expires_on - _RENEWED_BEFORE
        request.headers["Authorization"] = self._header

    async def _token(self) -> AccessToken:
        # Imported when used, as below: only connections by identity pay for it.
        from azure.core.exceptions import AzureError

        try:
            return await self._credential.get_token(_SCOPE)
        except AzureError as error:
            reason = str(error).partition("\n")[0].rstrip(". ")
            raise StorageError(
                f"the identity of {self._setting} gives no token: {reason}; sign in (az login), or correct the "
                f"settings {self._setting}__credential and {self._setting}__clientId."
            ) from error


def open_identity(identity: Identity) -> AsyncTokenCredential:
    """The credential of an identity, for asyncio; its user closes it."""
    from durable_status.payloads.credentials import sdk_credential

    credential: AsyncTokenCredential = sdk_credential(identity, is_async=True)
    return credential
