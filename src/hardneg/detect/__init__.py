"""Object detection: boxes, which detection found which, and what kind of mistake the others are.

Arrays in, arrays out; images are not looked at.
"""

from hardneg.detect.answers import Answer, answer_of
from hardneg.detect.boxes import Boxes, Detections, Overlaps, Truth, overlap, overlaps
from hardneg.detect.items import agreement, items_of
from hardneg.detect.matching import Matches, matched
from hardneg.detect.mistakes import Kind, Mistakes, mistakes
from hardneg.detect.results import detections_of, truth_of

__all__ = [
    "Answer",
    "Boxes",
    "Detections",
    "Kind",
    "Matches",
    "Mistakes",
    "Overlaps",
    "Truth",
    "agreement",
    "answer_of",
    "detections_of",
    "items_of",
    "matched",
    "mistakes",
    "overlap",
    "overlaps",
    "truth_of",
]
