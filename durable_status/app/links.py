"""The management URLs: of one instance, and in the durable client binding."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from urllib.parse import quote_plus

WEBHOOK_BASE = "/runtime/webhooks/durabletask"
RPC_BASE = "/durabletask/"

# The keys of the payload in their order, with the end of the path and the query that goes before the common one.
_LINKS = {
    "statusQueryGetUri": ("", ""),
    "sendEventPostUri": ("/raiseEvent/{eventName}", ""),
    "terminatePostUri": ("/terminate", "reason={text}&"),
    "rewindPostUri": ("/rewind", "reason={text}&"),
    "purgeHistoryDeleteUri": ("", ""),
    "restartPostUri": ("/restart", ""),
    "suspendPostUri": ("/suspend", "reason={text}&"),
    "resumePostUri": ("/resume", "reason={text}&"),
}
_BINDING_INSTANCE_ID = "INSTANCEID"
_DEFAULT_CONNECTION = "Storage"
_GRPC_MEMBERS = ("httpBaseUrl", "maxGrpcMessageSizeInBytes", "grpcHttpClientTimeout")  # 3.x, null without gRPC


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Writes the URLs of one host: its hub, connection and system key."""

    hub: str
    connection: str | None
    key: str = field(repr=False)
    public_origin: str
    """Scheme, host and port under which the host calls itself."""
    rpc_base_url: str | None
    """None: the RPC endpoint is switched off, and the SDK's client says so."""
    writes_newer_members: bool

    def of_instance(self, origin: str, instance_id: str) -> dict[str, str]:
        """The check-status payload; its URLs carry the origin of the request."""
        links = self._management_urls(origin, instance_id, self.hub, self.connection)
        del links["rewindPostUri"]  # only the binding has it
        return links

    def client_binding(self, hub: str | None, connection: str | None) -> str:
        """The JSON text that a durable client parameter is bound to."""
        base = f"{self.public_origin}{WEBHOOK_BASE}"
        create = f"{base}/orchestrators/{{functionName}}[/{{instanceId}}]"
        wait = "timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}"
        hub, connection = hub or self.hub, connection or self.connection
        members = {
            "taskHubName": hub,
            "connectionName": None,
            "creationUrls": {
                "createNewInstancePostUri": f"{create}?code={self.key}",
                "createAndWaitOnNewInstancePostUri": f"{create}?{wait}&code={self.key}",
            },
            "managementUrls": self._management_urls(self.public_origin, _BINDING_INSTANCE_ID, hub, connection),
            "baseUrl": base,
            "requiredQueryStringParameters": f"code={self.key}",
            "rpcBaseUrl": self.rpc_base_url,
        }
        if self.writes_newer_members:
            members |= dict.fromkeys(_GRPC_MEMBERS)
        return json.dumps(members, separators=(",", ":"))

    def _management_urls(self, origin: str, instance_id: str, hub: str, connection: str | None) -> dict[str, str]:
        path = f"{origin}{WEBHOOK_BASE}/instances/{_escape(instance_id)}"
        connection = connection or _DEFAULT_CONNECTION
        query = f"taskHub={_escape(hub)}&connection={_escape(connection)}&code={self.key}"
        urls = {name: f"{path}{end}?{before}{query}" for name, (end, before) in _LINKS.items()}
        return {"id": instance_id, **urls}


def _escape(text: str) -> str:
    """Form-encode, as the platform does in its URLs: a blank becomes ``+``, which does not lead back to the id."""
    return quote_plus(text, safe="*().!")
