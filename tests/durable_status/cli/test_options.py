"""The command line: what it offers and how it refuses."""

from __future__ import annotations

import re
from pathlib import Path

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
