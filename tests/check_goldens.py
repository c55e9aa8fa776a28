"""Checks the engine against folders of recorded episodes: `python -m tests.check_goldens DIR...`.

Prints every difference, then how many episodes came out equal. A folder or a file that is no recording gets one line,
and the others have their turn. Ends with 1 on a difference or such a folder or file, with 2 on wrong arguments.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from tests.recorded_differences import Difference, find_differences
from tests.recordings import (
    FUNCTIONS,
    RecordedEpisode,
    RecordingError,
    names_its_functions,
    no_episodes,
    read_file,
    read_host,
    recording_paths,
)

_PROFILES = {profile.name: profile for profile in (PROFILE_2_13, PROFILE_3)}
_LONGEST_VALUE = 300
_KEPT_OF_WHAT_IS_SAME = 40


def main(arguments: Sequence[str]) -> int:
    """Run the check; returns the exit code."""
    parser = argparse.ArgumentParser(prog="goldens", description="Check the engine against recorded episodes.")
    parser.add_argument("folders", metavar="DIR", nargs="+", type=Path, help="a folder of recordings")
    parser.add_argument("--extension", choices=_PROFILES, default=PROFILE_2_13.name, help="(default: %(default)s)")
    chosen = parser.parse_args(arguments)
    count = _Count()
    for folder in chosen.folders:
        _check_folder(folder, _PROFILES[chosen.extension], count)
    print(count)
    return 1 if count.different or count.problems else 0


@dataclass
class _Count:
    """How many episodes were compared, and how many folders and files could not be read."""

    total: int = 0
    different: int = 0
    problems: int = 0

    def note_problem(self, error: RecordingError) -> None:
        print(f"goldens: {error}", file=sys.stderr)
        self.problems += 1

    def __str__(self) -> str:
        text = f"{self.total} episodes: {self.total - self.different} equal, {self.different} different"
        return f"{text}; {self.problems} not read" if self.problems else text


def _check_folder(folder: Path, profile: Profile, count: _Count) -> None:
    try:
        paths = recording_paths(folder)
        if not paths:
            raise no_episodes(folder)
        host = read_host(folder)
    except RecordingError as error:
        count.note_problem(error)
        return
    if not names_its_functions(folder):
        print(f"goldens: {folder / FUNCTIONS} is not there; taking the functions of tests/goldens/replay.")
    before = count.total, count.problems
    for path in paths:
        try:
            episodes = read_file(path)
        except RecordingError as error:
            count.note_problem(error)
            continue
        for episode in episodes:
            _check_episode(folder, episode, find_differences(episode, host, profile), count)
    if (count.total, count.problems) == before:
        count.note_problem(no_episodes(folder))


def _check_episode(folder: Path, episode: RecordedEpisode, differences: Sequence[Difference], count: _Count) -> None:
    count.total += 1
    count.different += bool(differences)
    for difference in differences:
        print(
            f"{folder / episode.file}: instance {episode.instance_id}: episode {episode.number}: "
            f"{difference.field}: {both(difference.recorded, difference.engine)}"
        )


def both(recorded: Any, found: Any, *, found_in: str = "engine") -> str:
    """Both values; of long ones, the parts where they part."""
    texts = repr(recorded), repr(found)
    same = next((index for index, (one, other) in enumerate(zip(*texts, strict=False)) if one != other), 0)
    start = max(0, same - _KEPT_OF_WHAT_IS_SAME) if max(map(len, texts)) > _LONGEST_VALUE else 0
    shown = [_cut(text, start) for text in texts]
    return f"recorded {shown[0]}, {found_in} {shown[1]}"


def _cut(text: str, start: int) -> str:
    end = start + _LONGEST_VALUE
    return f"{'...' if start else ''}{text[start:end]}{'...' if end < len(text) else ''}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
