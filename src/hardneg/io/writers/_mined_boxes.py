"""What a mining of detections chose and what it doubts, image by image, beside what is there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from hardneg.io.writers._export import Export
from hardneg.io.writers._ground_truth import BoxOf, Truth, ground_truth
from hardneg.io.writers._tally import Tally, tally
from hardneg.ragged import IntArray
from hardneg.weights import quantiles

__all__ = ["Mined", "Scenes", "scenes"]

# Of images without boxes; Ultralytics' "Tips for best training results" names 0-10%.
_ADVISED = 0.1


@dataclass(frozen=True)
class Mined:
    """A detection that is a negative, or a suspect.

    ``category`` is the row of what it was taken for, ``score`` the detector's, ``rank`` the share of all sampled pairs
    that are no harder. ``reason`` says of a negative what it is (``background`` or ``confusion``), of a suspect what is
    doubted.
    """

    item: str
    category: int
    box: BoxOf
    score: float
    reason: str
    rank: float

    @property
    def background(self) -> bool:
        """Whether nothing is there; else a thing of another category is, which has its own box."""
        return self.reason == "background"


@dataclass(frozen=True)
class Scenes:
    """What is there, and the negatives and suspects of each image by its row; ``left_out`` are rows not to be written.

    With ``hard_class`` a mined background is a box, too.
    """

    truth: Truth
    negatives: Mapping[int, list[Mined]]
    suspects: Mapping[int, list[Mined]]
    hard_class: bool = False
    left_out: frozenset[int] = frozenset()

    def rows(self) -> list[int]:
        """The images to be written, in their order."""
        return [row for row in range(len(self.truth.images)) if row not in self.left_out]

    def bare(self, row: int) -> bool:
        """Whether an image has no box that counts: what drops images without annotations drops it."""
        named = self.hard_class and any(one.background for one in self.negatives.get(row, ()))
        return not named and all(one.uncounted for one in self.truth.boxes.get(row, ()))


def scenes(export: Export) -> Scenes:
    """Find what is there and what was mined in it, count both, and note where it is from.

    What is a suspect for anyone is no negative. A box that is there and was mined or doubted stays as it is: it is
    counted.
    """
    truth = ground_truth(export.run, export.skips)
    export.notes.append(truth.told)
    found = tally(export.run)
    anchors, items = found.sampled_pairs
    rank = quantiles(export.run.negatives.column("score").to_numpy())
    keep = found.suspect_for[items] == 0
    sure = _by_image(export, truth, (anchors[keep], items[keep]), rank[keep], None)
    doubted = _by_image(export, truth, found.suspect_pairs, np.zeros(len(found.suspect_pairs[0])), found)
    made = Scenes(truth, sure, doubted, export.options.hard_class)
    if "backgrounds" in export.writer.takes:
        made = _within_budget(export, made)
    _count(export, made)
    return made


def _within_budget(export: Export, made: Scenes) -> Scenes:
    """Leave images without boxes out beyond the share that is wanted; those with the hardest negatives stay.

    Without a share that is wanted all stay, and where they are more than trainers advise, a note says so.
    """
    bare = [row for row in range(len(made.truth.images)) if made.bare(row)]
    full, share = len(made.truth.images) - len(bare), export.options.backgrounds
    if share is None:
        images = len(made.truth.images)
        if len(bare) > _ADVISED * images:
            export.notes.append(
                f"{len(bare):,} of {images:,} images ({len(bare) / images:.0%}) have no boxes. Trainers advise up to "
                f"{_ADVISED:.0%}: with more, recall may suffer. To keep those with the hardest negatives: "
                f"--backgrounds {_ADVISED:g}"
            )
        return made
    # The whole number of b for which b / (full + b) is at most the share.
    most = int(share * full / (1 - share) + 1e-9)
    bare.sort(key=lambda row: (-sum(one.rank for one in made.negatives.get(row, ())), row))
    out = frozenset(bare[most:])
    for row in sorted(out):
        mined = len(made.negatives.get(row, ()))
        export.skips.add("background_image_beyond_the_budget", f"{made.truth.images[row].name} ({mined} negatives)")
        export.counts["negatives_beyond_the_budget"] += mined
    sure, doubted = (
        {row: some for row, some in of.items() if row not in out} for of in (made.negatives, made.suspects)
    )
    return replace(made, negatives=sure, suspects=doubted, left_out=out)


def _by_image(
    export: Export, truth: Truth, pairs: tuple[IntArray, IntArray], rank: np.ndarray, doubts: Tally | None
) -> dict[int, list[Mined]]:
    """The pairs of anchors and items as boxes, by the row of their image; those that are not detections are counted."""
    run, table = export.run, export.run.items.table
    images, categories = truth.image_rows(), truth.category_rows()
    names = ("id", "image_id", "box", "predicted", "detector_score", "mistake")
    rows = {name: table.column(name).to_pylist() for name in names}
    reasons = rows["mistake"] if doubts is None else doubts.reason.to_pylist()
    anchors = [str(one) for one in run.anchors.ids.to_pylist()]
    out: defaultdict[int, list[Mined]] = defaultdict(list)
    for anchor, item, share in zip(*(one.tolist() for one in pairs), rank.tolist(), strict=True):
        name = str(rows["id"][item])
        image, category = images.get(str(rows["image_id"][item])), categories.get(anchors[anchor])
        if rows["predicted"][item] is None:
            export.skips.add("mined_box_is_there" if doubts is None else "doubted_box_is_there", name)
        elif image is None or category is None:
            export.skips.add("image_or_category_is_gone", f"{name} ({anchors[anchor]})")
        else:
            box, score = tuple(rows["box"][item]), float(rows["detector_score"][item])
            out[image].append(Mined(name, category, box, score, str(reasons[item] or ""), share))
    return {row: sorted(out[row], key=lambda one: -one.score) for row in sorted(out)}


def _count(export: Export, made: Scenes) -> None:
    """Count the images, and those of them that a trainer may drop, for the manifest.

    Without boxes is an image in which nothing counts; without annotations one in which there is no crowd and no suspect
    either.
    """
    rows = made.rows()
    bare = [row for row in rows if made.bare(row)]
    empty = [row for row in bare if not made.truth.boxes.get(row) and row not in made.suspects]
    export.counts.update(
        images=len(rows),
        boxes=sum(len(made.truth.boxes.get(row, ())) for row in rows),
        negatives=sum(map(len, made.negatives.values())),
        suspects=sum(map(len, made.suspects.values())),
        images_with_negatives=len(made.negatives),
    )
    for name, some in (("boxes", bare), ("annotations", empty)):
        export.counts[f"images_without_{name}"] = len(some)
        export.counts[f"images_without_{name}_with_negatives"] = sum(row in made.negatives for row in some)
