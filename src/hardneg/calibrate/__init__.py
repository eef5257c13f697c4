"""How likely a candidate is an unknown positive, learnt by hiding the known ones, and what follows for a filter."""

from hardneg.calibrate.calibration import Calibration, calibrated
from hardneg.calibrate.checking import Checked
from hardneg.calibrate.frontier import Point, frontier
from hardneg.calibrate.hiding import hidden_positives
from hardneg.calibrate.learning import LEAST
from hardneg.calibrate.telling import calibration_lines
from hardneg.calibrate.threshold import Curve, Pool, curve, unknown_positives

__all__ = [
    "LEAST",
    "Calibration",
    "Checked",
    "Curve",
    "Point",
    "Pool",
    "calibrated",
    "calibration_lines",
    "curve",
    "frontier",
    "hidden_positives",
    "unknown_positives",
]
