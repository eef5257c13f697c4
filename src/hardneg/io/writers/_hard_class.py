"""The category for mined backgrounds, where one is asked for: a detector then learns what they are."""

from __future__ import annotations

from hardneg.errors import InputError
from hardneg.io.writers._export import Export
from hardneg.io.writers._ground_truth import Truth

__all__ = ["HARD_CLASS", "check_hard_class"]

HARD_CLASS = "hard_negative"


def check_hard_class(export: Export, truth: Truth) -> None:
    """Raise InputError where the data set has a category of this name already."""
    if export.options.hard_class and HARD_CLASS in truth.category_rows():
        raise InputError(f"There is a category '{HARD_CLASS}' already.", remedy="Leave the option 'hard_class' out.")
