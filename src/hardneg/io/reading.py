"""What reading a data set gives: the relations, and an account of every row that was not used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hardneg.positives import Positives
from hardneg.ragged import IntArray
from hardneg.similarity import Matrix

__all__ = ["Reading", "Skip", "Skips", "counted"]

_EXAMPLES = 3  # of each reason


@dataclass(frozen=True)
class Skip:
    """Rows left out for one reason, with the first few as examples."""

    reason: str
    count: int
    examples: tuple[str, ...]


class Skips:
    """Counts rows that are left out, so that nothing is lost silently.

    >>> skips = Skips()
    >>> skips.add("empty_text", "corpus.jsonl, line 3")
    >>> skips.list()
    [Skip(reason='empty_text', count=1, examples=('corpus.jsonl, line 3',))]
    """

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._examples: dict[str, list[str]] = {}

    def add(self, reason: str, example: str, count: int = 1) -> None:
        """Count ``count`` more rows left out for ``reason``."""
        self._counts[reason] = self._counts.get(reason, 0) + count
        examples = self._examples.setdefault(reason, [])
        if len(examples) < _EXAMPLES:
            examples.append(example)

    def add_rows(self, reason: str, rows: IntArray, name: Callable[[int], str]) -> None:
        """Count many rows left out for ``reason``; only those that serve as examples are named."""
        for row in rows[:_EXAMPLES].tolist():
            self.add(reason, name(row))
        if len(rows) > _EXAMPLES:
            self.add(reason, "", len(rows) - _EXAMPLES)

    def add_again(self, one: Skip) -> None:
        """Count what was counted elsewhere."""
        for example in one.examples:
            self.add(one.reason, example)
        if one.count > len(one.examples):
            self.add(one.reason, "", one.count - len(one.examples))

    def list(self) -> list[Skip]:
        """All reasons, in order of first appearance."""
        return [Skip(reason, n, tuple(self._examples[reason])) for reason, n in self._counts.items()]


@dataclass(frozen=True, eq=False)
class Reading:
    """A data set as read. ``files`` are the files used (relative name -> path), hashed into the manifest.

    ``skips`` were left out; ``notes`` are in use, but odd. ``decisions`` counts what became of those that people made.
    """

    positives: Positives
    format: str
    skips: list[Skip]
    files: Mapping[str, Path]
    anchor_vectors: Matrix | None = None
    item_vectors: Matrix | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[Skip] = ()
    decisions: Mapping[str, int] = field(default_factory=dict)


def counted(skips: Sequence[Skip]) -> list[dict[str, Any]]:
    """What was left out or is odd, as a manifest holds it."""
    return [{"reason": one.reason, "count": one.count, "examples": list(one.examples)} for one in skips]
