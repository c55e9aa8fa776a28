"""Azurite as a process of one's own: it answers at once, keeps what it holds, and never outlives its user."""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from durable_status.testing.azurite import Azurite
from durable_status.testing.errors import HarnessError
from tests.paths import ROOT

_PATIENCE_SECONDS = 60
_SCRIPT = Path("node_modules", "azurite", "dist", "src", "azurite.js")

with_processes_of_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="follows processes as only Linux lets a stranger do"
)


def _store(connection_string: str) -> None:
    with TableServiceClient.from_connection_string(connection_string) as tables:
        tables.create_table("Rows").upsert_entity({"PartitionKey": "p", "RowKey": "", "Value": "row"})
    with QueueServiceClient.from_connection_string(connection_string) as queues:
        queues.create_queue("messages").send_message("message")
    with BlobServiceClient.from_connection_string(connection_string) as blobs:
        blobs.create_container("blobs").upload_blob("name", b"blob")


def _stored(connection_string: str) -> list[Any]:
    with TableServiceClient.from_connection_string(connection_string) as tables:
        row = tables.get_table_client("Rows").get_entity("p", "")
    with QueueServiceClient.from_connection_string(connection_string) as queues:
        messages = queues.get_queue_client("messages").peek_messages()
    with BlobServiceClient.from_connection_string(connection_string) as blobs:
        blob = blobs.get_blob_client("blobs", "name").download_blob().readall()
    return [row["Value"], *(message.content for message in messages), blob]


def _tables(azurite: Azurite) -> list[str]:
    with TableServiceClient.from_connection_string(azurite.connection_string) as tables:
        return [table.name for table in tables.list_tables()]


def _is_listening(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _ports(azurite: Azurite) -> list[int]:
    settings = dict(part.split("=", 1) for part in azurite.connection_string.split(";"))
    return [int(settings[f"{name}Endpoint"].split(":")[2].split("/")[0]) for name in ("Blob", "Queue", "Table")]


def _until_it_has_ended(pid: int) -> None:
    """Wait for a process that is no child of this one."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([handle], [], [], _PATIENCE_SECONDS)[0], f"process {pid} goes on"
    finally:
        os.close(handle)


def test_it_answers_as_soon_as_it_has_started(own_azurite: Azurite) -> None:
    _store(own_azurite.connection_string)

    assert _stored(own_azurite.connection_string) == ["row", "message", b"blob"]


def test_stopped_it_has_written_all_and_starts_again_at_the_same_ports(own_azurite: Azurite) -> None:
    connection_string, pid = own_azurite.connection_string, own_azurite.pid
    _store(connection_string)

    own_azurite.stop()
    listening = [_is_listening(port) for port in _ports(own_azurite)]
    own_azurite.start()

    assert listening == [False] * 3
    assert own_azurite.connection_string == connection_string
    assert own_azurite.pid != pid
    assert _stored(connection_string) == ["row", "message", b"blob"]


def test_killed_it_ends_without_another_word_and_can_be_started_again(own_azurite: Azurite) -> None:
    connection_string = own_azurite.connection_string

    own_azurite.kill()
    listening = [_is_listening(port) for port in _ports(own_azurite)]
    own_azurite.start()

    assert listening == [False] * 3
    assert own_azurite.connection_string == connection_string
    assert _tables(own_azurite) == []


@pytest.mark.needs_azurite
def test_without_a_folder_it_holds_what_it_has_until_it_stops() -> None:
    with Azurite(project=ROOT) as azurite:
        _store(azurite.connection_string)
        azurite.stop()
        azurite.start()

        assert _tables(azurite) == []


@pytest.mark.needs_azurite
def test_two_at_a_time_have_their_own_ports(own_azurite: Azurite) -> None:
    with Azurite(project=ROOT) as another:
        assert not {*_ports(own_azurite)}.intersection(_ports(another))


@pytest.mark.needs_azurite
def test_used_in_the_wrong_order_it_says_what_to_do() -> None:
    azurite = Azurite(project=ROOT)
    azurite.stop()
    azurite.kill()
    with pytest.raises(HarnessError, match=r"start it\.$"):
        _ = azurite.connection_string
    with pytest.raises(HarnessError, match=r"start it\.$"):
        _ = azurite.pid
    with azurite, pytest.raises(HarnessError, match=r"runs already; stop it first\.$"):
        azurite.start()


def test_a_port_that_was_taken_meanwhile_is_named(own_azurite: Azurite) -> None:
    own_azurite.stop()
    port = _ports(own_azurite)[1]
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", port))
        taker.listen()
        with pytest.raises(HarnessError, match=rf"^Azurite did not start: .*EADDRINUSE.*:{port}$"):
            own_azurite.start()

    own_azurite.start()
    assert _tables(own_azurite) == []


@pytest.mark.needs_azurite
def test_azurite_that_cannot_run_is_told_with_its_last_line(tmp_path: Path) -> None:
    (tmp_path / _SCRIPT).parent.mkdir(parents=True)
    (tmp_path / "node_modules" / "azurite" / "package.json").write_text(f'{{"bin": {{"azurite": "{_SCRIPT.name}"}}}}')
    (tmp_path / "node_modules" / "azurite" / _SCRIPT.name).write_text('console.error("no room\\n"); process.exit(1)')

    with pytest.raises(HarnessError, match=r"^Azurite did not start: no room$"):
        Azurite(project=tmp_path).start()


def test_without_node_it_names_the_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(HarnessError, match=r"install Node\.js 18 or newer, then run npm ci\.$"):
        Azurite(project=ROOT).start()


@pytest.mark.needs_azurite
def test_azurite_that_is_not_installed_is_told_with_the_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "node").symlink_to(str(shutil.which("node")))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(HarnessError, match=rf"^Azurite is installed neither in {tmp_path} nor in PATH; run npm ci"):
        Azurite(project=tmp_path).start()


@pytest.mark.needs_azurite
@pytest.mark.skipif(os.name == "nt", reason="npm makes no links there")
def test_azurite_in_path_is_the_second_choice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "azurite").symlink_to(ROOT / _SCRIPT)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    with Azurite(project=tmp_path) as azurite:
        assert _tables(azurite) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no sessions")
def test_ctrl_c_does_not_reach_it(own_azurite: Azurite) -> None:
    assert os.getsid(own_azurite.pid) == own_azurite.pid


@with_processes_of_linux
@pytest.mark.needs_azurite
def test_it_writes_all_and_ends_when_its_user_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from durable_status.testing.azurite import Azurite\n"
        f"azurite = Azurite(Path({str(tmp_path)!r}), project=Path({str(ROOT)!r}))\n"
        "azurite.start()\n"
        "print(azurite.pid, azurite.connection_string, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as user:
        assert user.stdout is not None
        pid, connection_string = user.stdout.readline().split()
        _store(connection_string)
        user.kill()
    _until_it_has_ended(int(pid))

    with Azurite(tmp_path, project=ROOT) as azurite:
        assert _stored(azurite.connection_string) == ["row", "message", b"blob"]


_COMMAND_OF_LINUX = """
import os, signal, sys
with open(f"/proc/{os.getpid()}/task/{os.getpid()}/children") as children:
    print(os.getpid(), children.read(), os.environ["AzureWebJobsStorage"], flush=True)
signal.signal(signal.SIGINT, lambda *_: sys.exit(7))
sys.stdin.read()
"""


@with_processes_of_linux
@pytest.mark.needs_azurite
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 7), (signal.SIGTERM, -15), (signal.SIGKILL, -9)])
def test_a_command_gets_the_signals_itself_and_its_azurite_ends_after_it(number: int, code: int) -> None:
    command = [sys.executable, "-m", "durable_status.testing.azurite", str(ROOT), sys.executable, "-c"]
    with subprocess.Popen(
        [*command, _COMMAND_OF_LINUX], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        told, (pid, azurite_pid, connection_string) = process.stdout.readline(), process.stdout.readline().split()
        _store(connection_string)
        process.send_signal(number)

        assert process.wait(_PATIENCE_SECONDS) == code
    assert int(pid) == process.pid
    assert connection_string in told
    _until_it_has_ended(int(azurite_pid))


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        ([], 2, "Usage: python -m durable_status.testing.azurite PROJECT COMMAND..."),
        ([str(ROOT)], 2, "Usage: python -m durable_status.testing.azurite PROJECT COMMAND..."),
        ([str(ROOT), "no-such-command"], 127, "Error: there is no command 'no-such-command'."),
    ],
)
def test_without_a_command_it_is_not_started(arguments: list[str], code: int, line: str) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "durable_status.testing.azurite", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (refused.returncode, refused.stdout) == (code, "")
    assert refused.stderr.startswith(line)
    assert len(refused.stderr.splitlines()) == 1


def test_a_command_whose_azurite_cannot_start_is_not_run(tmp_path: Path) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "durable_status.testing.azurite", str(tmp_path), sys.executable, "-c", "print('ran')"],
        env={"PATH": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("Error: Azurite needs Node.js")
    assert len(refused.stderr.splitlines()) == 1


def test_without_node_the_tests_that_need_azurite_are_skipped_and_pytest_says_why(tmp_path: Path) -> None:
    name = "test_two_at_a_time_have_their_own_ports or test_without_a_folder or test_it_answers"
    skipped = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", name],
        env={"PATH": str(tmp_path), "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert skipped.returncode == 0, skipped.stdout
    assert "Azurite needs Node.js 18 or newer and npm; missing: node, npm" in skipped.stdout
    assert skipped.stdout.splitlines()[-1].startswith("3 skipped")
