"""host.json and local.settings.json as a host reads them: comments, any case, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from durable_status.app.errors import AppError
from durable_status.app.host_settings import HostSettings, expand_settings, read_host_settings
from durable_status.app.local_settings import read_local_settings


def _host(root: Path, text: str, **environment: str) -> HostSettings:
    (root / "host.json").write_text(text)
    return read_host_settings(root, environment)


def _durable(root: Path, members: str, **environment: str) -> HostSettings:
    return _host(root, f'{{"version": "2.0", "extensions": {{"durableTask": {{{members}}}}}}}', **environment)


def test_comments_trailing_commas_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    text = '\ufeff{\n  // why\n  "version": "2.0", /* and */\n  "extensions": {"http": {"routePrefix": "v1"},},\n}'

    assert _host(tmp_path, text).route_prefix == "v1"


def test_names_are_matched_in_any_case_and_unknown_ones_ignored(tmp_path: Path) -> None:
    text = '{"Version": "2.0", "future": 1, "EXTENSIONS": {"DurableTask": {"HUBNAME": "MyHub", "more": []}}}'

    assert _host(tmp_path, text).hub_name == "MyHub"


def test_without_sections_the_defaults_are_the_extensions(tmp_path: Path) -> None:
    settings = _host(tmp_path, '{"version": "2.0"}')

    concurrency = 10 * (os.cpu_count() or 1)
    assert settings == HostSettings(
        max_concurrent_orchestrators=concurrency,
        max_concurrent_activities=concurrency,
        max_concurrent_entities=concurrency,
    )
    assert (settings.hub_name, settings.route_prefix, settings.connection_name) == ("TestHubName", "api", None)


def test_numbers_and_truths_may_be_texts(tmp_path: Path) -> None:
    members = '"maxConcurrentActivityFunctions": "5", "storeInputsInOrchestrationHistory": "True"'
    settings = _durable(tmp_path, members)

    assert (settings.max_concurrent_activities, settings.store_inputs_in_history) == (5, True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "host.json is not valid JSON at line 1, column 1"),
        ('{"version": "2.0"', "host.json is not valid JSON at line 1"),
        ('{"version": "2.0"}\n{"version": "2.0"}', "a second value begins at line 2, column 1; keep one object"),
        ("[]", "host.json must hold one JSON object, not list."),
        ('{"extensions": {}}', 'host.json: "version" must be "2.0", not None.'),
        ('{"version": "1.0"}', 'host.json: "version" must be "2.0", not \'1.0\'.'),
        ('{"version": 2.0}', 'host.json: "version" must be "2.0", not 2.0.'),
        ('{"version": "2.0", "extensions": []}', "host.json: extensions must be an object, not []."),
    ],
)
def test_a_broken_host_json_is_told_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(AppError) as refused:
        _host(tmp_path, text)

    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ('"maxConcurrentActivityFunctions": 0', "maxConcurrentActivityFunctions must be a whole number above zero"),
        ('"maxConcurrentActivityFunctions": true', "must be a whole number above zero, not True."),
        ('"storeInputsInOrchestrationHistory": 2', "storeInputsInOrchestrationHistory must be true or false, not 2."),
        ('"hubName": 7', "hubName must be a text, not 7."),
        ('"hubName": "my-hub"', "Task hub name 'my-hub' should contain only alphanumeric characters"),
        ('"hubName": "1st"', "start with a letter"),
        ('"hubName": "ab"', "have length between 3 and 45"),
        ('"hubName": "%HUB%"', "host.json: hubName refers to the app setting %HUB%, which has no value; set it in"),
    ],
)
def test_a_value_that_the_host_would_refuse_is_named(tmp_path: Path, members: str, told: str) -> None:
    with pytest.raises(AppError) as refused:
        _durable(tmp_path, members)

    assert told in str(refused.value)


def test_a_hub_without_a_name_is_named_after_the_site(tmp_path: Path) -> None:
    names = [
        _durable(tmp_path, "", WEBSITE_SITE_NAME=site).hub_name
        for site in ("my-site.v2", "2nd-site", "a", "---", "s" * 60, "")
    ]

    assert names == ["mysitev2", "t2ndsite", "aHub", "DefaultTaskHub", "s" * 45, "TestHubName"]


def test_settings_are_expanded_wherever_they_stand_in_a_text() -> None:
    assert expand_settings("%A%-%B%-100%", {"A": "x", "B": "y"}, "here") == "x-y-100%"
    with pytest.raises(AppError, match="here refers to the app setting %C%"):
        expand_settings("%A%%C%", {"A": "x", "C": ""}, "here")


def _local(root: Path, text: str) -> str:
    (root / "local.settings.json").write_text(text)
    with pytest.raises(AppError) as refused:
        read_local_settings(root)
    return str(refused.value)


def test_no_local_settings_are_none(tmp_path: Path) -> None:
    assert read_local_settings(tmp_path).values == {}


def test_local_settings_with_comments_are_read(tmp_path: Path) -> None:
    (tmp_path / "local.settings.json").write_text('{"Values": {"A": "1", /* no */ "B": null,}, "Host": null}')

    assert read_local_settings(tmp_path).values == {"A": "1"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"IsEncrypted": true, "Values": {"A": "gibberish"}}', "is encrypted; run"),
        ('{"Values": ["A"]}', '"Values" must be an object, not list.'),
        ('{"Host": {"LocalHttpPort": "web"}}', "Host.LocalHttpPort must be a port number, not 'web'."),
        ('{"Host": {"LocalHttpPort": 70000}}', "Host.LocalHttpPort must be a port number, not 70000."),
        ('{"Host": []}', '"Host" must be an object, not list.'),
        ("not json", "local.settings.json is not valid JSON"),
    ],
)
def test_broken_local_settings_are_told_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    assert told in _local(tmp_path, text)
