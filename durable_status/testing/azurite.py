"""Azurite, the emulator of Azure Storage, as a process of one's own.

It listens on free ports of loopback and dies with the process that started it, however that ends: Azurite watches its
stdin, and the end of that is to it what SIGTERM is. Ctrl-C does not reach it, so that what uses it can stop first.

``python -m durable_status.testing.azurite PROJECT COMMAND...`` runs a command with the Azurite of a project as its
``AzureWebJobsStorage``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Self

from durable_status.testing.errors import HarnessError

_SERVICES = ("Blob", "Queue", "Table")
_LISTENING = re.compile(r"Azurite (\w+) service is successfully listening at http://127\.0\.0\.1:(\d+)")
_PACKAGE = Path("node_modules", "azurite")
# The account and the key that every Azurite has; they are public.
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

# Azurite's handlers of SIGTERM write everything to the folder. Until they are there the end of stdin has to wait, and
# what Azurite says while it stops may find nobody who listens.
_RUN_WHILE_STDIN_IS_OPEN = """
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
process.stdin.on("end", () => setInterval(() => process.emit("SIGTERM"), 20).unref()).resume().unref();
require(process.argv[1]);
"""
_PATIENCE_SECONDS = 60.0
_USAGE = "Usage: python -m durable_status.testing.azurite PROJECT COMMAND...  (PROJECT: the folder with node_modules)"


class Azurite:
    """One Azurite: blobs, queues and tables at three ports of loopback that it chooses itself.

    Starts and stops with ``with``, or by `start()` and `stop()`; `start()` after `stop()` or `kill()` takes the same
    ports and the same folder again. It accepts every version of the storage API and sends no telemetry.
    """

    def __init__(self, folder: Path | None = None, *, project: Path | None = None) -> None:
        """Describe it; nothing runs yet.

        Args:
            folder: where it keeps what it holds, an existing folder; without one it keeps all in memory, until it
                stops. It writes the folder every 5 s and when it is stopped, so `kill()` loses the last seconds.
            project: the folder whose ``node_modules`` it is taken from, or that of a folder above; the current folder
                if none is given. Azurite in PATH is the second choice.
        """
        self._folder = folder
        self._project = project
        self._ports = dict.fromkeys(_SERVICES, 0)
        self._process: subprocess.Popen[str] | None = None

    def __repr__(self) -> str:
        ports = ", ".join(f"{service.lower()}s at {port}" for service, port in self._ports.items() if port)
        return f"<Azurite: {'running' if self._process else 'not running'}{f', {ports}' if ports else ''}>"

    @property
    def connection_string(self) -> str:
        """What ``AzureWebJobsStorage`` has to be to use it; it stays the same over restarts."""
        if not all(self._ports.values()):
            raise HarnessError("this Azurite has no ports before its first start; start it.")
        endpoints = [f"{service}Endpoint=http://127.0.0.1:{port}/{_ACCOUNT}" for service, port in self._ports.items()]
        return ";".join(["DefaultEndpointsProtocol=http", f"AccountName={_ACCOUNT}", f"AccountKey={_KEY}", *endpoints])

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._running().pid

    def start(self) -> None:
        """Start it, and return when it answers.

        Raises:
            HarnessError: Node.js or Azurite is not installed, it runs already, or it cannot start: its last line says
                why.
        """
        if self._process is not None:
            raise HarnessError("this Azurite runs already; stop it first.")
        self._process = subprocess.Popen(
            _command(self._project or Path.cwd(), self._ports, self._folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # Windows has no sessions
        )
        try:
            last_line = self._read_until_it_listens()
        except BaseException:  # Ctrl-C, or a time-out of the test
            self.kill()
            raise
        if last_line is not None:
            self._end()
            raise HarnessError(f"Azurite did not start: {last_line}")

    def stop(self) -> None:
        """Let it write what it holds to its folder and end; nothing happens if it does not run.

        Raises:
            HarnessError: it did not end in a minute; it is killed.
        """
        if self._process is None:
            return
        if os.name != "nt":  # there it would be killed; the end of its stdin, which follows, does the same
            self._process.terminate()
        try:
            self._process.communicate(timeout=_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise HarnessError("Azurite did not end in a minute, so it was killed; is a request still open?") from None
        self._process = None

    def kill(self) -> None:
        """End it as a crash does: what it has not written yet is lost; nothing happens if it does not run."""
        if self._process is not None:
            self._process.kill()
            self._end()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run_as_this_process(self, command: list[str]) -> int:
        """Put a command, which finds Azurite in its environment, in place of this process; Azurite ends after it.

        So every signal reaches the command itself, and the command is the one whose end Azurite waits for.
        """
        environment = os.environ | {"AzureWebJobsStorage": self.connection_string}
        process = self._running()
        if os.name != "nt":  # a process cannot be replaced there
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                os.set_inheritable(pipe.fileno(), True)
            sys.stdout.flush()
            os.execvpe(command[0], command, environment)
        return _wait_through_ctrl_c(subprocess.Popen(command, env=environment))

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise HarnessError("this Azurite does not run; start it.")
        return self._process

    def _read_until_it_listens(self) -> str | None:
        """Learn its ports; returns its last line if it ended before."""
        stdout = self._running().stdout
        assert stdout is not None
        last_line, waiting = "it said nothing.", set(_SERVICES)
        for line in stdout:
            last_line = line.strip() or last_line
            if found := _LISTENING.match(line):
                self._ports[found[1]] = int(found[2])
                waiting.discard(found[1])
            if not waiting:
                return None
        return last_line

    def _end(self) -> None:
        self._running().communicate()
        self._process = None


def _command(project: Path, ports: dict[str, int], folder: Path | None) -> list[str]:
    node = shutil.which("node")
    if node is None:
        raise HarnessError("Azurite needs Node.js, which is not in PATH; install Node.js 18 or newer, then run npm ci.")
    return [
        *(node, "-e", _RUN_WHILE_STDIN_IS_OPEN, "--", str(_script(project))),
        *("--silent", "--skipApiVersionCheck", "--disableTelemetry"),
        *(["--inMemoryPersistence"] if folder is None else ["--location", str(folder.resolve(strict=True))]),
        *(word for service, port in ports.items() for word in (f"--{service.lower()}Port", str(port))),
    ]


def _script(project: Path) -> Path:
    """What Node.js has to run: of the nearest ``node_modules``, else of the Azurite in PATH."""
    in_path = shutil.which("azurite")
    beside_command = [Path(in_path).parent] if in_path else []  # where npm puts what is installed for all on Windows
    for folder in (project.resolve(), *project.resolve().parents, *beside_command):
        description = folder / _PACKAGE / "package.json"
        if description.is_file():
            return description.parent / str(json.loads(description.read_text("utf-8"))["bin"]["azurite"])
    if in_path:
        return Path(in_path).resolve()  # a link to the script
    raise HarnessError(
        f"Azurite is installed neither in {project} nor in PATH; run npm ci there, or npm install azurite@3.35.0 if "
        "no package.json asks for it."
    )


def _wait_through_ctrl_c(process: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the command has got it, too, and is stopping


def main(*arguments: str) -> int:
    """Run a command with an Azurite that keeps all in memory, and end with its exit code."""
    project, *command = arguments or ("",)
    if not command:
        print(_USAGE, file=sys.stderr)
        return 2
    if shutil.which(command[0]) is None:
        print(f"Error: there is no command {command[0]!r}.", file=sys.stderr)
        return 127  # as shells have it
    azurite = Azurite(project=Path(project))
    try:
        azurite.start()
    except HarnessError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"Azurite is up while this runs: AzureWebJobsStorage='{azurite.connection_string}'", flush=True)
    return azurite.run_as_this_process(list(command))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
