"""The answers on a desk: what the ledger says now, whoever wrote it, and what is added to it."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from hardneg.collection import Id
from hardneg.decisions import FILE, Answer, Decision, Reader, Settled, append, settled, undo
from hardneg.ragged import BoolArray
from hardneg.review.desk import Desk

__all__ = ["Answers"]


class Answers:
    """The decisions on the candidates of a desk. Safe to use from several threads; other processes may write too."""

    def __init__(self, desk: Desk, path: Path | None = None) -> None:
        self._desk = desk
        self.path = desk.run.path / FILE if path is None else path
        self._reader = Reader(self.path)
        self._lock = threading.RLock()
        self._rows: dict[int, int] = {}  # the candidate that each line of the ledger is about
        self._of: dict[str, dict[int, Decision]] = {}
        self._settled: dict[tuple[Id, Id], Settled] | None = None

    def of(self, who: str) -> dict[int, Decision]:
        """The last decision of a reviewer on each candidate, by its number."""
        with self._lock:
            self._refresh()
            return dict(self._of.get(who, {}))

    @property
    def reviewers(self) -> dict[str, dict[int, Decision]]:
        """The same of all reviewers, in the order in which they began."""
        with self._lock:
            self._refresh()
            return {who: dict(found) for who, found in self._of.items()}

    @property
    def decisions(self) -> list[Decision]:
        """All decisions that count, those on no candidate of this run too."""
        with self._lock:
            self._refresh()
            return self._reader.ledger.decisions

    @property
    def lines(self) -> int:
        """How far the ledger has been read: another number where anything has been added to it."""
        with self._lock:
            self._refresh()
            return self._reader.lines

    def settled(self) -> dict[tuple[Id, Id], Settled]:
        """What the reviewers together say of each pair."""
        with self._lock:
            self._refresh()
            if self._settled is None:
                self._settled = settled(self._reader.ledger.decisions)
            return self._settled

    def answered(self, who: str | None = None) -> BoolArray:
        """Which candidates a reviewer has answered, or anybody."""
        found = self.reviewers
        out = np.zeros(len(self._desk), bool)
        for name in found if who is None else [who]:
            out[list(found.get(name, ()))] = True
        return out

    def disputed(self) -> BoolArray:
        """Which candidates are disputed."""
        pairs = [pair for pair, one in self.settled().items() if one.disputed]
        rows = self._desk.rows_of([anchor for anchor, _ in pairs], [item for _, item in pairs])
        out = np.zeros(len(self._desk), bool)
        out[rows[rows >= 0]] = True
        return out

    def decide(
        self, row: int, answer: Answer, who: str, drawn: tuple[str, float] | None = None, note: str | None = None
    ) -> None:
        """Add an answer; it is on the disk when this returns. Raises StorageError where it cannot be."""
        append(self.path, [self._desk.decision(row, answer, who, drawn, note)])

    def undo(self, who: str) -> int | None:
        """Take back the last decision of a reviewer on a candidate; gives that candidate's number, None without one."""
        with self._lock:
            self._refresh()
            lines = [one.line for one in self._reader.ledger.decisions if one.who == who and one.line in self._rows]
            mine = [line for line in lines if line is not None and self._rows[line] >= 0]
            if not mine:
                return None
            undo(self.path, mine[-1], who)
            return self._rows[mine[-1]]

    def _refresh(self) -> None:
        if not self._reader.refresh() and self._of:
            return
        decisions = self._reader.ledger.decisions
        fresh = [one for one in decisions if one.line is not None and one.line not in self._rows]
        rows = self._desk.rows_of([one.anchor for one in fresh], [one.item for one in fresh])
        for one, row in zip(fresh, rows.tolist(), strict=True):
            self._rows[one.line or 0] = row
        self._of, self._settled = {}, None
        for one in decisions:
            if (row := self._rows[one.line or 0]) >= 0:
                self._of.setdefault(one.who, {})[row] = one
