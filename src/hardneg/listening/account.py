"""The account of a listening: hours, what was heard in them, and how often that was false."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from hardneg.listening.events import OUTCOMES, Heard
from hardneg.verify import rate_per_hour

__all__ = ["Account"]

_EXAMPLES = 3


@dataclass
class Account:
    """Adds up recording by recording; :meth:`summary` is what ``summary.json`` holds."""

    keywords: Sequence[str]
    recordings: int = 0
    seconds: float = 0.0
    known_seconds: float = 0.0
    silent_seconds: float = 0.0
    windows: int = 0
    clipped: int | None = 0
    broken: dict[str, list[str]] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def leave_out(self, reason: str, name: str) -> None:
        """Count a recording that was not listened to."""
        self.broken.setdefault(reason, []).append(name)

    def listened(self, seconds: float, silent: float, windows: int, clipped: int | None, *, known: bool) -> None:
        """Add a recording; ``clipped`` is None where only its scores were given."""
        self.recordings += 1
        self.seconds += seconds
        self.known_seconds += seconds if known else 0
        self.silent_seconds += silent
        self.windows += windows
        self.clipped = None if self.clipped is None or clipped is None else self.clipped + clipped

    def heard(self, found: Sequence[Heard]) -> None:
        """Add what was heard in it."""
        for one in found:
            count = self.counts.setdefault(one.keyword, dict.fromkeys((*OUTCOMES, "occurrences", "misses"), 0))
            for outcome in OUTCOMES:
                count[outcome] += one.count(outcome)
            count["occurrences"] += one.occurrences
            count["misses"] += one.misses

    def summary(self) -> dict[str, Any]:
        """All figures; rates have the exact interval of a Poisson count at 95%, None where there are no hours."""
        left_out = [
            {"reason": reason, "count": len(names), "examples": names[:_EXAMPLES]}
            for reason, names in sorted(self.broken.items())
        ]
        return {
            "recordings": self.recordings,
            "left_out": left_out,
            "hours": self.seconds / 3600,
            "hours_known": self.known_seconds / 3600,
            "hours_silent": self.silent_seconds / 3600,
            "windows": self.windows,
            "windows_clipped": self.clipped,
            "keywords": {name: self._of(name) for name in self.keywords},
        }

    def _of(self, keyword: str) -> dict[str, Any]:
        count = self.counts.get(keyword, dict.fromkeys((*OUTCOMES, "occurrences", "misses"), 0))
        unknown_hours, known_hours = (self.seconds - self.known_seconds) / 3600, self.known_seconds / 3600
        return {
            "events": sum(count[one] for one in OUTCOMES),
            "occurrences": count["occurrences"],
            "hits": count["hit"],
            "misses": count["misses"],
            "repeats": count["repeat"],
            "false_accepts": count["false_accept"],
            "false_accepts_per_hour": _rate(count["false_accept"], known_hours),
            "unlabelled": count["unlabelled"],
            "unlabelled_per_hour": _rate(count["unlabelled"], unknown_hours),
        }


def _rate(count: int, hours: float) -> dict[str, float] | None:
    return asdict(rate_per_hour(count, hours)) if hours > 0 else None
