"""Ultralytics: images with an empty label file, or none, are trained on as background.

In the repository ultralytics/ultralytics: ``ultralytics/data/utils.py``, ``verify_image_label``, counts them as empty
or missing and keeps them; ``ultralytics/utils/loss.py`` has a loss of every place, whether or not there is a box. A
box outside the picture makes it leave out the whole image.
"""

from __future__ import annotations

from hardneg.trainers._finding import Effect, Finding, Source, Trainer
from hardneg.trainers._texts import is_yaml, line_of, yaml_node, yaml_value

__all__ = ["ULTRALYTICS"]

_DATA, _SETTINGS = {"names", "train"}, {"task", "imgsz", "mosaic", "close_mosaic", "data", "epochs"}
_KEPT = "Images with an empty label file, or none, are trained on as background."


def _fits(source: Source) -> bool:
    if not is_yaml(source):
        return False
    node = yaml_node(source)
    keys = {name.value for name, _ in node.value} if getattr(node, "id", None) == "mapping" else set()
    return keys >= _DATA or len(keys & _SETTINGS) >= 2


def _findings(source: Source) -> list[Finding]:
    node = yaml_node(source)
    at = yaml_value(node, "train") or yaml_value(node, "data")
    found = [Finding(Effect.KEPT, _KEPT, source.path, None if at is None else line_of(at), counts="annotations")]
    share = yaml_value(node, "fraction")
    if share is not None and str(share.value) not in ("1", "1.0"):
        said = f"Only a share of {share.value} of the images is trained on, the first ones."
        found.append(Finding(Effect.UNKNOWN, said, source.path, line_of(share), "fraction: 1.0"))
    return found


ULTRALYTICS = Trainer(
    "Ultralytics", "YAML with names and train (data.yaml), or with settings such as task, data, imgsz", _fits, _findings
)
