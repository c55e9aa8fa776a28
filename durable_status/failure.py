"""Why an instance or a call has failed, for people: out of the texts that the platform keeps of it.

What is stored is made for machines: a Python exception inside the JSON of a .NET exception, once per level of
sub-orchestrations, or the worker's whole answer. What a person needs is the exception and the lines of their own code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

from durable_status.harmless_text import masked, one_line

_LONGEST_REASON = 1_000  # characters
_MOST_FRAMES = 10

_FRAME = re.compile(r'^ [ |]*File "(.+)", line (\d+), in (.+)$', re.MULTILINE)
_NEXT_EXCEPTION = re.compile(
    r"^(?:The above exception was the direct cause of the following exception"
    r"|During handling of the above exception, another exception occurred):$",
    re.MULTILINE,
)
_TYPE = re.compile(r"^([A-Za-z_][\w.]*)(?::|$)", re.MULTILINE)

_STATE_LABEL = "\n\n$OutOfProcData$:"
_OF_CALL = re.compile(r"(?:Activity|Orchestrator) function '[^']*' failed: ")
_RAW = re.compile(r"One or more errors occurred\. \(Result: Failure\nException: (.*?)\nStack: (.*)", re.DOTALL)
_DETAILS = re.compile(r' ?\n ?(?:\{"\$type"|Message: )')

_OF_OTHERS = re.compile(
    r"^<|[/\\](?:site|dist)-packages[/\\]|[/\\]lib[/\\]python3\.\d+[/\\]|[/\\]Python3\d+[/\\]Lib[/\\]"
    r"|[/\\]azure-functions-host[/\\]|[/\\]azure_functions_worker[/\\]",
    re.IGNORECASE,
)
_LIBRARY = __file__.removesuffix("failure.py")


def is_users(file: str) -> bool:
    """Whether a file is the user's own, and not of Python, of an installed package or of this library."""
    return not (file.startswith(_LIBRARY) or _OF_OTHERS.search(file))


@dataclass(frozen=True, slots=True)
class Frame:
    """A line of the user's code that an exception came through."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an instance or a call has failed. `str()` is one line."""

    reason: str
    """The exception's type and text, as far as they are known, in one line."""
    frames: tuple[Frame, ...] = ()
    """The user's own lines, the innermost first; those of a failed activity before those of its orchestrator."""

    @classmethod
    def from_output(cls, output: Any) -> Self:
        """Read the output of a failed instance.

        Of an orchestrator's own exception the platform stores the text only: there is neither type nor line.
        """
        text = output if isinstance(output, str) else json.dumps(output)
        return cls._of_text(re.sub(r"^Orchestrator function '[^']*' failed: ", "", text, count=1))

    @classmethod
    def from_worker(cls, message: str, stack: str) -> Self:
        """Read what the worker told of an exception: ``<Type>: <text>``, and the traceback."""
        traceback = _own_traceback(message, stack)
        head, label, _ = message.partition(_STATE_LABEL)
        text = head.partition(": ")[2]
        if _OF_CALL.match(text):  # the platform made a plain exception of another failure
            inner = cls._of_text(text)
            return replace(inner, frames=(inner.frames + _frames(traceback))[:_MOST_FRAMES])
        if label:  # the SDK has wrapped the exception, whose type is in the traceback
            kind = _TYPE.search(traceback.partition("\n")[2])
            name = kind[1].rpartition(".")[2] if kind else "Exception"
            head = f"{name}: {text}" if text else name
        return cls(reason=_short_line(head), frames=_frames(traceback)[:_MOST_FRAMES])

    @classmethod
    def _of_text(cls, text: str) -> Self:
        raw = _RAW.search(text)
        if raw is not None:
            inner = cls.from_worker(raw[1], raw[2])
            return replace(inner, reason=_short_line(text[: raw.start()] + inner.reason))
        details = _DETAILS.search(text)
        if details is None:
            return cls(reason=_short_line(text))
        frames = tuple(frame for stack in _remote_stacks(text[details.start() :]) for frame in _frames(stack))
        return cls(reason=_short_line(text[: details.start()]), frames=tuple(dict.fromkeys(frames))[:_MOST_FRAMES])

    def seen_from(self, folder: str) -> Self:
        """The same, with the files in `folder` named relative to it."""
        start = folder.rstrip("/\\")
        shortened = tuple(
            replace(frame, file=frame.file[len(start) + 1 :])
            if frame.file.startswith((f"{start}/", f"{start}\\"))
            else frame
            for frame in self.frames
        )
        return replace(self, frames=shortened)

    def __str__(self) -> str:
        return f"{self.reason} ({', '.join(map(str, self.frames))})" if self.frames else self.reason


def _own_traceback(message: str, stack: str) -> str:
    """The traceback of the exception itself, without those of its causes and of the one that the SDK wraps it in."""
    tracebacks = _NEXT_EXCEPTION.split(stack)
    is_wrapped = len(tracebacks) > 1 and _STATE_LABEL in message
    return tracebacks[-2 if is_wrapped else -1].strip("\n")


def _frames(traceback: str) -> tuple[Frame, ...]:
    found = [match.groups() for match in _FRAME.finditer(traceback) if is_users(match[1])]
    return tuple(Frame(_short_line(file), int(line), _short_line(function)) for file, line, function in reversed(found))


def _remote_stacks(details: str) -> Iterator[str]:
    """The tracebacks in the .NET exceptions that a text holds as JSON."""
    decoder = json.JSONDecoder()
    for start in re.finditer(r'\{"\$type"', details):
        try:
            exception, _ = decoder.raw_decode(details, start.start())
        except ValueError:
            continue
        while isinstance(exception, dict):
            stack = exception.get("RemoteStackTrace")
            if isinstance(stack, str):
                yield _NEXT_EXCEPTION.split(stack)[-1]
            exception = exception.get("InnerException")


def _short_line(text: str) -> str:
    """A text in one line that steers no terminal and shows no key of a URL."""
    line = one_line(masked(" ".join(text.split())))
    return line if len(line) <= _LONGEST_REASON else f"{line[: _LONGEST_REASON - 3]}..."
