"""What a run's page says of the detector behind it: its mistakes, and its curves before and after."""

from __future__ import annotations

from dataclasses import dataclass

from hardneg.detect import log_average_miss_rate
from hardneg.errors import MissingExtraError
from hardneg.report.charts import Chart
from hardneg.report.curves import curves
from hardneg.report.detected import Behind
from hardneg.report.facts import Facts
from hardneg.report.mistaken import KINDS, Mistaken, mistaken
from hardneg.report.numbers import number, plural

__all__ = ["Curves", "MistakesPart", "before_and_after", "mistakes_of_run"]


@dataclass(frozen=True)
class MistakesPart:
    """Mistakes by kind and category; where the data are not at hand, their numbers alone and why that is all."""

    sentences: list[str]
    found: Mistaken | None
    counts: list[tuple[str, int]]
    note: str


@dataclass(frozen=True)
class Curves:
    """Charts, and what is said above them."""

    sentences: list[str]
    charts: list[Chart]


def mistakes_of_run(facts: Facts) -> MistakesPart | None:
    """Count the detector's mistakes; None for a run without one."""
    found = facts.behind
    if found is None:
        return None
    if isinstance(found, str):
        counts = facts.run.manifest.get("data", {}).get("counts", {})
        named = [(name, int(counts.get(f"detections_{kind.name.lower()}", 0))) for kind, (name, _) in KINDS.items()]
        note = (
            f"Curves, and mistakes by category, need the data at hand: {found}. The boxes below are those of the run."
        )
        return MistakesPart([], None, [one for one in named if one[1]], note)
    judged = found.judged
    mined = int(found.sampled.sum())
    sentences = [
        f"{plural(len(judged.found), 'find')} in {plural(judged.images, 'image')}, matched to what is labelled at an "
        f"overlap of 0.5. {plural(mined, 'of them was', 'of them were')} mined as a negative."
    ]
    return MistakesPart(sentences, mistaken([judged], found.scenes.categories), [], "")


def before_and_after(facts: Facts) -> Curves | None:
    """The detector as it was mined, and as if what was mined were gone; None where nothing is known of it."""
    found = facts.behind
    if not isinstance(found, Behind):
        return None
    judged, mined = found.judged, int(found.sampled.sum())
    named = [("as mined", judged.together)]
    if mined:
        named.append(("if the mined were gone", judged.left(found.sampled)))
    charts = curves(named)
    if not charts:
        return None
    sentences = ["All categories together, from the surest find on."]
    if mined:
        sentences.append(
            f"The dashed line is as if the {plural(mined, 'mined false positive')} had not been found and all else "
            "had stayed: an upper bound for what training on them can bring."
        )
    missed = " to ".join(number(log_average_miss_rate(one)) for _, one in named)
    sentences.append(f"Log-average miss rate {missed}{_ap50(found, mined)}.")
    return Curves(sentences, charts)


def _ap50(found: Behind, mined: int) -> str:
    """The mean AP50 before and, where something was mined, after; nothing without the package that counts it."""
    judged = found.judged
    try:
        both = [judged.ap50, judged.ap50_without(found.sampled)] if mined else [judged.ap50]
    except MissingExtraError:
        return ""
    return f"; mean AP50 over the categories {' to '.join(map(number, both))}"
