"""What opens a storage account, as the SDKs take it."""

from __future__ import annotations

from typing import Any

from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential

from durable_status.task_hub.connection import AccountKey, Credential, Identity, SharedAccessSignature


def sdk_credential(credential: Credential, *, is_async: bool) -> Any:
    """A credential as the SDKs take it; that of an identity has to be closed."""
    match credential:
        case AccountKey(name, key):
            return AzureNamedKeyCredential(name, key)
        case SharedAccessSignature(token):
            return AzureSasCredential(token)
        case Identity():
            return _identity(credential, is_async=is_async)


def _identity(identity: Identity, *, is_async: bool) -> Any:
    # By the rules of the Functions host. Imported when used: only connections by identity pay for it.
    if is_async:
        from azure.identity import aio as kinds
    else:
        import azure.identity as kinds

    if identity.managed:
        return kinds.ManagedIdentityCredential(client_id=identity.client_id)
    if identity.client_secret is not None:
        return kinds.ClientSecretCredential(identity.tenant_id, identity.client_id, identity.client_secret)
    return kinds.DefaultAzureCredential(managed_identity_client_id=identity.client_id)
