"""What a calibration says of itself in a terminal and on a page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["calibration_lines", "setting_used"]


def calibration_lines(manifest: Mapping[str, Any]) -> list[str]:
    """What was learnt, what is promised and under which assumption; nothing for a run without a calibrated filter.

    >>> calibration_lines({"filters_chosen": "3 anchors have two positives or more"})
    ['The usual filters: 3 anchors have two positives or more.']
    """
    chosen, about = manifest.get("filters_chosen"), manifest.get("calibrated")
    lines = [f"The usual filters: {chosen}."] if chosen else []
    used = [one for one in manifest.get("steps", {}).get("filters", []) if one.startswith("calibrated")]
    if not about or not used:
        return lines
    if "none_pass" in about:
        return [*lines, f"Not calibrated: {about['none_pass']}. No item without a label passes."]
    if "fallback" in about:
        lines.append(f"Not calibrated: {about['why']}. {about['fallback']} took its place.")
    else:
        lines += _learnt(about, used[0], setting_used(manifest))
    if "single" in about:
        alone = about["single"]
        lines.append(
            "Anchors with one positive are judged apart, the others standing in for them with one each; the frontier "
            "is of these others."
        )
        lines += _learnt(alone, used[0], alone.get("setting", ""))
    return [*lines, *_checked(about.get("judged", {}))]


def _learnt(about: Mapping[str, Any], step: str, setting: str) -> list[str]:
    """What was learnt for one kind of anchor, and what is promised; ``setting`` decides where nothing is."""
    unknown = about["unknown_positives"]
    what = about.get("of", "positives")
    learnt = f"Calibrated on {about['hidden']:,} hidden {what} of {about['anchors']:,} anchors"
    at_most = f"at most {unknown['at_most']:,.0f} of {about['candidates']:,} candidates"
    lines = [f"{learnt}, where {at_most} are unknown positives."]
    if about["promised"] and _asked(step) < about["least"]["bound"]:
        lines.append(
            f"{step}: nothing passes, for no threshold can promise less than {about['least']['bound']:.2%}. Ask for "
            "that or more."
        )
    elif about["promised"]:
        lines.append(f"{step}: a bound, kept with 95% confidence if {about['assumption']}.")
    else:
        lines.append(
            f"{step}: an estimate and no promise, for no threshold has a bound below {about['least']['bound']:.1%}."
        )
        by = "what was learnt" if about.get("decides") == "calibrated" else setting or "no filter at all"
        lines += [f"Decided by {by}: {about['why']}."] if "why" in about else []
    if about.get("shared_positives") == "suspect":
        lines.append(
            "Positives that are shared with another anchor are held back: without them as many and as hard are mined."
        )
    return lines


def setting_used(manifest: Mapping[str, Any]) -> str:
    """The setting on the frontier that gave the verdicts: the calibrated step, or the fixed rule that took its place.

    Empty where none was measured, or where none was needed.

    >>> points = [{"family": "rank", "filter": "rank(skip=5)", "share": 0.01}]
    >>> steps = {"filters": ["calibrated(false_negatives=0.02)"]}
    >>> setting_used({"steps": steps, "frontier": points, "calibrated": {"decides": "rank"}})
    'rank(skip=5)'
    """
    about = manifest.get("calibrated") or {}
    step = next((one for one in manifest["steps"]["filters"] if one.startswith("calibrated")), "")
    if "fallback" in about:
        return str(about["fallback"]) if step else ""
    if not step or about.get("decides", "calibrated") == "calibrated":
        return step
    families = {about["decides"], "naive"} if about["decides"] == "rank" else {about["decides"]}
    points = [one for one in manifest["frontier"] if one["family"] in families and one["share"] <= _asked(step)]
    return str(points[-1]["filter"]) if points else ""


def _asked(step: str) -> float:
    """The share that a calibrated step asks for."""
    found = re.search(r"false_negatives=([0-9.e-]+)", step)
    return float(found.group(1)) if found else 0.02


def _checked(judged: Mapping[str, Any]) -> list[str]:
    """What judged pairs say of it."""
    lines = []
    if judged.get("negatives"):
        low, high = judged["doubted_share"]
        counts = f"{judged['doubted']:,} of {judged['negatives']:,} judged negatives"
        lines.append(f"It would have called {counts} suspect ({low:.1%} to {high:.1%}).")
    if judged.get("positives"):
        low, high = judged["passed_share"]
        counts = f"{judged['passed']:,} of {judged['positives']:,} candidates that were found positive"
        lines.append(f"It lets {counts} pass ({low:.1%} to {high:.1%}).")
    if judged.get("contradicts"):
        lines.append(
            f"Of the judged that pass {judged['passed']:,} are positive, and its probabilities said "
            f"{judged['expected']:.1f}: unknown positives are not like the known ones here, so its promise does not "
            "hold. Mine again with these decisions, and audit the run."
        )
    return lines
