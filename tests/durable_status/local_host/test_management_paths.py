"""How the management API matches paths, and how it writes them in answers."""

from __future__ import annotations

import pytest

from durable_status.app.links import WEBHOOK_BASE
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from tests.durable_status.local_host.management import start, with_host
from tests.hosts import RunningHost

_RPC = "/durabletask"
_BOTH = pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3], ids=lambda profile: profile.name)


@pytest.mark.conforms("H1.0-5")
@_BOTH
def test_dot_segments_are_resolved_before_the_base_is_cut_off(profile: Profile) -> None:
    async def test(host: RunningHost) -> list[int]:
        await host.start("WaitGo", "i")
        paths = [
            f"{_RPC}/instances/./i",
            f"/nothing/..{_RPC}/instances/i/.",
            f"{_RPC}/instances/x/%2e%2E/i",
            f"{_RPC}/../instances/ii",  # what is left is as long as the base
            "/..",
        ]
        return [(await host.request("GET", path, rpc=True)).status for path in paths]

    assert with_host(test, profile=profile) == [202, 202, 202, 404, 400]


@pytest.mark.conforms("H1.0-6")
@pytest.mark.parametrize(
    ("sent", "instance_id"),
    [
        ("a%E9b", "a%E9b"),
        ("%c3%a9%e9", "é%e9"),
        ("%C3%A9", "é"),
        ("100%", "100%"),
        ("a%2fb%2Fc", "a%2fb%2Fc"),
        ("%20a%20", " a "),
        ("a;b=c,d", "a;b=c,d"),
        ("%E2%82", "%E2%82"),
    ],
)
def test_escapes_that_are_no_utf_8_stay(sent: str, instance_id: str) -> None:
    async def test(host: RunningHost) -> None:
        assert (await start(host, f"WaitGo/{sent}")).json["id"] == instance_id
        shown = await host.request("GET", f"{_RPC}/instances/{sent}", rpc=True)
        assert (shown.status, shown.json["instanceId"]) == (202, instance_id)

    with_host(test)


@pytest.mark.conforms("H1.0-7")
@_BOTH
@pytest.mark.parametrize("rpc", [True, False])
def test_a_null_character_in_a_path_is_an_empty_400(profile: Profile, rpc: bool) -> None:
    async def test(host: RunningHost) -> None:
        base = _RPC if rpc else WEBHOOK_BASE
        for method, path in (("POST", "orchestrators/WaitGo/a%00b"), ("GET", "instances/%00"), ("DELETE", "%00")):
            answer = await host.request(method, f"{base}/{path}", rpc=rpc)
            assert (answer.status, answer.text, answer.headers["Content-Length"]) == (400, "", "0")
            assert "Content-Type" not in answer.headers
        assert (await host.manage("GET", "instances")).text == "[]"

    with_host(test, profile=profile)


@pytest.mark.conforms("H1.2-3")
@pytest.mark.parametrize(
    ("sent", "location"),
    [
        ("/instances/a%20b%40c", "/instances/a%20b@c"),
        ("/INSTANCES/./%61%20b@c/", "/INSTANCES/a%20b@c/"),
        ('/instances/a%20b@c?x="<{|}>', "/instances/a%20b@c?x=%22%3C%7B%7C%7D%3E"),
        ("/instances/a%20b@c?code=%2B+%c3&%", "/instances/a%20b@c?code=%2B+%c3&%25"),
        ("/instances/a%20b@c?showInput=false&q='?[]", "/instances/a%20b@c?showInput=false&q='?[]"),
    ],
)
def test_the_location_of_a_live_instance_is_escaped_anew(sent: str, location: str) -> None:
    async def test(host: RunningHost) -> None:
        await start(host, "WaitGo/a%20b@c")
        shown = await host.request("GET", f"{_RPC}{sent}", rpc=True)
        assert shown.headers["Location"] == (host.host.rpc_base_url or "").removesuffix("/") + location

    with_host(test)
