"""Find whose configuration a file is, and what it does to images without boxes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hardneg.errors import InputError
from hardneg.trainers._finding import Finding, Trainer
from hardneg.trainers._texts import source_of
from hardneg.trainers.detectron2 import DETECTRON2
from hardneg.trainers.mmdetection import MMDETECTION
from hardneg.trainers.torchvision_reference import TORCHVISION
from hardneg.trainers.ultralytics import ULTRALYTICS

__all__ = ["TRAINERS", "Checked", "check"]

TRAINERS: tuple[Trainer, ...] = (TORCHVISION, DETECTRON2, MMDETECTION, ULTRALYTICS)


@dataclass(frozen=True)
class Checked:
    """Whose configuration a file is, and what was found in it."""

    trainer: str
    findings: tuple[Finding, ...]

    @property
    def loses(self) -> bool:
        """Whether mined backgrounds are lost."""
        return any(one.loses for one in self.findings)


def check(config: str | Path) -> Checked:
    """Say what the training of this configuration does to images without boxes. Nothing of it is run.

    Args:
        config: a configuration of Detectron2 (YAML, or Python), MMDetection (Python), torchvision's reference training
            (the script, or a file with its command line), or Ultralytics (YAML).

    Raises InputError for a file that is no text, is damaged, or is none of these; MissingExtraError without PyYAML.
    """
    source = source_of(Path(config))
    for one in TRAINERS:
        if one.fits(source):
            return Checked(one.name, tuple(one.findings(source)))
    looked = "; ".join(f"{one.name}: {one.looks_for}" for one in TRAINERS)
    raise InputError(f"This is no configuration that is known. Looked for {looked}.", path=source.path)
