"""Every definition that was put to the real Python worker is judged here as there (goldens/host/definitions.json)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from durable_status.app.errors import AppError
from durable_status.app.load import load_app
from tests.paths import GOLDENS

_RECORDED: dict[str, str] = json.loads((GOLDENS / "host" / "definitions.json").read_text())

# The recording is of the worker alone. These the Functions host refuses behind it, and so do we.
_REFUSED_BY_THE_HOST = {
    "act_bind: a__b/4": "two underscores in a row in a binding's name",
    "act_bind: xxxxxxxxxxxx/129": "a binding's name of more than 128 characters",
    "act_bind: é/1": "a letter beyond ASCII in a binding's name",
    "http_bind: é": "a letter beyond ASCII in a binding's name",
}

_HEAD = """
import collections, dataclasses, enum, typing
from typing import *
import typing_extensions as te
import azure.functions as func
import azure.durable_functions as df

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
T = TypeVar("T")
NT = NewType("NT", str)
class TD(TypedDict): a: int
@dataclasses.dataclass
class DC: a: int
class PL: pass
class GS(Generic[T]): pass
class GSS(GS[str]): pass
class P(Protocol): a: int
class E(enum.Enum): A = 1
class MyStr(str): pass
class MyHttp(func.HttpResponse): pass
"""

_ACTIVITY = '@app.activity_trigger(input_name="{input}")\ndef act({parameters}){returned}: return 1\n'
_HTTP = '@app.route(trigger_arg_name="{input}")\ndef h({parameter}){returned}: return "x"\n'
_ORCHESTRATOR = '@app.orchestration_trigger(context_name="context")\ndef o(context: {annotation}): yield\n'

_SIGNATURES = {
    "none": "",
    "noanno": "x",
    "default": "x=1",
    "kwonly": "*, x",
    "posonly": "x, /",
    "args": "*x",
    "kwargs": "**x",
    "args_extra": "x, *args",
    "kwargs_extra": "x, **kwargs",
    "extra": "x, y",
    "extra_default": "x, y=1",
    "extra_kwonly": "x, *, y=1",
    "ctx": "x, context",
    "ctx_default": "x, context=None",
    "ctx_kwonly": "x, *, context",
    "ctx_posonly": "x, context, /",
    "ctx_first": "context, x",
    "ctx_args": "x, *context",
    "ctx_kwargs": "x, **context",
    "default_none": "x=None",
    "default_none2": "x: str = None",
    "other": "y",
}


def _code(definition: str) -> str:
    """The function that a key of the recording stands for."""
    kind, _, of = definition.partition(": ")
    match kind:
        case "act_param":
            return _activity(f"x: {of}")
        case "act_return":
            return _activity("x", returned=f" -> {of}")
        case "act_sig":
            return _activity(_SIGNATURES[of])
        case "act_bind":
            name = _bound_name(of)
            return _activity(name, input_name=name)
        case "act_bindkw":
            return _activity("x", input_name=of)
        case "http_return":
            return _HTTP.format(input="req", parameter="req", returned=f" -> {of}")
        case "http_bind":
            return _HTTP.format(input=of, parameter=of if of.isidentifier() else "req", returned="")
        case "orch_param":
            return _ORCHESTRATOR.format(annotation=of)
    raise AssertionError(f"there is no kind {kind}")


def _activity(parameters: str, *, input_name: str = "x", returned: str = "") -> str:
    return _ACTIVITY.format(input=input_name, parameters=parameters, returned=returned)


def _bound_name(recorded: str) -> str:
    """A name as it was; the recording has its first twelve characters and its length."""
    beginning, _, length = recorded.rpartition("/")
    return beginning + "x" * (int(length) - len(beginning))


@pytest.fixture(autouse=True)
def _own_module() -> Iterator[None]:
    path = list(sys.path)
    yield
    sys.path[:] = path
    sys.modules.pop("function_app", None)


def _loads(root: Path, code: str) -> bool:
    (root / "host.json").write_text('{"version": "2.0"}')
    (root / "function_app.py").write_text(_HEAD + code, encoding="utf-8")
    try:
        return load_app(root, {}).problems == ()
    except AppError:
        return False


@pytest.mark.conforms("H5-16", "H5-22", "H5-23", "H5-24")
@pytest.mark.parametrize("definition", _RECORDED)
def test_a_definition_is_judged_as_the_worker_judges_it(tmp_path: Path, definition: str) -> None:
    expected = _RECORDED[definition] == "loads" and definition not in _REFUSED_BY_THE_HOST

    assert _loads(tmp_path, _code(definition)) == expected


def test_what_the_host_refuses_behind_the_worker_is_in_the_recording() -> None:
    assert all(_RECORDED[definition] == "loads" for definition in _REFUSED_BY_THE_HOST)
