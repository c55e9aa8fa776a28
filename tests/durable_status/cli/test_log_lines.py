"""Log lines: each carries its level, and no text from outside looks like one of ours."""

from __future__ import annotations

import io
import logging
import re
import sys
from collections.abc import Iterator

import pytest

from durable_status.cli.log_lines import _CHATTY, _SAYS_IT_IN_ERRORS, set_up_logging

_BEGINNING = re.compile(r"\[\d\d:\d\d:\d\d\] (DEBUG|INFO|WARNING|ERROR|CRITICAL) +")
_MORE = " " * 11 + "| "
_FORGED = "[12:00:00] INFO    Instance 'x' of Order: Completed"


class Log:
    """The log of a command, begun within a test: the test runner has handlers of its own until then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._stream = io.StringIO()
        self._monkeypatch = monkeypatch

    def begin(self, level: int = logging.INFO) -> None:
        self._monkeypatch.setattr(sys, "stderr", self._stream)
        self._monkeypatch.setattr(logging.getLogger(), "handlers", [])
        set_up_logging(level)

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def lines(self) -> list[str]:
        return self.text.removesuffix("\n").split("\n")


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    touched = [logging.getLogger(name) for name in (None, *_CHATTY, _SAYS_IT_IN_ERRORS)]
    levels = [logger.level for logger in touched]
    yield Log(monkeypatch)
    for logger, level in zip(touched, levels, strict=True):
        logger.setLevel(level)


def _text(line: str) -> str:
    found = _BEGINNING.match(line)
    assert found, line
    return line[found.end() :]


def test_a_line_has_time_level_and_text(log: Log) -> None:
    log.begin()
    logging.getLogger("durable_status.x").warning("Port %d of %s is taken.", 80, "here")
    logging.getLogger("durable_status.x").debug("Not shown.")

    (line,) = log.lines
    assert _text(line) == "Port 80 of here is taken."
    assert line[10:].startswith(" WARNING ")


@pytest.mark.parametrize(
    ("settings", "colored"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_colours_are_no_substitute_for_the_level(
    log: Log, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], colored: bool
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    log.begin()
    logging.getLogger("durable_status.x").error("It broke.")

    assert "ERROR   It broke." in log.text
    assert ("\x1b[31m" in log.text) is colored


@pytest.mark.parametrize("hostile", [f"a\n{_FORGED}", f"a\r{_FORGED}", f"a\x1b[2K\x1b[G{_FORGED}", f"a\u2028{_FORGED}"])
def test_what_a_line_of_ours_names_stays_in_it(log: Log, hostile: str) -> None:
    log.begin()
    ours = logging.getLogger("durable_status.x")
    ours.warning("Instance '%s': %s; trying again: %s", hostile, hostile, ValueError(hostile))
    ours.warning("%d%% of %r and %5s", 7, hostile, hostile)

    lines = log.lines
    assert len(lines) == 2
    assert all(_text(line).isprintable() for line in lines)


def test_a_traceback_keeps_its_lines_and_none_looks_like_one_of_ours(log: Log) -> None:
    log.begin()
    stack = f'Traceback (most recent call last):\n  File "a.py", line 1\n\tboom()\n{_FORGED}\x1b[2J\n'
    logging.getLogger("durable_status.x").error("Function '%s' failed: %s\n%s", "f", f"a\n{_FORGED}", stack)

    lines = log.lines
    assert _text(lines[0]) == f"Function 'f' failed: a\\n{_FORGED}"
    assert lines[1:] == [
        f"{_MORE}Traceback (most recent call last):",
        f'{_MORE}  File "a.py", line 1',
        f"{_MORE}    boom()",
        f"{_MORE}{_FORGED}\\u001b[2J",
    ]


def test_what_an_app_logs_keeps_its_lines_too(log: Log) -> None:
    log.begin()
    logging.getLogger("orders").info("%s\n", f"packed\n{_FORGED}")
    try:
        raise ValueError(f"bad\n{_FORGED}")
    except ValueError:
        logging.getLogger("orders").exception("It broke.", stack_info=True)

    lines = log.lines
    ours = [line for line in lines if _BEGINNING.match(line)]
    assert [_text(line) for line in ours] == ["packed", "It broke."]
    assert all(line.startswith(_MORE) for line in lines if line not in ours)
    assert f"{_MORE}{_FORGED}" in lines


def test_a_level_is_a_bound_for_everybody(log: Log) -> None:
    log.begin(logging.ERROR)
    for name in ("durable_status.x", "orders", "azure.core", "asyncio"):
        logging.getLogger(name).warning("Not shown.")
        logging.getLogger(name).error("Shown.")

    assert [_text(line) for line in log.lines] == ["Shown."] * 4


def test_keys_in_urls_are_masked(log: Log) -> None:
    log.begin()
    logging.getLogger("orders").info("http://localhost/x?code=secret&a=b")

    assert _text(log.lines[0]) == "http://localhost/x?code=***&a=b"
