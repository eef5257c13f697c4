"""What an audit found, as values, as JSON and in words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import isnan
from pathlib import Path
from typing import Any, Literal

from hardneg.auditing.intervals import Interval
from hardneg.errors import RunError
from hardneg.storage import write_json

__all__ = ["FILE", "Audit", "Estimate", "Kind", "Part", "in_words", "read_audit"]

FILE = "audit.json"
"""Its name in the directory of a run."""

Kind = Literal["measured", "bound", "assumed", "uncorrected"]
"""How far a figure can be trusted.

``measured``: by judgements of a random sample; nothing is assumed but that they are right. ``bound``: the share is
at most that, if known positives are like unknown ones. ``assumed``: it holds for a completeness that somebody stated.
``uncorrected``: a teacher's word, without an interval.
"""


@dataclass(frozen=True)
class Estimate:
    """The share of false negatives among the mined by one kind of evidence.

    Args:
        evidence: what it rests on, in words.
        kind: how far it can be trusted.
        share: with its interval; NaN for ends where there are none.
        assumptions: what must hold for it, a sentence each.
    """

    evidence: str
    kind: Kind
    share: Interval
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """A part of the mined: its share, and what it was estimated from (``judged`` pairs or hidden positives)."""

    name: str
    pairs: int
    judged: int
    false: int
    share: Interval


@dataclass(frozen=True)
class Audit:
    """How many of a run's mined negatives are false.

    Args:
        mined: how many negatives were mined.
        estimates: the best evidence first.
        by: parts of the mined (``score``, ``rank``, ``source``, ``group``) by the best evidence.
        notes: what a reader should know of the evidence.
        advice: what is missing, and what to do next.
        details: the figures behind the estimates.

    >>> found = Audit(4812, (Estimate("120 judgements", "measured", Interval(0.031, 0.019, 0.048)),))
    >>> found.sentence
    'Of 4,812 mined negatives an estimated 3.1% (1.9% to 4.8%) are false, by 120 judgements.'
    """

    mined: int
    estimates: tuple[Estimate, ...]
    by: Mapping[str, Sequence[Part]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def best(self) -> Estimate | None:
        """The estimate by the best evidence; None where there is none."""
        return self.estimates[0] if self.estimates else None

    @property
    def sentence(self) -> str:
        """What was found, in one sentence."""
        if self.best is None:
            return f"Nobody can say how many of {self.mined:,} mined negatives are false: there is no evidence yet."
        return in_words(self.best, self.mined)

    def as_json(self) -> dict[str, Any]:
        """Plain values; a figure that is not there is null."""
        return {"sentence": self.sentence, **_plain(asdict(self))}

    def write(self, folder: Path) -> Path:
        """Write ``audit.json`` into a run's directory: the same bytes for the same evidence."""
        write_json(self.as_json(), folder / FILE)
        return folder / FILE


def in_words(one: Estimate, mined: int) -> str:
    """An estimate as a sentence that cannot be taken for more than it is."""
    share, of = one.share, f"Of {mined:,} mined negatives"
    if one.kind == "uncorrected":
        return (
            f"{of} perhaps {_percent(share.value)} are false, says {one.evidence}, uncorrected and without an interval."
        )
    ends = f"{_percent(share.low)} to {_percent(share.high)}"
    if one.kind == "bound":
        between = f"between none and {_percent(share.high)}"
        return f"{of} {between} are false, by {one.evidence}, if the unknown positives are like these."
    if isnan(share.value):
        return f"{of} {ends} are false, by {one.evidence}."
    if one.kind == "assumed":
        return f"{of} {_percent(share.value)} ({ends}) are false, by {one.evidence}, if that is right."
    return f"{of} an estimated {_percent(share.value)} ({ends}) are false, by {one.evidence}."


def read_audit(folder: Path) -> dict[str, Any] | None:
    """What an audit wrote into a run's directory; None where there was none. Raises RunError for a damaged file."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _ = found["mined"], found["sentence"], found["estimates"], found["by"], found["notes"], found["advice"]
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"'{path}' is damaged ({error}). Write it anew with: hardneg audit {folder}") from error
    return found


def _percent(share: float) -> str:
    """A share in percent. One that is not nothing never reads as nothing.

    >>> _percent(0.0312), _percent(0.0), _percent(0.0002), _percent(0.25)
    ('3.1%', '0%', '<0.1%', '25%')
    """
    if share <= 0:
        return "0%"
    if share < 0.0005:
        return "<0.1%"
    if 0.995 <= share < 1:
        return ">99%"
    return f"{share:.1%}" if share < 0.0995 else f"{share:.0%}"


def _plain(value: Any) -> Any:
    """JSON has no NaN; digits beyond the tenth say nothing."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return None if isnan(value) else float(f"{value:.10g}")
    return value
