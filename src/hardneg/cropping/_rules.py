"""Which of the faces in a picture are cut out, and what was found, ready to be written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from hardneg.faces import LEAST_SCORE, Face
from hardneg.notation import require

__all__ = ["Cut", "Finding", "Rules", "Several", "chosen", "findings_of"]

Several = Literal["largest", "all", "skip"]


@dataclass(frozen=True)
class Rules:
    """How faces are chosen.

    Attributes:
        several: What becomes of a picture with several faces: the ``largest`` is taken, or ``all``, or ``skip``.
        least_score: How sure the detector must be, from 0 to 1.
        least_size: A face whose box has a shorter side than this, in pixels, is none.
    """

    several: Several = "largest"
    least_score: float = LEAST_SCORE
    least_size: float = 24.0

    def __post_init__(self) -> None:
        require(self.several in get_args(Several), "several", f"one of {', '.join(get_args(Several))}", self.several)
        require(0 < self.least_score < 1, "least_score", "in (0, 1)", self.least_score)
        require(0 <= self.least_size < float("inf"), "least_size", "0 or above, in pixels", self.least_size)


class Cut(NamedTuple):
    """A face that was cut out: its box in the upright picture, its score, and a hash of the file it became."""

    left: float
    top: float
    width: float
    height: float
    score: float
    content: str


class Finding(NamedTuple):
    """What became of one picture: why nothing was cut out, how many faces are in it, and what was cut out."""

    reason: str | None
    faces: int
    cuts: tuple[Cut, ...] = ()


def chosen(faces: Sequence[Face], rules: Rules) -> tuple[Finding, Sequence[Face]]:
    """What is to be cut out of a picture with these faces, the largest first; the finding is without the cuts.

    >>> near, far = (Face(0, 0, size, size, 0.9, ((0, 0),) * 5) for size in (80, 30))
    >>> chosen([near, far], Rules(several="skip"))
    (Finding(reason='several_faces', faces=2, cuts=()), [])
    >>> chosen([near, far], Rules(several="skip", least_size=40))[0]
    Finding(reason=None, faces=1, cuts=())
    """
    large = [one for one in faces if one.size >= rules.least_size]
    if not large:
        return Finding("face_too_small" if faces else "no_face", 0), []
    if len(large) > 1 and rules.several == "skip":
        return Finding("several_faces", len(large)), []
    return Finding(None, len(large)), large if rules.several == "all" else large[:1]


def findings_of(listed: Sequence[Any]) -> list[Finding]:
    """Findings from the lists that JSON makes of them."""
    return [Finding(reason, faces, tuple(Cut(*cut) for cut in cuts)) for reason, faces, cuts in listed]
