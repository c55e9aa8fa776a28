"""What the worker hands over: trigger objects, the invocation context, and the call that a thread works on."""

from __future__ import annotations

import asyncio

import pytest

from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from tests.hosts import app_in, running_host
from tests.paths import APPS

TRIGGER_OBJECTS = APPS / "trigger_objects"
CONTEXTS = APPS / "invocation_context"
ANNOTATIONS = APPS / "annotations"


@pytest.mark.conforms("H5-3", "H5-13", "H5-16", "H5-23", "H5-24")
def test_functions_run_whose_annotations_and_names_the_platform_takes() -> None:
    async def main() -> None:
        async with running_host(ANNOTATIONS) as host:
            assert list(host.host.problems) == [
                "Function 'no_method' is not served: its list of methods is empty, so no request matches; leave "
                "methods out for all of them."
            ]
            assert (await host.request("GET", "/api/none")).status == 404
            assert (await host.request("GET", "/api/old")).text == "baseUrl"
            started = (await host.request("GET", "/api/go")).text
            document = await host.until_status(started, "Completed")

            assert document["output"] == ["x", 3, 1, 5, [3], ["a", "b"]]

    asyncio.run(main())


@pytest.mark.conforms("H5-49")
@pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3])
def test_orchestrators_and_entities_of_the_older_model_get_an_object_with_a_body(profile: Profile) -> None:
    async def main() -> None:
        async with running_host(TRIGGER_OBJECTS, profile=profile) as host:
            assert list(host.host.problems) == []
            await host.start("Orch", "o", "in")
            await host.start("AsyncOrch", "a")

            assert (await host.until_status("o", "Completed"))["output"] == ["in", "Where"]
            assert (await host.until_status("a", "Completed"))["output"] == "Where"

            await host.manage("POST", "entities/Counter/k?op=add", '"1"')
            await host.until("@counter@k", lambda document: document["input"]["state"] == "2")

    asyncio.run(main())


@pytest.mark.conforms("H5-50")
def test_the_context_names_the_folder_of_the_file_that_defines_the_function() -> None:
    async def main() -> None:
        async with running_host(CONTEXTS) as host:
            answers = [(await host.request("GET", f"/api/{path}")).text for path in ("near", "far", "client")]

            assert answers == [f"near {CONTEXTS}", f"far {CONTEXTS / 'parts'}", f"with_client {CONTEXTS / 'parts'}"]

    asyncio.run(main())


@pytest.mark.conforms("H5-50")
def test_trace_retries_and_thread_are_always_objects() -> None:
    async def main() -> None:
        async with running_host(CONTEXTS) as host:
            answer = await host.request("GET", "/api/trace", headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
            thread = await host.request("GET", "/api/thread")

            assert answer.text == "[['', '', {}], ['', '', {}], [0, 0, ''], True, 'Context']"
            assert thread.text == "True [True]"

    asyncio.run(main())


@pytest.mark.conforms("H5-51")
def test_a_timer_function_that_asks_for_a_text_gets_the_hosts() -> None:
    async def main() -> None:
        async with running_host(CONTEXTS) as host:
            await host.request("POST", "/admin/functions/as_text", '{"input": ""}')
            seen = (await host.request("GET", "/api/seen")).json

            assert (seen["Schedule"], seen["IsPastDue"]) == ({"AdjustForDST": True}, False)

    asyncio.run(main())


def test_the_apps_of_these_tests_have_nothing_against_them() -> None:
    assert [app_in(folder).problems for folder in (TRIGGER_OBJECTS, CONTEXTS)] == [(), ()]
