"""What a filter is: evidence gathered once, then one pure predicate over columns.

The predicate sees arrays only, so the same rule runs on the rows of a table offline, again on a stored run without
a new search, and on an anchors x items matrix inside a training step.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hardneg.context import Context, clear_of
from hardneg.notation import Step
from hardneg.table import Array, Relation, Rows, Verdict

__all__ = ["Filter", "Gather", "Judgement", "Rule", "first_of", "judge_all", "too_close"]

Columns = Mapping[str, Array]
Gather = Callable[[Rows], Columns]


@dataclass(frozen=True)
class Rule:
    """One way in which a filter can fire: its name and the verdict it gives."""

    name: str
    verdict: Verdict


@dataclass(frozen=True, eq=False)
class Judgement:
    """For each candidate the number of the rule that fired, -1 for none, and the figure that decided."""

    rule: NDArray[np.int8]
    figure: NDArray[np.float32]


class Filter(Step):
    """Gives each candidate a verdict with a reason and the evidence. It never deletes.

    ``rules`` lists the ways it can fire; a reason in the tables is ``filter.rule``.
    """

    rules: ClassVar[tuple[Rule, ...]]
    needs_model: ClassVar[bool] = False  # whether gathering its evidence needs vectors or a model
    needs_pairs: ClassVar[bool] = False  # whether groups are refused, and labels without a pool beside them
    needs_labels: ClassVar[bool] = False  # whether it needs items with labels

    def gather(self, context: Context) -> Gather | None:  # noqa: ARG002 - for others to use
        """Prepare, and return the function that computes this filter's own evidence columns for some rows.

        None where the columns that every candidate has suffice: ``score``, ``rank``, ``relation``,
        ``positive_min``, ``positive_max``, ``positive_mean`` and ``positive_similarity`` (the highest similarity
        of the item to a positive of the anchor).
        """
        return None

    @property
    def evidence(self) -> tuple[str, ...]:
        """The names of the columns that ``gather`` adds."""
        return ()

    def check_stored(self, manifest: Mapping[str, Any]) -> None:
        """Raise OptionError where a run's stored evidence has this filter's names and is not what it would gather."""

    @abstractmethod
    def judge(self, columns: Columns) -> Judgement:
        """The pure predicate: columns of any one shape in, rule numbers and figures of that shape out."""


def first_of(shape: tuple[int, ...], *tests: tuple[Array, Array | float]) -> Judgement:
    """A judgement from ``(fires, figure)`` pairs, one for each rule in order; the first that fires decides.

    >>> first_of((2,), (np.array([False, True]), 1.0), (np.array([True, True]), 2.0)).rule.tolist()
    [1, 0]
    """
    rule = np.full(shape, -1, np.int8)
    figure = np.full(shape, np.nan, np.float32)
    for number, (fires, value) in enumerate(tests):
        fresh = np.asarray(fires) & (rule < 0)
        rule = np.where(fresh, np.int8(number), rule)
        figure = np.where(fresh, np.asarray(value, np.float32), figure)
    return Judgement(rule, figure)


def too_close(
    score: Array, positive_score: Array, absolute: float | None, relative: float | None
) -> tuple[Array, Array]:
    """Whether a score lies within an absolute and within a relative margin of the positive's, or above it.

    A candidate is clear of the relative margin when ``score <= positive - relative * |positive|``. The
    size of the positive counts, not its sign, so the rule is right for negative scores too: NV-Retriever's
    "percentage of the positive" (Moreira 2024, arXiv 2407.15831) agrees for positive ones.

    >>> too_close(np.array([-1.0, -1.2]), np.array([-1.0, -1.0]), None, 0.1)[1].tolist()
    [True, False]
    """
    nothing = np.zeros(np.shape(score), bool)
    by_absolute = nothing if absolute is None else score > positive_score - absolute
    by_relative = nothing if relative is None else score > clear_of(positive_score, relative)
    return by_absolute, by_relative


def judge_all(filters: Sequence[Filter], columns: Columns) -> tuple[Columns, list[str]]:
    """Apply the filters in order; the first that fires gives verdict, reason and evidence.

    Returns the columns ``verdict``, ``reason`` (a number into the second result, 0 for none) and ``evidence``. A
    judged negative is never a suspect: somebody has looked at it.
    """
    reasons = [""]
    shape = np.shape(columns["score"])
    verdict = np.zeros(shape, np.uint8)
    reason = np.zeros(shape, np.int16)
    evidence = np.full(shape, np.nan, np.float32)
    judged = columns["relation"] == Relation.NEGATIVE
    for one in filters:
        found = one.judge(columns)
        for number, rule in enumerate(one.rules):
            fires = (found.rule == number) & (reason == 0)
            if rule.verdict is Verdict.SUSPECT:
                fires &= ~judged
            name = f"{one.name}.{rule.name}"
            if name not in reasons:
                reasons.append(name)
            verdict[fires] = rule.verdict
            reason[fires] = reasons.index(name)
            evidence[fires] = found.figure[fires]
    return {"verdict": verdict, "reason": reason, "evidence": evidence}, reasons
