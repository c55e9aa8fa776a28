"""Names of a hub's parts, partitions and keys, against the recorded hub and the vectors of the contract."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_status.task_hub.names import (
    HubNames,
    blob_folder,
    escape_key,
    fnv1a,
    history_row_key,
    is_entity_id,
    partition_of,
    unescape_key,
)
from tests.durable_status.task_hub.recorded_hub import HUB, NAMES, PARTITION_COUNT, STORAGE, document, messages


@pytest.mark.conforms("S1-1", "S1-2", "S1-3")
def test_a_hub_has_the_recorded_tables_queues_and_containers() -> None:
    recorded = json.loads((STORAGE / "hub.json").read_text())

    assert sorted([HUB.history_table, HUB.instances_table]) == recorded["tables"]
    assert sorted([*HUB.control_queues(PARTITION_COUNT), HUB.work_item_queue]) == recorded["queues"]
    assert {HUB.app_lease_container, HUB.leases_container, HUB.large_messages_container} == set(recorded["containers"])
    assert HUB.app_lease_blob in recorded["containers"][HUB.app_lease_container]


@pytest.mark.conforms("S1-4")
def test_the_partitions_table_is_named_like_the_others() -> None:
    assert HUB.partitions_table == "StorageHubPartitions"


@pytest.mark.conforms("S1-5")
@pytest.mark.parametrize("count", [0, 17, -1])
def test_a_hub_has_one_to_sixteen_partitions(count: int) -> None:
    assert len(HUB.control_queues(1)) == 1
    assert HUB.control_queues(16)[-1] == "storagehub-control-15"
    with pytest.raises(ValueError, match=f"1 to 16 partitions, not {count}"):
        HUB.control_queues(count)


@pytest.mark.conforms("S1-6")
@pytest.mark.parametrize(
    ("text", "hashed"),
    [
        ("", 2166136261),
        ("abc", 440920331),
        ("c138dd969a1e4a699b0644c7d8279f81", 1646006303),
        ("@counter@key", 2315974266),
        ("中文", 3297308741),
    ],
)
def test_the_partition_of_an_instance_is_a_hash_of_its_id(text: str, hashed: int) -> None:
    assert fnv1a(text) == hashed
    assert partition_of(text, 4) == hashed % 4


@pytest.mark.conforms("S1-6")
@pytest.mark.parametrize(
    ("instance_id", "partition"),
    [
        ("abc", 3),
        ("c138dd969a1e4a699b0644c7d8279f81", 3),
        ("a%2Fb", 3),
        ("中文", 1),
        ("é", 1),
        ("A", 0),
        ("a", 0),
        ("x y", 0),
        ("h1", 2),
        ("h2", 3),
        ("h3", 0),
        ("order-2024-06-01T12:00:00Z", 2),
        ("0123456789", 2),
    ],
)
def test_messages_to_an_instance_go_where_the_extension_put_them(instance_id: str, partition: int) -> None:
    assert HUB.control_queue_of(instance_id, 4) == f"storagehub-control-{partition:02d}"


@pytest.mark.conforms("S1-6", "S4-1")
@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_message_is_in_the_queue_that_its_instance_has(name: str) -> None:
    for message in messages(name):
        task = message["body"]["TaskMessage"]
        if task is None:  # in a blob
            continue
        is_activity = task["Event"]["EventType"] == 4
        target = HUB.control_queue_of(task["OrchestrationInstance"]["InstanceId"], PARTITION_COUNT)
        assert message["queue"] == (HUB.work_item_queue if is_activity else target)


@pytest.mark.conforms("S1-7")
@pytest.mark.parametrize("name", ["", "ab", "1hub", "my-hub", "my_hub", "hüb", "a" * 51, "hub\n", "a/b"])
def test_a_name_that_storage_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="use ASCII letters and digits only, a letter first, 3 to 50"):
        HubNames(name)


@pytest.mark.conforms("S1-7")
@pytest.mark.parametrize("name", ["abc", "a" * 50, "Hub1"])
def test_a_name_of_three_to_fifty_letters_and_digits_is_taken(name: str) -> None:
    assert HubNames(name).instances_table == f"{name}Instances"


@pytest.mark.conforms("S2.1-2")
@pytest.mark.parametrize(
    ("instance_id", "key"),
    [
        ("a/b\\c#d?e^f", "a^0b^1c^2d^3e^^f"),
        ("a^b", "a^^b"),
        ("a%2Fb", "a%2Fb"),
        ("\t", "^\u00c9"),
        ("\x7f", "^\u013f"),
        ("\x9f", "^\u015f"),
        ("\x00\x1f\x80", "^\u00c0^\u00df^\u0140"),
        ("it's 中文 😀", "it's 中文 😀"),
        ("^0", "^^0"),
    ],
)
def test_what_a_key_cannot_hold_is_escaped(instance_id: str, key: str) -> None:
    assert escape_key(instance_id) == key
    assert unescape_key(key) == instance_id


@pytest.mark.conforms("S2.1-2")
@given(st.text(st.one_of(st.characters(), st.sampled_from("^/\\#?0123\t\x7f\x9f\xc9"))))
def test_an_id_survives_its_key_and_the_key_holds_nothing_forbidden(instance_id: str) -> None:
    key = escape_key(instance_id)

    assert unescape_key(key) == instance_id
    assert not any(character in "/\\#?" or ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in key)


@pytest.mark.conforms("S2.1-3")
def test_keys_of_old_senders_that_do_not_escape_are_read_as_they_are() -> None:
    assert unescape_key("a^b^") == "a^b^"


@pytest.mark.conforms("S3.1-1")
@pytest.mark.parametrize("name", NAMES)
def test_rows_of_an_execution_are_numbered_in_hexadecimal(name: str) -> None:
    by_instance: dict[str, list[str]] = {}
    for row in document(name)["history"]:
        by_instance.setdefault(row["PartitionKey"], []).append(row["RowKey"])

    for keys in by_instance.values():
        assert keys[:-1] == [history_row_key(index) for index in range(len(keys) - 1)]
        assert keys[-1] == "sentinel"
        assert sorted(keys) == keys
    assert history_row_key(10) == "000000000000000A"


@pytest.mark.conforms("S2.1-4")
def test_ids_of_entities_begin_with_an_at_sign() -> None:
    assert is_entity_id("@counter@one")
    assert not is_entity_id("counter")


@pytest.mark.conforms("S4-6")
def test_blobs_are_under_the_id_as_it_is_but_for_what_a_blob_cannot_be_called() -> None:
    assert blob_folder("a/b#c?d^e é中🎈") == "a/b#c?d^e é中🎈"
    assert blob_folder("a\\b\tc\x00\x7f") == "a^1b^\u00c9c^\u00c0^\u013f"
