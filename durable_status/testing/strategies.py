"""A Hypothesis strategy that draws what happens to an orchestration, message by message.

It draws the simplest moves as zeros, so Hypothesis shrinks a failure to a short schedule of plain moves. A broken rule
is raised while drawing, which Hypothesis treats like a failing assertion.
"""

from __future__ import annotations

from hypothesis import note
from hypothesis import strategies as st

from durable_status.testing.errors import RuleBroken
from durable_status.testing.explore import ExploredRun
from durable_status.testing.moves import Node, Tree

_MOST_EPISODES = 50


def schedules(tree: Tree, root: Node) -> st.SearchStrategy[ExploredRun]:
    """Runs that end as something drawn lets them; every one keeps the rules."""

    @st.composite
    def drawn_runs(draw: st.DrawFn) -> ExploredRun:
        node = root
        while (moves := tree.moves(node)) and len(node.schedule) < _MOST_EPISODES:
            node = tree.follow(node, moves[draw(st.integers(0, len(moves) - 1))])
        run = ExploredRun(tree, node)
        note(f"schedule: {run.schedule}")
        if run.findings:
            raise RuleBroken(run.findings, str(run.timeline))
        return run

    return drawn_runs()
