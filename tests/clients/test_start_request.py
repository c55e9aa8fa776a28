"""What a caller of a starter may send: names, ids, bodies."""

from __future__ import annotations

import json

import azure.functions as func
import pytest

from clients.start_request import STARTABLE, Refusal, parse_json, read_start_request


def _request(
    name: str = "E1_HelloSequence", body: bytes = b"", instance_id: str | None = None, **headers: str
) -> func.HttpRequest:
    return func.HttpRequest(
        method="POST",
        url=f"http://localhost/api/orchestrators/{name}",
        headers=headers,
        params={} if instance_id is None else {"instanceId": instance_id},
        route_params={"functionName": name},
        body=body,
    )


def _refusal(request: func.HttpRequest) -> tuple[int, str]:
    with pytest.raises(Refusal) as refused:
        read_start_request(request)
    response = refused.value.response()
    assert response.mimetype == "application/json"
    document = json.loads(response.get_body())
    assert list(document) == ["error"]
    return response.status_code, document["error"]


def test_these_may_be_started() -> None:
    assert STARTABLE == ("E1_HelloSequence", "CityRecommender", "ReserveTicket", "SetStatusTest")


@pytest.mark.parametrize("name", ["CityRecommender", "cityrecommender", "CITYRECOMMENDER"])
def test_a_name_matches_in_any_case(name: str) -> None:
    assert read_start_request(_request(name)).orchestration == "CityRecommender"


@pytest.mark.parametrize("name", ["", "E1_SayHello", "Nope", "E1_HelloSequence2", "start_orchestration", "../x"])
def test_any_other_name_is_answered_404_with_those_there_are(name: str) -> None:
    status, sentence = _refusal(_request(name))

    assert status == 404
    assert sentence.startswith(f"There is no orchestration {name!r} to start; there are E1_HelloSequence, ")


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"", None),
        (b" \r\n", None),
        (b"null", None),
        (b"1", 1),
        (b'"1"', "1"),
        (b"false", False),
        (b'{"a": [1, 2.5, "\xc3\xa9"]}', {"a": [1, 2.5, "é"]}),
    ],
)
def test_a_body_is_json_whatever_its_content_type(body: bytes, value: object) -> None:
    for content_type in ("application/json", "text/plain", ""):
        assert read_start_request(_request(body=body, **{"Content-Type": content_type})).input == value


@pytest.mark.parametrize(
    "body", [b"{", b"nope", b"{'a': 1}", b"1 2", b"NaN", b"[Infinity]", b"\xff\xfe\xfa", b"[" * 100_000]
)
def test_a_body_that_is_not_json_is_answered_400(body: bytes) -> None:
    status, sentence = _refusal(_request(body=body))

    assert status == 400
    assert sentence.startswith("The body is not JSON: ")
    assert "\n" not in sentence


def test_a_body_over_one_megabyte_is_answered_413() -> None:
    at_most = json.dumps("x" * (1_048_576 - 2)).encode()

    assert len(read_start_request(_request(body=at_most)).input) == 1_048_574
    assert _refusal(_request(body=at_most + b" ")) == (
        413,
        "The body has 1,048,577 bytes; at most 1,048,576 are accepted.",
    )


@pytest.mark.parametrize("instance_id", ["a", "instance123", "ä-ö", "a.b_c~d", "x" * 256, "a@b", "..."])
def test_an_ordinary_id_is_taken_as_it_is(instance_id: str) -> None:
    assert read_start_request(_request(instance_id=instance_id)).instance_id == instance_id


def test_without_an_id_the_platform_makes_one() -> None:
    assert read_start_request(_request()).instance_id is None


@pytest.mark.parametrize(
    "instance_id",
    [
        *("", " ", "a b", "a/b", "a\\b", "a?b", "a#b", "a%2eb", "%", "a+b", "@entity@key", ".", ".."),
        *("x" * 257, "a\nb", "a\x00b", "a\u2028b", "\u00a0", "\ue000", "a\x7f"),
    ],
)
def test_an_id_that_would_change_a_url_is_answered_400(instance_id: str) -> None:
    status, sentence = _refusal(_request(instance_id=instance_id))

    assert status == 400
    assert sentence.startswith("An instance id has 1 to 256 characters, no blank, no control character, none of / ")


def test_strict_json_knows_no_constants() -> None:
    assert parse_json("[1e400]") == [float("inf")]
    for text in ("NaN", "-Infinity", "[Infinity]"):
        with pytest.raises(ValueError, match="is no JSON value"):
            parse_json(text)
