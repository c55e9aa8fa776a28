"""What the public listener lets in and where: keys, origins, routes, the home page."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path

import pytest

from durable_status.local_host.keys import load_keys
from tests.hosts import BLUEPRINT_SHAPE, running_host
from tests.paths import APPS

SECURED = APPS / "secured"
CUSTOM_PREFIX = APPS / "custom_prefix"
MANAGEMENT = "/runtime/webhooks/durabletask/instances"


def _statuses(tmp_path: Path, path: str) -> dict[str, int]:
    """The status of a GET by the key it presents."""

    async def main() -> dict[str, int]:
        async with running_host(SECURED, enable_auth=True, state_folder=tmp_path) as host:
            stored = json.loads((tmp_path / "keys.json").read_text())
            keys = {
                "none": None,
                "wrong": "wrong",
                "master": stored["master"],
                "host": stored["host"],
                "system": stored["durabletask_extension"],
                "own": stored["functions"]["keyed"],
                "other": stored["functions"]["other"],
            }
            return {
                name: (await host.request("GET", path, headers={"x-functions-key": key} if key else {})).status
                for name, key in keys.items()
            }

    return asyncio.run(main())


@pytest.mark.conforms("H7-1", "H7-3", "H7-4")
def test_the_management_api_takes_the_system_key_and_the_master_key(tmp_path: Path) -> None:
    assert _statuses(tmp_path, MANAGEMENT) == {
        "none": 401,
        "wrong": 401,
        "master": 200,
        "host": 403,
        "system": 200,
        "own": 403,
        "other": 403,
    }


@pytest.mark.conforms("H7-5")
def test_an_unknown_webhook_is_404_to_the_master_key_only(tmp_path: Path) -> None:
    statuses = _statuses(tmp_path, "/runtime/webhooks/nobody/x")

    assert (statuses["master"], statuses["system"], statuses["none"]) == (404, 403, 401)


@pytest.mark.conforms("H5-20", "H5-21")
@pytest.mark.parametrize(
    ("path", "opening"),
    [
        ("/api/open", {"none", "wrong", "master", "host", "system", "own", "other"}),
        ("/api/keyed", {"master", "host", "own"}),
        ("/api/chief", {"master"}),
    ],
)
def test_a_function_opens_to_the_keys_of_its_level(tmp_path: Path, path: str, opening: set[str]) -> None:
    statuses = _statuses(tmp_path, path)

    assert {name for name, status in statuses.items() if status == 200} == opening
    assert {status for name, status in statuses.items() if name not in opening} <= {401}


def test_admin_needs_the_master_key_but_for_the_ping(tmp_path: Path) -> None:
    statuses = _statuses(tmp_path, "/admin/functions")

    assert (statuses["none"], statuses["system"], statuses["master"]) == (401, 403, 200)
    assert set(_statuses(tmp_path, "/admin/host/ping").values()) == {200}


@pytest.mark.conforms("H7-2")
def test_the_header_hides_the_query_whatever_it_says(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_host(SECURED, enable_auth=True, state_folder=tmp_path) as host:
            key = json.loads((tmp_path / "keys.json").read_text())["host"]
            query = await host.request("GET", f"/api/keyed?CODE={key}&code=wrong")
            both = await host.request("GET", f"/api/keyed?code={key}", headers={"x-functions-key": "wrong"})

            assert (query.status, both.status, both.text) == (200, 401, "")

    asyncio.run(main())


@pytest.mark.conforms("H7-1")
def test_keys_outlive_the_host_in_a_file_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "state" / "keys.json"

    first = load_keys(path, ["a"])
    second = load_keys(path, ["a", "b"])

    assert (first.system, first.functions["a"]) == (second.system, second.functions["a"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert first.system not in repr(first)


@pytest.mark.conforms("H7-6")
def test_without_auth_every_key_will_do_and_links_carry_the_kept_one(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_host(SECURED, state_folder=tmp_path) as host:
            started = await host.manage("POST", "orchestrators/nothing")
            key = json.loads((tmp_path / "keys.json").read_text())["durabletask_extension"]

            assert (await host.request("GET", "/api/chief?code=wrong")).status == 200
            assert f"code={key}" in started.json["statusQueryGetUri"]

    asyncio.run(main())


@pytest.mark.conforms("H6-20", "H6-21")
@pytest.mark.parametrize("path", ["/api/open", MANAGEMENT, "/admin/functions"])
def test_listed_origins_may_call_everything_and_others_nothing(path: str) -> None:
    async def main() -> None:
        ask = {"Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "x-any"}
        async with running_host(SECURED, cors_origins=("http://page.test",), cors_credentials=True) as host:
            plain = await host.request("GET", path, headers={"Origin": "http://page.test"})
            asked = await host.request("OPTIONS", path, headers={"Origin": "http://page.test", **ask})
            foreign = await host.request("GET", path, headers={"Origin": "http://elsewhere.test"})
            refused = await host.request("OPTIONS", path, headers={"Origin": "http://elsewhere.test", **ask})

            assert plain.headers["Access-Control-Allow-Origin"] == "http://page.test"
            assert plain.headers["Access-Control-Allow-Credentials"] == "true"
            assert (asked.status, asked.text, asked.headers["Access-Control-Allow-Headers"]) == (204, "", "x-any")
            assert "DELETE" in asked.headers["Access-Control-Allow-Methods"]
            assert "Access-Control-Allow-Origin" not in foreign.headers
            assert (refused.status, "Access-Control-Allow-Origin" in refused.headers) == (204, False)
        async with running_host(SECURED) as host:
            without = await host.request("GET", path, headers={"Origin": "http://page.test"})
            assert not [name for name in without.headers if name.startswith("Access-Control")]

    asyncio.run(main())


@pytest.mark.conforms("H5-10", "H5-30", "H6-2", "H6-3")
def test_the_route_prefix_the_allow_list_and_custom_headers_of_host_json_count() -> None:
    async def main() -> None:
        async with running_host(CUSTOM_PREFIX) as host:
            here = await host.request("GET", "/V1/Shop/HERE/")
            hidden = await host.request("GET", "/v1/shop/hidden")
            management = await host.manage("GET", "instances")

            assert (here.status, here.text, here.headers["X-Shop"]) == (200, "here", "yes")
            assert (hidden.status, hidden.headers["X-Shop"]) == (404, "yes")
            assert (management.status, management.headers["X-Shop"]) == (200, "yes")
            assert "does not list them: hidden." in host.host.app.notices[0]

    asyncio.run(main())


@pytest.mark.conforms("H5-10")
def test_an_empty_route_prefix_takes_the_prefix_away() -> None:
    async def main() -> None:
        async with running_host(CUSTOM_PREFIX, settings={"route_prefix": ""}) as host:
            bare = await host.request("GET", "/here")
            prefixed = await host.request("GET", "/v1/shop/here")
            management = await host.manage("GET", "instances")

            assert (bare.status, prefixed.status, management.status) == (200, 404, 200)

    asyncio.run(main())


@pytest.mark.conforms("H5-17")
def test_the_root_has_a_page_that_a_setting_takes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with running_host(SECURED) as host:
            page = await host.request("GET", "/")
            monkeypatch.setenv("AzureWebJobsDisableHomepage", "true")
            gone = await host.request("GET", "/")

            assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
            assert (gone.status, gone.text) == (204, "")

    asyncio.run(main())


@pytest.mark.conforms("H5-13", "H5-18", "H5-25", "H5-28", "XF-3")
def test_requests_and_answers_of_functions() -> None:
    async def main() -> None:
        async with running_host(BLUEPRINT_SHAPE) as host:
            weighed = await host.request("GET", "/api/weigh/5?unit=kg&unit=&Unit=x")
            wrong_verb = await host.request("DELETE", "/api/weigh/5")
            echoed = await host.request("PATCH", "/api/echo", "body", headers={"X-Custom": "y"})
            described = await host.request(
                "POST", "/api/text", '{"body": "made", "status": 418, "headers": {"X-A": "b"}}'
            )
            indented = await host.request("POST", "/api/text", '{"a":[1]}')
            plain = await host.request("POST", "/api/text", "plain")
            broken = await host.request("GET", "/api/broken")

            assert (weighed.text, wrong_verb.status) == ("GET 5 kg,", 404)
            assert (echoed.status, echoed.text, echoed.headers["X-Header"]) == (201, "body", "y")
            assert (described.status, described.text, described.headers["X-A"]) == (418, "made", "b")
            assert (indented.text, plain.text) == ('{\n  "a": [\n    1\n  ]\n}', "plain")
            assert (broken.status, broken.text, broken.headers.get("Content-Type")) == (500, "", None)

    asyncio.run(main())


@pytest.mark.conforms("H5-18")
def test_a_function_sees_header_names_in_lower_case_and_looks_them_up_in_any() -> None:
    async def main() -> None:
        async with running_host(BLUEPRINT_SHAPE) as host:
            seen = await host.request("GET", "/api/headers", headers={"X-Custom": "y", "ACCEPT": "a/b"})

            assert seen.json == {"names": ["accept", "x-custom"], "X-CUSTOM": "y"}

    asyncio.run(main())


@pytest.mark.conforms("H5-25")
def test_a_described_response_may_set_cookies() -> None:
    described = {
        "body": "made",
        "cookies": [
            {"name": "a", "value": "1", "path": "/", "maxAge": 0, "secure": False, "httpOnly": True},
            {"name": "b", "value": "2", "sameSite": "Lax"},
        ],
    }

    async def main() -> None:
        async with running_host(BLUEPRINT_SHAPE) as host:
            made = await host.request("POST", "/api/text", json.dumps(described))
            unusable = await host.request("POST", "/api/text", '{"body": "made", "cookies": [{"value": "nameless"}]}')

            assert made.headers.getall("Set-Cookie") == ["a=1; HttpOnly; Max-Age=0; Path=/", "b=2; SameSite=Lax"]
            assert unusable.status == 500

    asyncio.run(main())


@pytest.mark.conforms("H5-26")
def test_a_body_over_the_limit_is_413(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", "4")

    async def main() -> None:
        async with running_host(BLUEPRINT_SHAPE) as host:
            assert (await host.request("POST", "/api/text", "1234")).status == 200
            assert (await host.request("POST", "/api/text", "12345")).status == 413

    asyncio.run(main())
