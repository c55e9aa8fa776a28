"""Breaks the engine in one rule at a time and shows that the recordings notice: `python -m tests.mutations`.

Prints per mutation how many recordings and episodes turn red. Ends with 1 when a mutation survives, when its text is
no longer in the code, or when it breaks the engine as such.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mutation_list import MUTATIONS, Mutation
from tests.paths import GOLDENS, ROOT

_PACKAGE = "durable_status"
_RAISED = ": episode: recorded 'an episode', engine "
_LAST_LINE = re.compile(r"(\d+) episodes: (\d+) equal, (\d+) different")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one mutation: how much turned red, or why that cannot be said."""

    recordings: int = 0
    episodes: int = 0
    problem: str = ""

    @property
    def noticed(self) -> bool:
        """Whether a recording turned red."""
        return self.episodes > 0


def main() -> int:
    """Try all mutations; returns the exit code."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        outcomes = list(pool.map(try_mutation, MUTATIONS))
    print(f"{'rule that was broken':84} {'recordings':>10} {'episodes':>8}")
    for mutation, outcome in zip(MUTATIONS, outcomes, strict=True):
        counts = f"{outcome.recordings:10} {outcome.episodes:8}"
        print(f"{mutation.rule:84} {counts if outcome.noticed else outcome.problem or 'SURVIVED'}")
    noticed = sum(outcome.noticed for outcome in outcomes)
    print(f"{len(MUTATIONS)} mutations: {noticed} noticed, {len(MUTATIONS) - noticed} not")
    return 0 if noticed == len(MUTATIONS) else 1


def try_mutation(mutation: Mutation) -> Outcome:
    """Apply `mutation` to a copy of the library and put the recordings to it."""
    with _copy_of_library() as folder:
        path = folder / _PACKAGE / "replay" / mutation.file
        text = path.read_text(encoding="utf-8")
        if text.count(mutation.old) != 1:
            return Outcome(problem=f"its text is {text.count(mutation.old)} times in {mutation.file}")
        path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
        return _check(folder)


@contextmanager
def _copy_of_library() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / _PACKAGE, folder / _PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
        yield folder


def _check(folder: Path) -> Outcome:
    """The recordings against the library in `folder`; the check itself is the repository's."""
    paths = os.pathsep.join((str(folder), str(ROOT)))
    done = subprocess.run(
        [sys.executable, "-m", "tests.check_goldens", str(GOLDENS / "replay")],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    last = _LAST_LINE.fullmatch(lines[-1]) if lines else None
    if last is None:
        return Outcome(problem=f"the check does not run: {(done.stderr.splitlines() or ['it says nothing'])[-1]}")
    raised = next((line for line in lines if _RAISED in line), None)
    if raised is not None:
        return Outcome(problem=f"the engine raises: {raised.rpartition(', engine ')[2]}")
    return Outcome(recordings=len({line.partition(": ")[0] for line in lines[:-1]}), episodes=int(last[3]))


if __name__ == "__main__":
    sys.exit(main())
