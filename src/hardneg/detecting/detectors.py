"""A detector of the user's: any Python function from pictures to boxes, called with care."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from hardneg.detect import Answer, answer_of
from hardneg.encode._callables import Called
from hardneg.encode._network import module_parts
from hardneg.errors import HardnegError, InputError
from hardneg.notation import require
from hardneg.storage import digest

__all__ = ["Detector", "Labels"]

Labels = Literal["told", "ids", "from-0", "from-1"]

_LEAST = 0.05  # score from which a model of Ultralytics tells of a box


@dataclass(frozen=True)
class Detector(Called):
    """Calls ``function(pictures)`` with a list of at most ``batch_size`` upright PIL images in RGB.

    It returns one result for each picture, in any form that :func:`hardneg.detect.answer_of` reads: torchvision's
    dicts, ``Results`` of Ultralytics, ``supervision.Detections``, rows of numbers. Scores are probabilities, boxes are
    in pixels of the picture as it was given.

    A ``torch.nn.Module`` may stand in its place: it is called as torchvision's detectors are, in evaluation mode and
    without gradients, with a list of float tensors of shape ``(3, height, width)`` from 0 to 1, where its weights are.
    A model of Ultralytics is asked for its ``predict``, with a threshold of 0.05 in place of 0.25: false alarms are
    what is looked for.

    Args:
        labels: what numbers without a name stand for: ``ids`` of the data's categories, their places ``from-0`` or
            ``from-1`` (0 is the background). By default what the form tells: names are names; numbers in dicts are ids
            as torchvision has them, or places from 1 where the data have no ids; other numbers are places from 0.
        names: names of numbers, which go before all this.
        version: changes whenever the function or its model does, so that no work goes on with other results.

    >>> from PIL import Image
    >>> whole = Detector(call=lambda pictures: [[[0, 0, *picture.size, 0.5]] for picture in pictures])
    >>> whole.answers([Image.new("RGB", (4, 3))], ["a.png"])[0].box.tolist()
    [[0.0, 0.0, 4.0, 3.0]]
    """

    batch_size: int = 8
    labels: Labels = field(default="told", kw_only=True)
    names: tuple[tuple[int, str], ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.labels in get_args(Labels), "labels", f"one of {', '.join(get_args(Labels))}", self.labels)

    def load(self) -> None:
        """Find the function now rather than after other work. Raises OptionError where there is none."""
        _ = self._function

    def facts(self) -> list[object]:
        """What decides an answer, as far as it can be known: the content of the function's file, a module's weights."""
        file = Path(self.target.rpartition(":")[0])
        content = digest(file) if file.suffix == ".py" and file.is_file() else None
        parts = [str(one) for one in module_parts(self._function)] if _is_module(self._function) else []
        return [self.target, content, self.version, self.batch_size, *parts]

    def answers(self, pictures: Sequence[Any], names: Sequence[str]) -> list[Answer]:
        """An answer for each picture; ``names`` are for errors.

        Raises InputError for a function that fails, does not return one result for each picture, returns one that
        cannot be read, or scores that are no probabilities.
        """
        who = f"The detector '{self.target}'"
        try:
            given = self._asked(list(pictures))
        except HardnegError:
            raise
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            raise InputError(
                f"{who} failed ({what}). It got {len(pictures)} pictures, the first of them '{names[0]}'."
            ) from error
        given = list(given) if hasattr(given, "__iter__") and not isinstance(given, Mapping) else [given]
        if len(given) != len(pictures):
            raise InputError(
                f"{who} must return {len(pictures)} results for {len(pictures)} pictures. Got {len(given)}.",
                remedy="Return a list with one result a picture, empty where nothing was found.",
            )
        found = [answer_of(one, f"'{name}'") for one, name in zip(given, names, strict=True)]
        for one, name in zip(found, names, strict=True):
            _check_scores(one, name, who)
        return found

    def _asked(self, pictures: list[Any]) -> Any:
        function = self._function
        if _is_module(function):
            if any(one.__module__.partition(".")[0] == "ultralytics" for one in type(function).__mro__):
                return function.predict(pictures, conf=_LEAST, verbose=False)  # type: ignore[attr-defined]
            return _through(function, pictures)
        return function(pictures)


def _is_module(function: Any) -> bool:
    torch = sys.modules.get("torch")  # nobody holds a module of a package that is not loaded
    return torch is not None and isinstance(function, torch.nn.Module)


def _through(module: Any, pictures: Sequence[Any]) -> Any:
    import torch

    weight, training = next(module.parameters(), torch.zeros(1)), module.training
    pixels = [torch.from_numpy(np.array(one)).permute(2, 0, 1) for one in pictures]
    tensors = [one.to(weight.device, weight.dtype) / 255 for one in pixels]
    try:
        with torch.inference_mode():
            return module.eval()(tensors)
    finally:
        module.train(training)


def _check_scores(answer: Answer, name: str, who: str) -> None:
    wrong = (answer.score < 0) | (answer.score > 1)  # NaN is neither, and counted later
    if not wrong.any():
        return
    score = answer.score[wrong]
    percent = answer.score.min() >= 0 and 20 < score.max() <= 100
    raise InputError(
        f"{who} must return scores in [0, 1]. Of '{name}' {int(wrong.sum())} of {len(answer)} are not (first: "
        f"{score[0]:g}).",
        remedy="These look like percentages: divide them by 100."
        if percent
        else "These look like logits, or a mixture of logits and scores: put them through the logistic function first.",
    )
