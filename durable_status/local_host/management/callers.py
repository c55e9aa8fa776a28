"""Who may call the management API: programs on this machine, and no web page it was not opened to.

The platform's local endpoints check nobody, so any web page can start and purge instances through them (http.md §7.3).
These checks are ours; neither the SDK's client nor a tool such as curl is affected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from durable_status.local_host.reply import Reply, bare

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """Decides by the port that was called, Host and Origin."""

    rpc_port: int | None
    allowed_origins: Sequence[str]
    """Origins whose pages may call the webhook, as in ``Host.CORS``; ``*`` is any."""
    is_reached_from_outside: bool = False
    """Whether the webhook listens on more than loopback, so that its callers may know it by any name."""

    def refuse(self, port: int, headers: Mapping[str, str]) -> Reply | None:
        """The refusal, or None for who may call.

        Browsers send Origin, programs do not. A foreign Host is what a page gets through that had its own name resolved
        to this machine.
        """
        host, origin = headers["host"], headers.get("origin")
        if "," in host:  # two of them, which the platform's server refuses
            return bare(400)
        if port == self.rpc_port:
            if not _is_this_machine(host):
                return bare(400)
            return None if origin is None else bare(403)
        if "*" in self.allowed_origins:
            return None
        listed_hosts = {_host_of(listed) for listed in self.allowed_origins}
        if not (self.is_reached_from_outside or _is_this_machine(host) or host in listed_hosts):
            return bare(403)
        is_own_page = origin is None or _host_of(origin) == host or origin in self.allowed_origins
        return None if is_own_page else bare(403)


def _host_of(origin: str) -> str:
    return origin.partition("://")[2]


def _is_this_machine(host: str) -> bool:
    try:
        return urlsplit(f"//{host}").hostname in _THIS_MACHINE
    except ValueError:
        return False
