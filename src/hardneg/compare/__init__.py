"""Two runs side by side: which negatives entered, which left, and why."""

from __future__ import annotations

from hardneg.compare.page import write_comparison
from hardneg.compare.pairs import Change, Comparison, compare

__all__ = ["Change", "Comparison", "compare", "write_comparison"]
