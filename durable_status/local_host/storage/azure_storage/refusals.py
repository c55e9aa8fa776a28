"""What a service answered, and what its refusals mean to the user: one line with the cure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from durable_status.local_host.errors import StorageError
from durable_status.task_hub.connection import AccountKey, Identity, SharedAccessSignature, StorageConnection

_CODE = re.compile(r'"code"\s*:\s*"([^"]*)"|<Code>([^<]*)</Code>')
_MESSAGE = re.compile(r'"value"\s*:\s*"((?:[^"\\]|\\.)*)"|<Message>([^<]*)</Message>')
_MAX_SKEW_MINUTES = 15  # of the services
_ROLES = "Storage Blob Data Contributor, Storage Queue Data Contributor and Storage Table Data Contributor"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    after_retry: bool
    """Whether the request had been sent before: it may have been carried out by the first try, or twice."""

    @property
    def code(self) -> str:
        """The service's name for what is wrong, such as ``QueueNotFound``; empty if it says none."""
        return self.headers.get("x-ms-error-code") or _found(_CODE, self.body)

    @property
    def message(self) -> str:
        """What is wrong, in the service's words; one line."""
        return re.split(r"\\n|\n", _found(_MESSAGE, self.body), maxsplit=1)[0].strip()


def not_let_in(answer: Answer, label: str, connection: StorageConnection) -> StorageError:
    """The error for an answer 401 or 403; `label` says which service answered."""
    return StorageError(_why_not_let_in(answer, label, connection))


def _why_not_let_in(answer: Answer, label: str, connection: StorageConnection) -> str:
    skew = _skew_minutes(answer)
    if skew > _MAX_SKEW_MINUTES:
        return f"{label} refused a request because this machine's clock is {skew} minutes off its own; set the clock."
    is_unknown = answer.status == 401 or answer.code == "AuthenticationFailed"
    setting = connection.setting
    code = answer.code or str(answer.status)
    firewall = f"{code}; the account's firewall may be the reason, too"
    match connection.credential, is_unknown:
        case AccountKey(name=name), _:  # whatever Azure means by it, Azurite says AuthorizationFailure for a wrong key
            other = "" if is_unknown else ", or let this machine through the account's firewall"
            return (
                f"{label} does not accept the key of the account '{name}' in {setting} ({code}); copy the connection "
                f"string again from the portal (storage account, Access keys){other}."
            )
        case SharedAccessSignature(), True:
            return f"{label} does not accept the shared access signature in {setting}: wrong, or ended; make a new one."
        case Identity(), True:
            return f"{label} does not accept the identity of {setting}; is it of the account's own tenant?"
        case SharedAccessSignature(), False:
            return (
                f"the shared access signature in {setting} does not allow a request to {label} ({firewall}); make one "
                "for blobs, queues and tables, for services, containers and objects, with all permissions."
            )
        case _:
            return (
                f"the identity of {setting} has no permission for a request to {label} ({firewall}); give it the roles "
                f"{_ROLES} on the account."
            )


def _skew_minutes(answer: Answer) -> int:
    try:
        theirs = parsedate_to_datetime(answer.headers["Date"])
    except (KeyError, ValueError):
        return 0
    return int(abs((datetime.now(UTC) - theirs).total_seconds()) // 60)


def _found(pattern: re.Pattern[str], body: bytes) -> str:
    found = pattern.search(body.decode(errors="replace"))
    return next(filter(None, found.groups()), "") if found else ""
