"""The group of all commands: its help has sections, and what goes wrong in it is told in lines that are harmless."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
from click.exceptions import NoArgsIsHelpError

from durable_status.cli.output import take_any_character
from durable_status.harmless_text import one_line

INTERRUPTED = 130  # as shells have it


class CommandGroup(click.Group):
    """Commands in sections."""

    def __init__(self, *arguments: Any, sections: Mapping[str, Sequence[click.Command]], **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._sections = sections
        for commands in sections.values():
            for command in commands:
                self.add_command(command)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names and a line about each command."""
        limit = formatter.width - 6 - max(map(len, self.commands))
        for title, commands in self._sections.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(command.name or "", command.get_short_help_str(limit)) for command in commands],
                )

    def main(  # type: ignore[override]  # the overloads of click differ only in what they return
        self, args: Sequence[str] | None = None, standalone_mode: bool = True, **settings: Any
    ) -> Any:
        """Run the command that the arguments name, and end the process with its exit code."""
        if not standalone_mode:
            return super().main(args, standalone_mode=False, **settings)
        take_any_character()
        try:
            code = super().main(args, standalone_mode=False, **settings)
        except click.ClickException as error:
            _tell(error)
            sys.exit(error.exit_code)
        except click.Abort:
            sys.exit(INTERRUPTED)
        sys.exit(code)


def _tell(error: click.ClickException) -> None:
    """Print what is wrong in one line, after the usage if that is what is wrong."""
    if not isinstance(error, NoArgsIsHelpError):
        # click lists choices in lines of their own.
        text = error.format_message()
        told = one_line(" ".join(text.split()) if isinstance(error, click.UsageError) else text)
        error.format_message = lambda: told  # type: ignore[method-assign]
    error.show()
