"""Texts in blobs: from which size on, under which names, in which form."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_status.task_hub.large_values import (
    InBlob,
    blob_name_in,
    blob_url,
    compress,
    decompress,
    is_inside,
    is_large_message,
    is_large_property,
    message_blob_name,
    property_blob_name,
)
from tests.durable_status.task_hub.recorded_hub import CONTAINER_URL, HUB, NAMES, document

_CONTAINER = HUB.large_messages_container
_BLOBS: list[dict[str, Any]] = [blob for name in NAMES for blob in document(name)["blobs"]]


@pytest.mark.conforms("S2.6-1", "S3.6-1")
def test_a_column_holds_30720_units_of_utf16() -> None:
    assert not is_large_property("x" * 30_720)
    assert is_large_property("x" * 30_721)
    assert not is_large_property("😀" * 15_360)
    assert is_large_property("😀" * 15_361)


@pytest.mark.conforms("S4-6")
def test_a_message_holds_45_kib_of_utf8() -> None:
    assert not is_large_message("x" * 46_080)
    assert is_large_message("x" * 46_081)
    assert is_large_message("é" * 23_041)


@pytest.mark.conforms("S3.6-2", "S4-6", "S2.6-1")
@pytest.mark.parametrize("blob", _BLOBS, ids=lambda blob: blob["name"])
def test_every_recorded_blob_has_the_name_that_we_give(blob: dict[str, Any]) -> None:
    folder, _, file = blob["name"].partition("/")
    parts = file.removesuffix(".json.gz").split("-")

    if parts[0] == "message":
        activity_id = parts[1]
        hyphened = "-".join(activity_id[start:end] for start, end in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32)))
        assert message_blob_name(folder, hyphened, parts[2]) == blob["name"]
    else:
        _, row_key, kind, suffix, column = parts
        assert property_blob_name(folder, row_key, kind, column, suffix.lower()) == blob["name"]


@pytest.mark.conforms("S3.6-2")
def test_the_blobs_of_a_recording_hold_what_is_above_the_limits() -> None:
    assert len(_BLOBS) == 8
    for blob in _BLOBS:
        assert blob["content_type"] == "application/octet-stream"
        assert blob["content_encoding"] is None
        limit = 46_080 if "/message-" in blob["name"] else 30_720
        assert blob["uncompressed_chars"] > limit


@pytest.mark.conforms("S3.6-2")
@given(st.text())
def test_a_text_survives_its_blob(text: str) -> None:
    content = compress(text)

    assert decompress(content) == text
    assert gzip.decompress(content).decode() == text
    assert compress(text) == content


@pytest.mark.parametrize(
    "content",
    [b"", b"plain", gzip.compress(b"\xff"), gzip.compress(b"cut off" * 99)[:-9]],
    ids=["empty", "plain", "no UTF-8", "cut off"],
)
def test_a_blob_that_is_no_text_says_so(content: bytes) -> None:
    with pytest.raises(ValueError, match="the blob is not gzipped text"):
        decompress(content)


@pytest.mark.conforms("S2.6-2")
@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
    .filter(lambda text: "/" not in text)
    .filter(is_inside)  # what is not is no place for a blob
)
def test_an_address_gives_its_blob_back(folder: str) -> None:
    name = f"{folder}/history-1-TaskCompleted-0-Result.json.gz"
    address = blob_url(CONTAINER_URL, name)

    assert address.isascii()
    assert blob_name_in(address, _CONTAINER) == name


@pytest.mark.conforms("S2.6-2", "S2.6-5")
@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"https://account.blob.core.windows.net/{_CONTAINER}/i/a.json.gz", "i/a.json.gz"),
        (f"http://localhost:1/devstoreaccount1/{_CONTAINER}/a%5E%5Eb/a.json.gz", "a^^b/a.json.gz"),
        ("http://example.com/x", None),
        (f"https://account.blob.core.windows.net/{_CONTAINER}x/i/a.json.gz", None),
        (f"/{_CONTAINER}/i/a.json.gz", None),
        (f"https://account.blob.core.windows.net/{_CONTAINER}/i/a.json", None),
        (f"https://account.blob.core.windows.net/{_CONTAINER}/a.json.gz", None),
        (f"http://[/{_CONTAINER}/i/a.json.gz", None),
        (f"http://localhost:1/devstoreaccount1/{_CONTAINER}/i/../../other/a.json.gz", None),
        (f"http://localhost:1/devstoreaccount1/{_CONTAINER}/i/%2e%2E/%2e./other/a.json.gz", None),
        (f"http://localhost:1/devstoreaccount1/{_CONTAINER}/./a.json.gz", None),
        (f"http://localhost:1/devstoreaccount1/{_CONTAINER}/i..j/a.json.gz", "i..j/a.json.gz"),
        ('"text"', None),
        ("", None),
    ],
)
def test_only_an_address_of_the_hubs_own_container_counts(text: str, name: str | None) -> None:
    assert blob_name_in(text, _CONTAINER) == name


@pytest.mark.conforms("S2.6-3")
def test_a_blob_of_a_start_message_is_told_from_one_of_a_row() -> None:
    assert InBlob("i/message-0-ExecutionStarted.json.gz").is_message
    assert not InBlob("i/history-0000000000000001-ExecutionStarted-26CB4DE3-Input.json.gz").is_message
