"""Errors of the management API as the platform words them."""

from __future__ import annotations

from durable_status.local_host.reply import Reply, json_text
from durable_status.stored_json import dump_stored

_ARGUMENT_MESSAGE = "One or more of the arguments submitted is incorrect"
_OTHER_MESSAGE = "Something went wrong while processing your request"
OUT_OF_RANGE = "System.ArgumentOutOfRangeException"


class Refusal(Exception):
    """A request is refused; `reply` is the answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.status} {reply.body.decode()}")
        self.reply = reply


def bad_argument(text: str, exception_type: str = "System.ArgumentException") -> Refusal:
    """400: an argument of the request is wrong."""
    return Refusal(_exception_reply(400, _ARGUMENT_MESSAGE, text, exception_type))


def bad_restart(text: str, exception_type: str = "System.ArgumentException") -> Refusal:
    """400: a restart is refused; the platform says of every reason that the instance id is wrong."""
    title = "InstanceId does not match a valid orchestration instance."
    return Refusal(_exception_reply(400, title, text, exception_type))


def bad_json(text: str) -> Refusal:
    """400: the body is not the JSON that is wanted."""
    return Refusal(_exception_reply(400, "Invalid JSON content", text, "Newtonsoft.Json.JsonReaderException"))


def failure(text: str, exception_type: str = "System.InvalidOperationException") -> Refusal:
    """500: the operation is not possible in this state, or something broke."""
    return Refusal(_exception_reply(500, _OTHER_MESSAGE, text, exception_type))


def storage_failure() -> Refusal:
    """500: what extension 3.x says of arguments that its storage refuses."""
    return failure(
        "An error occurred while communicating with Azure Storage",
        "DurableTask.AzureStorage.Storage.DurableTaskStorageException",
    )


def _exception_reply(status: int, message: str, text: str, exception_type: str) -> Reply:
    # StackTrace is of the .NET side; readers of the document expect the key.
    members = {"Message": message, "ExceptionMessage": text, "ExceptionType": exception_type, "StackTrace": ""}
    return json_text(status, dump_stored(members))
