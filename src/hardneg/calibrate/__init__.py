"""How likely a candidate is an unknown positive, learnt by hiding the known ones, and what follows for a filter."""

from hardneg.calibrate.calibration import Calibration, calibrated
from hardneg.calibrate.checking import Checked
from hardneg.calibrate.choice import SEVERAL
from hardneg.calibrate.decision import Decision
from hardneg.calibrate.frontier import LEARNT, Point, frontier
from hardneg.calibrate.hiding import hidden_positives
from hardneg.calibrate.labels import ITEMS, LabelCalibration, calibrated_labels
from hardneg.calibrate.learning import LEAST
from hardneg.calibrate.telling import calibration_lines, setting_used
from hardneg.calibrate.threshold import Curve, Pool, curve, unknown_positives

__all__ = [
    "ITEMS",
    "LEARNT",
    "LEAST",
    "SEVERAL",
    "Calibration",
    "Checked",
    "Curve",
    "Decision",
    "LabelCalibration",
    "Point",
    "Pool",
    "calibrated",
    "calibrated_labels",
    "calibration_lines",
    "curve",
    "frontier",
    "hidden_positives",
    "setting_used",
    "unknown_positives",
]
