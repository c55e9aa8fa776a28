"""How long a host takes from the command to its first HTTP answer, beside a bare import of the SDK."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

from benchmarks.processes import ROOT, environment

_FUNCTIONS = 50
_FIRST_ANSWER_TO = "/runtime/webhooks/durabletask/instances"


def bare_import_seconds() -> float:
    """A new process that imports the SDK and ends."""
    began = time.perf_counter()
    command = [sys.executable, "-c", "import azure.functions, azure.durable_functions"]
    subprocess.run(command, env=environment(), check=True)
    return time.perf_counter() - began


def first_answer_seconds(app: Path, hub: Path) -> float:
    """From the start of `durable-status start` on `app` to the answer to a query; on SQLite, the default."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "durable_status", "start", "--app", str(app), "--storage", f"sqlite:{hub}"]
    with subprocess.Popen(
        [*command, "--port", "0", "--rpc-port", "0"],
        cwd=ROOT,
        env=environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as host:
        try:
            assert host.stdout is not None
            url = next((line.split()[-1] for line in host.stdout if line.rstrip().endswith(_FIRST_ANSWER_TO)), None)
            if url is None:
                raise SystemExit(f"the host did not start; see: {' '.join(command)}")
            with urlopen(url) as answer:
                answer.read()
            return time.perf_counter() - began
        finally:
            host.terminate()


def write_large_app(folder: Path) -> Path:
    """Write an app of 50 functions: 10 HTTP starters, 20 orchestrators, 20 activities."""
    folder.mkdir()
    (folder / "host.json").write_text(json.dumps({"version": "2.0"}))
    lines = ["import azure.durable_functions as df", "import azure.functions as func", "", "app = df.DFApp()"]
    lines += [_FUNCTION_KINDS[number % len(_FUNCTION_KINDS)].format(number) for number in range(_FUNCTIONS)]
    (folder / "function_app.py").write_text("\n".join(lines))
    return folder


_STARTER = """
@app.route(route="start{0}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def start{0}(req: func.HttpRequest, client):
    return client.create_check_status_response(req, await client.start_new("orchestrate{0}"))
"""
_ORCHESTRATOR = """
@app.orchestration_trigger(context_name="context")
def orchestrate{0}(context):
    return (yield context.call_activity("act{0}", {0}))
"""
_ACTIVITY = """
@app.activity_trigger(input_name="number")
def act{0}(number: int) -> int:
    return number
"""
_FUNCTION_KINDS = (_STARTER, _ORCHESTRATOR, _ACTIVITY, _ORCHESTRATOR, _ACTIVITY)
