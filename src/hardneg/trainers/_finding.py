"""What was found in a configuration: an effect on images without boxes, its line, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

__all__ = ["Effect", "Finding", "Source", "Trainer"]


class Effect(Enum):
    """What happens to an image without boxes in training."""

    DROPPED = "is left out"
    NO_LOSS = "gives no loss"
    FEW = "gives few negatives"
    KEPT = "is kept"
    UNKNOWN = "is not known"


@dataclass(frozen=True)
class Finding:
    """One thing that a configuration says of images without boxes.

    ``counts`` names the figure of an export that says how many images are meant: ``boxes`` where crowds do not count,
    ``annotations`` where anything annotated keeps an image. ``line`` is counted from 1; None where nothing is said.
    """

    effect: Effect
    said: str
    file: Path
    line: int | None = None
    change: str = ""
    counts: str = "boxes"

    @property
    def loses(self) -> bool:
        """Whether mined backgrounds are lost by it."""
        return self.effect in (Effect.DROPPED, Effect.NO_LOSS)


@dataclass(frozen=True)
class Source:
    """The text of a configuration."""

    path: Path
    text: str


@dataclass(frozen=True)
class Trainer:
    """One trainer: how its configurations are recognised, and what they say.

    ``looks_for`` says what makes a text this trainer's, for the error where none fits.
    """

    name: str
    looks_for: str
    fits: Callable[[Source], bool]
    findings: Callable[[Source], list[Finding]]
