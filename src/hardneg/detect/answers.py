"""The answer of a detector to one picture, whatever library it is from: boxes, scores and labels as plain arrays.

Nothing is judged here but the form: a score of NaN or a box of no size is for whoever uses them to count or refuse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.ragged import IntArray

__all__ = ["Answer", "Form", "answer_of", "as_numbers"]

Form = Literal["dict", "ultralytics", "supervision", "array"]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Answer:
    """What a detector said of one picture.

    Args:
        form: what kind of object said it.
        ends: left, top, right and bottom in pixels, shape ``(n, 4)``.
        score: how sure it was, shape ``(n,)``.
        label: a number for each, shape ``(n,)``, -1 where it has a name alone; None where nothing is said of labels.
        name: the name of each label, None where only numbers are said.
        marks: of what is there, what else is said (``iscrowd``, ``ignore``, ``difficult``), shape ``(n,)`` each.
    """

    form: Form
    ends: Floats
    score: Floats
    label: IntArray | None
    name: Sequence[str] | None
    marks: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def box(self) -> Floats:
        """Left, top, width and height in pixels, shape ``(n, 4)``."""
        return np.concatenate([self.ends[:, :2], self.ends[:, 2:] - self.ends[:, :2]], axis=1)


def answer_of(given: Any, where: str, *, scored: bool = True) -> Answer:
    """Read what was given, and say ``where`` in errors ("image 3").

    Args:
        given: A dict with ``boxes``, ``scores`` and ``labels`` (torchvision, transformers), labels being numbers or
            names; the ``Results`` of Ultralytics; ``supervision.Detections``; or rows of left, top, right, bottom,
            score and, with six columns, label. Boxes are left, top, right and bottom in pixels; lists, arrays or
            tensors.
        where: the picture, for people.
        scored: whether scores must be there; those of what is known are 0.

    Raises InputError for another form, and where there is no score for each box.

    >>> answer_of({"boxes": [[0, 0, 4, 2]], "scores": [0.5], "labels": ["cat"]}, "image 0").box.tolist()
    [[0.0, 0.0, 4.0, 2.0]]
    >>> answer_of([[0, 0, 4, 2, 0.5, 7]], "image 0").label.tolist()
    [7]
    """
    if isinstance(given, Mapping):
        return _of_dict(given, where, scored)
    if hasattr(given, "boxes") and hasattr(given, "names"):
        return _of_ultralytics(given, where)
    if getattr(given, "xyxy", None) is not None:
        return _of_supervision(given, where, scored)
    if isinstance(given, (list, tuple)) or hasattr(given, "__array__") or hasattr(given, "detach"):
        return _of_rows(given, where)
    raise _unknown(given, where)


def as_numbers(given: Any) -> Floats:
    """Numbers in float64; tensors of a graphics card and of a training step are fetched first."""
    for step in ("detach", "cpu"):
        given = getattr(given, step, lambda given=given: given)()
    if type(given).__module__.partition(".")[0] == "torch":
        given = given.double()  # bfloat16 is no type of NumPy's
    return np.asarray(given, np.float64)


def _unknown(given: Any, where: str) -> InputError:
    return InputError(
        f"The result of {where} is no supervision.Detections and no dict with 'boxes'. Got {type(given).__name__}.",
        remedy="Results of Ultralytics, and rows of left, top, right, bottom, score and label, can be read as well.",
    )


def _of_dict(given: Mapping[str, Any], where: str, scored: bool) -> Answer:
    if given.get("boxes") is None:
        raise _unknown(given, where)
    ends = _ends(given["boxes"], where)
    said = given.get("labels")
    names = [str(one) for one in said] if said is not None and _are_names(said) else None
    _check_count(names, "labels", len(ends), where)
    marks = {
        name: _row(given[name], name, len(ends), where) > 0
        for name in ("iscrowd", "ignore", "difficult")
        if given.get(name) is not None
    }
    label = None if said is None or names is not None else _whole(_row(said, "labels", len(ends), where), where)
    return Answer("dict", ends, _scores(given.get("scores"), "scores", len(ends), where, scored), label, names, marks)


def _of_ultralytics(given: Any, where: str) -> Answer:
    boxes = given.boxes
    if boxes is None:
        raise InputError(f"The result of {where} has no boxes: its model is for another task.")
    ends = _ends(boxes.xyxy, where)
    label = _whole(_row(boxes.cls, "boxes.cls", len(ends), where), where)
    names = dict(enumerate(given.names)) if isinstance(given.names, (list, tuple)) else dict(given.names or {})
    told = [str(names[one]) for one in label.tolist()] if set(label.tolist()) <= names.keys() else None
    return Answer("ultralytics", ends, _scores(boxes.conf, "boxes.conf", len(ends), where, True), label, told)


def _of_supervision(given: Any, where: str, scored: bool) -> Answer:
    ends = _ends(given.xyxy, where)
    said, names = getattr(given, "class_id", None), (getattr(given, "data", None) or {}).get("class_name")
    label = None if said is None else _whole(_row(said, "class_id", len(ends), where), where)
    told = None if names is None else list(map(str, names))
    _check_count(told, "class_name", len(ends), where)
    score = _scores(getattr(given, "confidence", None), "confidence", len(ends), where, scored)
    return Answer("supervision", ends, score, label, told)


def _of_rows(given: Any, where: str) -> Answer:
    try:
        rows = as_numbers(given)
    except (TypeError, ValueError):
        raise _unknown(given, where) from None
    if rows.size == 0:
        rows = np.zeros((0, 6))
    if rows.ndim != 2 or rows.shape[1] not in (5, 6):
        raise InputError(
            f"The rows of {where} must be left, top, right, bottom, score and, if there are several categories, label. "
            f"Got shape {rows.shape}."
        )
    label = _whole(rows[:, 5], where) if rows.shape[1] == 6 else None
    return Answer("array", rows[:, :4], rows[:, 4], label, None)


def _ends(given: Any, where: str) -> Floats:
    try:
        found = as_numbers(given)
    except (TypeError, ValueError):
        found = np.zeros(1)
    if found.size == 0:
        return np.zeros((0, 4))
    if found.ndim == 1 and len(found) == 4:
        return found.reshape(1, 4)
    if found.ndim != 2 or found.shape[1] != 4:
        raise InputError(
            f"The boxes of {where} must be left, top, right and bottom, shape (n, 4). Got shape {found.shape}."
        )
    return found


def _scores(given: Any, name: str, count: int, where: str, scored: bool) -> Floats:
    if given is None and (not scored or not count):
        return np.zeros(count)
    return _row([] if given is None else given, name, count, where)


def _row(given: Any, name: str, count: int, where: str) -> Floats:
    """A figure for each box."""
    try:
        found = as_numbers(given).reshape(-1)
    except (TypeError, ValueError):
        raise InputError(f"The '{name}' of {where} must be numbers. Got {given!r:.60}.") from None
    _check_count(found, name, count, where)
    return found


def _check_count(given: Any, name: str, count: int, where: str) -> None:
    if given is not None and len(given) != count:
        raise InputError(f"The '{name}' of {where} must be one for each of {count} boxes. Got {len(given)}.")


def _are_names(given: Any) -> bool:
    if isinstance(given, np.ndarray):
        return given.dtype.kind in "US"
    return isinstance(given, (list, tuple)) and len(given) > 0 and all(isinstance(one, str) for one in given)


def _whole(given: Floats, where: str) -> IntArray:
    wrong = ~np.isfinite(given) | (given != np.round(given)) | (np.abs(given) > 2**53)
    if wrong.any():
        raise InputError(f"The labels of {where} must be whole numbers or names. Got {given[wrong][0]:g}.")
    return given.astype(np.int64)
