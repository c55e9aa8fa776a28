"""Breakpoints in orchestrators and activities stop under debugpy."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import urllib.request
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from tests.paths import ROOT

_PATIENCE_SECONDS = 60.0
_CODE = """import azure.durable_functions as df

app = df.DFApp()


@app.orchestration_trigger(context_name="context")
def outer(context):
    return (yield context.call_activity("inner", 5))


@app.activity_trigger(input_name="number")
def inner(number):
    return number + 1
"""
_UNDER_THE_DEBUGGER = """
import debugpy, runpy
print("debugger at", debugpy.listen(("127.0.0.1", 0))[1], flush=True)
runpy.run_module("durable_status", run_name="__main__", alter_sys=True)
"""
_ORCHESTRATOR_LINE, _ACTIVITY_LINE = 8, 13


class _Adapter:
    """The few requests of the debug adapter protocol that a breakpoint needs."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), _PATIENCE_SECONDS)
        self._stream = self._socket.makefile("rb")
        self._sequence = 0

    def send(self, command: str, **arguments: Any) -> None:
        self._sequence += 1
        message = {"seq": self._sequence, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        self._socket.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def until(self, name: str) -> Any:
        """The next event, or answer to a command, of that name."""
        while True:
            length = int(self._stream.readline().split(b":")[1])
            self._stream.readline()
            message = json.loads(self._stream.read(length))
            if name in (message.get("event"), message.get("command")):
                return message

    def close(self) -> None:
        self._stream.close()
        self._socket.close()

    def line_where_it_stopped(self) -> int:
        thread = self.until("stopped")["body"]["threadId"]
        self.send("stackTrace", threadId=thread, startFrame=0, levels=1)
        line = self.until("stackTrace")["body"]["stackFrames"][0]["line"]
        self.send("continue", threadId=thread)
        return int(line)


def test_breakpoints_stop_in_an_orchestrator_and_in_an_activity(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "function_app.py").write_text(_CODE)
    debugged = [sys.executable, "-Xfrozen_modules=off", "-c", _UNDER_THE_DEBUGGER]
    start = ["start", "--app", str(tmp_path), "--port", "0", "--rpc-port", "0", "--storage", "memory"]
    with (
        ExitStack() as stack,
        subprocess.Popen(
            [*debugged, *start],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process,
    ):
        timer = threading.Timer(_PATIENCE_SECONDS, process.kill)  # ends every wait below
        timer.start()
        try:
            assert process.stdout is not None
            text = "".join(iter(lambda: process.stdout.readline(), "Ctrl-C stops the host.\n"))  # type: ignore[union-attr]
            found = re.search(r"curl -X POST (\S+)", text)
            port = re.search(r"debugger at (\d+)", text)
            assert found is not None, text
            assert port is not None, text
            adapter = stack.enter_context(closing(_Adapter(int(port[1]))))
            adapter.send("initialize", adapterID="test", clientID="test", pathFormat="path")
            adapter.until("initialize")
            adapter.send("attach", justMyCode=False)
            adapter.until("initialized")
            lines = [{"line": line} for line in (_ORCHESTRATOR_LINE, _ACTIVITY_LINE)]
            adapter.send("setBreakpoints", source={"path": str(tmp_path / "function_app.py")}, breakpoints=lines)
            adapter.until("setBreakpoints")
            adapter.send("configurationDone")
            adapter.until("configurationDone")
            urllib.request.urlopen(urllib.request.Request(found[1], method="POST")).close()

            assert adapter.line_where_it_stopped() == _ORCHESTRATOR_LINE
            assert adapter.line_where_it_stopped() == _ACTIVITY_LINE
        finally:
            timer.cancel()
            process.kill()
