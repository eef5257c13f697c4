"""Names in labelled data: of columns, of splits, of what has no label, of files that hold a picture or a sound."""

from __future__ import annotations

from pathlib import PurePath

from hardneg.io.readers._names import PAIR_ROLES, Roles, normal

__all__ = [
    "EVALUATION", "LABELLED_ROLES", "NO_PAIR", "SAME", "SOUND_ROLES", "SPLITS", "TRAINING", "UNLABELLED",
    "holds_several", "is_picture", "is_sound", "same_as",
]  # fmt: skip

LABELLED_ROLES: Roles = {
    "id": ("id", "_id", "item_id", "idx", "uid", "guid"),
    "image": ("image", "img", "picture", "photo"),
    "audio": (
        "audio", "wav", "sound", "audio_path", "audio_filepath", "audio_file", "wav_path", "wav_file", "sound_path",
        "sound_file",
    ),
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
SOUND_ROLES: Roles = {
    **LABELLED_ROLES,
    "label": (*LABELLED_ROLES["label"], "word", "keyword", "command", "phrase"),
    "start": ("start", "start_time", "begin", "begin_time", "onset", "offset"),
    "end": ("end", "end_time", "stop", "stop_time", "offset"),
    "duration": ("duration", "dur"),
    "speaker": ("speaker", "speaker_id", "spk", "spk_id", "client_id"),
    "session": ("session", "session_id", "recording", "recording_id"),
}
"""Of tables of sounds. An offset is where a part begins (NeMo), beside an onset where it ends (DCASE)."""
NO_PAIR = frozenset(
    name for role in ("anchor", "anchor_id", "positive", "positive_id", "negative") for name in PAIR_ROLES[role]
)
"""Columns that only pairs have."""

TRAINING = ("train", "training")
EVALUATION = ("test", "testing", "val", "valid", "validation", "dev", "eval", "evaluation")
UNLABELLED = ("unlabelled", "unlabeled", "unknown", "unsup", "unsupervised")
SPLITS = frozenset((*TRAINING, *EVALUATION))

ACCOUNTS = ("faces.csv", "faces.json")
"""What hardneg itself writes beside folders of crops."""

SAME = {"labels": "label", "groups": "group"}
"""What makes items the same, in a word, and its column. Any other word is a column's own name."""

_PLURAL = ("labels", "classes", "categories", "tags")
_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".mpo", ".jp2", ".j2k",
    ".jpx", ".avif", ".heif", ".heic", ".ppm", ".pgm", ".pbm", ".pnm",
)  # fmt: skip
_SOUNDS = (
    ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".w64", ".rf64", ".caf",
    ".sph", ".nist", ".voc", ".m4a", ".aac", ".wma", ".amr", ".webm",
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


def is_sound(name: str) -> bool:
    """Whether a file is named like a sound; of some only the suffix is known, and reading says that they are no use.

    >>> is_sound("yes.WAV"), is_sound("yes.txt")
    (True, False)
    """
    return PurePath(name).suffix.lower() in _SOUNDS


def same_as(word: str) -> str:
    """The column that a word names: what makes items the same.

    >>> same_as("labels"), same_as("speaker"), same_as("Speaker-ID"), same_as("accent")
    ('label', 'speaker', 'speaker', 'accent')
    """
    return SAME.get(word) or next(
        (role for role in ("label", "group", "speaker", "session") if normal(word) in SOUND_ROLES[role]), word
    )
