"""What the SDK warns of in Python's way never reaches the terminal: each is one of our sentences, or nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.host_process import host_process, run_command
from tests.paths import APPS


@pytest.mark.conforms("H5-52")
def test_an_event_that_comes_too_early_is_told_in_our_words_only() -> None:
    async def main() -> str:
        async with host_process(APPS / "traps", "--storage", "memory") as host:
            await host.manage("POST", "orchestrators/waits_late/i")
            await host.raise_event("i", "go", 1)
            await host.raise_event("i", "first", 1)
            while "Wait for the event before it can come" not in host.stderr:
                await host.status("i")
            await host.stop()
            return host.stderr

    errors = asyncio.run(asyncio.wait_for(main(), 180))

    assert "Potential duplicate" not in errors
    assert "UserWarning" not in errors


@pytest.fixture
def old_app(tmp_path: Path) -> Path:
    """An app of the older model with a bundle of version 1."""
    (tmp_path / "Echo").mkdir()
    (tmp_path / "Echo" / "function.json").write_text('{"bindings": [{"type": "activityTrigger", "name": "x"}]}')
    (tmp_path / "Echo" / "__init__.py").write_text("import azure.durable_functions\ndef main(x): return x\n")
    bundle = '{"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[1.*, 2.0.0)"}'
    (tmp_path / "host.json").write_text(f'{{"version": "2.0", "extensionBundle": {bundle}}}')
    (tmp_path / "requirements.txt").write_text("azure-functions-durable\n")
    return tmp_path


@pytest.mark.conforms("H5-52")
def test_an_app_of_the_older_model_starts_without_a_warning_of_the_sdk(
    old_app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(old_app)

    async def main() -> str:
        async with host_process(old_app, "--storage", "memory") as host:
            assert "  activities: Echo" in host.banner
            await host.stop()
            return host.stderr

    assert "Warning" not in asyncio.run(main())


@pytest.mark.conforms("H5-52")
def test_doctor_says_what_the_sdk_would_warn_of(old_app: Path) -> None:
    outcome = run_command("doctor", cwd=old_app, environment={"NO_COLOR": "1"})

    assert outcome.stderr == ""
    assert "remark: host.json: the bundle's version is [1.*, 2.0.0); write " in outcome.stdout
    assert (
        "remark: folders with function.json do not run on azure-functions-durable 2.x, which requirements.txt allows; "
        "write azure-functions-durable<2 there.\n"
    ) in outcome.stdout

    (old_app / "requirements.txt").write_text("azure-functions-durable>=1.2,<2\n")
    assert "2.x" not in run_command("doctor", cwd=old_app).stdout
