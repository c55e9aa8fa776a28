"""The command line: what it offers and how it refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from durable_status.cli.main import main
from durable_status.cli.start import start


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_help_names_every_option_and_its_default() -> None:
    shown = _run("start", "--help")

    assert shown.exit_code == 0
    for parameter in start.params:
        assert parameter.opts[0] in shown.stdout
    for default in ("[default: here]", "local.settings.json, else 7071]", "17071]", "sqlite, in the app's", "3]"):
        assert default in " ".join(shown.stdout.split())


def test_the_options_are_those_that_every_document_names() -> None:
    assert {option for parameter in start.params for option in parameter.opts} >= {
        "--app",
        "--port",
        "--rpc-port",
        "--storage",
        "--extension",
    }


def test_the_command_alone_shows_its_subcommands() -> None:
    assert re.search(r"^  start +Serve an Azure Functions app", _run("-h").stdout, re.MULTILINE)
    assert re.fullmatch(r"\S+, version \d+\.\d+\.\d+\n", _run("--version").stdout)


def test_the_commands_are_in_sections_and_none_is_left_out() -> None:
    shown = _run("--help").stdout
    sections = re.findall(r"^(\w[\w ]+):\n((?:  .+\n)+)", shown, re.MULTILINE)
    names = [re.findall(r"^  (\S+)  ", lines, re.MULTILINE) for title, lines in sections if title != "Options"]

    assert len(sections) == 1 + 4
    assert sorted(name for section in names for name in section) == sorted(main.commands)
    assert "..." not in shown.partition("\nRun an app:")[2]


def _commands(group: click.Group, *before: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*before, name)
        if isinstance(command, click.Group):
            yield from _commands(command, *before, name)


@pytest.mark.parametrize("command", list(_commands(main)), ids=" ".join)
def test_the_help_of_every_command_has_examples_and_a_word_about_every_option(command: tuple[str, ...]) -> None:
    shown = _run(*command, "--help").stdout
    options = shown.partition("\nOptions:\n")[2].partition("\n\n")[0]
    examples = re.findall(r"^  Examples:\n((?:    .+\n)+)", shown, re.MULTILINE)

    assert f"durable-status {' '.join(command)} " in examples[0]
    assert not re.search(r"INTEGER|FLOAT", options)
    for option in re.split(r"^  (?=-)", options, flags=re.MULTILINE)[1:]:
        assert re.search(r"(?:  |\n +)[A-Z]", option), option


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["wach"], "No such command 'wach'. Did you mean 'watch'?"),
        (["hub", "lst"], "No such command 'lst'. Did you mean 'list'?"),
        (["watch", "x", "--timeot", "3"], "No such option '--timeot'. Did you mean '--timeout'?"),
        (["start", "--log-level", "loud"], "'loud' is not one of 'debug', 'info', 'warning', 'error'."),
    ],
)
def test_what_is_misspelt_gets_a_suggestion(arguments: list[str], told: str) -> None:
    refused = _run(*arguments)

    assert refused.exit_code == 2
    assert refused.stderr.splitlines()[-1].endswith(told)


@pytest.mark.parametrize("arguments", [[], ["hub"]])
def test_a_group_alone_shows_its_help(arguments: list[str]) -> None:
    shown = _run(*arguments)

    assert shown.exit_code == 2
    assert shown.output.startswith("Usage: ")
    assert len(shown.output.splitlines()) > 10


def test_ctrl_c_in_any_command_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("durable_status.app.doctor.examine", interrupt)
    monkeypatch.setattr("durable_status.cli.schema.status_schema", interrupt)

    for command in ("doctor", "schema"):
        stopped = _run(command)
        assert (stopped.exit_code, stopped.output.strip()) == (130, "")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--port", "70000"], "Invalid value for '--port': 70000 is not in the range 0<=x<=65535."),
        (["--port", "web"], "Invalid value for '--port': 'web' is not a valid integer range."),
        (["--rpc-port", "-1"], "Invalid value for '--rpc-port': -1 is not in the range 0<=x<=65535."),
        (["--extension", "4"], "Invalid value for '--extension': '4' is not one of '2.13', '3'."),
        (["--app"], "Option '--app' requires an argument."),
        (["--address", "here"], "Invalid value for '--address': 'here' is no IP address."),
        (["--colour"], "No such option"),
        (["here"], "Got unexpected extra argument (here)"),
    ],
)
def test_a_bad_option_is_named(options: list[str], told: str) -> None:
    refused = _run("start", *options)

    assert refused.exit_code == 2
    assert refused.stderr.splitlines()[-1].startswith(f"Error: {told}")
    assert refused.stdout == ""


def test_an_unknown_subcommand_is_named() -> None:
    refused = _run("begin")

    assert refused.exit_code == 2
    assert refused.stderr.splitlines()[-1].startswith("Error: No such command 'begin'.")


@pytest.mark.parametrize("storage", ["redis", "memory:x", "sqlite:", "", "SQLITE"])
def test_a_storage_that_does_not_exist_is_named_with_those_that_do(storage: str, tmp_path: Path) -> None:
    refused = _run("start", "--app", str(tmp_path), "--storage", storage)

    assert refused.exit_code == 1
    assert refused.stderr == f"Error: there is no storage '{storage}'; choose memory, sqlite, sqlite:PATH or azure.\n"
    assert list(tmp_path.iterdir()) == []
