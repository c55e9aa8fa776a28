"""`durable-status start` as a process: it serves, it stops, and what is in its way it says in one line."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import socket
import sqlite3
from pathlib import Path

import pytest

from durable_status.local_host.listen import LOOPBACK
from durable_status.local_host.storage import sqlite_schema
from tests.host_process import HostProcess, host_process, refusal_to_start
from tests.hosts import BLUEPRINT_SHAPE
from tests.paths import APPS, ROOT

CHAINING_SHAPE = APPS / "chaining_shape"

_HOST_JSON = '{"version": "2.0"}'
_APP = """import azure.durable_functions as df
app = df.DFApp()
@app.activity_trigger(input_name="x")
def Echo(x):
    return x
"""
_SLOW_APP = f"""import time
{_APP}

@app.orchestration_trigger(context_name="context")
def Main(context):
    return (yield context.call_activity("Sleep", None))


@app.activity_trigger(input_name="x")
def Sleep(x):
    print("sleeping", flush=True)
    time.sleep(600)
"""


def _app(folder: Path, script: str = _APP, host_json: str = _HOST_JSON) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "host.json").write_text(host_json)
    (folder / "function_app.py").write_text(script)
    return folder


def _files(folder: Path) -> dict[str, bytes]:
    """Everything below `folder`, without what Python caches beside the app."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


# Serving


def test_an_app_that_nobody_prepared_runs_and_says_what_it_serves(tmp_path: Path) -> None:
    folder = shutil.copytree(BLUEPRINT_SHAPE, tmp_path / "app")

    async def main() -> None:
        async with host_process(folder) as host:
            banner = "\n".join(host.banner)
            assert f"send: [any method] {host.host.base_url}/api/send" in banner
            assert f"weigh: [GET,POST] {host.host.base_url}/api/weigh/{{grams:int?}}" in banner
            assert "orchestrators: pack_and_send" in banner
            assert "activities: pack, hand_over" in banner
            assert "hourly" in banner
            assert f"in {folder}/.durable-status/TestHubName.sqlite3" in banner

            started = await host.request("GET", "/api/send?to=Ann")
            assert started.status == 202
            document = await host.until_status(started.json["id"], "Completed")
            assert document["output"] == "parcel to Ann with 2 strips of tape"
            assert await host.stop() == 0

    asyncio.run(main())


def test_a_second_object_in_host_json_is_refused_and_the_app_runs_once_it_is_gone(tmp_path: Path) -> None:
    folder = shutil.copytree(CHAINING_SHAPE, tmp_path / "app")

    refusal = refusal_to_start(folder)
    assert refusal == (
        "host.json is not valid JSON: a second value begins at line 7, column 2; keep one object and delete the rest."
    )
    (folder / "host.json").write_text(_HOST_JSON)

    async def main() -> None:
        async with host_process(folder, "--storage", "memory") as host:
            started = await host.request("GET", "/api/orders/bake")
            document = await host.until_status(started.json["id"], "Completed")
            assert document["output"] == "bread of dough of flour"

    asyncio.run(main())


def test_the_urls_in_the_banner_work() -> None:
    async def main() -> None:
        async with host_process(ROOT, "--storage", "memory", environment={"HELLO_SECONDS": "0"}) as host:
            tried = [line.split() for line in host.banner if line.startswith("  curl ")]
            answers = [
                await host.request("POST" if "POST" in words else "GET", words[-1].removeprefix(host.host.base_url))
                for words in tried
            ]
            assert [answer.status for answer in answers] == [202, 200]

    asyncio.run(main())


def test_where_keys_are_asked_for_the_banner_says_which_and_where(tmp_path: Path) -> None:
    folder = shutil.copytree(APPS / "secured", tmp_path / "app")

    async def main() -> None:
        async with host_process(folder, "--storage", "memory", "--enable-auth") as host:
            assert f"  keys are asked for; they are in {folder}/.durable-status/keys.json" in host.banner
            assert "Try, with the key durabletask_extension of that file for KEY:" in host.banner
            key = json.loads((folder / ".durable-status" / "keys.json").read_text())["durabletask_extension"]
            assert key not in "\n".join(host.banner)
            assert (await host.manage("GET", "instances", headers={"x-functions-key": key})).status == 200

    asyncio.run(main())


_SHIFTING = re.compile(r"^\[[\d:]{8}\]|(?<=Id=)[-0-9a-f]{36}|(?<=Duration=)\d+", re.MULTILINE)


def test_the_log_is_what_the_documentation_shows() -> None:
    (block,) = re.findall(r"^```\n(\[.*?)```", (ROOT / "docs" / "local-host.md").read_text(), re.MULTILINE | re.DOTALL)

    async def main() -> None:
        async with host_process(ROOT, "--storage", "memory", environment={"HELLO_SECONDS": "0"}) as host:
            await host.start("E1_HelloSequence", "hello")
            await host.until_status("hello", "Completed")
            assert await host.stop() == 0
            lines = _SHIFTING.sub("", host.stderr).splitlines()
            assert [line for line in _SHIFTING.sub("", block).splitlines() if line not in lines] == []

    asyncio.run(main())


@pytest.mark.conforms("H6-35")
def test_the_tools_own_variables_are_set_for_the_app(tmp_path: Path) -> None:
    names = ("WEBSITE_HOSTNAME", "AzureWebJobsScriptRoot", "AZURE_FUNCTIONS_ENVIRONMENT", "PYTHON_ENABLE_DEBUG_LOGGING")
    folder = _app(
        tmp_path / "app",
        f"""import json, os
{_APP}

@app.route(route="variables", auth_level="anonymous")
def variables(req) -> str:
    return json.dumps({{name: os.environ.get(name) for name in {names}}})
""",
    )

    async def main() -> None:
        async with host_process(folder, "--storage", "memory") as host:
            assert list((await host.request("GET", "/api/variables")).json.values()) == [
                host.host.base_url.removeprefix("http://"),
                str(folder),
                "Development",
                "1",
            ]

    asyncio.run(main())


# Stopping


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_stop_the_host_cleanly(tmp_path: Path, number: int) -> None:
    folder = _app(tmp_path / "app")

    async def main() -> None:
        async with host_process(folder, "--storage", f"sqlite:{tmp_path}/hub") as host:
            assert await host.stop(number) == 0
            await host.until_line("Stopping.")
            assert "Traceback" not in host.stderr
        assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("hub")) in (
            ["hub"],
            ["hub", "hub.lock"],
        ), "the write-ahead log was folded into the file"

    asyncio.run(main())


async def _host_that_is_busy(host: HostProcess) -> None:
    await host.start("Main", "m")
    await host.until_line("sleeping")


def test_a_function_that_never_returns_does_not_keep_the_host_from_stopping(tmp_path: Path) -> None:
    folder = _app(tmp_path / "app", _SLOW_APP)

    async def main() -> None:
        async with host_process(folder) as host:
            await _host_that_is_busy(host)
            assert await host.stop() == 0
            assert "Still running: 1 function calls. They run again when a host is started." in host.stderr
        async with host_process(folder) as host:  # and so it is: the call was kept
            await host.until_line("sleeping")
            assert (await host.status("m"))["runtimeStatus"] == "Running"

    asyncio.run(main())


def test_a_second_ctrl_c_ends_the_host_at_once(tmp_path: Path) -> None:
    folder = _app(tmp_path / "app", _SLOW_APP)

    async def main() -> None:
        async with host_process(folder) as host:
            await _host_that_is_busy(host)
            host.process.send_signal(signal.SIGINT)
            await host.until_line("Stopping.")  # and now it waits for the busy function
            assert await host.stop() == 130

    asyncio.run(main())


# The app is at fault


def test_an_app_whose_packages_are_missing_names_the_command_that_cures_it(tmp_path: Path) -> None:
    folder = _app(tmp_path / "app", "import flask_of_another_world\n")
    (folder / "requirements.txt").write_text("flask-of-another-world\n")

    refusal = refusal_to_start(folder)

    assert refusal.startswith("function_app.py needs the module 'flask_of_another_world', which is not installed")
    assert "(function_app.py, line 1). Run: " in refusal
    assert refusal.endswith(f" -m pip install -r {folder / 'requirements.txt'}")


# The task hub is at fault


def _hub_file(path: Path, *, version: int | None = None) -> None:
    connection = sqlite3.connect(path)
    connection.executescript("".join(sqlite_schema._MIGRATIONS))
    connection.execute(f"PRAGMA application_id = {sqlite_schema._APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version or len(sqlite_schema._MIGRATIONS)}")
    connection.commit()
    connection.close()


def test_a_file_of_a_newer_version_is_refused_and_not_a_byte_of_it_is_changed(tmp_path: Path) -> None:
    folder = _app(tmp_path / "app")
    path = tmp_path / "data" / "hub"
    path.parent.mkdir()
    _hub_file(path, version=99)
    before = path.read_bytes()

    refusal = refusal_to_start(folder, "--storage", f"sqlite:{path}")

    assert "was written by a newer durable-status (format 99;" in refusal
    assert "choose another file with --storage sqlite:PATH" in refusal
    assert path.read_bytes() == before
    assert {file.name for file in path.parent.iterdir()} <= {"hub", "hub.lock"}


def test_a_second_host_on_the_same_file_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    folder = shutil.copytree(BLUEPRINT_SHAPE, tmp_path / "app")

    async def main() -> None:
        async with host_process(folder) as host:
            refusal = await asyncio.to_thread(refusal_to_start, folder)
            assert refusal == (
                f"another host is running on {folder}/.durable-status/TestHubName.sqlite3; stop it, "
                "or choose another file with --storage sqlite:PATH."
            )
            started = await host.request("GET", "/api/send?to=Ann")
            await host.until_status(started.json["id"], "Completed")

    asyncio.run(main())


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    folder = _app(tmp_path / "app")
    (tmp_path / "file").write_text("a file where a folder would have to be")  # modes do not bind root, this does

    refusal = refusal_to_start(folder, "--storage", f"sqlite:{tmp_path}/file/hub")

    assert refusal == f"{tmp_path}/file/hub cannot be used: {tmp_path}/file is not a folder."


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a file system that takes no new files")
def test_a_read_only_file_system_is_refused(tmp_path: Path) -> None:
    folder = _app(tmp_path / "app")

    refusal = refusal_to_start(folder, "--storage", "sqlite:/proc/self/hub")

    assert re.fullmatch(r"/proc/\d+/hub cannot be used: .+\.", refusal)


# Ports and options


def test_a_port_in_use_is_named_with_the_way_out_and_nothing_is_stored(tmp_path: Path) -> None:
    folder = _app(tmp_path / "app")
    before = _files(folder)
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]

        refusal = refusal_to_start(folder, "--port", str(port))

    assert refusal == (
        f"port {port} is in use; stop what listens there, or choose another with --port (0: any free one)."
    )
    assert _files(folder) == before


def test_an_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    refusal = refusal_to_start(_app(tmp_path / "app"), "--address", "203.0.113.5")  # reserved for documentation

    assert refusal == "203.0.113.5 is no address of this machine; choose another with --address."


def test_an_rpc_port_in_use_gives_way_to_another(tmp_path: Path) -> None:
    folder = shutil.copytree(BLUEPRINT_SHAPE, tmp_path / "app")

    async def main() -> None:
        with socket.create_server((LOOPBACK, 0)) as taken:
            async with host_process(folder, "--rpc-port", str(taken.getsockname()[1])) as host:
                started = await host.request("GET", "/api/send?to=Ann")
                assert started.status == 202

    asyncio.run(main())
