"""Object detection: boxes, which detection found which, and what kind of mistake the others are; how good it all is.

Arrays in, arrays out; images are not looked at.
"""

from hardneg.detect.answers import Answer, answer_of
from hardneg.detect.average_precision import OVERLAPS, average_precision
from hardneg.detect.bootstrap import Interval, Spread, spread
from hardneg.detect.boxes import Boxes, Detections, Overlaps, Truth, overlap, overlaps
from hardneg.detect.evaluation import MEASURES, Evaluation, ap50_without, evaluate, mean_of
from hardneg.detect.evidence import Evidence, agreement, evidence_of
from hardneg.detect.frames import frames_told, with_frames_around
from hardneg.detect.items import items_from, items_of
from hardneg.detect.matching import Matches, matched
from hardneg.detect.miss_rate import REFERENCES, MissRates, log_average_miss_rate, miss_rates
from hardneg.detect.mistakes import Kind, Mistakes, mistakes
from hardneg.detect.outcomes import Outcomes, outcomes
from hardneg.detect.precision_recall import PrecisionRecall, precision_recall
from hardneg.detect.results import detections_of, truth_of
from hardneg.detect.tracks import Around, Linked, around, linked, neighbours

__all__ = [
    "MEASURES",
    "OVERLAPS",
    "REFERENCES",
    "Answer",
    "Around",
    "Boxes",
    "Detections",
    "Evaluation",
    "Evidence",
    "Interval",
    "Kind",
    "Linked",
    "Matches",
    "MissRates",
    "Mistakes",
    "Outcomes",
    "Overlaps",
    "PrecisionRecall",
    "Spread",
    "Truth",
    "agreement",
    "answer_of",
    "ap50_without",
    "around",
    "average_precision",
    "detections_of",
    "evaluate",
    "evidence_of",
    "frames_told",
    "items_from",
    "items_of",
    "linked",
    "log_average_miss_rate",
    "matched",
    "mean_of",
    "miss_rates",
    "mistakes",
    "neighbours",
    "outcomes",
    "overlap",
    "overlaps",
    "precision_recall",
    "spread",
    "truth_of",
    "with_frames_around",
]
