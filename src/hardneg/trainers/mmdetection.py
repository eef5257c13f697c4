"""MMDetection: ``filter_empty_gt`` of the data set to train on, SSD's rule of three, and samplers with an upper bound.

In the repository open-mmlab/mmdetection:

- Version 3 (``train_dataloader``): ``mmdet/datasets/coco.py`` and ``xml_style.py``, ``filter_data``, leave out images
  without annotations of the classes where ``filter_cfg`` has ``filter_empty_gt`` True, as
  ``configs/_base_/datasets/coco_detection.py`` has; without it they stay. A crowd or what is difficult keeps an image.
- Version 2 (``data.train``): ``mmdet/datasets/custom.py`` has ``filter_empty_gt=True`` as its default.
- ``mmdet/models/dense_heads/ssd_head.py`` takes ``neg_pos_ratio`` times as many negatives as there are positives in
  the image: without positives none, so its loss is zero.
- ``mmdet/models/task_modules/samplers/base_sampler.py``: with ``neg_pos_ub`` of 0 or more an image without positives
  gives at most so many negatives. ``ohem_sampler.py`` takes the hardest of such an image too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardneg.trainers._finding import Effect, Finding, Source, Trainer
from hardneg.trainers._literals import Config, Value, config_of, within
from hardneg.trainers._texts import is_python

__all__ = ["MMDETECTION"]

_OWN = re.compile(
    r"^((_base_|train_dataloader|train_pipeline|dataset_type)\s*=|(data|model)\s*=\s*(dict\(|\{)|with read_base\(\))",
    re.MULTILINE,
)
_DROPPED = "Images without annotations of the classes are left out."


def _fits(source: Source) -> bool:
    return is_python(source) and bool(_OWN.search(source.text))


def _findings(source: Source) -> list[Finding]:
    config = config_of(source)
    return [*_of_data(source, config), *_of_loss(config)]


def _of_data(source: Source, config: Config) -> Iterator[Finding]:
    third, second = config.names.get("train_dataloader"), config.names.get("data")
    if third is not None and (data := third.get("dataset")) is not None:
        yield from (_third(one) for one in _leaves(data))
    elif second is not None and (data := second.get("train")) is not None:
        yield from (_second(one) for one in _leaves(data))
    else:
        said = "There is no train_dataloader (version 3) and no data.train (version 2) in it."
        if config.missing:
            said += f" The base '{config.missing[0]}' is not here: check it beside its bases."
        yield Finding(Effect.UNKNOWN, said, source.path)


def _leaves(data: Value) -> Iterator[Value]:
    """The data sets within those that only repeat, join or mix others."""
    if isinstance(data.of, list):
        for one in data.of:
            yield from _leaves(one)
        return
    for name in ("dataset", "datasets"):
        if (inner := data.get(name)) is not None:
            yield from _leaves(inner)
            return
    if isinstance(data.of, dict):
        yield data


def _third(data: Value) -> Finding:
    given = data.get("filter_cfg", "filter_empty_gt")
    if given is None:
        said = "Images without annotations are kept: no filter_cfg says otherwise."
        return Finding(Effect.KEPT, said, data.file, data.line, counts="annotations")
    return _given(given)


def _second(data: Value) -> Finding:
    given = data.get("filter_empty_gt")
    if given is None:
        said = f"{_DROPPED} That is the default of version 2, and nothing else is said."
        change = "add: filter_empty_gt=False"
        return Finding(Effect.DROPPED, said, data.file, data.line, change, "annotations")
    return _given(given)


def _given(given: Value) -> Finding:
    change = "filter_empty_gt=False"
    if given.of is False:
        said = "Images without annotations are kept: filter_empty_gt is False."
        return Finding(Effect.KEPT, said, given.file, given.line, counts="annotations")
    if given.of is True:
        return Finding(Effect.DROPPED, _DROPPED, given.file, given.line, change, "annotations")
    said = "filter_empty_gt is something that is not True or False here."
    return Finding(Effect.UNKNOWN, said, given.file, given.line, change, "annotations")


def _of_loss(config: Config) -> Iterator[Finding]:
    model = config.names.get("model")
    for one in within(model):
        kind = one.get("type")
        if kind is not None and kind.of in ("SSDHead", "SSDLiteHead"):
            ratio = next((found for part in within(model) if (found := part.get("neg_pos_ratio"))), kind)
            yield Finding(
                Effect.NO_LOSS, "SSD takes so many negatives for each positive: without positives there is no loss.",
                ratio.file, ratio.line,
                "train on pictures that are joined from several (mosaic), or with a head that has a focal loss",
            )  # fmt: skip
        bound = one.get("neg_pos_ub")
        if bound is not None and isinstance(bound.of, (int, float)) and bound.of >= 0:
            said = f"An image without boxes gives at most {bound.of} negatives: neg_pos_ub counts as for one positive."
            effect = Effect.FEW if bound.of >= 1 else Effect.NO_LOSS
            yield Finding(effect, said, bound.file, bound.line, "neg_pos_ub=-1")


MMDETECTION = Trainer(
    "MMDetection", "Python with _base_, read_base, train_dataloader, or dictionaries data or model", _fits, _findings
)
