"""``hardneg export``: a training set in the format your trainer loads."""

from __future__ import annotations

from pathlib import Path

import click

from hardneg.cli._common import console, run_argument
from hardneg.run import Run

__all__ = ["command"]
