"""Benchmarks of detection."""
