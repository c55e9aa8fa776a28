"""`logging.logLevel` of host.json, by the platform's categories of log lines."""

from __future__ import annotations

import asyncio
import io
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from durable_status.app.errors import AppError
from durable_status.app.host_settings import read_host_settings
from durable_status.local_host.log_categories import category_of, honour_log_levels
from tests.host_process import host_process
from tests.hosts import app_in, running_host
from tests.paths import APPS

TELLS = APPS / "tells"

_LEVELS = {
    "Trace": 5,
    "debug": logging.DEBUG,
    "INFORMATION": logging.INFO,
    "Warning": logging.WARNING,
    "Error": logging.ERROR,
    "Critical": logging.CRITICAL,
    "None": 100,
    "0": 5,
    "6": 100,
}


def _read(root: Path, levels: str, **environment: str) -> object:
    (root / "host.json").write_text(f'{{"version": "2.0", "logging": {{"LogLevel": {levels}}}}}')
    return read_host_settings(root, environment).log_levels


@pytest.mark.conforms("H6-38")
@pytest.mark.parametrize(("word", "level"), _LEVELS.items())
def test_levels_are_the_platforms_words_in_any_case_or_their_numbers(tmp_path: Path, word: str, level: int) -> None:
    levels = _read(tmp_path, f'{{"default": "{word}"}}')

    assert levels is not None
    assert levels.of("Anything") == level  # type: ignore[attr-defined]


@pytest.mark.conforms("H6-38")
@pytest.mark.parametrize(
    ("category", "level"),
    [
        ("Host.General", logging.ERROR),
        ("Function", logging.WARNING),
        ("Function.Echo", logging.INFO),
        ("function.echo.user", logging.DEBUG),
        ("Function.Echoes", logging.INFO),  # a prefix is one, as on the platform
        ("Function.Other.User", logging.WARNING),
        ("DurableTask.AzureStorage", logging.CRITICAL),
        ("Host.Triggers.DurableTask", 100),
        ("", logging.ERROR),
    ],
)
def test_the_longest_name_that_a_category_begins_with_counts(tmp_path: Path, category: str, level: int) -> None:
    levels = _read(
        tmp_path,
        '{"default": "Error", "Function": "Warning", "Function.Echo": "Information", "FUNCTION.Echo.User": "Debug", '
        '"DurableTask": "Critical", "Host.Triggers": "None"}',
    )

    assert levels.of(category) == level  # type: ignore[attr-defined]


@pytest.mark.conforms("H6-38")
def test_without_a_default_it_is_information_and_a_variable_wins(tmp_path: Path) -> None:
    levels = _read(tmp_path, '{"Host": "Error"}', AzureFunctionsJobHost__logging__logLevel__Host="Debug")

    assert (levels.of("Host.General"), levels.of("Function.X")) == (logging.DEBUG, logging.INFO)  # type: ignore[attr-defined]
    assert _read(tmp_path, "{}") is None
    assert _read(tmp_path, '{"Host": null, "Function": ""}') is None


@pytest.mark.conforms("H6-38")
@pytest.mark.parametrize("value", ['"Loud"', "7", "true", "[]"])
def test_a_level_that_does_not_exist_stops_the_host(tmp_path: Path, value: str) -> None:
    with pytest.raises(
        AppError, match=r"host\.json: logging\.logLevel\.function must be Trace, Debug, .* or None, not"
    ):
        _read(tmp_path, f'{{"Function": {value}}}')


@pytest.fixture
def terminal() -> Iterator[io.StringIO]:
    """What a handler of the root logger writes that lets INFO through."""
    text = io.StringIO()
    handler, root = logging.StreamHandler(text), logging.getLogger()
    handler.setFormatter(logging.Formatter("%(message)s"))
    before, others = root.level, list(root.handlers)
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    yield text
    honour_log_levels(None)
    root.handlers[:] = others
    root.setLevel(before)


def _lines_of_a_run(levels: str, tmp_path: Path, terminal: io.StringIO) -> str:
    honour_log_levels(_read(tmp_path, levels))  # type: ignore[arg-type]

    async def main() -> None:
        async with running_host(TELLS) as host:
            await host.start("orch", "i")
            await host.until_status("i", "Failed")
            assert (await host.request("GET", "/api/loud")).status == 500

    asyncio.run(main())
    return terminal.getvalue()


_LOUD = ["Executing 'Functions.loud'", "user error of loud", "Function 'loud' failed: ValueError: loud"]
_ECHO = ["Executing 'Functions.echo'", "user info of echo", "Activity 'echo' of instance 'i' failed: "]
_DURABLE = ["Instance 'i' of orch failed: "]
_HOST = ["Opened local http RPC endpoint: "]
_DEBUG = ["user debug of echo", "user debug of loud"]


@pytest.mark.conforms("H6-39")
@pytest.mark.parametrize(
    ("levels", "shown", "hidden"),
    [
        ('{"default": "Information"}', [*_LOUD, *_ECHO, *_DURABLE, *_HOST], _DEBUG),
        ('{"default": "None"}', [], [*_LOUD, *_ECHO, *_DURABLE, *_HOST, *_DEBUG]),
        ('{"Function": "None"}', [*_DURABLE, *_HOST], [*_LOUD, *_ECHO, *_DEBUG]),
        ('{"Function.echo": "None"}', [*_LOUD, *_DURABLE, *_HOST], [*_ECHO, *_DEBUG]),
        ('{"Function.echo.User": "Error"}', [_ECHO[0], _ECHO[2], *_LOUD], [_ECHO[1]]),
        ('{"Function.echo.User": "Debug"}', [_DEBUG[0], *_ECHO], [_DEBUG[1]]),
        ('{"Host": "Warning"}', [*_LOUD, *_ECHO, *_DURABLE], _HOST),
        ('{"Host.Triggers.DurableTask": "Critical"}', [*_LOUD, *_ECHO, *_HOST], _DURABLE),
        ('{"default": "Error"}', [*_LOUD[1:], _ECHO[2], *_DURABLE], [_LOUD[0], *_ECHO[:2], *_HOST]),
    ],
)
def test_lines_are_shown_by_their_category(
    levels: str, shown: list[str], hidden: list[str], tmp_path: Path, terminal: io.StringIO
) -> None:
    text = _lines_of_a_run(levels, tmp_path, terminal)

    assert [line for line in shown if line not in text] == []
    assert [line for line in hidden if line in text] == []


@pytest.mark.conforms("H6-39")
@pytest.mark.parametrize(
    ("logger", "category"),
    [
        ("durable_status.local_host.storage.azure_storage.mailbox", "DurableTask.AzureStorage"),
        ("durable_status.local_host.dispatcher", "DurableTask.Core"),
        ("durable_status.local_host.management.purge", "Host.Triggers.DurableTask"),
        ("durable_status.local_host.listen", "Host.General"),
        ("durable_status.payloads.upkeep", "Host.Triggers.DurableTask"),
        ("somebody.else", ""),
    ],
)
def test_each_logger_has_a_category_of_the_platform(logger: str, category: str) -> None:
    assert category_of(logging.LogRecord(logger, logging.INFO, "", 0, "", None, None)) == category


@pytest.mark.conforms("H6-39")
@pytest.mark.parametrize(("options", "shown"), [((), False), (("--log-level", "info"), True)])
def test_the_command_shows_what_host_json_lets_through_or_what_it_was_told(
    tmp_path: Path, options: tuple[str, ...], shown: bool
) -> None:
    shutil.copy(TELLS / "function_app.py", tmp_path)
    (tmp_path / "host.json").write_text('{"version": "2.0", "logging": {"logLevel": {"Function.loud": "None"}}}')

    async def main() -> str:
        async with host_process(tmp_path, "--storage", "memory", *options) as host:
            await host.request("GET", "/api/loud")
            await host.start("orch", "i")
            await host.until_status("i", "Failed")
            await host.stop()
            return host.stderr

    text = asyncio.run(main())

    assert "Executing 'Functions.echo'" in text
    assert ("loud" in text) is shown


def test_what_was_asked_for_is_forgotten_with_the_next_app(tmp_path: Path, terminal: io.StringIO) -> None:
    honour_log_levels(_read(tmp_path, '{"default": "Error"}'))  # type: ignore[arg-type]
    honour_log_levels(None)
    logging.getLogger("x").info("shown")
    logging.getLogger("x").debug("hidden")

    assert terminal.getvalue() == "shown\n"
    assert app_in(TELLS).settings.log_levels is None
