"""Names in labelled data: of columns, of splits, of what has no label, of files that hold a picture."""

from __future__ import annotations

from pathlib import PurePath

from hardneg.io.readers._names import PAIR_ROLES, Roles, normal

__all__ = [
    "EVALUATION", "LABELLED_ROLES", "NO_PAIR", "SPLITS", "TRAINING", "UNLABELLED", "holds_several", "is_picture",
]  # fmt: skip

LABELLED_ROLES: Roles = {
    "id": ("id", "_id", "item_id", "idx", "uid", "guid"),
    "image": ("image", "img", "picture", "photo"),
    "path": (
        "path", "image_path", "img_path", "file_path", "filepath", "file_name", "filename", "file", "image_file",
    ),
    "text": (
        "text", "sentence", "review", "comment", "tweet", "utterance", "content", "contents", "body", "document",
        "passage",
    ),
    "vector": ("vector", "embedding", "vectors", "embeddings", "features", "emb"),
    "label": (
        "label", "labels", "class", "classes", "category", "categories", "target", "sentiment", "species", "class_name",
        "label_text", "tags",
    ),
    "group": ("group", "group_id", "groups", "identity"),
    "split": ("split", "subset", "partition"),
}  # fmt: skip
NO_PAIR = frozenset(
    name for role in ("anchor", "anchor_id", "positive", "positive_id", "negative") for name in PAIR_ROLES[role]
)
"""Columns that only pairs have."""

TRAINING = ("train", "training")
EVALUATION = ("test", "testing", "val", "valid", "validation", "dev", "eval", "evaluation")
UNLABELLED = ("unlabelled", "unlabeled", "unknown", "unsup", "unsupervised")
SPLITS = frozenset((*TRAINING, *EVALUATION))

_PLURAL = ("labels", "classes", "categories", "tags")
_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".mpo", ".jp2", ".j2k",
    ".jpx", ".avif", ".heif", ".heic", ".ppm", ".pgm", ".pbm", ".pnm",
)  # fmt: skip


def holds_several(column: str) -> bool:
    """Whether a column's name says that a cell may hold several labels.

    >>> holds_several("Labels"), holds_several("label")
    (True, False)
    """
    return normal(column) in _PLURAL


def is_picture(name: str) -> bool:
    """Whether a file is named like a picture.

    >>> is_picture("cat.JPG"), is_picture("notes.txt")
    (True, False)
    """
    return PurePath(name).suffix.lower() in _SUFFIXES
