"""The benchmark of seeded bugs stays sound: no way of testing fails without a bug, and every bug applies."""

from __future__ import annotations

import ast
from pathlib import Path

from benchmarks.harness_mutations.__main__ import kills
from benchmarks.harness_mutations.mutants import HELPERS, MUTANTS, SHAPES

_SOURCE = (SHAPES / "function_app.py").read_text() + HELPERS


def test_no_way_of_testing_fails_without_a_bug(tmp_path: Path) -> None:
    assert kills(_SOURCE, tmp_path / "original") == (False, False, False)


def test_every_bug_applies_and_is_python() -> None:
    texts = [mutant.apply(_SOURCE) for mutant in MUTANTS]

    assert len({ast.dump(ast.parse(text)) for text in [*texts, _SOURCE]}) == len(MUTANTS) + 1
    assert len(MUTANTS) >= 30
    assert len({mutant.shape for mutant in MUTANTS}) == 5
