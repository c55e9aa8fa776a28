"""The entity routes of the management API, rule by rule."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from durable_status.local_host.clock import Clock, SystemClock
from durable_status.local_host.storage.memory import MemoryStorage
from durable_status.local_host.storage.provider import StorageProvider
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from tests.clock import ManualClock
from tests.hosts import TRANSCRIPTS, Answer, RunningHost, running_host
from tests.quiet_storage import QuietStorage

MakeStorage = Callable[[Clock], StorageProvider]

_BOTH = pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3], ids=lambda profile: profile.name)


class _Hub:
    """A host with entities in the state the test wants; what was sent has run when it is read."""

    def __init__(self, host: RunningHost, storage: QuietStorage, clock: Any) -> None:
        self.clock = clock
        self._host = host
        self._storage = storage

    async def signal(self, entity: str, operation: str, value: Any = None, **options: Any) -> Answer:
        body = None if value is None else json.dumps(json.dumps(value))
        answer = await self._host.manage("POST", f"entities/{entity}?op={operation}", body, **options)
        await self._storage.until_quiet()
        return answer

    async def send(self, method: str, path: str, body: str | None = None, **options: Any) -> Answer:
        answer = await self._host.manage(method, path, body, **options)
        await self._storage.until_quiet()
        return answer

    async def state(self, entity: str) -> tuple[int, str]:
        answer = await self._host.manage("GET", f"entities/{entity}")
        return answer.status, answer.text

    async def listed(self, query: str = "", token: str = "") -> tuple[list[tuple[str, str, Any]], str]:
        headers = {"x-ms-continuation-token": token}
        answer = await self._host.manage("GET", f"entities{query}", headers=headers)
        assert answer.status == 200, answer.text
        items = [(item["entityId"]["name"], item["entityId"]["key"], item["state"]) for item in answer.json]
        return items, answer.headers["x-ms-continuation-token"]


def _on_a_hub(
    use: Callable[[_Hub], Awaitable[Any]],
    *,
    make_storage: MakeStorage = MemoryStorage,
    profile: Profile = PROFILE_2_13,
    clock: Clock | None = None,
) -> Any:
    async def main() -> Any:
        used_clock = clock or SystemClock()
        storage = QuietStorage(make_storage(used_clock))
        async with running_host(TRANSCRIPTS, storage=lambda _: storage, profile=profile, clock=used_clock) as host:
            return await use(_Hub(host, storage, used_clock))

    return asyncio.run(main())


@pytest.mark.conforms("H1.8-1", "H1.8-5")
@_BOTH
def test_a_list_has_all_entities_or_those_of_one_name_in_any_case(profile: Profile, make_storage: MakeStorage) -> None:
    async def use(hub: _Hub) -> Any:
        for entity in ("Counter/b", "Box/a", "COUNTER/B"):
            await hub.signal(entity, "set" if entity[0] == "B" else "add", 1)
        return [(await hub.listed(query))[0] for query in ("", "/COUNTER", "/Count", "/Nobody")]

    everything, counters, *others = _on_a_hub(use, make_storage=make_storage, profile=profile)

    assert everything == [("box", "a", None), ("counter", "B", None), ("counter", "b", None)]
    assert counters == [("counter", "B", None), ("counter", "b", None)]
    assert others == [[], []]


@pytest.mark.conforms("H1.8-4", "H1.8-6", "H1.8-7")
def test_a_list_with_states_also_has_the_entities_that_do_not_exist(make_storage: MakeStorage) -> None:
    async def use(hub: _Hub) -> Any:
        await hub.signal("Box/there", "set", {"a": [1]})
        await hub.signal("Box/deleted", "set", 1)
        await hub.signal("Box/deleted", "delete")
        await hub.signal("Box/touched", "touch")
        return [(await hub.listed(query))[0] for query in ("?fetchState=true", "?fetchState=false", "")]

    with_states, *without = _on_a_hub(use, make_storage=make_storage)

    assert with_states == [("box", "deleted", None), ("box", "there", {"a": [1]}), ("box", "touched", None)]
    assert without == [[("box", "there", None)]] * 2


@pytest.mark.conforms("H1.8-5")
def test_an_item_has_id_time_and_state_in_that_order() -> None:
    async def use(hub: _Hub) -> Any:
        await hub.signal("Box/k", "set", "text")
        return (await hub.send("GET", "entities?fetchState=true")).text

    text = _on_a_hub(use, clock=ManualClock())

    (item,) = json.loads(text)
    assert list(item) == ["entityId", "lastOperationTime", "state"]
    assert item["lastOperationTime"].startswith("2026-11-22T11:30:00.00000")
    assert item["lastOperationTime"].endswith("Z")


@pytest.mark.conforms("H1.8-2")
def test_a_list_can_be_cut_to_a_span_of_last_operations(make_storage: MakeStorage) -> None:
    async def use(hub: _Hub) -> Any:
        await hub.signal("Box/early", "set", 1)
        hub.clock.advance(3600)
        await hub.signal("Box/late", "set", 1)
        spans = ("From=2026-11-22T12:00:00Z", "To=2026-11-22T12:00:00Z", "From=2027-01-01T00:00:00Z")
        return [[key for _, key, _ in (await hub.listed(f"?lastOperationTime{span}"))[0]] for span in spans]

    assert _on_a_hub(use, make_storage=make_storage, clock=ManualClock()) == [["late"], ["early"], []]


@pytest.mark.conforms("H1.8-3")
def test_a_list_comes_in_pages_and_pages_without_an_entity_to_show_are_passed_over(make_storage: MakeStorage) -> None:
    async def use(hub: _Hub) -> Any:
        for key in ("a", "b", "c", "d"):
            await hub.signal(f"Box/{key}", "set" if key in "ad" else "touch", 1)
        first, token = await hub.listed("?top=1")
        second, last_token = await hub.listed("?top=1", token)
        return first, token, second, last_token

    first, token, second, last_token = _on_a_hub(use, make_storage=make_storage)

    assert (first, second) == ([("box", "a", None)], [("box", "d", None)])
    assert token
    assert last_token == ""


@pytest.mark.conforms("H1.8-3")
def test_a_page_has_a_hundred_entities_unless_asked_for_otherwise() -> None:
    async def use(hub: _Hub) -> Any:
        for number in range(101):
            await hub.send("POST", f"entities/Box/{number:03}?op=set", '"1"')
        first, token = await hub.listed()
        rest, _ = await hub.listed("", token)
        return len(first), len(rest)

    assert _on_a_hub(use) == (100, 1)


@pytest.mark.conforms("H1.8-8")
@pytest.mark.parametrize(
    ("top", "text"),
    [
        ("0", "Take count must be positive and greater than 0."),
        ("-1", "Non-negative number required. (Parameter 'capacity')"),
    ],
)
def test_a_page_size_below_one_is_refused_with_a_message_alone(top: str, text: str) -> None:
    async def use(hub: _Hub) -> Any:
        answer = await hub.send("GET", f"entities?top={top}")
        return answer.status, answer.json

    assert _on_a_hub(use) == (400, {"Message": text})


@pytest.mark.conforms("H1.8-8")
def test_a_continuation_token_that_is_none_fails_in_2_13() -> None:
    async def use(hub: _Hub) -> Any:
        return (await hub.send("GET", "entities", headers={"x-ms-continuation-token": "!"})).status

    assert _on_a_hub(use) == 500


@pytest.mark.conforms("H1.8-9")
def test_in_3x_a_page_size_of_zero_and_a_token_that_is_none_give_an_empty_page() -> None:
    async def use(hub: _Hub) -> Any:
        await hub.signal("Box/k", "set", 1)
        negative = (await hub.send("GET", "entities?top=-1")).status
        return (await hub.listed("?top=0"))[0], (await hub.listed("", "!"))[0], negative

    assert _on_a_hub(use, profile=PROFILE_3) == ([], [], 500)


@pytest.mark.conforms("H1.8-10", "H1.8-11")
@_BOTH
def test_reading_one_entity_gives_its_bare_state(profile: Profile, make_storage: MakeStorage) -> None:
    async def use(hub: _Hub) -> Any:
        missing = await hub.state("Box/k")
        states = []
        for value in (5, "text", {"k\u00f6": [None]}, None):
            await hub.send("POST", "entities/Box/k?op=set", json.dumps(json.dumps(value)))
            states.append(await hub.state("box/k"))
        return missing, states

    missing, states = _on_a_hub(use, make_storage=make_storage, profile=profile)

    assert missing == (404, "")
    assert states == [(200, "5"), (200, '"text"'), (200, '{"k\u00f6":[null]}'), (200, "null")]


@pytest.mark.conforms("H1.8-12", "H1.8-16")
def test_dollar_is_the_empty_key_when_read_and_a_key_of_its_own_when_signalled() -> None:
    async def use(hub: _Hub) -> Any:
        await hub.signal("Box", "set", "empty")
        await hub.signal("Box/$", "set", "dollar")
        return await hub.state("Box/$"), (await hub.listed("?fetchState=true"))[0]

    assert _on_a_hub(use) == ((200, '"empty"'), [("box", "", "empty"), ("box", "$", "dollar")])


@pytest.mark.conforms("H1.8-13")
@_BOTH
def test_a_deleted_entity_reads_null_until_it_is_purged(profile: Profile, make_storage: MakeStorage) -> None:
    async def use(hub: _Hub) -> Any:
        await hub.signal("Box/k", "set", 1)
        deleted = await hub.send("DELETE", "entities/Box/k")
        null = await hub.state("Box/k")
        purged = await hub.send("DELETE", "instances/@box@k")
        return deleted.status, null, purged.json, await hub.state("Box/k")

    assert _on_a_hub(use, make_storage=make_storage, profile=profile) == (
        202,
        (200, "null"),
        {"instancesDeleted": 1},
        (404, ""),
    )


@pytest.mark.conforms("H1.8-13")
def test_an_entity_that_ran_operations_but_has_no_state_reads_null() -> None:
    async def use(hub: _Hub) -> Any:
        await hub.signal("Box/k", "touch")
        return await hub.state("Box/k")

    assert _on_a_hub(use) == (200, "null")


@pytest.mark.conforms("H1.8-14", "H1.8-15", "H1.8-25")
@pytest.mark.parametrize(
    ("content_type", "body", "state"),
    [
        ("application/json", '"5"', "5"),
        ("text/plain", "5", "5"),
        ("text/plain", '{"a": 1}', '{"a":1}'),
        ("application/json; charset=utf-8", '"5" and more', "5"),
        ("application/json", "5", None),
        ("application/json", None, None),
    ],
)
def test_what_get_input_of_python_makes_of_a_signals_body(
    content_type: str, body: str | None, state: str | None
) -> None:
    async def use(hub: _Hub) -> Any:
        headers = {"Content-Type": content_type}
        answer = await hub.send("POST", "entities/Box/k?op=set", body, headers=headers)
        return answer.status, answer.text, await hub.state("Box/k")

    status, text, (_, read) = _on_a_hub(use)

    assert (status, text) == (202, "")
    assert read == (state or "null")


@pytest.mark.conforms("H1.8-15")
def test_a_body_that_is_not_the_json_it_is_said_to_be_is_refused() -> None:
    async def use(hub: _Hub) -> Any:
        answer = await hub.send("POST", "entities/Box/k?op=set", "{", headers={"Content-Type": "application/json"})
        return answer.status, answer.json, await hub.state("Box/k")

    status, document, state = _on_a_hub(use)

    assert status == 400
    assert list(document) == ["Message"]
    assert document["Message"].startswith("Could not parse JSON content: ")
    assert state == (404, "")


@pytest.mark.conforms("H1.8-14")
def test_the_operation_is_named_by_op_and_is_empty_without_it() -> None:
    async def use(hub: _Hub) -> Any:
        await hub.send("POST", "entities/Counter/k?OP=add", '"5"')
        await hub.send("POST", "entities/Counter/k", '"5"')
        return await hub.state("Counter/k")

    assert _on_a_hub(use) == (200, "5")


@pytest.mark.conforms("H1.8-17")
def test_delete_is_a_signal_and_what_it_does_is_up_to_the_entity() -> None:
    async def use(hub: _Hub) -> Any:
        await hub.signal("Counter/k", "add", 5)
        answer = await hub.send("DELETE", "entities/Counter/k")
        return answer.status, await hub.state("Counter/k")

    assert _on_a_hub(use) == (202, (200, "5"))


@pytest.mark.conforms("H1.8-18")
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_an_entity_needs_a_name(method: str) -> None:
    async def use(hub: _Hub) -> Any:
        answer = await hub.send(method, "entities")
        return answer.status, answer.json

    sentence = "Invalid entity id: entity name must not be a null or empty string. (Parameter 'entityName')"
    assert _on_a_hub(use) == (400, {"Message": sentence})


@pytest.mark.conforms("H1.8-19")
@_BOTH
def test_a_name_that_is_not_registered_is_refused_in_lower_case(profile: Profile) -> None:
    async def use(hub: _Hub) -> Any:
        answer = await hub.signal("Nope/k", "add", 1)
        return answer.status, answer.json["Message"]

    assert _on_a_hub(use, profile=profile) == (
        400,
        "The function 'nope' doesn't exist, is disabled, or is not an entity function. Additional info: "
        "The following are the known entity functions: 'Counter', 'Box'.",
    )


@pytest.mark.conforms("H1.8-20")
@pytest.mark.parametrize("entity", ["Box/a%5Cb", "Box/a%23b", "Box/a%3Fb", "Box/a%01b", "Box/a%C2%85b", "Nope/a%23b"])
def test_a_key_with_characters_that_storage_does_not_take_is_refused_first(entity: str) -> None:
    async def use(hub: _Hub) -> Any:
        answer = await hub.signal(entity, "set", 1)
        return answer.status, answer.json

    sentence = "entityKey (Parameter 'Entity keys must not contain /, \\, #, ?, or control characters.')"
    assert _on_a_hub(use) == (400, {"Message": sentence})


@pytest.mark.conforms("H1.8-20")
def test_a_key_with_a_slash_has_no_route() -> None:
    async def use(hub: _Hub) -> Any:
        return (await hub.signal("Box/a/b", "set", 1)).status

    assert _on_a_hub(use) == 404


@pytest.mark.conforms("H1.8-21")
def test_names_are_lower_case_and_keys_keep_their_case() -> None:
    async def use(hub: _Hub) -> Any:
        await hub.signal("BOX/Key", "set", 1)
        return (await hub.listed())[0], await hub.state("Box/key")

    assert _on_a_hub(use) == ([("box", "Key", None)], (404, ""))


@pytest.mark.conforms("H1.8-26")
def test_entities_of_another_hub_are_not_there() -> None:
    async def use(hub: _Hub) -> Any:
        await hub.signal("Box/k", "set", 1)
        return (
            (await hub.send("GET", "entities?taskHub=Other")).text,
            (await hub.send("GET", "entities/Box/k?taskHub=Other")).status,
            (await hub.send("POST", "entities/Box/k?op=set&taskHub=Other", '"2"')).status,
            await hub.state("Box/k"),
        )

    assert _on_a_hub(use) == ("[]", 404, 400, (200, "1"))


@pytest.mark.conforms("H1.8-21")
def test_lists_of_instances_include_entities(make_storage: MakeStorage) -> None:
    async def use(hub: _Hub) -> Any:
        await hub.signal("Box/k", "set", 1)
        (document,) = (await hub.send("GET", "instances?instanceIdPrefix=@")).json
        return {name: value for name, value in document.items() if not name.endswith("Time")}

    assert _on_a_hub(use, make_storage=make_storage) == {
        "name": "@box@k",
        "instanceId": "@box@k",
        "runtimeStatus": "Running",
        "input": {"exists": True, "state": "1", "sorter": {}},
        "customStatus": {"entityExists": True},
        "output": None,
    }
