"""What comes from outside is harmless when it is printed, logged or shown in a table."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from durable_status.cli.main import main
from durable_status.cli.output import json_text, lines_of
from durable_status.harmless_text import one_line
from tests.paths import ROOT
from tests.texts_from_outside import TEXTS, steers


@given(TEXTS)
def test_the_lines_of_any_text_are_harmless_and_as_many_as_it_has(text: str) -> None:
    shown = lines_of(text)

    assert len(shown) == text.count("\n") + 1
    assert all(one_line(line) == line for line in shown)


@given(st.recursive(st.none() | TEXTS | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)))
def test_json_is_harmless_and_the_same_value(value: object) -> None:
    text = json_text(value, indent=1)

    assert json.loads(text) == value
    assert not any(map(steers, text.replace("\n", "")))
    text.encode()


_DOCTOR = [sys.executable, "-m", "durable_status", "doctor"]


def test_a_reader_who_has_gone_is_no_reason_for_a_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        done = subprocess.run(_DOCTOR, cwd=ROOT, stdout=pipe, stderr=subprocess.PIPE, check=False)

    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(os.name == "nt", reason="takes a POSIX shell")
def test_without_a_stdout_a_command_does_its_work_all_the_same() -> None:
    done = subprocess.run(f"{shlex.join(_DOCTOR)} >&-", shell=True, cwd=ROOT, stderr=subprocess.PIPE, check=False)

    assert (done.returncode, done.stderr) == (0, b"")


def test_what_the_encoding_lacks_is_an_escape(tmp_path: Path) -> None:
    folder = tmp_path / "no-\u9810"
    done = subprocess.run(
        [*_DOCTOR, "--app", str(folder)],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (1, b"")
    assert b"no-\\u9810" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["\x1b[2J"],
        ["status", "--\x1b[2J\nx", "x"],
        ["status", "\x1b[2J\n\ud800"],
        ["raise-event", "x", "e", "\x1b[2J\n"],
        ["start-new", "x", "--input", "@\x1b[2J\n"],
        ["start", "--app", "\x1b[2J\n"],
        ["start", "--storage", "\x1b[2J\n"],
        ["start", "--extension", "\x1b[2J\n"],
        ["list", "--from", "\x1b[2J\n"],
        ["hub", "list", "--where", "\x1b[2J\n"],
        ["hub", "list", "--app", "\x1b[2J\n"],
        ["hub", "list", "--hub", "\x1b[2J\n"],
        ["replay", "\x1b[2J\n"],
        ["record", "--storage", "sqlite:\x1b[2J\n", "--instance", "x"],
        ["schema", "--app", "\x1b[2J\n"],
        ["doctor", "--app", "\x1b[2J\n"],
    ],
)
def test_an_error_is_one_harmless_line(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, arguments)

    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit)
    assert not any(map(steers, result.output.replace("\n", "")))
    assert result.output.splitlines()[-1].casefold().startswith("error: ")
