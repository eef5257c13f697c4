"""What people decided of candidates: an append-only ledger beside the run, one JSON object a line.

    {"anchor": "q1", "item": "d7", "answer": "positive", "who": "ada", "when": "2026-11-26T06:00:00Z", ...}
    {"undo": 3, "who": "ada", "when": "2026-11-26T06:00:09Z"}

A line is never changed: who undoes a decision adds a line that names the line which counts no more. Every line is on
the disk before the one who decided is told so, and several processes may write at once.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from hardneg.collection import Id
from hardneg.errors import InputError, OptionError
from hardneg.storage import storage_errors

__all__ = [
    "ANSWERS",
    "FILE",
    "Answer",
    "Decision",
    "Ledger",
    "Reader",
    "Settled",
    "append",
    "decisions_file",
    "now",
    "read_decisions",
    "read_ledger",
    "settled",
    "undo",
]

FILE = "decisions.jsonl"
"""The ledger's name in the directory of a run."""

Answer = Literal["negative", "positive", "ignore", "skip"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)


@dataclass(frozen=True)
class Decision:
    """What one person said of one candidate, and what the run said of it then.

    Args:
        anchor: the anchor's id.
        item: the item's id.
        answer: negative, positive, ignore (neither: leave it out of training) or skip (not decided).
        who: the reviewer's name.
        when: the time in UTC, as :func:`now` gives it.
        anchor_content: a key of the anchor's content, so that the decision is found again under another id.
        item_content: the same of the item.
        score, rank, source, verdict, reason: of the candidate, as the run had them.
        model: the encoder that gave the score.
        stratum: of the audit's drawn sample; None for what was chosen by hand.
        weight: how many candidates it stands for there (its inverse inclusion probability); None as well.
        note: a remark.
        line: the line it was read from, counted from 1; what :func:`undo` asks for.
    """

    anchor: Id
    item: Id
    answer: Answer
    who: str
    when: str
    anchor_content: str | None = None
    item_content: str | None = None
    score: float | None = None
    rank: int | None = None
    source: str | None = None
    verdict: str | None = None
    reason: str | None = None
    model: str | None = None
    stratum: str | None = None
    weight: float | None = None
    note: str | None = None
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Settled:
    """What the reviewers together say of a pair.

    Args:
        answer: the answer of most reviewers; None where they are equally many, or where all skipped.
        votes: how many reviewers gave each answer; skips are no votes.
        disputed: two answers have equally many votes, and none has more.
        stratum, weight: as in :class:`Decision`, where any decision on this pair belongs to the audit's sample.
    """

    answer: Answer | None
    votes: Mapping[Answer, int]
    disputed: bool
    stratum: str | None = None
    weight: float | None = None


@dataclass(frozen=True)
class Ledger:
    """A ledger, read: the decisions that count, how many were undone, and the lines that cannot be read."""

    decisions: list[Decision]
    undone: int = 0
    torn: tuple[int, ...] = ()


def now() -> str:
    """The time in UTC, to the second: ``2026-11-26T06:00:00Z``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def decisions_file(path: str | Path) -> Path:
    """The ledger that a path means: the file itself, or the one in a run's directory."""
    path = Path(path)
    return path / FILE if path.is_dir() else path


def append(path: str | Path, decisions: Iterable[Decision]) -> list[int]:
    """Add decisions at the end of a ledger, on the disk before this returns; gives the number of each one's line.

    Raises StorageError where the disk is full or the file may not be written.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / FILE
    >>> append(file, [Decision("q1", "d7", "positive", "ada", now()), Decision("q1", "d8", "skip", "ada", now())])
    [1, 2]
    >>> undo(file, 2, "ada")
    >>> [(one.item, one.answer) for one in read_decisions(file)]
    [('d7', 'positive')]
    """
    return _append(Path(path), [_written(one) for one in decisions])


def undo(path: str | Path, line: int, who: str) -> None:
    """Add that the decision on this line counts no more."""
    _append(Path(path), [{"undo": line, "who": who, "when": now()}])


def read_decisions(path: str | Path) -> list[Decision]:
    """The decisions of a ledger that count, in the order they were made; none where there is no file.

    Undone ones are left out, and so is a line that a killed process left unfinished (:func:`read_ledger` says which).

    Raises InputError for a line that says something else.
    """
    return read_ledger(path).decisions


def read_ledger(path: str | Path) -> Ledger:
    """As :func:`read_decisions`, with what was left out."""
    reader = Reader(path)
    reader.refresh()
    reader.rest()
    return reader.ledger


class Reader:
    """A ledger that is read as it grows: only what is new is read, whoever wrote it."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._made: dict[int, Decision] = {}
        self._undone, self._torn, self._line, self._offset, self._rest = 0, list[int](), 0, 0, b""

    @property
    def ledger(self) -> Ledger:
        """What has been read so far."""
        return Ledger(list(self._made.values()), self._undone, tuple(self._torn))

    @property
    def lines(self) -> int:
        """How many lines have been read."""
        return self._line

    def refresh(self) -> bool:
        """Read the lines that are new and complete; says whether there were any.

        Raises InputError for a line that says something else.
        """
        if not self.path.is_file() or self.path.stat().st_size <= self._offset:
            return False
        with self.path.open("rb") as file:
            file.seek(self._offset)
            *lines, rest = file.read().split(b"\n")
        for text in lines:
            self._take(text)
            self._line, self._offset = self._line + 1, self._offset + len(text) + 1
        self._rest = rest
        return bool(lines)

    def rest(self) -> None:
        """Take what stands behind the last line end: a whole line, or one that was left unfinished."""
        if self._rest:
            self._take(self._rest)

    def _take(self, text: bytes) -> None:
        number = self._line + 1
        if not text.strip():
            return
        try:
            entry = json.loads(text)
        except ValueError:
            self._torn.append(number)
            return
        if isinstance(entry, dict) and "undo" in entry:
            self._undone += self._made.pop(entry["undo"], None) is not None
        else:
            self._made[number] = _parsed(entry, self.path, number)


def settled(decisions: Sequence[Decision]) -> dict[tuple[Id, Id], Settled]:
    """What the reviewers together say of each pair: the last answer of each, then the majority; skips are no votes.

    >>> votes = [Decision("q", "d", answer, who, now()) for answer, who in
    ...          (("negative", "ada"), ("positive", "ben"), ("positive", "ada"))]
    >>> settled(votes)["q", "d"].answer, settled(votes[:2])["q", "d"].disputed
    ('positive', True)
    """
    last: dict[tuple[Id, Id], dict[str, Decision]] = {}
    for one in decisions:
        last.setdefault((one.anchor, one.item), {})[one.who] = one
    drawn = {(one.anchor, one.item): one for one in decisions if one.weight is not None}
    return {pair: _together(list(votes.values()), drawn.get(pair)) for pair, votes in last.items()}


def _together(votes: Sequence[Decision], drawn: Decision | None) -> Settled:
    counts = Counter[Answer](one.answer for one in votes if one.answer != "skip")
    best = [answer for answer in counts if counts[answer] == max(counts.values())]
    stratum, weight = (drawn.stratum, drawn.weight) if drawn else (None, None)
    return Settled(best[0] if len(best) == 1 else None, dict(counts), len(best) > 1, stratum, weight)


def _written(one: Decision) -> dict[str, Any]:
    if one.answer not in ANSWERS:
        raise OptionError(f"An answer must be one of {', '.join(ANSWERS)}. Got {one.answer!r}.")
    entry = asdict(one)
    del entry["line"]
    return entry


_KINDS: dict[str, tuple[type, ...]] = {
    "anchor": (str, int), "item": (str, int), "answer": (str,), "who": (str,), "when": (str,),
    "score": (float, int), "rank": (int,), "weight": (float, int),
}  # fmt: skip
_NEEDED = ("anchor", "item", "answer", "who", "when")
_NAMES = tuple(one.name for one in fields(Decision) if one.name != "line")


def _parsed(entry: object, path: Path, number: int) -> Decision:
    """A decision from a line; what is missing or of another kind is told with its place."""
    remedy = "Correct the line, or take it out."
    if not isinstance(entry, dict):
        raise InputError("This is no decision.", path=path, line=number, remedy=remedy)
    for name in _NAMES:
        value = entry.get(name)
        if value is None and name in _NEEDED:
            raise InputError(f"The field '{name}' is missing.", path=path, line=number, remedy=remedy)
        kinds = _KINDS.get(name, (str,))
        if value is not None and (not isinstance(value, kinds) or isinstance(value, bool)):
            raise InputError(f"The field '{name}' is {value!r}.", path=path, line=number, remedy=remedy)
    if entry["answer"] not in ANSWERS:
        raise InputError(
            f"The answer must be one of {', '.join(ANSWERS)}. Got {entry['answer']!r}.",
            path=path, line=number, remedy=remedy,
        )  # fmt: skip
    return Decision(**{name: entry.get(name) for name in _NAMES}, line=number)  # type: ignore[arg-type]


def _append(path: Path, entries: Sequence[Mapping[str, Any]]) -> list[int]:
    """Whole lines at the end of the file, by one writer at a time; gives their numbers."""
    if not entries:
        return []
    text = "".join(json.dumps(one, ensure_ascii=True) + "\n" for one in entries).encode()
    with storage_errors(path), path.open("ab+") as file, _alone(file.fileno()):
        before, whole = _lines(file)
        file.write(text if whole else b"\n" + text)  # a line that a killed process left unfinished ends here
        file.flush()
        os.fsync(file.fileno())
    first = before + (1 if whole else 2)
    return list(range(first, first + len(entries)))


def _lines(file: Any) -> tuple[int, bool]:
    """How many line ends a file has, and whether it ends with one (or is empty)."""
    file.seek(0)
    count, last = 0, b"\n"
    while block := file.read(1 << 20):
        count, last = count + block.count(b"\n"), block[-1:]
    return count, last == b"\n"


@contextmanager
def _alone(file: int) -> Iterator[None]:
    """Hold the file against other writers; where the system has no such locks, one process writes at a time."""
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
