"""Did mining help a detector of boxes? It is the user's own, trained anew with each set of negatives."""

from hardneg.impact.boxes.lesson import BoxLesson, Shown

__all__ = ["BoxLesson", "Shown"]
