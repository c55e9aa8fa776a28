"""What the clients refuse to send, because the platform would turn it into damage. Nothing has been sent then."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from durable_status.errors import DurableStatusError, RefusedError
from durable_status.instance_status import ENDED, RuntimeStatus
from durable_status.status_codec import to_plain

_LONGEST_NAME = 256
_NOT_IN_A_NAME = "/\\?#%"
_DEEPEST_LEVEL = 60  # the host reads no deeper JSON

# The start of what Newtonsoft.Json takes for a JSON value, lenient as it is (http.md §1.1).
_JSON_START = re.compile(r"""\s*(?:[\[{"']|/[/*]|-?\.?\d|-?Infinity\b|(?:true|false|null|undefined|NaN|new)\b)""")
_ABSOLUTE_URL = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*:\S*\s*")


def instance_segment(instance_id: str) -> str:
    """An instance id as a segment of a path.

    Raises:
        RefusedError: it is none. The SDK pastes ids unescaped into the URL of a privileged request, where ``?``, ``#``
            and ``../`` reach other instances and other operations; and ids that begin with @ are entities, whose
            "input" is their state.
    """
    if instance_id.startswith("@"):
        raise RefusedError(f"{instance_id!r} is an entity, not an instance: instance ids do not begin with @.")
    return _segment(instance_id, "instance id")


def name_segment(name: str, kind: str) -> str:
    """The name of an event or of an orchestration as a segment of a path.

    Raises:
        RefusedError: it is none.
    """
    return _segment(name, kind)


def _segment(text: str, kind: str) -> str:
    bad = (
        not 1 <= len(text) <= _LONGEST_NAME
        or text in (".", "..")
        or any(character in _NOT_IN_A_NAME or unicodedata.category(character)[0] in "ZC" for character in text)
    )
    if bad:
        raise RefusedError(
            f"{text[:_LONGEST_NAME]!r} is no {kind}. It has 1 to {_LONGEST_NAME} characters, no blank, no control "
            f"character, none of {' '.join(_NOT_IN_A_NAME)}, and is not . or .."
        )
    return quote(text, safe="")


def reason_query(reason: str | None) -> dict[str, str]:
    """The query that gives the reason of a terminate, suspend, resume or rewind.

    Raises:
        RefusedError: it is an absolute URL, or starts like JSON.
    """
    if reason is None:
        return {}
    if _ABSOLUTE_URL.fullmatch(reason):
        # storage.md §2.6: the output column holds either a value or the URL of a blob with it.
        raise RefusedError(
            f"The reason {reason!r} is an absolute URL. On Azure Storage the platform takes it for the address of a "
            'stored value, and the status of the instance can no longer be read. Put a word before it: "see ...".'
        )
    if _JSON_START.match(reason):
        raise RefusedError(
            f"The reason {reason!r} starts like JSON. The platform keeps only its first JSON value: of "
            '"42 is enough" it shows 42. Put a word before it.'
        )
    return {"reason": reason}


def moment_text(moment: datetime, name: str) -> str:
    """A point in time in UTC.

    Raises:
        RefusedError: it has no zone. The platform takes such a time as the local time of its machine.
    """
    if moment.tzinfo is None:
        raise RefusedError(
            f"{name} has no time zone, and the platform would take it as the local time of its machine. "
            "Give it one, such as datetime.UTC."
        )
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def terminal_statuses(statuses: Collection[RuntimeStatus]) -> str:
    """The status list of a purge by filter.

    Raises:
        RefusedError: there is none, or one that is not terminal. From a list that holds no terminal status the platform
            concludes that all instances are meant, running ones and entities included.
    """
    live = sorted(status.value for status in statuses if RuntimeStatus(status) not in ENDED)
    if live or not statuses:
        raise RefusedError(
            f"A purge by filter names the terminal statuses to purge, not {', '.join(live) or 'none'}: the platform "
            "would delete running instances and entities, too. Terminate first what is still running."
        )
    return ",".join(sorted(RuntimeStatus(status).value for status in statuses))


def json_text(value: Any, what: str) -> str:
    """An input or payload as JSON text.

    Raises:
        RefusedError: it is not JSON, nor a typed value that can be written as JSON.
    """
    try:
        return json.dumps(to_plain(value, _DEEPEST_LEVEL), allow_nan=False)
    except (TypeError, ValueError, RecursionError, DurableStatusError) as error:
        raise RefusedError(f"{what} cannot be sent as JSON: {error}") from error
