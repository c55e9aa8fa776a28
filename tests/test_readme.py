"""The README says what is so: its code runs, its requests are answered, its terminal shows what a terminal shows."""

from __future__ import annotations

import asyncio
import inspect
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from durable_status.testing.bench import DurableBench
from tests.hosts import RunningHost, running_host
from tests.paths import ROOT

_TEXT = (ROOT / "README.md").read_text()
_URL = "http://localhost:7071"
_PACK = """

@app.activity_trigger(input_name="article")
def Pack(article: str) -> str:
    return article
"""


def _section(heading: str) -> str:
    return _TEXT.split(f"## {heading}\n")[1].split("\n## ")[0]


def _python(heading: str) -> str:
    (block,) = re.findall(r"```python\n(.*?)```", _section(heading), re.DOTALL)
    return str(block)


def test_it_is_short_and_every_link_and_folder_exists() -> None:
    rows = "".join(line for line in _TEXT.splitlines() if line.startswith("|"))
    named = [*re.findall(r"\]\(([\w./-]+)\)", _TEXT), *re.findall(r"`((?:\w+/)+|\w+\.py)`", rows)]

    assert len(_TEXT.splitlines()) <= 160
    assert len(named) >= 30
    folders = (ROOT, ROOT / "durable_status")  # the table names the parts of the library by themselves
    assert [name for name in named if not any((folder / name).exists() for folder in folders)] == []


def test_the_order_packed_with_its_status_is_read_as_it_was_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "function_app.py").write_text(_python("Write a status") + _PACK)
    shutil.copy(ROOT / "host.json", tmp_path)

    async def main() -> None:
        async with running_host(tmp_path) as host:
            code = _python("Read it")
            assert _URL in code
            await asyncio.to_thread(exec, code.replace(_URL, host.host.base_url), {})

    asyncio.run(main())

    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "2 desk"
    assert set(lines) <= {"1 lamp", "2 desk"}


def test_its_tests_pass(durable: DurableBench) -> None:
    names: dict[str, Any] = {}
    exec(_python("Test it"), names)
    tests = [value for name, value in names.items() if name.startswith("test_") and inspect.isfunction(value)]

    assert len(tests) == 2
    for test in tests:
        test(durable)


def test_its_requests_are_answered() -> None:
    lines = re.findall(r"^curl (?:.*\\\n)*.*", _TEXT, re.MULTILINE)

    async def main() -> list[int]:
        async with running_host() as host:
            return [await _send(host, shlex.split(line.replace("\\\n", ""))[1:]) for line in lines]

    assert asyncio.run(main()) == [202, 202, 200, 202, 202, 202, 202]


async def _send(host: RunningHost, words: list[str]) -> int:
    """Send what `curl` would send with these arguments."""
    options = {"-X": "GET", "-H": None, "-d": None}
    while words[0] in options:
        option = words.pop(0)
        options[option] = words.pop(0)
    (url,) = words
    assert url.startswith(_URL)
    headers = dict([options["-H"].split(": ")]) if options["-H"] else {}
    answer = await host.request(options["-X"] or "GET", url.removeprefix(_URL), options["-d"], headers=headers)
    return answer.status


@pytest.mark.skipif(sys.platform == "win32", reason="the session is one of a POSIX shell")
def test_its_terminal_session_is_what_a_terminal_shows() -> None:
    session = re.findall(r"```\n(\$ .*?)```", _TEXT, re.DOTALL)[0]
    commands = re.findall(r"^\$ (.*)$", session, re.MULTILINE)
    shown = [line for line in session.splitlines() if not line.startswith("$ ")]

    async def main() -> list[str]:
        async with running_host() as host:
            script = "\n".join(commands).replace(".venv/bin/durable-status", f"{sys.executable} -m durable_status")
            process = await asyncio.create_subprocess_shell(
                f"export DURABLE_STATUS_URL={host.host.base_url}\n{script}", stdout=asyncio.subprocess.PIPE, cwd=ROOT
            )
            output, _ = await process.communicate()
            return output.decode().splitlines()

    printed = asyncio.run(main())

    assert (printed[0], printed[-1]) == (shown[0], shown[-1])
    remaining = iter(shown)
    assert all(line in remaining for line in printed), printed  # a busy machine may miss a status
