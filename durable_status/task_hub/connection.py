"""Where a storage account is and what opens it, read from an app's settings as the Functions host reads them.

A connection has a name, such as ``AzureWebJobsStorage``. Its settings are either one, a connection string, or several
that begin with the name and two underscores: a connection by identity. Names of settings are compared without regard
to case, and ``AzureWebJobs`` in front of a name is found first: the connection ``Storage`` is ``AzureWebJobsStorage``.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

DEFAULT_CONNECTION = "AzureWebJobsStorage"

_PREFIX = "AzureWebJobs"
_PUBLIC_SUFFIX = "core.windows.net"
_KINDS = ("blob", "queue", "table")
_ACCOUNT_NAME = re.compile(r"[a-z0-9]{3,24}")
# Public: everybody's emulator has this account.
_EMULATOR_ACCOUNT = "devstoreaccount1"
_EMULATOR_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_EMULATOR_PORTS = {"blob": 10000, "queue": 10001, "table": 10002}
_CURE = "a connection string of the storage account, or UseDevelopmentStorage=true for Azurite"


@dataclass(frozen=True, slots=True)
class AccountKey:
    """The account's key, in Base64: everything is allowed."""

    name: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SharedAccessSignature:
    """A signed permission; `token` is added to the query of every request, it has no ``?``."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """An identity in Entra ID; without any of these, the one that the machine or its user has."""

    managed: bool = False
    """The identity that the platform gives to the app, or the one with `client_id` of those."""
    client_id: str | None = None
    tenant_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)


Credential = AccountKey | SharedAccessSignature | Identity


@dataclass(frozen=True, slots=True)
class StorageConnection:
    """A storage account. Its representation tells no secret.

    The addresses of its services have no slash at the end; an emulator's have the account's name as their path.
    """

    blob_url: str
    queue_url: str
    table_url: str
    credential: Credential
    setting: str = DEFAULT_CONNECTION
    """The setting it was read from, for messages to the user."""


def read_connection(name: str, settings: Mapping[str, str]) -> StorageConnection:
    """Read the connection `name` from an app's settings.

    `name` is as in host.json (``storageProvider.connectionName``) or in a binding; ``AzureWebJobsStorage`` is the
    platform's default.

    Raises:
        ValueError: the settings do not say where the account is and what opens it. The text is one line with the cure
            and tells no secret.
    """
    for setting in (_PREFIX + name, name):
        # A colon does what two underscores do, where the name of a setting can have one.
        found = {key.lower().replace(":", "__"): value.strip() for key, value in settings.items()}
        if text := found.get(setting.lower()):
            return _from_text(setting, text)
        start = f"{setting.lower()}__"
        members = {key.removeprefix(start): value for key, value in found.items() if key.startswith(start) and value}
        if members:
            return _from_identity(setting, members)
    raise ValueError(
        f"the setting {name} is missing or empty; set it to {_CURE}, or set {name}__accountName to connect by identity."
    )


def _from_text(setting: str, text: str) -> StorageConnection:
    parts = _parts(setting, text)
    if parts.get("usedevelopmentstorage", "").lower() == "true":
        return _emulator(setting, parts.get("developmentstorageproxyuri", "http://127.0.0.1"))
    urls = {kind: _endpoint(setting, parts, kind) for kind in _KINDS}
    return StorageConnection(urls["blob"], urls["queue"], urls["table"], _text_credential(setting, parts), setting)


def _parts(setting: str, text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise ValueError(
                f"the setting {setting} is no connection string (Name=Value;Name=Value); set it to {_CURE}."
            )
        if name.strip().lower() in parts:
            raise ValueError(f"the connection string in {setting} says {name.strip()!r} twice; remove one.")
        parts[name.strip().lower()] = value.strip()
    return parts


def _emulator(setting: str, proxy: str) -> StorageConnection:
    origin = _checked_url(setting, "DevelopmentStorageProxyUri", proxy)
    urls = {kind: f"{origin}:{port}/{_EMULATOR_ACCOUNT}" for kind, port in _EMULATOR_PORTS.items()}
    key = AccountKey(_EMULATOR_ACCOUNT, _EMULATOR_KEY)
    return StorageConnection(urls["blob"], urls["queue"], urls["table"], key, setting)


def _endpoint(setting: str, parts: Mapping[str, str], kind: str) -> str:
    member = f"{kind.capitalize()}Endpoint"
    if url := parts.get(member.lower()):
        return _checked_url(setting, member, url)
    account = parts.get("accountname")
    if not account:
        raise ValueError(
            f"the connection string in {setting} has neither AccountName nor {member}; copy all of it from the "
            "portal (storage account, Access keys)."
        )
    suffix = parts.get("endpointsuffix") or _PUBLIC_SUFFIX
    return _account_url(setting, account, kind, suffix, parts.get("defaultendpointsprotocol") or "https")


def _text_credential(setting: str, parts: Mapping[str, str]) -> Credential:
    if token := parts.get("sharedaccesssignature"):
        return SharedAccessSignature(token.removeprefix("?"))
    account, key = parts.get("accountname"), parts.get("accountkey")
    if not account or not key:
        missing = "AccountKey" if account else "AccountName"
        raise ValueError(
            f"the connection string in {setting} has no {missing} and no SharedAccessSignature; copy all of it from "
            "the portal (storage account, Access keys)."
        )
    try:
        base64.b64decode(key, validate=True)
    except ValueError:
        raise ValueError(
            f"the AccountKey in {setting} is not Base64, so it is not all of the key; copy it again from the portal "
            "(storage account, Access keys)."
        ) from None
    return AccountKey(account, key)


def _from_identity(setting: str, members: Mapping[str, str]) -> StorageConnection:
    urls = {kind: _service_uri(setting, members, kind) for kind in _KINDS}
    return StorageConnection(urls["blob"], urls["queue"], urls["table"], _identity(setting, members), setting)


def _service_uri(setting: str, members: Mapping[str, str], kind: str) -> str:
    name = f"{kind}ServiceUri"
    if url := members.get(name.lower()):
        return _checked_url(setting, f"{setting}__{name}", url)
    account = members.get("accountname")
    if not account:
        raise ValueError(
            f"a connection by identity needs {setting}__accountName, or {setting}__{name} beside the addresses of the "
            "other services; neither is set."
        )
    return _account_url(setting, account, kind, _PUBLIC_SUFFIX, "https")


def _identity(setting: str, members: Mapping[str, str]) -> Identity:
    kind = members.get("credential", "").lower()
    if kind not in ("", "managedidentity"):
        raise ValueError(
            f"{setting}__credential is not managedidentity; set it to that, or remove it to connect as the developer "
            "who is signed in."
        )
    client_id, tenant_id, secret = members.get("clientid"), members.get("tenantid"), members.get("clientsecret")
    if secret and not (client_id and tenant_id):
        raise ValueError(f"{setting}__clientSecret needs {setting}__clientId and {setting}__tenantId beside it.")
    return Identity(managed=kind == "managedidentity", client_id=client_id, tenant_id=tenant_id, client_secret=secret)


def _account_url(setting: str, account: str, kind: str, suffix: str, scheme: str) -> str:
    if _ACCOUNT_NAME.fullmatch(account) is None:
        raise ValueError(
            f"the account's name in {setting} cannot be one: a storage account's has 3 to 24 lower-case letters and "
            "digits; copy it from the portal."
        )
    return _checked_url(setting, "EndpointSuffix", f"{scheme}://{account}.{kind}.{suffix}")


def _checked_url(setting: str, member: str, url: str) -> str:
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or parts.query or parts.fragment or parts.username:
        # The address itself may hold a signature.
        raise ValueError(
            f"{member} in {setting} is no address such as https://account.table.core.windows.net (without a query)."
        )
    return url.rstrip("/")
