"""Verdicts on a detector's mistakes."""
