"""Benchmarks of detection: verdicts on a detector's mistakes, and size."""
