"""torchvision's reference training of detectors, and its SSD.

In the repository pytorch/vision: ``references/detection/coco_utils.py``, ``get_coco``, passes the images to train on
through ``_coco_remove_images_without_annotations``: an image goes that has no annotation, or only such with a side of
at most one pixel (a crowd keeps it). ``train.py`` calls it for ``--dataset coco``, its default, and ``coco_kp``.
``torchvision/models/detection/ssd.py``, ``compute_loss``, takes three negatives for each positive of the image, and so
none of an image without boxes (SSDlite is the same class). Other models take negatives of such images.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from hardneg.trainers._finding import Effect, Finding, Source, Trainer
from hardneg.trainers._texts import chain, command, is_python, is_yaml, python, source_of

__all__ = ["TORCHVISION"]

_REMOVES = "_coco_remove_images_without_annotations"
_IMPORTS = re.compile(rf"^\s*(from|import)\s+(torchvision|coco_utils)\b|\b{_REMOVES}\b", re.MULTILINE)
_SSD = re.compile(r"ssd(lite)?\d+_\w+")
_MODEL = "a RetinaNet, FCOS or Faster R-CNN, which have a loss of backgrounds"
_DROPPED = "Images without annotations are left out."
_NO_LOSS = "SSD takes three negatives for each positive of an image: without boxes there is no loss."


def _fits(source: Source) -> bool:
    if is_python(source):
        return bool(_IMPORTS.search(source.text))
    return not is_yaml(source) and bool(command(source, "train.py"))


def _findings(source: Source) -> list[Finding]:
    return list(_of_python(source) if is_python(source) else _of_command(source))


def _of_python(source: Source) -> Iterator[Finding]:
    tree = python(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    removes = [one for one in calls if chain(one.func).split(".")[-1] == _REMOVES]
    for one in removes:
        yield _dropped(source, one.lineno, "take this line out")
    gets = [one for one in calls if chain(one.func).split(".")[-1] in ("get_coco", "get_coco_kp")]
    beside = source.path.with_name("coco_utils.py")
    known = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    if "coco_utils" in source.text and beside.is_file() and source.path.name != beside.name:
        yield from (one for one in _of_python(source_of(beside)) if one.line is not None)
    else:
        for one in gets:
            if not {"get_coco", "get_coco_kp"} & known:
                yield _dropped(source, one.lineno, f"in coco_utils.py take out the line that calls {_REMOVES}")
    models = [
        one for one in calls if _SSD.fullmatch(chain(one.func).split(".")[-1]) or chain(one.func).endswith(".SSD")
    ]
    for one in models:
        yield Finding(Effect.NO_LOSS, _NO_LOSS, source.path, one.lineno, _MODEL)
    if not removes and not gets and "coco_utils" not in source.text:
        yield Finding(Effect.KEPT, f"Nothing here calls {_REMOVES}.", source.path, counts="annotations")


def _of_command(source: Source) -> Iterator[Finding]:
    words = command(source, "train.py")
    given = _options(words)
    dataset, at = given.get("--dataset", ("coco", words[0][1]))
    if dataset in ("coco", "coco_kp"):
        yield _dropped(source, at, f"in coco_utils.py take out the line that calls {_REMOVES}")
    else:
        said = f"The data set '{dataset}' is not one of the reference training: check its loader."
        yield Finding(Effect.UNKNOWN, said, source.path, at)
    model, at = given.get("--model", ("", words[0][1]))
    if _SSD.fullmatch(model):
        yield Finding(Effect.NO_LOSS, _NO_LOSS, source.path, at, f"--model with {_MODEL}")


def _options(words: list[tuple[str, int]]) -> dict[str, tuple[str, int]]:
    """Options with their values and lines, as ``--name value`` or ``--name=value``."""
    found = {}
    for (word, line), after in zip(words, [*words[1:], ("", 0)], strict=True):
        name, equals, value = word.partition("=")
        if name.startswith("--"):
            found[name] = (value if equals else after[0], line)
    return found


def _dropped(source: Source, line: int, change: str) -> Finding:
    return Finding(Effect.DROPPED, _DROPPED, source.path, line, change, "annotations")


TORCHVISION = Trainer(
    "torchvision's reference training",
    "Python that imports torchvision or coco_utils, or a command line with train.py", _fits, _findings,
)  # fmt: skip
