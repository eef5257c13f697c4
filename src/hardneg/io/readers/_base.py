"""What every reader shares: the options, the choice of a split, and what a format is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hardneg.errors import InputError, OptionError
from hardneg.io.readers._frames import check_pattern
from hardneg.io.reading import Reading, Skips
from hardneg.notation import require

__all__ = ["ROLES", "Format", "ReadOptions", "choose_split", "refuse_labelled_options"]

ROLES = (
    "anchor", "anchor_id", "positive", "positive_id", "negative", "negative_id",
    "item", "item_id", "title", "grade", "split", "id", "text", "path", "image", "vector", "label", "group",
    "audio", "start", "end", "duration", "speaker", "session",
)  # fmt: skip


@dataclass(frozen=True)
class ReadOptions:
    """How to read a data set; the defaults fit most.

    Attributes:
        split: The split to read, where there are several.
        positive_from: A grade of at least this is a positive.
        negative_to: A grade of at most this is a known negative; what lies between is ignored.
        ignore: Grades that are neither.
        grades: What text grades stand for, as in ``{"SUPPORT": 1, "CONTRADICT": 0}``.
        exclude_split: Items that are positive in these splits are never mined.
        exclude_ids: A file of item ids, one a line, that are never mined.
        decisions: Ledgers of reviewers' decisions, or runs that hold one; see :mod:`hardneg.replay`.
        corpus: A file with the items of a pairs file.
        columns: The user's own column names by role (one of ``ROLES``), tried before the field's common names.
        anchor_vectors: A file of vectors or a folder of such files, one vector for each anchor.
        item_vectors: A file of vectors or a folder of such files, one vector for each item.
        anchors: What the negatives of labelled data are for: ``items``, or the ``classes`` themselves.
        positives: What makes labelled items positives of one another: ``labels``, ``groups``, or the name of any other
            column, such as ``speaker``; who shares its value is positive, another value is a negative.
        unlabelled: A table or a folder with more items, which have no label.
        predictions: What a model said of each item and class: a table with an id and a column for each class.
            Of boxes a detector's results: COCO's, or a folder of YOLO's or Pascal VOC's.
        agreeing: Of boxes, the results of a second detector: where it agrees, a label may be missing.
        least_score: Results of a detector with a lower score are left out.
        frames: Of boxes, how sequence and frame stand at the end of the images' names: ``{sequence}_{frame}``.
        most_mistakes: Of boxes, so many mistakes of a detector for each category are looked at, the surest first; the
            others are counted. So memory does not grow with the results.
        held_out: Whether that model had not seen the labels of these items; a column ``held_out`` says it row by row.
        media_root: The folder that all pictures or sounds are in and their paths are relative to; that of the table or
            list if not given.
        mine_evaluation: Mine from a split though it is there for evaluation (a test or validation split).

    Raises:
        OptionError: for thresholds that cross or an unknown role.

    >>> ReadOptions(columns={"querry": "q"})
    Traceback (most recent call last):
    hardneg.errors.OptionError: There is no column role 'querry'. Choose from: anchor, anchor_id, positive, ...
    """

    split: str | None = None
    positive_from: float = 1
    negative_to: float = 0
    ignore: tuple[float, ...] = ()
    grades: Mapping[str, float] = field(default_factory=dict)
    exclude_split: tuple[str, ...] = ()
    exclude_ids: Path | None = None
    decisions: tuple[Path, ...] = ()
    corpus: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    anchor_vectors: Path | None = None
    item_vectors: Path | None = None
    anchors: Literal["items", "classes"] = "items"
    positives: str = "labels"
    unlabelled: Path | None = None
    predictions: Path | None = None
    agreeing: Path | None = None
    least_score: float = 0
    most_mistakes: int = 10_000
    frames: str | None = None
    held_out: bool = False
    media_root: Path | None = None
    mine_evaluation: bool = False

    def __post_init__(self) -> None:
        require(
            self.negative_to < self.positive_from,
            "negative_to",
            f"under 'positive_from' ({self.positive_from})",
            self.negative_to,
        )
        require(self.anchors in ("items", "classes"), "anchors", "items or classes", self.anchors)
        require(bool(self.positives), "positives", "labels, groups or the name of a column", "nothing")
        if self.anchors == "classes" and self.positives == "groups":
            raise OptionError("The anchors can be classes only where labels make the positives. Leave one of them out.")
        require(not self.held_out or self.predictions is not None, "held_out", "left out without 'predictions'", True)
        require(self.agreeing is None or self.predictions is not None, "agreeing", "with 'predictions'", "it alone")
        require(0 <= self.least_score <= 1, "least_score", "in [0, 1]", self.least_score)
        require(
            not self.least_score or self.predictions is not None,
            "least_score",
            "left out without 'predictions'",
            self.least_score,
        )
        if self.frames is not None:
            check_pattern(self.frames)
        require(self.most_mistakes >= 1, "most_mistakes", "at least 1", self.most_mistakes)
        for role in self.columns:
            if role not in ROLES:
                raise OptionError(f"There is no column role '{role}'. Choose from: {', '.join(ROLES)}.")
        if self.split is not None and self.split in self.exclude_split:
            raise OptionError(f"The split '{self.split}' cannot be both read and excluded.")


def refuse_labelled_options(options: ReadOptions) -> None:
    """Raise OptionError for what only labelled data have: some options, and vectors of the items alone.

    >>> refuse_labelled_options(ReadOptions(anchors="classes"))
    Traceback (most recent call last):
    hardneg.errors.OptionError: The option 'anchors' is for labelled data, and these are anchors with positives. ...
    """
    usual = ReadOptions()
    tested = ("predictions", "agreeing", "least_score", "most_mistakes", "frames", "media_root", "mine_evaluation")
    for name in ("anchors", "positives", "unlabelled", *tested):
        if getattr(options, name) != getattr(usual, name):
            raise OptionError(
                f"The option '{name}' is for labelled data, and these are anchors with positives. "
                "Leave it out, or name the format with --format labelled."
            )
    if (options.anchor_vectors is None) != (options.item_vectors is None):
        raise OptionError("The 'anchor_vectors' and 'item_vectors' go together: give both, or leave both out.")


@dataclass(frozen=True)
class Format:
    """One format: how it is recognised and how it is read.

    ``looks_for`` says what makes a path this format, for the error where none fits.
    """

    name: str
    looks_for: str
    sniff: Callable[[Path, ReadOptions], bool]
    read: Callable[[Path, ReadOptions, Skips], Reading]


def choose_split(names: Sequence[str], options: ReadOptions, path: Path) -> str:
    """Return the split to read: the one asked for, the only one, or ``train``.

    Raises InputError where the choice is open or an asked or excluded split is not there.

    >>> choose_split(["dev", "train"], ReadOptions(), Path("data"))
    'train'
    """
    found = ", ".join(names) or "none"
    for wanted in (*options.exclude_split, *([options.split] if options.split is not None else [])):
        if wanted not in names:
            raise InputError(f"There is no split '{wanted}'. Found: {found}.", path=path)
    if options.split is not None:
        return options.split
    left = [name for name in names if name not in options.exclude_split]
    if "train" in left:
        return "train"
    if len(left) != 1:
        raise InputError(f"There are several splits: {found}.", path=path, remedy="Choose one with --split.")
    return left[0]
