"""Greets a city, as slowly as the app setting HELLO_SECONDS asks."""

from __future__ import annotations

import os
import time

import azure.durable_functions as df

SAY_HELLO = "E1_SayHello"

_SECONDS_SETTING = "HELLO_SECONDS"

blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="city", activity=SAY_HELLO)
def say_hello(city: str) -> str:
    """Greet `city` after HELLO_SECONDS (0 without the setting).

    Raises:
        ValueError: the setting is no number of seconds.
    """
    time.sleep(_seconds())
    return f"Hello {city}!"


def _seconds() -> float:
    text = os.environ.get(_SECONDS_SETTING) or "0"
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"The app setting {_SECONDS_SETTING} is {text!r}; it must be a number of seconds, such as 1.")
    return seconds
