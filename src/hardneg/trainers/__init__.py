"""Whether a trainer throws mined backgrounds away: what its configuration says, read and never run.

An image in which nothing is has no annotations. Many loaders leave such images out, often without a word, and with them
the negatives that were mined there. Others keep them and give them no loss. ``check`` finds both, with the line.

A new trainer is one file and one line here.
"""

from hardneg.trainers._check import Checked, check
from hardneg.trainers._finding import Effect, Finding
from hardneg.trainers._images import image_counts

__all__ = ["Checked", "Effect", "Finding", "check", "image_counts"]
