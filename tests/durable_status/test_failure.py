"""What people are told of a failure, out of the texts that the platform keeps."""

from __future__ import annotations

import json

import pytest

from durable_status.failure import Failure, Frame, is_users
from durable_status.replay.failures import WorkerFailure, activity_failure, unlabelled_failure
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from durable_status.testing.observer import worker_failure

_STACK = """Traceback (most recent call last):
  File "/azure-functions-host/workers/python/3.11/LINUX/X64/azure_functions_worker/dispatcher.py", line 479, in _handle
    call_result = await self._loop.run_in_executor(
  File "/usr/local/lib/python3.11/concurrent/futures/thread.py", line 58, in run
    result = self.fn(*self.args, **self.kwargs)
  File "/home/site/wwwroot/function_app.py", line 12, in pack
    return weigh(article)
  File "/home/site/wwwroot/shop/scales.py", line 3, in weigh
    return WEIGHTS[article]
           ~~~~~~~^^^^^^^^^
KeyError: 'missing'
"""
_FRAMES = (
    Frame("/home/site/wwwroot/shop/scales.py", 3, "weigh"),
    Frame("/home/site/wwwroot/function_app.py", 12, "pack"),
)


@pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3], ids=lambda profile: profile.name)
def test_the_lines_of_a_failed_activity_are_found_in_the_dotnet_exception(profile: Profile) -> None:
    reason, details = activity_failure("pack", WorkerFailure("KeyError: 'missing'", _STACK), profile)
    output = f"Orchestrator function 'order' failed: {reason} \n {details}"

    failure = Failure.from_output(output)

    assert failure == Failure(reason="Activity function 'pack' failed: KeyError: 'missing'", frames=_FRAMES)
    assert str(failure.seen_from("/home/site/wwwroot/")) == (
        "Activity function 'pack' failed: KeyError: 'missing' (shop/scales.py:3 in weigh, function_app.py:12 in pack)"
    )


def test_each_level_of_sub_orchestrations_is_named_once() -> None:
    reason, details = activity_failure("pack", WorkerFailure("KeyError: 'missing'", _STACK), PROFILE_3)
    child = f"{reason} \n {details}"
    output = (
        f"Orchestrator function 'shop' failed: Orchestrator function 'order' failed: {child} \n "
        f"Message: {child}, StackTrace: "
    )

    assert Failure.from_output(output) == Failure(
        reason="Orchestrator function 'order' failed: Activity function 'pack' failed: KeyError: 'missing'",
        frames=_FRAMES,
    )


def test_a_failure_without_state_is_told_by_its_exception() -> None:
    text, details = unlabelled_failure(WorkerFailure("KeyError: 'missing'", _STACK))

    own = Failure.from_output(f"Orchestrator function 'order' failed: {text}")
    of_child = Failure.from_output(
        f"Orchestrator function 'shop' failed: Orchestrator function 'order' failed: {text} \n {details}"
    )

    assert own == Failure(reason="KeyError: 'missing'", frames=_FRAMES)
    assert of_child.reason == "Orchestrator function 'order' failed: KeyError: 'missing'"
    assert of_child.frames == _FRAMES


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("Orchestrator function 'order' failed: 'missing'", "'missing'"),
        ("Non-Deterministic workflow detected: ...", "Non-Deterministic workflow detected: ..."),
        ("two\nlines\tand \x1b[31ma colour", r"two lines and \u001b[31ma colour"),
        ({"a": 1}, '{"a": 1}'),
        (None, "null"),
        ("GET http://x/api/y?code=s3cr3t&sig=abc failed", "GET http://x/api/y?code=***&sig=*** failed"),
        ('bad \n {"$type": no json', "bad"),
        ('bad \n {"$type": "X", "InnerException": {"RemoteStackTrace": 5}}', "bad"),
        ("", ""),
    ],
)
def test_whatever_the_output_is_there_is_a_line(output: object, reason: str) -> None:
    assert Failure.from_output(output) == Failure(reason=reason)


def test_a_long_text_is_cut() -> None:
    assert len(Failure.from_output("x" * 1_000_000).reason) == 1_000


def test_the_exception_behind_the_one_of_the_sdk_is_told() -> None:
    def pack() -> None:
        raise LookupError("no lamp") from OSError("down")

    try:
        try:
            pack()
        except LookupError as error:
            raise Exception('no lamp\n\n$OutOfProcData$:{"isDone": false}') from error
    except Exception as error:
        raised = worker_failure(error)

    failure = Failure.from_worker(raised.message, raised.stack)
    assert failure.reason == "LookupError: no lamp"
    assert [frame.function for frame in failure.frames] == [
        "pack",
        "test_the_exception_behind_the_one_of_the_sdk_is_told",
    ]


def test_the_lines_of_an_orchestrator_follow_those_of_its_activity() -> None:
    reason, details = activity_failure("pack", WorkerFailure("KeyError: 'missing'", _STACK), PROFILE_3)
    text = f"{reason} \n {details}"
    stack = f'Traceback (most recent call last):\n  File "/app/orders.py", line 7, in order\nException: {text}\n'

    failure = Failure.from_worker(f"Exception: {text}", stack)

    assert failure.reason == "Activity function 'pack' failed: KeyError: 'missing'"
    assert failure.frames == (*_FRAMES, Frame("/app/orders.py", 7, "order"))


@pytest.mark.parametrize(
    ("file", "users"),
    [
        ("/home/site/wwwroot/function_app.py", True),
        ("C:\\shop\\function_app.py", True),
        ("/srv/lib/shop.py", True),
        ("/home/site/wwwroot/.python_packages/lib/site-packages/httpx/_client.py", False),
        ("C:\\Python311\\Lib\\json\\encoder.py", False),
        ("/usr/local/lib/python3.13/json/encoder.py", False),
        ("<frozen importlib._bootstrap>", False),
        (json.__file__, False),
        (worker_failure.__code__.co_filename, False),
        (__file__, True),
    ],
)
def test_a_users_own_file_is_told_from_others(file: str, users: bool) -> None:
    assert is_users(file) is users
