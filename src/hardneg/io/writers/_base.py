"""What every writer shares: the options, what a format is, and the report of an export."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hardneg.errors import OptionError
from hardneg.io.reading import Skip
from hardneg.notation import require

if TYPE_CHECKING:
    from hardneg.io.writers._export import Export

__all__ = ["ExportOptions", "ExportReport", "Writer", "check_options", "check_path"]


@dataclass(frozen=True)
class ExportOptions:
    """How to write; the defaults fit most. An option that a format has no use for is refused, not ignored.

    Attributes:
        n: At most this many negatives an anchor, the hardest first. Where all rows need the same number, exactly
            this many; the number that was asked for in the mining if not given.
        on_short: What becomes of an anchor with fewer negatives than all rows need: ``skip`` leaves it out and
            counts it; ``shrink`` lowers the number to what the poorest anchor has. Nothing is ever padded.
        positives: ``all`` or the ``first`` of each anchor, in the order of the items.
        columns: The user's own column names by the format's, as in ``{"anchor": "query"}``.
        values: Whether labels (1 and 0) or similarity scores are written, where there is a choice.
        ids: Add columns with ids. A trainer that takes every column for a text needs them removed first.
        prompt: The instruction for the query, for formats that carry one.
        bucket: The first part of the shard names in an index of shards.
        shard_rows: Rows in one shard.
        balanced: Whether weights are balanced by class.
        files: Whether pictures and sounds are put there as symbolic links (``link``), as hard links (``hardlink``) or
            copied (``copy``).
        hard_class: Add a category for mined backgrounds, for a detector that shall learn what they are.
        unsure: What becomes of suspects, and of what counts for nothing, where a format cannot say "ignore this":
            ``mask`` puts a copy of the picture there in which they are grey, ``leave-out`` leaves the image out,
            ``background`` lets them be trained on as such.
        backgrounds: At most this share of the images may have no boxes; those with the hardest negatives stay.
        overwrite: Replace an earlier export.

    Raises:
        OptionError: for a number below 1 or a word that is not a choice.

    >>> ExportOptions(n=0)
    Traceback (most recent call last):
    hardneg.errors.OptionError: The 'n' must be at least 1. Got 0.
    """

    n: int | None = None
    on_short: Literal["skip", "shrink"] = "skip"
    positives: Literal["all", "first"] = "all"
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Literal["label", "score"] | None = None
    ids: bool = False
    prompt: str | None = None
    bucket: str = "contrastive"
    shard_rows: int = 100_000
    balanced: bool = False
    files: Literal["link", "hardlink", "copy"] = "link"
    hard_class: bool = False
    unsure: Literal["mask", "leave-out", "background"] = "mask"
    backgrounds: float | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        require(self.n is None or self.n >= 1, "n", "at least 1", self.n)
        require(self.shard_rows >= 1, "shard_rows", "at least 1", self.shard_rows)
        require(self.on_short in ("skip", "shrink"), "on_short", "skip or shrink", self.on_short)
        require(self.positives in ("all", "first"), "positives", "all or first", self.positives)
        require(self.files in ("link", "hardlink", "copy"), "files", "link, hardlink or copy", self.files)
        choices = ("mask", "leave-out", "background")
        require(self.unsure in choices, "unsure", "mask, leave-out or background", self.unsure)
        share = self.backgrounds
        require(share is None or 0 <= share < 1, "backgrounds", "at least 0 and below 1", share)
        require(self.values in (None, "label", "score"), "values", "label or score", self.values)

    def given(self) -> dict[str, object]:
        """The options that decide the bytes and differ from the defaults.

        >>> ExportOptions(n=4, overwrite=True).given()
        {'n': 4}
        """
        default = ExportOptions()
        names = [one.name for one in fields(self) if one.name != "overwrite"]
        return {name: getattr(self, name) for name in names if getattr(self, name) != getattr(default, name)}


@dataclass(frozen=True)
class Writer:
    """One format.

    Attributes:
        name: What the user calls it.
        description: For whom it is, in one line.
        suffixes: The endings of a single file, the usual one first; empty for a format that is always a folder.
        holds: Which of texts, ids and scores the format has room for.
        write: Writes everything to ``export.target``.
        takes: The options it has a use for.
        texts: Whether it needs the texts of anchors and items.
        paths: Whether the path of a picture may stand where it needs a text, and a member of the class where the
            anchor is a class.
        media: Whether a picture or a sound may be shown where it needs a text.
        folder: Whether a path without one of ``suffixes`` becomes a folder.
    """

    name: str
    description: str
    suffixes: tuple[str, ...]
    holds: str
    write: Callable[[Export], None]
    takes: tuple[str, ...] = ("n", "positives")
    texts: bool = True
    folder: bool = False
    paths: bool = False
    media: bool = False

    @property
    def usual(self) -> str:
        """The usual ending, or ``folder``."""
        return self.suffixes[0] if self.suffixes else "folder"

    def is_file(self, out: Path) -> bool:
        """Whether ``out`` names a single file of this format."""
        return out.name.endswith(self.suffixes)


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote.

    ``counts`` holds the anchors of the run and the rows written, ``skips`` what was left out and why, ``notes`` what
    else is to be known.
    """

    format: str
    path: Path
    files: tuple[Path, ...]
    counts: Mapping[str, int]
    skips: tuple[Skip, ...]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """The rows of the training data."""
        return self.counts.get("rows", 0)


def check_options(writer: Writer, options: ExportOptions) -> None:
    """Raise OptionError for an option that the format has no use for."""
    for name in options.given():
        if name not in writer.takes:
            raise OptionError(
                f"The format '{writer.name}' has no use for the option '{name}'. "
                f"It takes: {', '.join(writer.takes) or 'none'}."
            )


def check_path(writer: Writer, out: Path) -> None:
    """Raise OptionError where the ending of ``out`` does not fit the format."""
    if writer.is_file(out):
        return
    endings = ", ".join(writer.suffixes)
    looks_like_file = out.name.endswith((".jsonl", ".json", ".parquet", ".tsv", ".csv", ".gz"))
    if not writer.suffixes and looks_like_file:
        raise OptionError(f"The format '{writer.name}' is a folder. Got '{out}'. Leave the ending out.")
    if writer.suffixes and (looks_like_file or not writer.folder):
        alternative = ", or no ending for a folder" if writer.folder else ""
        raise OptionError(
            f"The format '{writer.name}' is written to a file that ends in {endings}{alternative}. Got '{out}'."
        )
