"""How far reviewers agree beyond what chance would give.

Cohen's kappa (Educational and Psychological Measurement 20, 1960) of two reviewers, Fleiss' kappa (Psychological
Bulletin 76, 1971) of several; where not all have answered the same pairs, each pair counts with those who have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from hardneg.decisions import Decision

__all__ = ["Agreement", "Pairwise", "agreement", "cohen_kappa", "fleiss_kappa"]


@dataclass(frozen=True)
class Pairwise:
    """Two reviewers: how many pairs both answered, on how many they agree, and Cohen's kappa."""

    one: str
    other: str
    both: int
    same: int
    kappa: float | None


@dataclass(frozen=True)
class Agreement:
    """All reviewers by name: how often each gave each answer, each two of them, and Fleiss' kappa of the pairs that two
    or more answered (``shared``).
    """

    counts: Mapping[str, Mapping[str, int]]
    pairwise: list[Pairwise]
    shared: int
    kappa: float | None


def agreement(reviewers: Mapping[str, Mapping[int, Decision]]) -> Agreement:
    """The agreement of reviewers from their answers by candidate; what was skipped was not answered."""
    answers = {
        who: {row: one.answer for row, one in found.items() if one.answer != "skip"}
        for who, found in sorted(reviewers.items())
    }
    pairwise = []
    for one, other in combinations(answers, 2):
        both = sorted(answers[one].keys() & answers[other].keys())
        left, right = ([answers[who][row] for row in both] for who in (one, other))
        same = sum(a == b for a, b in zip(left, right, strict=True))
        pairwise.append(Pairwise(one, other, len(both), same, cohen_kappa(left, right)))
    rows: dict[int, Counter[str]] = {}
    for found in answers.values():
        for row, answer in found.items():
            rows.setdefault(row, Counter())[answer] += 1
    shared = [counts for counts in rows.values() if counts.total() >= 2]
    counts = {who: Counter(str(one.answer) for one in found.values()) for who, found in sorted(reviewers.items())}
    return Agreement(counts, pairwise, len(shared), fleiss_kappa(shared))


def cohen_kappa(one: Sequence[str], other: Sequence[str]) -> float | None:
    """Cohen's kappa of two lists of answers to the same questions; None where chance alone would agree always.

    >>> cohen_kappa(["a", "a", "b", "b"], ["a", "b", "b", "b"])
    0.5
    """
    if not one:
        return None
    total = len(one)
    observed = sum(a == b for a, b in zip(one, other, strict=True)) / total
    left, right = Counter(one), Counter(other)
    chance = sum(left[name] * right[name] for name in left) / total**2
    return None if chance == 1 else (observed - chance) / (1 - chance)


def fleiss_kappa(subjects: Sequence[Mapping[str, int]]) -> float | None:
    """Fleiss' kappa from how many gave each answer to each question; None where chance alone would agree always.

    Questions with fewer than two answers say nothing and are passed over.

    >>> fleiss_kappa([{"a": 2}, {"b": 2}, {"a": 1, "b": 1}, {"b": 2}])
    0.4666666666666667
    """
    subjects = [one for one in subjects if sum(one.values()) >= 2]
    if not subjects:
        return None
    total = Counter[str]()
    observed = 0.0
    for one in subjects:
        number = sum(one.values())
        observed += sum(count * (count - 1) for count in one.values()) / (number * (number - 1))
        total.update(one)
    observed /= len(subjects)
    chance = sum(count**2 for count in total.values()) / total.total() ** 2
    return None if chance == 1 else (observed - chance) / (1 - chance)
