"""``hardneg export``: a training set in the format your trainer loads."""

from __future__ import annotations

__all__ = ["command"]
