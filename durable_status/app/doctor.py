"""Examines an app for what keeps it from running here or in Azure."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from durable_status.app.errors import AppError
from durable_status.app.function_folders import function_folders
from durable_status.app.functions import App
from durable_status.app.host_settings import FILE_NAME as HOST_FILE
from durable_status.app.load import find_app
from durable_status.app.local_settings import FILE_NAME as LOCAL_FILE
from durable_status.app.settings_file import read_settings_file

_BUNDLE = "Microsoft.Azure.Functions.ExtensionBundle"
_BUNDLE_CURE = f'write "extensionBundle": {{"id": "{_BUNDLE}", "version": "[4.*, 5.0.0)"}}'
_OLDEST_PYTHON, _NEWEST_PYTHON = (3, 10), (3, 13)
_RANGE = re.compile(r"[\[(]\s*(\d+)(?:\.[\d*]+)*\s*,.*[\])]")
_DURABLE = "azure-functions-durable"


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence with its cure; a remark does not keep the app from running."""

    text: str
    is_error: bool = False


def examine(root: Path, environment: MutableMapping[str, str]) -> list[Finding]:
    """Examine the app in `root`. Its settings go into `environment`, and its modules are imported."""
    root = root.resolve()
    if not root.is_dir():
        return [Finding(f"there is no folder {root}.", is_error=True)]
    findings = list(_python_findings())
    findings += _requirement_findings(root)
    try:
        app = find_app(root, environment)
    except AppError as error:
        return [*findings, Finding(str(error), is_error=True)]
    if not app.functions:
        findings.append(Finding(f"the app in {root} has no function that can be loaded.", is_error=True))
    findings += [Finding(problem, is_error=True) for problem in app.problems]
    findings += [Finding(loss, is_error=True) for loss in filter(None, [app.loss])]
    findings += [Finding(notice) for notice in app.notices]
    findings += _bundle_findings(root)
    findings += _settings_findings(app, environment)
    return findings


def _python_findings() -> Iterator[Finding]:
    if not _OLDEST_PYTHON <= sys.version_info[:2] <= _NEWEST_PYTHON:
        wanted = "{}.{} to {}.{}".format(*_OLDEST_PYTHON, *_NEWEST_PYTHON)
        found = "{}.{}".format(*sys.version_info[:2])
        yield Finding(f"this is Python {found}; Azure Functions has {wanted}: use one of those.")


def _requirement_findings(root: Path) -> Iterator[Finding]:
    from packaging.requirements import InvalidRequirement, Requirement  # a tenth of the start-up time of `start`

    path = root / "requirements.txt"
    if not path.is_file():
        yield Finding(f"there is no requirements.txt; Azure installs nothing without it: list {_DURABLE} in one.")
        return
    names = set()
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        text = line.partition("#")[0].strip()
        if not text or text.startswith("-"):
            continue
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            yield Finding(f"requirements.txt: '{text}' is no requirement; write it as name>=version.", is_error=True)
            continue
        names.add(requirement.name.casefold().replace("_", "-"))
        yield from _one_requirement(requirement, is_older_model=bool(function_folders(root)))
    if _DURABLE not in names:
        yield Finding(f"requirements.txt does not list {_DURABLE}; add it, or Azure does not install it.")


def _one_requirement(requirement: Any, *, is_older_model: bool) -> Iterator[Finding]:
    if requirement.marker is not None and not requirement.marker.evaluate():
        return
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        yield Finding(
            f"requirements.txt asks for {requirement}, which is not installed; run: pip install -r requirements.txt",
            is_error=True,
        )
        return
    if not requirement.specifier.contains(installed, prereleases=True):
        yield Finding(
            f"requirements.txt asks for {requirement}, installed is {installed}; run: pip install -r requirements.txt",
            is_error=True,
        )
    if requirement.name.casefold().replace("_", "-") != _DURABLE:
        return
    if not installed.startswith("1."):
        yield Finding(f'{_DURABLE} {installed} is not run here; install "{_DURABLE}>=1.2,<2".', is_error=True)
    if is_older_model and requirement.specifier.contains("2.0", prereleases=True):
        yield Finding(
            f"folders with function.json do not run on {_DURABLE} 2.x, which requirements.txt allows; "
            f"write {_DURABLE}<2 there."
        )


def _bundle_findings(root: Path) -> Iterator[Finding]:
    bundle: Any = read_settings_file(root / HOST_FILE).get("extensionBundle")
    if not isinstance(bundle, dict):
        yield Finding(f"{HOST_FILE} names no extension bundle, so Azure has no durable extension; {_BUNDLE_CURE}.")
        return
    if str(bundle.get("id")) != _BUNDLE:
        yield Finding(f"{HOST_FILE}: the extension bundle is {bundle.get('id')}; {_BUNDLE_CURE}.")
    found = _RANGE.fullmatch(str(bundle.get("version")))
    if found is None or int(found[1]) < 4:
        yield Finding(f"{HOST_FILE}: the bundle's version is {bundle.get('version')}; {_BUNDLE_CURE}.")


def _settings_findings(app: App, environment: MutableMapping[str, str]) -> Iterator[Finding]:
    name = app.settings.connection_name or "AzureWebJobsStorage"
    settings = (name, f"AzureWebJobs{name}", f"{name}__accountName", f"{name}__tableServiceUri")
    if not any(environment.get(setting) for setting in settings):
        yield Finding(
            f"the setting {name} has no value; func start and Azure need one: "
            f'put "{name}": "UseDevelopmentStorage=true" into {LOCAL_FILE}.'
        )
    runtime = environment.get("FUNCTIONS_WORKER_RUNTIME")
    if runtime != "python":
        yield Finding(f'FUNCTIONS_WORKER_RUNTIME is {runtime or "not set"}; put "python" into {LOCAL_FILE}.')
    if app.settings.hub_name == "TestHubName":
        yield Finding(
            f"{HOST_FILE} names no task hub; apps that share a storage account then share TestHubName: "
            "set extensions.durableTask.hubName."
        )
    if (app.root / LOCAL_FILE).is_file():
        is_left_out = any(_mentions(app.root / file, LOCAL_FILE) for file in (".funcignore", ".gitignore"))
        if not is_left_out:
            yield Finding(
                f"{LOCAL_FILE} is in neither .funcignore nor .gitignore; list it there, or keep it secret-free."
            )
        if "IsEncrypted" not in read_settings_file(app.root / LOCAL_FILE):
            yield Finding(
                f'{LOCAL_FILE} has no IsEncrypted; func start takes it as encrypted: add "IsEncrypted": false.'
            )


def _mentions(path: Path, name: str) -> bool:
    if not path.is_file():
        return False
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return any(fnmatch(name, line.strip().strip("/")) for line in lines if line.strip())
