"""A small help-desk corpus with planted copies, unlabelled answers and look-alikes, to see the filters at work.

The folder is laid out as BEIR lays out a data set. ``planted.tsv`` is the answer key, ``README.md`` explains it.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["demo_data"]


def demo_data() -> Path:
    """The folder with the demo's ``corpus.jsonl``, ``queries.jsonl``, ``qrels/train.tsv`` and ``planted.tsv``.

    >>> (demo_data() / "corpus.jsonl").is_file()
    True
    """
    return Path(__file__).parent
