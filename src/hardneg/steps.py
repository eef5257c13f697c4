"""What a mining does: its sources, filters and sampler, parsed and checked together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hardneg.calibrate import SEVERAL
from hardneg.filters import FILTERS, Calibrated, Duplicates, Filter, Known, Margin
from hardneg.positives import Positives
from hardneg.samplers import SAMPLERS, Plan, Sampler, plan
from hardneg.sources import SOURCES, Source, Uniform, Union

__all__ = [
    "CALIBRATED_FILTERS", "DEFAULT_FILTERS", "DEFAULT_SAMPLER", "DEFAULT_SOURCES", "Steps", "united", "usual_encoder",
    "usual_filters", "usual_sampler", "usual_sources", "why_usual",
]  # fmt: skip

DEFAULT_SOURCES = ("neighbors(k=100)",)
# Where too few anchors have several positives to measure anything. The mean of the positives: the weakest
# would leave an anchor with one odd positive without any negative, the best would let through twice the unlabelled
# positives (docs/benchmarks.md has the figures).
DEFAULT_FILTERS = ("known", "duplicates(similarity=0.97)", "margin(relative=0.05, reference=mean)")
# A filter that is learnt finds out whether to hold shared positives back: that is better where who shares one wants the
# same, and far worse where things have several sides. Few anchors cannot say which of the two they are.
CALIBRATED_FILTERS = ("known(shared=false)", "duplicates(similarity=0.97)", "calibrated(false_negatives=0.02)")
# With fewer anchors of two positives than this, estimates are so rough that most hard negatives would be held back.
_MEASURED = 20
FILTERS_OF_FEW = ("known", "duplicates(similarity=0.97)", "calibrated(false_negatives=0.02)")
# Those of a class are spread wide: a picture's mean positive is often less like it than its hard negatives are, so a
# margin would leave out the very negatives sought.
DEFAULT_FILTERS_OF_CLASSES = ("known", "duplicates(similarity=0.97)")
# A camera that stands still sees one and the same false alarm in every frame: it is mined once.
FILTERS_OF_BOXES = ("known", "duplicates(similarity=0.97, among=0.97)")
# Probabilities of this many items and classes take a gigabyte; with more the user decides whether to pay for them.
_MOST_PROBABILITIES = 2**28
DEFAULT_SAMPLER = ("top(n=8)",)
# The anchors of a detector are its categories. As many negatives as a category has things: a rare one is not drowned in
# what it is not, which would cost recall, and a frequent one does not stop at eight.
SAMPLER_OF_BOXES = ("top(n=1000, per_positive=1)",)

# What a detector found says itself where to look.
_DETECTED = {"detections(k=1000)": ("predicted", "detector_score"), "segments(k=200)": ("heard", "peak")}


def usual_sources(positives: Positives) -> tuple[str, ...]:
    """The sources where the user names none: a detector's mistakes where the items are some, else the neighbours.

    >>> from hardneg.collection import Collection
    >>> usual_sources(Positives.from_pairs(["q"], ["a"], items=Collection.of(["a"])))
    ('neighbors(k=100)',)
    """
    names = set(positives.items.table.column_names)
    return next(((source,) for source, columns in _DETECTED.items() if names.issuperset(columns)), DEFAULT_SOURCES)


def usual_filters(positives: Positives) -> tuple[str, ...]:
    """The filters where the user names none: those of pairs, or those of classes.

    Of pairs the calibrated one, where 20 anchors have two positives or more; with fewer a margin below their mean.
    Labels are doubted, and an unlabelled item is a negative only where it surely is not of the class. Groups are not
    classes, and a vast number of classes is not predicted without being asked for. Of a detector's false positives the
    boxes say themselves what a missing label looks like.
    """
    classes = positives.classes
    if classes is None:
        several = _several(positives)
        return CALIBRATED_FILTERS if several >= SEVERAL else FILTERS_OF_FEW if several >= _MEASURED else DEFAULT_FILTERS
    boxes = _are_boxes(positives)
    pool = not (classes.labelled() | positives.barred).all()
    guard = (("missing_label",) if boxes else ("unlabelled",)) if pool else ()
    if boxes and positives.items.pictures is None:
        return ("known", "duplicates", *guard)  # there is nothing to look at but the detector's own scores
    few = len(classes.names) * len(positives.items) <= _MOST_PROBABILITIES
    usual = FILTERS_OF_BOXES if boxes else DEFAULT_FILTERS_OF_CLASSES
    if not classes.closed or not few:
        return usual
    two = len(classes.names) > 1  # of one class no label can be another's
    return (*usual, *(("mislabelled",) if two else ()), *guard)


def usual_sampler(positives: Positives) -> tuple[str, ...]:
    """The sampler where the user names none: the hardest, eight of them, or as many as a category has boxes."""
    return SAMPLER_OF_BOXES if _are_boxes(positives) else DEFAULT_SAMPLER


def _are_boxes(positives: Positives) -> bool:
    return {"box", "hidden_score"} <= set(positives.items.table.column_names)


def _several(positives: Positives) -> int:
    return int((positives.positive.lengths() >= 2).sum())


def usual_encoder(positives: Positives) -> str:
    """The encoder where the user names none: of sounds or pictures where the items are some, else of texts.

    >>> from hardneg.collection import Collection
    >>> usual_encoder(Positives.from_pairs(["q"], ["a"], items=Collection.of(["a"], texts=["first"])))
    'wordllama'
    """
    items = positives.items
    return "logmel" if items.sounds is not None else "descriptor" if items.pictures is not None else "wordllama"


def united(sources: str | Source | Sequence[str | Source]) -> Source:
    """One source made of texts or values; several are united."""
    found = [SOURCES.make(one) for one in _listed(sources)]
    return found[0] if len(found) == 1 else Union(tuple(found))


@dataclass(frozen=True)
class Steps:
    """Sources, filters in order, one chooser with its limits.

    Of the sources only the texts and the names for provenance are here: those of a finished run have proposed
    already and need not be made again. :func:`united` makes a source.

    >>> Steps.parse(filters="margin(relative=0.1)").texts()["filters"]
    ['known', 'duplicates', 'margin(relative=0.1)']
    """

    sources: tuple[str, ...]
    source_names: tuple[str, ...]
    filters: tuple[Filter, ...]
    plan: Plan
    usual_reference: str = "min"

    @classmethod
    def parse(
        cls,
        sources: str | Source | Sequence[str | Source] = DEFAULT_SOURCES,
        filters: str | Filter | Sequence[str | Filter] = DEFAULT_FILTERS,
        sampler: str | Sampler | Sequence[str | Sampler] = DEFAULT_SAMPLER,
    ) -> Steps:
        """Make steps from texts or values. ``known`` and ``duplicates`` come first even where they are not named.

        Raises OptionError for a step that is unknown or wrong.
        """
        source = united(sources)
        several = isinstance(source, Union) and source == Union(source.sources)
        texts = [str(one) for one in (source.sources if isinstance(source, Union) and several else (source,))]
        # Random items that fill up short anchors count as the source ``uniform``.
        names = dict.fromkeys((*source.names, Uniform.name))
        return cls(tuple(texts), tuple(names), *_judged_and_sampled(filters, sampler))

    @classmethod
    def of_run(
        cls,
        manifest: Mapping[str, Any],
        filters: str | Filter | Sequence[str | Filter] | None,
        sampler: str | Sampler | Sequence[str | Sampler] | None,
    ) -> Steps:
        """The steps of a finished run with other filters or another sampler; None leaves them as they were."""
        old = manifest["steps"]
        new = _judged_and_sampled(
            old["filters"] if filters is None else filters, old["sampler"] if sampler is None else sampler
        )
        return cls(tuple(old["sources"]), tuple(manifest["source_names"]), *new).suited(labels="labels" in manifest)

    @property
    def reference(self) -> str:
        """Which positive the column ``positive_score`` shows: that of the first margin, else the usual one."""
        usual = "mean" if any(isinstance(one, Calibrated) for one in self.filters) else self.usual_reference
        return next((one.reference for one in self.filters if isinstance(one, Margin)), usual)

    def suited(self, *, labels: bool) -> Steps:
        """The same steps; without a margin negatives are graded by the weakest positive, of labelled data by the mean.

        The members of a class are spread so wide that half of all items are nearer to one than its weakest positive.
        """
        return replace(self, usual_reference="mean" if labels else "min")

    def texts(self) -> dict[str, list[str]]:
        """The steps as text; ``Steps.parse(**steps.texts())`` gives them back."""
        return {
            "sources": list(self.sources),
            "filters": [str(one) for one in self.filters],
            "sampler": [str(one) for one in (self.plan.chooser, *self.plan.limits)],
        }


def why_usual(steps: Steps, positives: Positives) -> str:
    """Why these filters, for the manifest and the summary; empty for others than the usual and for data with classes.

    What was named and what was chosen are the same mining, so a recipe that names it gives the same run.
    """
    usual = Steps.parse(filters=usual_filters(positives)).filters
    if positives.classes is not None or steps.filters != usual:
        return ""
    several = _several(positives)
    if several >= SEVERAL:
        return f"{several:,} anchors have two positives or more, so the filter is calibrated to them"
    if several >= _MEASURED:
        return (
            f"{several:,} anchors have two positives or more, enough to measure filters by them and too few to learn "
            "much, so calibrated chooses between what it learns and fixed rules"
        )
    return (
        f"{several:,} anchors have two positives or more, and {_MEASURED} are needed to measure filters by them, "
        "so it is a margin below the mean positive"
    )


def _judged_and_sampled(filters: Any, sampler: Any) -> tuple[tuple[Filter, ...], Plan]:
    judges = [FILTERS.make(one) for one in _listed(filters)]
    learns = any(isinstance(one, Calibrated) for one in judges)  # it decides itself about shared positives
    # No choice of filters may let a positive or its copy through.
    for guard in (Duplicates(), Known(shared=not learns)):
        if not any(isinstance(one, type(guard)) for one in judges):
            judges.insert(0, guard)
    return tuple(judges), plan([SAMPLERS.make(one) for one in _listed(sampler)])


def _listed(steps: Any) -> Sequence[Any]:
    return steps if isinstance(steps, (list, tuple)) else [steps]
