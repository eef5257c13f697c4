"""How likely a candidate is an unknown positive, learnt by hiding the known ones, and what follows for a filter."""

from hardneg.calibrate.hiding import hidden_positives

__all__ = ["hidden_positives"]
