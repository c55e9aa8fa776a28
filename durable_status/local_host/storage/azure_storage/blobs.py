"""Blobs in the containers of a storage account, and leases of them (storage.md §1, §2.6).

A lease is the right to change a blob, for some seconds. Who asks chooses its id: to ask again with the same id is the
same lease again, so a request may be sent twice, and a host may write down beforehand what it is going to hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote
from xml.etree import ElementTree

from durable_status.local_host.storage.azure_storage.endpoint import Endpoint
from durable_status.local_host.storage.azure_storage.errors import LeaseLostError
from durable_status.local_host.storage.azure_storage.refusals import Answer

OCTETS = "application/octet-stream"
"""The type of all that a hub stores."""

_CONTAINER = {"restype": "container"}
_LEASED = "leased"


@dataclass(frozen=True, slots=True)
class ListedBlob:
    """A blob's name, and whether somebody holds a lease of it now."""

    name: str
    is_leased: bool


class BlobContainers:
    """The blob service of an account. Every method raises `StorageError` if it cannot be used."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    @property
    def url(self) -> str:
        """The address of the service, without a slash at the end; containers are below it."""
        return self._endpoint.url

    async def create(self, container: str) -> None:
        """Create a container, if it is not there."""
        answer = await self._endpoint.send("PUT", f"/{container}", query=_CONTAINER)
        if answer.code != "ContainerAlreadyExists":
            self._check(answer, container)

    async def exists(self, container: str) -> bool:
        """Whether there is such a container."""
        return await self._container_lease(container) is not None

    async def is_container_leased(self, container: str) -> bool:
        """Whether somebody holds a lease of the container now; not if there is none."""
        return await self._container_lease(container) == _LEASED

    async def list(self, container: str, prefix: str = "") -> list[ListedBlob]:
        """The blobs whose names begin with `prefix`, in the order of their names; none if there is no container."""
        found: list[ListedBlob] = []
        marker = ""
        while True:
            query = {**_CONTAINER, "comp": "list", "prefix": prefix, "marker": marker}
            sent = {name: value for name, value in query.items() if value}
            answer = await self._endpoint.send("GET", f"/{container}", query=sent)
            if answer.status == 404:
                return found
            self._check(answer, container)
            page = ElementTree.fromstring(answer.body)
            found += [
                ListedBlob(blob.findtext("Name", ""), blob.findtext("Properties/LeaseState") == _LEASED)
                for blob in page.iterfind("Blobs/Blob")
            ]
            if not (marker := page.findtext("NextMarker") or ""):
                return found

    async def get(self, container: str, name: str) -> bytes | None:
        """A blob's content, or None if there is no such blob or container."""
        answer = await self._endpoint.send("GET", _path(container, name))
        if answer.status == 404:
            return None
        self._check(answer, container)
        return answer.body

    async def put(
        self, container: str, name: str, content: bytes, *, content_type: str = OCTETS, lease_id: str | None = None
    ) -> None:
        """Write a blob, whether it is there or not; its container is made when it is missing.

        Args:
            lease_id: the lease under which it is written; needed if there is one.

        Raises:
            LeaseLostError: somebody else has a lease of the blob, or `lease_id` is not one of it any more.
        """
        headers = {} if lease_id is None else {"x-ms-lease-id": lease_id}
        answer = await self._put(container, name, content, content_type, headers)
        self._check_lease(answer, name)
        self._check(answer, container)

    async def put_new(self, container: str, name: str, content: bytes, *, content_type: str = OCTETS) -> bool:
        """Write a blob, whose container is made when it is missing, only if it is not there; whether it was not.

        If the answer to a first try was lost, False may mean that this try wrote it.
        """
        answer = await self._put(container, name, content, content_type, {"If-None-Match": "*"})
        if answer.status in (409, 412):  # 412: there, and leased
            return False
        self._check(answer, container)
        return True

    async def delete(self, container: str, name: str) -> bool:
        """Delete a blob; whether it was there.

        If the answer to a first try was lost, False may mean that this try deleted it.

        Raises:
            LeaseLostError: somebody has a lease of the blob.
        """
        answer = await self._endpoint.send("DELETE", _path(container, name))
        if answer.status == 404:
            return False
        self._check_lease(answer, name)
        self._check(answer, container)
        return True

    async def acquire(self, container: str, name: str, lease_id: str, *, seconds: int) -> bool:
        """Get a lease of a blob (15 to 60 s), or renew it if it has that id; False if there is another lease."""
        headers = {"x-ms-proposed-lease-id": lease_id, "x-ms-lease-duration": str(seconds)}
        answer = await self._lease("acquire", container, name, headers)
        if answer.code.startswith("Lease"):
            return False
        self._check(answer, f"{container}/{name}")
        return True

    async def renew(self, container: str, name: str, lease_id: str) -> None:
        """Make a lease last from now. One that has run out is renewed, too, if nothing happened to the blob since.

        Raises:
            LeaseLostError: it was broken, released or taken, or the blob is gone.
        """
        answer = await self._lease("renew", container, name, {"x-ms-lease-id": lease_id})
        self._check_lease(answer, name)
        self._check(answer, container)

    async def release(self, container: str, name: str, lease_id: str) -> None:
        """Give a lease back, so that the blob is free at once.

        Raises:
            LeaseLostError: it was broken, released or taken, or the blob is gone.
        """
        answer = await self._lease("release", container, name, {"x-ms-lease-id": lease_id})
        self._check_lease(answer, name)
        self._check(answer, container)

    async def _container_lease(self, container: str) -> str | None:
        answer = await self._endpoint.send("GET", f"/{container}", query=_CONTAINER)
        if answer.status == 404:
            return None
        self._check(answer, container)
        return answer.headers.get("x-ms-lease-state", "")

    async def _put(
        self, container: str, name: str, content: bytes, content_type: str, headers: Mapping[str, str]
    ) -> Answer:
        sent = {"x-ms-blob-type": "BlockBlob", "Content-Type": content_type, **headers}
        answer = await self._endpoint.send("PUT", _path(container, name), headers=sent, body=content)
        if answer.code != "ContainerNotFound":
            return answer
        await self.create(container)
        return await self._endpoint.send("PUT", _path(container, name), headers=sent, body=content)

    async def _lease(self, action: str, container: str, name: str, headers: Mapping[str, str]) -> Answer:
        query = {"comp": "lease"}
        sent = {"x-ms-lease-action": action, **headers}
        return await self._endpoint.send("PUT", _path(container, name), query=query, headers=sent)

    def _check_lease(self, answer: Answer, name: str) -> None:
        if answer.status == 404 or answer.code.startswith("Lease"):
            raise LeaseLostError(f"the lease of {name} is lost ({answer.code}).", after_retry=answer.after_retry)

    def _check(self, answer: Answer, about: str) -> None:
        if answer.status >= 400:
            raise self._endpoint.refusal(answer, about)


def _path(container: str, name: str) -> str:
    return f"/{container}/" + "/".join(quote(part, safe="") for part in name.split("/"))
