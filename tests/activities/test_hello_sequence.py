from __future__ import annotations

import pytest

from activities.hello_sequence import say_hello
from tests.hosts import app_in
from tests.paths import ROOT

# A registered function can be called as a plain one through the app's index.


def _call(name: str, **arguments: object) -> object:
    (function,) = [function for function in app_in(ROOT).functions if function.durable_name == name]
    return function.call(**arguments)


def test_it_greets_the_city(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HELLO_SECONDS", raising=False)

    assert _call("E1_SayHello", city="Tokyo") == "Hello Tokyo!"
    assert say_hello("London") == "Hello London!"


def test_it_is_as_slow_as_the_setting_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("activities.hello_sequence.time.sleep", slept.append)
    for seconds in ("", "0", "1", "0.25"):
        monkeypatch.setenv("HELLO_SECONDS", seconds)
        say_hello("Tokyo")

    assert slept == [0.0, 0.0, 1.0, 0.25]


@pytest.mark.parametrize("seconds", ["soon", "-1", "nan", "inf", "1s"])
def test_a_setting_that_is_no_number_of_seconds_is_named(monkeypatch: pytest.MonkeyPatch, seconds: str) -> None:
    monkeypatch.setenv("HELLO_SECONDS", seconds)

    with pytest.raises(ValueError, match=f"The app setting HELLO_SECONDS is '{seconds}'; it must be a number"):
        say_hello("Tokyo")
