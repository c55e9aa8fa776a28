"""Checks the engine against folders of recorded episodes: `python -m tests.check_goldens DIR...`.

Prints every difference, then how many episodes came out equal. Ends with 1 on a difference or a folder that holds no
recordings, with 2 on wrong arguments.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from durable_status.replay.profile import PROFILE_2_13, PROFILE_3
from tests.recorded_differences import find_differences
from tests.recordings import RecordingError, read_episodes, read_host

_PROFILES = {profile.name: profile for profile in (PROFILE_2_13, PROFILE_3)}
_LONGEST_VALUE = 300
_KEPT_OF_WHAT_IS_SAME = 40


def main(arguments: Sequence[str]) -> int:
    """Run the check; returns the exit code."""
    parser = argparse.ArgumentParser(prog="goldens", description="Check the engine against recorded episodes.")
    parser.add_argument("folders", metavar="DIR", nargs="+", type=Path, help="a folder of recordings")
    parser.add_argument("--extension", choices=_PROFILES, default=PROFILE_2_13.name, help="(default: %(default)s)")
    chosen = parser.parse_args(arguments)
    try:
        read = [(folder, read_episodes(folder), read_host(folder)) for folder in chosen.folders]
    except RecordingError as error:
        print(f"goldens: {error}", file=sys.stderr)
        return 1
    total = different = 0
    for folder, episodes, host in read:
        for episode in episodes:
            differences = find_differences(episode, host, _PROFILES[chosen.extension])
            total += 1
            different += bool(differences)
            for difference in differences:
                print(
                    f"{folder / episode.file}: instance {episode.instance_id}: episode {episode.number}: "
                    f"{difference.field}: {_both(difference.recorded, difference.engine)}"
                )
    print(f"{total} episodes: {total - different} equal, {different} different")
    return 1 if different else 0


def _both(recorded: Any, engine: Any) -> str:
    """Both values; of long ones, the parts where they part."""
    texts = repr(recorded), repr(engine)
    same = next((index for index, (one, other) in enumerate(zip(*texts, strict=False)) if one != other), 0)
    start = max(0, same - _KEPT_OF_WHAT_IS_SAME) if max(map(len, texts)) > _LONGEST_VALUE else 0
    shown = [_cut(text, start) for text in texts]
    return f"recorded {shown[0]}, engine {shown[1]}"


def _cut(text: str, start: int) -> str:
    end = start + _LONGEST_VALUE
    return f"{'...' if start else ''}{text[start:end]}{'...' if end < len(text) else ''}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
