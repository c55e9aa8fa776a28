"""What comes from outside is harmless when it is printed, logged or shown in a table."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from durable_status.cli.main import main
from durable_status.cli.output import json_text, lines_of, one_line
from tests.paths import ROOT

_TEXTS = st.text(st.characters(exclude_categories=[]) | st.sampled_from("\n\r\x1b\x9b\x07\u202e\u2066\u2028\x85\ud800"))
_JOINERS = "\u200c\u200d"


def _steers(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and char not in _JOINERS


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("order-7", "order-7"),
        ("a\nb\r\nc\td", "a\\nb\\r\\nc\\td"),
        ("\x1b]0;title\x07\x1b[2J\x9b31m\x7f", "\\u001b]0;title\\u0007\\u001b[2J\\u009b31m\\u007f"),
        ("\u202ecod\u2066.\u200f", "\\u202ecod\\u2066.\\u200f"),
        ("\u2028\u2029\x85\x0b\x0c", "\\u2028\\u2029\\u0085\\u000b\\u000c"),
        ("\ud83c\udfab \udcff", "\\ud83c\\udfab \\udcff"),
        ("\U000e0041", "\\U000e0041"),
        ("予約\u3000🎫 👩\u200d💻 می\u200cشود\xa0", "予約\u3000🎫 👩\u200d💻 می\u200cشود\xa0"),
        ("[bold]:smile:[/]", "[bold]:smile:[/]"),
    ],
)
def test_what_would_steer_a_terminal_is_written_as_an_escape(text: str, shown: str) -> None:
    assert one_line(text) == shown


@given(_TEXTS)
def test_any_text_is_one_harmless_line(text: str) -> None:
    shown = one_line(text)

    assert len(shown.splitlines()) <= 1
    assert not any(map(_steers, shown))
    shown.encode()
    assert one_line(shown) == shown


@given(_TEXTS)
def test_the_lines_of_any_text_are_harmless_and_as_many_as_it_has(text: str) -> None:
    shown = lines_of(text)

    assert len(shown) == text.count("\n") + 1
    assert all(one_line(line) == line for line in shown)


@given(st.recursive(st.none() | _TEXTS | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(_TEXTS, inner)))
def test_json_is_harmless_and_the_same_value(value: object) -> None:
    text = json_text(value, indent=1)

    assert json.loads(text) == value
    assert not any(map(_steers, text.replace("\n", "")))
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
    assert not any(map(_steers, result.output.replace("\n", "")))
    assert result.output.splitlines()[-1].casefold().startswith("error: ")
