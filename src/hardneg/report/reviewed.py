"""What people decided in a review, and how far they agree."""

from __future__ import annotations

from dataclasses import dataclass

from hardneg.agreement import Agreement, agreement
from hardneg.decisions import ANSWERS, FILE, Decision, read_decisions, settled
from hardneg.report.facts import Facts

__all__ = ["Reviewed", "reviewed"]


@dataclass(frozen=True)
class Reviewed:
    """The answers of a run's ledger: by reviewer, and what they come to together.

    ``pairs`` counts the candidates by their settled answer, ``disputed`` those without one.
    """

    found: Agreement
    answers: tuple[str, ...]
    pairs: dict[str, int]
    disputed: int


def reviewed(facts: Facts) -> Reviewed | None:
    """What reviewers said; None where nobody has said anything."""
    decisions = read_decisions(facts.run.path / FILE)
    if not decisions:
        return None
    numbers: dict[tuple[str, str], int] = {}
    by: dict[str, dict[int, Decision]] = {}
    for one in decisions:
        pair = numbers.setdefault((str(one.anchor), str(one.item)), len(numbers))
        by.setdefault(one.who, {})[pair] = one
    together = settled(decisions).values()
    pairs = {str(name): sum(one.answer == name for one in together) for name in ANSWERS[:3]}
    return Reviewed(agreement(by), ANSWERS, pairs, sum(one.disputed for one in together))
