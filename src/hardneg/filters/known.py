"""What is known already needs no guess: positives, ignored items, the anchor itself, barred items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hardneg.filters._base import Columns, Filter, Judgement, Rule, first_of
from hardneg.table import Relation, Verdict

__all__ = ["Known"]


@dataclass(frozen=True)
class Known(Filter):
    """Drops the anchor itself, its positives, its ignored items and barred ones; suspects shared positives.

    The package's own sources never propose the first four; this catches a source that does. A *shared* positive
    is a positive of another anchor that shares a positive with this one: in a list of frequent questions, the
    other answers to the same question.

    Args:
        shared: whether shared positives are suspect.
    """

    name: ClassVar[str] = "known"
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("self", Verdict.DROP),
        Rule("positive", Verdict.DROP),
        Rule("ignored", Verdict.DROP),
        Rule("barred", Verdict.DROP),
        Rule("shared_positive", Verdict.SUSPECT),
    )

    shared: bool = True

    def judge(self, columns: Columns) -> Judgement:
        """Read the relation."""
        relation = columns["relation"]
        order = (Relation.SELF, Relation.POSITIVE, Relation.IGNORED, Relation.BARRED)
        tests = [(relation == one, float(one)) for one in order]
        tests.append(((relation == Relation.SHARED) & self.shared, float(Relation.SHARED)))
        return first_of(relation.shape, *tests)
