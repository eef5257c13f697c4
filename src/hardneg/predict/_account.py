"""What a manifest says of predictions: how good, how sure, how far to be believed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hardneg.classes import Codes
from hardneg.predict._held_out import Outcome
from hardneg.predict.calibration import calibration_error, log_loss
from hardneg.predict.weakness import Strength, strength
from hardneg.ragged import Ragged
from hardneg.similarity import FloatArray

__all__ = ["account", "figures"]


def account(
    model: str, outcome: Outcome, codes: Codes, classes: Sequence[str], shared: int, seed: int
) -> dict[str, object]:
    """All that a model's predictions say of themselves; figures are of held-out labelled rows."""
    labelled = np.zeros(len(outcome.held_out), bool)
    labelled[Ragged.from_codes(codes).rows()] = True
    judged = np.flatnonzero(labelled & outcome.held_out)
    about: dict[str, object] = {
        "model": model,
        "seed": seed,
        "classes": len(classes),
        "labelled": int(labelled.sum()),
        "held_out": len(judged),
        "unlabelled": int((~labelled).sum()),
        "temperature": round(outcome.temperature, 6),
        **figures(outcome.probabilities[judged], codes.take(judged)),
    }
    before = figures(outcome.raw[judged], codes.take(judged))
    about |= {f"{name}_before": before[name] for name in ("log_loss", "calibration_error")}
    warnings = _warnings(about, int(labelled.sum()) - len(judged), codes, classes)
    if shared:
        have = "1 item has" if shared == 1 else f"{shared} items have"
        warnings.append(f"{have} the vector of another. If they are copies, give them as groups.")
    about["warnings"] = warnings
    return about


def figures(probabilities: FloatArray, codes: Codes) -> dict[str, object]:
    """Accuracy, log loss, calibration error and strength of predictions whose labels are known.

    Of several classes an item each (item, class) pair is one question with two answers, and the strength is that of
    the mean class: its balanced accuracy at 0.5.
    """
    if isinstance(codes, Ragged):
        has = np.zeros(probabilities.shape, np.int64)
        has[codes.rows(), codes.values] = 1
        yes = probabilities.reshape(-1)
        probabilities, codes = np.stack([1 - yes, yes], axis=1), has.reshape(-1)
    found = strength(probabilities.argmax(axis=1).astype(np.int64), codes, probabilities.shape[1])
    return {
        **_strength(found),
        "log_loss": _rounded(log_loss(probabilities, codes)),
        "calibration_error": _rounded(calibration_error(probabilities, codes)),
    }


def _strength(found: Strength) -> dict[str, object]:
    names = ("accuracy", "majority", "balanced", "low", "high", "chance", "least")
    shown: dict[str, object] = {
        {"low": "balanced_low", "high": "balanced_high"}.get(name, name): _rounded(getattr(found, name))
        for name in names
    }
    return shown | {"too_weak": found.too_weak, "verdict": found.why}


def _rounded(figure: float) -> float | None:
    """Six places; None for what is not known, since JSON has no NaN."""
    return None if np.isnan(figure) else round(figure, 6)


def _warnings(about: dict[str, object], stuck: int, codes: Codes, classes: Sequence[str]) -> list[str]:
    found = []
    if about["too_weak"]:
        found.append(f"The model is {about['verdict']}. Label more items, or use better vectors.")
    if stuck:
        found.append(
            f"{stuck} labelled items could not be held out: their class has no other item (or no other group)."
        )
    counts = np.bincount(Ragged.from_codes(codes).values, minlength=len(classes))
    empty = [name for name, count in zip(classes, counts, strict=True) if not count]
    if empty:
        found.append(f"{len(empty)} classes have no labelled item, so nothing is predicted as one: {empty[0]} ...")
    return found
