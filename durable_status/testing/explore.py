"""Every order in which things can happen to an orchestration, up to a limit; beyond it, orders drawn with a seed.

The tree is walked depth first: state is history, so going back costs nothing. When there are more orders than the
limit, half of it is walked in order and the other half is drawn, and the report says so.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from durable_status.testing.errors import HarnessError, RuleBroken
from durable_status.testing.moves import Move, Node, Tree
from durable_status.testing.timeline import Seen
from durable_status.testing.view import InstanceView

DEFAULT_LIMIT = 2_000
_MOST_EPISODES = 200


class ExploredRun(InstanceView):
    """One way an orchestration went, to its end or to where nothing more could happen."""

    def __init__(self, tree: Tree, node: Node) -> None:
        super().__init__(node.hub, tree.root_id, allow=tuple(tree.allow))
        self.findings = tree.findings(node)
        """The rules that were broken on the way."""
        self.schedule = node.text
        """What happened, in one line that `DurableBench.replay` takes."""

    def _standing(self) -> str:
        return f"{super()._standing()}; after {self.schedule or 'its start'!r}"


@dataclass(slots=True)
class _Counted:
    """How many ways there are at least: those that were seen, and the turns that were not taken."""

    branches: dict[tuple[str, ...], int] = field(default_factory=dict)
    ends: dict[tuple[str, ...], ExploredRun] = field(default_factory=dict)

    @property
    def at_least(self) -> int:
        """Each end is one, and behind each turn that was not taken is one at least."""
        known_ends = sum(1 for moves in self.branches.values() if moves == 0)
        turns_taken = len(self.branches) - 1
        return known_ends + sum(self.branches.values()) - turns_taken


class Exploration:
    """What an exploration saw. `str()` is its honest count."""

    def __init__(
        self, counted: _Counted, *, is_complete: bool, sampled: int, seed: int, cut: int, replay_line: str
    ) -> None:
        self.runs = list(counted.ends.values())
        self.is_complete = is_complete
        """Whether these are all the orders there are."""
        self.total = counted.at_least
        """How many orders there are; a lower bound unless `is_complete`."""
        self.sampled = sampled
        self.seed = seed
        self.cut = cut
        """How many were followed only to the limit of episodes."""
        self._replay_line = replay_line

    def __repr__(self) -> str:
        return f"<Exploration: {self}>"

    @property
    def explored(self) -> int:
        """How many different orders were seen."""
        return len(self.runs)

    def __str__(self) -> str:
        if self.is_complete:
            text = f"{self.explored:,} of {self.total:,} orders"
        else:
            text = (
                f"{self.explored:,} of >= {self.total:,} orders ({self.explored - self.sampled:,} in order, "
                f"{self.sampled:,} sampled with seed {self.seed})"
            )
        return f"{text}, {self.cut:,} of them cut after {_MOST_EPISODES} episodes" if self.cut else text

    def always(self, condition: Callable[[Seen], bool]) -> None:
        """Fail unless `condition` holds for everything a poller could see (after Pending), in every order."""
        self._refuse(lambda run: all(condition(seen) for seen in list(run.timeline)[1:]), "does not always hold")

    def never(self, condition: Callable[[Seen], bool]) -> None:
        """Fail if `condition` holds for anything a poller could see (after Pending), in any order."""
        self._refuse(lambda run: not any(condition(seen) for seen in list(run.timeline)[1:]), "holds somewhere")

    def at_end(self, condition: Callable[[ExploredRun], bool]) -> None:
        """Fail unless `condition` holds for every run when nothing more can happen."""
        self._refuse(condition, "does not hold at the end")

    def check_rules(self) -> None:
        """Raise for the shortest run that broke a rule.

        Raises:
            RuleBroken: there is one.
        """
        broken = [run for run in self.runs if run.findings]
        if broken:
            run = min(broken, key=_simplicity)
            raise RuleBroken(run.findings, self._story(run))

    def _refuse(self, holds: Callable[[ExploredRun], bool], verdict: str) -> None:
        failing = [run for run in self.runs if not holds(run)]
        if failing:
            run = min(failing, key=_simplicity)
            raise AssertionError(
                f"the condition {verdict}: {len(failing):,} of {self.explored:,} orders, the shortest is\n"
                f"{self._story(run)}"
            )

    def _story(self, run: ExploredRun) -> str:
        return f"{run.timeline}\nreplay it: {self._replay_line.replace(SCHEDULE, repr(run.schedule))}\nexplored: {self}"


SCHEDULE = "<schedule>"
"""Stands for the schedule in a line that replays one."""


def explore(tree: Tree, root: Node, *, limit: int, seed: int, replay_line: str) -> Exploration:
    """Follow all orders from `root`; above `limit`, half of it in order and half drawn with `seed`.

    Raises:
        RuleBroken: in some order the orchestrator broke a rule; the shortest such order is told.
    """
    counted = _Counted()
    cut = 0
    is_complete = True
    for node, was_cut in _in_order(tree, root, counted):
        counted.ends[node.schedule] = ExploredRun(tree, node)
        cut += was_cut
        if len(counted.ends) >= limit and counted.at_least > limit:
            is_complete = False
            break
    sampled = 0
    if not is_complete:
        for schedule in list(counted.ends)[limit // 2 :]:
            del counted.ends[schedule]
        kept = len(counted.ends)
        cut += _draw(tree, root, counted, limit - kept, seed)
        sampled = len(counted.ends) - kept
        _add_simpler_failure(tree, root, counted)
    exploration = Exploration(
        counted,
        is_complete=is_complete and not cut,
        sampled=sampled,
        seed=seed,
        cut=cut,
        replay_line=replay_line,
    )
    exploration.check_rules()
    return exploration


def _in_order(tree: Tree, root: Node, counted: _Counted) -> Iterator[tuple[Node, bool]]:
    """The ends of all orders, depth first, and whether they were cut."""
    turns: list[tuple[Node, Move | None]] = [(root, None)]
    while turns:
        before, turn = turns.pop()
        node = before if turn is None else tree.follow(before, turn)
        moves = _moves(tree, node)
        counted.branches[node.schedule] = len(moves)
        if not moves:
            yield node, len(node.schedule) >= _MOST_EPISODES
        turns += [(node, move) for move in reversed(moves)]


def _draw(tree: Tree, root: Node, counted: _Counted, count: int, seed: int) -> int:
    """Draw `count` orders; returns how many were cut."""
    drawn = random.Random(seed)
    cut = 0
    for _ in range(count):
        node = root
        while moves := _moves(tree, node):
            counted.branches[node.schedule] = len(moves)
            node = tree.follow(node, drawn.choice(moves))
        counted.branches[node.schedule] = 0
        counted.ends[node.schedule] = ExploredRun(tree, node)
        cut += len(node.schedule) >= _MOST_EPISODES
    return cut


def _add_simpler_failure(tree: Tree, root: Node, counted: _Counted) -> None:
    """Drawn orders are long: shrink the shortest that broke a rule, and keep what is left."""
    broken = [run for run in counted.ends.values() if run.findings]
    if not broken:
        return
    words = min(broken, key=_simplicity).schedule.split()
    rules = {finding.rule for finding in min(broken, key=_simplicity).findings}
    simpler: Node | None = None
    while (found := _simpler(tree, root, words, rules)) is not None:
        simpler, words = found, list(found.schedule)
    if simpler is not None:
        counted.ends[simpler.schedule] = ExploredRun(tree, simpler)
        counted.branches.setdefault(simpler.schedule, 0)


def _simpler(tree: Tree, root: Node, words: list[str], rules: set[str]) -> Node | None:
    """The state after one message less, or one batch less, that still breaks one of `rules`."""
    apart = [words[:index] + word.split("+") + words[index + 1 :] for index, word in enumerate(words) if "+" in word]
    for candidate in (*_with_one_less(words), *apart):
        try:
            node = tree.follow_text(root, " ".join(candidate))
        except HarnessError:
            continue
        if rules & {finding.rule for finding in tree.findings(node)}:
            return node
    return None


def _with_one_less(words: list[str]) -> Iterator[list[str]]:
    for index, word in enumerate(words):
        messages = word.split("+")
        for number in range(len(messages)):
            rest = "+".join(messages[:number] + messages[number + 1 :])
            yield [*words[:index], *([rest] if rest else []), *words[index + 1 :]]


def _moves(tree: Tree, node: Node) -> list[Move]:
    return tree.moves(node) if len(node.schedule) < _MOST_EPISODES else []


def _simplicity(run: ExploredRun) -> tuple[int, int, str]:
    words = run.schedule.split()
    return sum(word.count("+") + 1 for word in words), len(words), run.schedule
