"""What of host.json has no effect: here, because one machine has no use for it, or anywhere, for nobody knows it."""

from __future__ import annotations

from collections.abc import Iterator

from durable_status.app.section import HOST_FILE, Section

# What the durable extension knows and a host on one machine has no use for; said once at the start.
_UNUSED = (
    "extendedSessionIdleTimeoutInSeconds",
    "notifications",
    "appLeaseOptions",
    "throwStatusExceptionsOnRaiseEvent",
    "useGracefulShutdown",
)
_USED_OF_AZURE_STORAGE = (
    "type",
    "connectionname",
    "connectionstringname",
    "partitioncount",
    "controlqueuebufferthreshold",
    "controlqueuevisibilitytimeout",
    "workitemqueuevisibilitytimeout",
    "maxqueuepollinginterval",
)

# Every member that extensions 2.13 to 3.19 read, by the object that it is in.
_KNOWN = {
    "": (
        "appLeaseOptions",
        "defaultVersion",
        "entityMessageReorderWindowInMinutes",
        "extendedSessionIdleTimeoutInSeconds",
        "extendedSessionsEnabled",
        "grpcHttpClientTimeout",
        "httpSettings",
        "hubName",
        "localRpcEndpointEnabled",
        "maxConcurrentActivityFunctions",
        "maxConcurrentEntityFunctions",
        "maxConcurrentOrchestratorFunctions",
        "maxEntityOperationBatchSize",
        "maxGrpcMessageSizeInBytes",
        "maxOrchestrationActions",
        "notifications",
        "overridableExistingInstanceStates",
        "rollbackEntityOperationsOnExceptions",
        "storageProvider",
        "storeInputsInOrchestrationHistory",
        "throwStatusExceptionsOnRaiseEvent",
        "tracing",
        "useAppLease",
        "useGracefulShutdown",
        "versionFailureStrategy",
        "versionMatchStrategy",
    ),
    "httpSettings": ("defaultAsyncRequestSleepTimeMilliseconds", "useForwardedHost"),
    "storageProvider": (
        "allowReplayingTerminalInstances",
        "connectionName",
        "connectionStringName",
        "controlQueueBatchSize",
        "controlQueueBufferThreshold",
        "controlQueueVisibilityTimeout",
        "fetchLargeMessagesAutomatically",
        "maxQueuePollingInterval",
        "partitionCount",
        "partitionTableOperationTimeout",
        "queueClientMessageEncoding",
        "trackingStoreConnectionName",
        "trackingStoreConnectionStringName",
        "trackingStoreNamePrefix",
        "type",
        "useInstanceTableEtag",
        "useLegacyPartitionManagement",
        "useTablePartitionManagement",
        "workItemQueueVisibilityTimeout",
    ),
    "tracing": (
        "allowVerboseLinuxTelemetry",
        "distributedTracingEnabled",
        "distributedTracingProtocol",
        "traceInputsAndOutputs",
        "traceReplayEvents",
        "version",
    ),
}
_DURABLE = "extensions.durableTask"
# Objects of version 1 of host.json, and where they have gone.
_MOVED = {"durableTask": _DURABLE, "http": "extensions.http", "logger": "logging"}


def find_notices(content: Section, other_provider: str | None) -> Iterator[str]:
    """A sentence for each thing; `other_provider` is the storage provider if it is not Azure Storage."""
    for name, place in _MOVED.items():
        if content.value(name) is not None:
            yield f'{HOST_FILE}: "{name}" at the top has no effect, as in version 1; move it to {place}.'
    durable = content.section("extensions").section("durableTask")
    unused = [name for name in _UNUSED if durable.value(name) is not None]
    if unused:
        yield f"{HOST_FILE}: no effect here: {', '.join(unused)}."
    yield from _unknown(durable, other_provider)
    storage_provider = durable.section("storageProvider")
    known = {name.casefold() for name in _KNOWN["storageProvider"]}
    tuning = [name for name in storage_provider if name in known and name not in _USED_OF_AZURE_STORAGE]
    if other_provider is not None:
        yield f"{HOST_FILE}: {other_provider} is not used here; the app runs as it would on AzureStorage."
    elif tuning:
        yield f"{HOST_FILE}: no effect here, of storageProvider: {', '.join(tuning)}."
    if durable.truth("extendedSessionsEnabled"):
        yield f"{HOST_FILE}: extendedSessionsEnabled is not available to Python apps; it is switched off."


def _unknown(durable: Section, other_provider: str | None) -> Iterator[str]:
    """The members that the durable extension does not know, and what may have been meant."""
    for inner, names in _KNOWN.items():
        if inner == "storageProvider" and other_provider is not None:
            continue  # those of others are for them to know
        section = durable.section(inner) if inner else durable
        place = f"{_DURABLE}.{inner}" if inner else _DURABLE
        for name in section.names:
            if name.casefold() not in {known.casefold() for known in names}:
                yield f"{HOST_FILE}: {place} has no member {name}, so it has no effect{_meant(name, inner)}"


def _meant(name: str, inner: str) -> str:
    for place, names in _KNOWN.items():
        if place != inner and name.casefold() in {known.casefold() for known in names}:
            return f"; it belongs to {f'{_DURABLE}.{place}' if place else _DURABLE}."
    from difflib import get_close_matches  # few need it, and start-up time counts

    spelled = {known.casefold(): known for known in _KNOWN[inner]}
    close = get_close_matches(name.casefold(), spelled, n=1, cutoff=0.75)
    return f"; write {spelled[close[0]]}." if close else "; take it out."
