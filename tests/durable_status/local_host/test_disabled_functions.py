"""Functions that a setting switches off are known and not run: extension 3.x fails their calls (extension-3x.md)."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from durable_status.replay.profile import PROFILE_2_13
from durable_status.testing.bench import DurableBench
from durable_status.testing.errors import HarnessError
from tests.hosts import RunningHost, running_host
from tests.paths import APPS

SWITCHED_OFF = APPS / "switched_off"

_NO_ENTITY = (
    "The function 'offentity' doesn't exist, is disabled, or is not an entity function. "
    "Additional info: The following are the known entity functions: 'OffEntity'."
)
_NO_ORCHESTRATOR = "The function '{}' doesn't exist, is disabled, or is not an orchestrator function. Additional info: "


def _on_host(test: Callable[[RunningHost], Awaitable[Any]], **options: Any) -> Any:
    async def main() -> Any:
        async with running_host(SWITCHED_OFF, **options) as host:
            return await test(host)

    return asyncio.run(main())


async def _output(host: RunningHost, orchestrator: str, status: str = "Completed") -> Any:
    await host.start(orchestrator, "i")
    return (await host.until_status("i", status))["output"]


@pytest.mark.conforms("XF-6")
def test_a_called_activity_fails_at_once_and_can_be_caught() -> None:
    output = _on_host(lambda host: _output(host, "catches"))

    assert [text.partition(" \n")[0] for text in output] == [
        "Activity function 'OFF' failed: Activity function 'OFF' is disabled.",
        "Activity function 'Renamed' failed: Activity function 'Renamed' is disabled.",
    ]


@pytest.mark.conforms("XF-7")
def test_a_called_entity_answers_with_an_error() -> None:
    assert _on_host(lambda host: _output(host, "calls_entity")) == ["dict", _NO_ENTITY, "{"]


@pytest.mark.conforms("XF-7")
def test_a_signal_is_accepted_and_its_operation_fails(caplog: pytest.LogCaptureFixture) -> None:
    async def test(host: RunningHost) -> None:
        signal = await host.manage("POST", "entities/OffEntity/k?op=add", '"1"')
        unknown = await host.manage("POST", "entities/Nobody/k?op=add", '"1"')
        assert (signal.status, unknown.status) == (202, 400)
        assert await _output(host, "signals") == "signalled"
        while caplog.text.count("failed 'add' operation") < 2:
            await host.status("i")
        assert (await host.manage("GET", "entities/OffEntity/k")).status == 404  # it has no state

    _on_host(test)


@pytest.mark.conforms("XF-8")
def test_a_start_is_refused_at_the_door_with_a_message_alone() -> None:
    async def test(host: RunningHost) -> None:
        for name in ("off_orchestrator", "OFF_Orchestrator"):
            refused = await host.manage("POST", f"orchestrators/{name}/x")
            assert refused.status == 400
            assert list(refused.json) == ["Message"]
            assert refused.json["Message"].startswith(_NO_ORCHESTRATOR.format(name))
            assert "'off_orchestrator'" in refused.json["Message"].partition("Additional info")[2]
        assert (await host.manage("GET", "instances/x")).status == 404

    _on_host(test)


@pytest.mark.conforms("XF-8")
def test_ours_a_child_fails_with_the_sentence_instead_of_hanging() -> None:
    output = _on_host(lambda host: _output(host, "calls_child", "Failed"))

    assert _NO_ORCHESTRATOR.format("off_orchestrator") in output


@pytest.mark.conforms("XF-9")
def test_a_page_is_404_but_to_the_master_key_and_a_timer_is_not_called(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def without_keys(host: RunningHost) -> int:
        return (await host.request("GET", "/api/off")).status

    async def with_keys(host: RunningHost) -> list[int]:
        keys = json.loads((tmp_path / "keys.json").read_text())
        shown = [keys["master"], keys["host"], keys["functions"]["off_page"], ""]
        return [(await host.request("GET", f"/api/off?code={key}")).status for key in shown]

    with caplog.at_level(logging.ERROR):
        assert _on_host(without_keys) == 404
        assert _on_host(with_keys, enable_auth=True, state_folder=tmp_path) == [200, 404, 404, 404]
    assert "a timer that is switched off" not in caplog.text


@pytest.mark.conforms("XF-9")
def test_all_are_listed_as_disabled_and_named_at_the_start() -> None:
    async def test(host: RunningHost) -> None:
        listed = {item["name"]: item["isDisabled"] for item in (await host.request("GET", "/admin/functions")).json}
        off = [name for name, is_disabled in listed.items() if is_disabled]
        assert sorted(off) == sorted(name for name in listed if name.startswith(("off", "Off")))
        assert sorted(host.host.problems) == sorted(f"Function '{name}' is disabled by a setting." for name in off)
        assert host.host.served == []

    _on_host(test)


@pytest.mark.conforms("XF-6")
def test_under_2_13_they_are_as_good_as_not_there() -> None:
    async def test(host: RunningHost) -> None:
        refused = await host.manage("POST", "orchestrators/off_orchestrator")
        assert refused.status == 400
        assert "'off_orchestrator'" not in refused.json["ExceptionMessage"].partition("Additional info")[2]
        assert (await host.manage("POST", "entities/OffEntity/k?op=add")).status == 400

    _on_host(test, profile=PROFILE_2_13)


@pytest.mark.conforms("XF-6", "XF-7", "XF-8")
def test_the_harness_plays_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("off", "off_by_its_own_name", "OffEntity", "off_orchestrator"):
        monkeypatch.setenv(f"AzureWebJobs.{name}.Disabled", "true")
    bench = DurableBench.of_folder(SWITCHED_OFF)

    assert bench.start("catches").output[0].startswith("Activity function 'OFF' failed: Activity function 'OFF' is dis")
    assert bench.start("calls_entity").output == ["dict", _NO_ENTITY, "{"]
    assert bench.start("signals").output == "signalled"
    with pytest.raises(
        HarnessError, match=r"cannot start 'off_orchestrator'\. The function 'off_orchestrator' doesn't"
    ):
        bench.start("off_orchestrator")
    with pytest.raises(HarnessError, match="'off_orchestrator' is switched off by a setting, so on the platform its"):
        bench.start("calls_child")
